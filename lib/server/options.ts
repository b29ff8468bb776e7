/** What a server is told when it is made. */
import { callback, integer, isPlainObject, isString, kind, listOf, oneOf, text } from '../base/checks.js'
import { type Option, option, type Read, readOptions } from '../base/options.js'
import { checkReasonOptions, type ReasonOptions } from '../reason/options.js'

export interface AppOptions {
  /** What every request must bring, as `Authorization: Bearer …` or `X-Api-Key: …`; all but `/health` and the page. Default: none. */
  apiKey?: string | undefined
  /**
   * Names that the `Host` of a request may have beside `localhost`, `127.0.0.1` and `[::1]`, without a port; `*`: any. What stands in the
   * way of pages that let their own name point to this machine. Default: none.
   */
  hosts?: readonly string[] | undefined
  /** Origins of web pages that may ask, such as `http://localhost:5173`, beside the server's own; `*`: any. Default: none. */
  origins?: readonly string[] | undefined
  /** What the model is called. Default: its file's name, without `.gguf`. */
  modelId?: string | undefined
  /** Where reasoning stands in messages of chat completions: `reasoning_content` or `reasoning`. Default `reasoning_content`. */
  reasoningField?: 'reasoning_content' | 'reasoning' | undefined
  /** Bytes of a body, 1024 … 268435456; more is 413. Default 4194304. */
  maxBodyBytes?: number | undefined
  /** Requests that wait beside those that run, 0 … 65536; more are 429. Default 128. */
  maxQueue?: number | undefined
  /** Options of requests that do not say otherwise: sampling, `hint`, `loops`, `thinkingWindow` and the rest. Default: none. */
  defaults?: Omit<ReasonOptions, 'signal' | 'maxTokens'> | undefined
  /** Called with what fails on this side, for a log. It must not throw. Default: nothing. */
  onError?: ((error: unknown) => void) | undefined
}

export interface ServeOptions extends AppOptions {
  /** Address to listen on. One that other machines reach needs an `apiKey`. Default `127.0.0.1`. */
  host?: string | undefined
  /** 0 … 65535; 0: one that is free. Default 8080. */
  port?: number | undefined
}

const bearer = kind('string of visible ASCII characters', isString, {
  isValid: (value) => /^[\x21-\x7e]+$/.test(value),
})
const name = kind('non-empty string', isString, { isValid: (value) => value !== '' })
const hostName = kind('name or address without a port', isString, {
  isValid: (value) => /^(?:\*|\[[\da-f:.]+\]|[^\s:/@[\]]+)$/i.test(value),
  convert: (value) => value.toLowerCase(),
})
const origin = kind('origin such as http://localhost:5173, or *', isString, {
  isValid: (value) => value === '*' || (URL.canParse(value) && new URL(value).origin === value),
})

const requestDefaults = kind('plain object', (value): value is object => isPlainObject(value), {
  convert: (value) => {
    for (const name of ['signal', 'maxTokens']) {
      if (name in value) throw new TypeError(`Expected no ${name} in defaults: each request has its own`)
    }
    if ('samples' in value) throw new TypeError('Expected no samples in defaults: a request has one response')
    checkReasonOptions(value)
    return { ...value } as ReasonOptions
  },
})

const APP_OPTIONS = {
  apiKey: option(bearer),
  hosts: option(listOf(hostName, 'array of names'), []),
  origins: option(listOf(origin, 'array of origins'), []),
  modelId: option(name),
  reasoningField: option(oneOf(['reasoning_content', 'reasoning']), 'reasoning_content'),
  maxBodyBytes: option(integer(1024, 2 ** 28), 2 ** 22),
  maxQueue: option(integer(0, 2 ** 16), 128),
  defaults: option(requestDefaults, {}),
  onError: option(callback<(error: unknown) => void>(), () => {}),
} satisfies Record<keyof AppOptions, Option<unknown>>

const SERVE_OPTIONS = {
  ...APP_OPTIONS,
  hosts: option(listOf(hostName, 'array of names')),
  host: option(text, '127.0.0.1'),
  port: option(integer(0, 65535), 8080),
} satisfies Record<keyof ServeOptions, Option<unknown>>

export type ResolvedAppOptions = Read<typeof APP_OPTIONS>

/** @throws {TypeError|RangeError} for options that cannot be. */
export function checkAppOptions(input: unknown): ResolvedAppOptions {
  return readOptions(APP_OPTIONS, input)
}

/** @throws {TypeError|RangeError} for options that cannot be, and for an address that needs a key. */
export function checkServeOptions(input: unknown) {
  const { host, port, hosts, ...app } = readOptions(SERVE_OPTIONS, input)
  const isLocal = isLoopback(host)
  if (!isLocal && app.apiKey === undefined) {
    throw new TypeError(`Expected an apiKey for host ${host}: other machines reach it`)
  }
  // A key keeps out what names would; which ones lead here is not known.
  const known = hosts ?? (isLocal ? [bracketed(host)] : ['*'])
  return { host, port, app: checkAppOptions({ ...app, hosts: known }) }
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host)
}

/** An address as it stands in a URL. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
