/** What callers of the hub may pass, and where it is looked for and put. */
import { abortSignal, boolean, callback, filePath, isString, kind } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { type Option, option, readOptions } from '../base/options.js'
import { HubClient } from './client.js'
import { cacheFolder, endpointOf, isOffline, timeoutOf, tokenOf } from './environment.js'
import { isSafePath } from './names.js'

/** How far a download is. */
export interface PullProgress {
  /** Bytes that are on disk, of earlier runs too. */
  done: number
  /** Bytes of all files. */
  total: number
}

export interface CacheOptions {
  /** Folder of the cache. Default: HF_HUB_CACHE, else `hub` in HF_HOME, else in `~/.cache/huggingface`. */
  cache?: string | URL | undefined
}

export interface HubOptions extends CacheOptions {
  /** Branch, tag or commit. Default `main`. */
  revision?: string | undefined
  /** Aborts it, which then rejects with the signal's reason. What came is kept, and the next pull goes on there. */
  signal?: AbortSignal | undefined
}

export interface PullOptions extends HubOptions {
  /** Called as bytes arrive. What it throws ends the download, which then rejects with it. */
  onProgress?: ((progress: PullProgress) => void) | undefined
}

const revision = kind('branch, tag or commit', isString, {
  isValid: (value) => value.length <= 200 && isSafePath(value),
})

const CACHE_OPTIONS = { cache: option(filePath()) }

const HUB_OPTIONS = {
  ...CACHE_OPTIONS,
  revision: option(revision, 'main'),
  signal: option(abortSignal()),
} satisfies Record<keyof HubOptions, Option<unknown>>

const PULL_OPTIONS = {
  ...HUB_OPTIONS,
  onProgress: option(callback<(progress: PullProgress) => void>()),
} satisfies Record<keyof PullOptions, Option<unknown>>

const FIND_OPTIONS = { ...PULL_OPTIONS, download: option(boolean, false) }

export interface FindOptions extends PullOptions {
  /** Download what is not in the cache. Default false. */
  download?: boolean | undefined
}

export function readCacheOptions(options: unknown) {
  const { cache } = readOptions(CACHE_OPTIONS, options)
  return { cache: cache ?? cacheFolder() }
}

export function readHubOptions(options: unknown) {
  const { cache, ...others } = readOptions(HUB_OPTIONS, options)
  return { cache: cache ?? cacheFolder(), ...others }
}

export function readPullOptions(options: unknown) {
  const { cache, ...others } = readOptions(PULL_OPTIONS, options)
  return { cache: cache ?? cacheFolder(), ...others }
}

export function readFindOptions(options: unknown) {
  const { cache, ...others } = readOptions(FIND_OPTIONS, options)
  return { cache: cache ?? cacheFolder(), ...others }
}

/** Milliseconds before the second try. */
const PAUSE = 500

/** @throws {Z1Error} REMOTE_REFUSED where the environment forbids to ask the network. */
export async function openClient(what: string): Promise<HubClient> {
  if (isOffline()) throw new Z1Error('REMOTE_REFUSED', `${what} cannot be asked for: HF_HUB_OFFLINE is set`)
  return new HubClient({ endpoint: endpointOf(), token: await tokenOf(), timeout: timeoutOf(), pause: PAUSE })
}
