/** What the environment says of the Hub and its cache, by the rules of Python's huggingface_hub (`constants.py`). */
import { readFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { Z1Error } from '../base/errors.js'

type Environment = Readonly<Record<string, string | undefined>>

/** Milliseconds without a byte after which a connection counts as lost. */
const TIMEOUT = 30_000

/** Empty ones are as good as none. */
function value(env: Environment, ...names: string[]): string | undefined {
  return names.map((name) => env[name]?.trim()).find((text) => text !== undefined && text !== '')
}

/** As Python's expanduser and expandvars. */
function expanded(path: string, env: Environment): string {
  const variables = path.replace(/\$(?:(\w+)|\{([^}]*)\})/g, (whole, a, b) => env[a ?? b] ?? whole)
  return resolve(variables.replace(/^~(?=$|[/\\])/, env.HOME ?? homedir()))
}

function hfHome(env: Environment): string {
  const given = value(env, 'HF_HOME')
  if (given !== undefined) return expanded(given, env)
  return join(expanded(value(env, 'XDG_CACHE_HOME') ?? join('~', '.cache'), env), 'huggingface')
}

/** Folder of the cache. */
export function cacheFolder(env: Environment = process.env): string {
  const given = value(env, 'HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE')
  return given === undefined ? join(hfHome(env), 'hub') : expanded(given, env)
}

/** Address of the Hub, without a slash at its end. @throws {TypeError} for a HF_ENDPOINT that is no address. */
export function endpointOf(env: Environment = process.env): string {
  const given = (value(env, 'HF_ENDPOINT') ?? 'https://huggingface.co').replace(/\/+$/, '')
  if (!/^https?:\/\//i.test(given) || !URL.canParse(given)) {
    throw new TypeError(`Expected an http(s) address for HF_ENDPOINT but received ${JSON.stringify(given)}`)
  }
  return given
}

/** The token of HF_TOKEN, else of the file that `hf auth login` writes; null: there is none. */
export async function tokenOf(env: Environment = process.env): Promise<string | null> {
  const given = value(env, 'HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN')
  if (given !== undefined) return checkedToken(given, 'HF_TOKEN')
  if (isTrue(env.HF_HUB_DISABLE_IMPLICIT_TOKEN)) return null
  const path = value(env, 'HF_TOKEN_PATH')
  const file = path === undefined ? join(hfHome(env), 'token') : expanded(path, env)
  const text = (await readFile(file, 'utf8').catch(() => '')).trim()
  return text === '' ? null : checkedToken(text, file)
}

/** What is no token would be an error of the HTTP client that quotes it. */
function checkedToken(token: string, from: string): string {
  if (/^[\x21-\x7e]+$/.test(token)) return token
  throw new Z1Error('REMOTE_REFUSED', `The token in ${from} has characters that no token has`)
}

/** Nothing may be asked of the network. */
export function isOffline(env: Environment = process.env): boolean {
  return isTrue(env.HF_HUB_OFFLINE || env.TRANSFORMERS_OFFLINE)
}

/** Milliseconds. */
export function timeoutOf(env: Environment = process.env): number {
  const seconds = Number(value(env, 'HF_HUB_DOWNLOAD_TIMEOUT') ?? NaN)
  return seconds > 0 && seconds < 1e6 ? seconds * 1000 : TIMEOUT
}

function isTrue(text: string | undefined): boolean {
  return ['1', 'ON', 'YES', 'TRUE'].includes(text?.toUpperCase() ?? '')
}
