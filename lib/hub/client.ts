/**
 * Requests to the Hub: redirects, the token and who may see it, what failures mean, and asking again. Knows HTTP and no
 * cache.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { Z1Error } from '../base/errors.js'
import { oneLine } from '../base/one-line.js'
import { packageVersion } from '../base/package.js'
import { causeOf, PassingFailure, stalled, Unreachable, Watch } from './connection.js'

export interface ClientOptions {
  /** Address of the Hub, without a slash at its end. */
  endpoint: string
  /** Sent to the Hub, and to nobody else. */
  token: string | null
  /** Milliseconds without a byte after which a connection counts as lost. */
  timeout: number
  /** Milliseconds before the second try; each further one waits twice as long. */
  pause: number
}

/** Tries in a row that bring nothing. */
const TRIES = 6

/** Tries of a client that has never reached its server: the machine is offline, most likely. */
const FIRST_TRIES = 3

/** Milliseconds between two tries at most, and the longest that a server may ask for. */
const LONGEST_PAUSE = 30_000
const LONGEST_WAIT = 600_000

const REDIRECTS = 10

/** Bytes of a JSON document at most: lists of files are long in repositories of data sets. */
const LARGEST_DOCUMENT = 64 * 2 ** 20

/** A response whose body ends with an error when it stalls, or when the signal is aborted. */
export interface Reply {
  status: number
  headers: Headers
  body: AsyncIterable<Uint8Array>
}

export class HubClient {
  readonly #options: ClientOptions
  #hasReached = false

  constructor(options: ClientOptions) {
    this.#options = options
  }

  get endpoint(): string {
    return this.#options.endpoint
  }

  /** A JSON document. @param path Below the endpoint. @throws {Z1Error} */
  async json(path: string, subject: Subject, signal?: AbortSignal): Promise<unknown> {
    return this.retry(signal, async () => {
      const parts: Uint8Array[] = []
      let length = 0
      const { body } = await this.get(path, subject, {}, signal)
      for await (const part of body) {
        length += part.length
        if (length > LARGEST_DOCUMENT) throw new Z1Error('REMOTE_FAILED', `The answer of ${this.endpoint} is too long`)
        parts.push(part)
      }
      try {
        return JSON.parse(Buffer.concat(parts).toString('utf8'))
      } catch (cause) {
        throw new Z1Error('REMOTE_FAILED', `${this.endpoint} is no Hugging Face Hub: its answer is not JSON`, { cause })
      }
    })
  }

  /**
   * One try. Redirects are followed, the token is not: it is for the Hub alone.
   * @throws {PassingFailure|Z1Error}
   */
  async get(path: string, subject: Subject, headers: Record<string, string>, signal?: AbortSignal): Promise<Reply> {
    const { endpoint, token } = this.#options
    const { origin } = new URL(endpoint)
    let url = new URL(endpoint + path)
    let isTrusted = true
    for (let hops = 0; hops <= REDIRECTS; hops++) {
      isTrusted &&= url.origin === origin
      const reply = await this.#fetch(url, { ...headers, ...(token !== null && isTrusted && bearer(token)) }, signal)
      const location = reply.headers.get('location')
      if (reply.status < 300 || reply.status === 304 || reply.status === 416) return reply
      if (reply.status >= 400 || location === null) {
        const said = await textOf(reply)
        throw isTrusted ? this.#failure(reply, said, subject) : failureElsewhere(reply, url)
      }
      await discard(reply)
      if (!URL.canParse(location, url.href)) throw new PassingFailure(`${url.host} redirects to what is no address`)
      const next = new URL(location, url)
      if (next.protocol !== 'https:' && next.protocol !== url.protocol) {
        throw new Z1Error(
          'REMOTE_REFUSED',
          `${url.host} redirects to ${next.protocol}//${next.host}, which is not followed: it is not encrypted as before`,
        )
      }
      url = next
    }
    throw new PassingFailure(`${url.host} redirects without end`)
  }

  /** Asks until there is an answer. `attempt` may say that it got further, which makes the count of tries begin anew. */
  async retry<T>(signal: AbortSignal | undefined, attempt: (gotFurther: () => void) => Promise<T>): Promise<T> {
    let tries = 0
    for (;;) {
      try {
        return await attempt(() => {
          tries = 0
        })
      } catch (error) {
        signal?.throwIfAborted()
        if (!(error instanceof PassingFailure)) throw error
        tries += 1
        const pause = Math.min(this.#options.pause * 2 ** (tries - 1), LONGEST_PAUSE)
        const wait = Math.max(error.retryAfter ?? 0, pause)
        const most = error instanceof Unreachable && !this.#hasReached ? FIRST_TRIES : TRIES
        if (tries >= most || wait > LONGEST_WAIT) throw new Z1Error('REMOTE_FAILED', error.message, { cause: error })
        await sleep(wait, undefined, { signal }).catch(() => signal?.throwIfAborted())
      }
    }
  }

  async #fetch(url: URL, headers: Record<string, string>, signal: AbortSignal | undefined): Promise<Reply> {
    const watch = new Watch(this.#options.timeout, signal)
    try {
      const response = await fetch(url, {
        headers: {
          'user-agent': `z1-native/${packageVersion()}`,
          // A compressed body would have other bytes than its range says.
          'accept-encoding': 'identity',
          ...headers,
        },
        redirect: 'manual',
        signal: watch.signal,
      })
      this.#hasReached = true
      return { status: response.status, headers: response.headers, body: watch.through(response.body, url) }
    } catch (error) {
      watch.end()
      throw this.#lost(error, url, signal, watch)
    }
  }

  #lost(error: unknown, url: URL, signal: AbortSignal | undefined, watch: Watch): unknown {
    if (signal?.aborted) return signal.reason
    if (watch.stalled) return stalled(url)
    const advice = url.href.startsWith(this.endpoint)
      ? '; is this machine offline? HF_ENDPOINT names another address of the Hub'
      : ''
    return new Unreachable(`Cannot reach ${url.host}: ${causeOf(error)}${advice}`, null, { cause: error })
  }

  /** What the Hub means by a status. Its header x-error-code tells what the status alone does not. */
  #failure({ status, headers }: Reply, said: string, subject: Subject): Error {
    const { host } = new URL(this.endpoint)
    const { token } = this.#options
    const code = headers.get('x-error-code')
    const message = oneLine(headers.get('x-error-message') ?? said, 300)
    const what = `${subject.kind === 'dataset' ? 'data set' : 'repository'} ${subject.repo}`
    const notFound = subject.kind === 'dataset' ? 'REMOTE_REFUSED' : 'MODEL_NOT_FOUND'
    if (status === 429) {
      return new PassingFailure(`${host} asks to wait: too many requests (status 429)`, retryAfter(headers))
    }
    if (status === 408 || status >= 500) {
      return new PassingFailure(`${host} failed with status ${status}${message && `: ${message}`}`, retryAfter(headers))
    }
    if (code === 'GatedRepo') {
      const page = `${this.endpoint}/${subject.kind === 'dataset' ? 'datasets/' : ''}${subject.repo}`
      const account =
        token === null
          ? 'set HF_TOKEN to a token of your account'
          : 'the token in use has to be of the account that did'
      return new Z1Error('REMOTE_REFUSED', `The ${what} is gated: accept its conditions at ${page}, and ${account}`)
    }
    if (code === 'RevisionNotFound') {
      return new Z1Error(notFound, `The ${what} has no revision ${subject.revision}`)
    }
    if (code === 'EntryNotFound') return new Z1Error(notFound, `The ${what} does not have the file: ${message}`)
    if (status === 401 && token !== null && code !== 'RepoNotFound') {
      return new Z1Error(
        'REMOTE_REFUSED',
        `${host} refuses the token (status 401): make another one, or unset HF_TOKEN`,
      )
    }
    if (status === 401 || status === 404) {
      const access = token === null ? 'a private one needs HF_TOKEN' : 'or the token has no access to it'
      return new Z1Error(notFound, `There is no ${what} at ${host}, or it is private: check its name; ${access}`)
    }
    return new Z1Error(
      'REMOTE_REFUSED',
      `${host} refused the request with status ${status}${message && `: ${message}`}`,
    )
  }
}

/** What is asked for, in the words of messages. */
export interface Subject {
  kind: 'model' | 'dataset'
  repo: string
  revision: string
}

/** Addresses that the Hub redirects to are signed for a time: the next try gets another one. */
function failureElsewhere({ status, headers }: Reply, { host }: URL): Error {
  return new PassingFailure(`${host} failed with status ${status}`, retryAfter(headers))
}

function bearer(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}` }
}

/** Seconds, or a date. */
function retryAfter(headers: Headers): number | null {
  const text = headers.get('retry-after')
  if (text === null) return null
  const wait = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(wait) ? Math.max(wait, 0) : null
}

/** The beginning of what an error's body says. */
async function textOf({ body, headers }: Reply): Promise<string> {
  const parts: Uint8Array[] = []
  let length = 0
  try {
    for await (const part of body) {
      parts.push(part)
      length += part.length
      if (length > 10_000) break
    }
  } catch (error) {
    if (!(error instanceof PassingFailure)) throw error
  }
  const text = Buffer.concat(parts).toString('utf8')
  try {
    const { error } = JSON.parse(text)
    if (typeof error === 'string') return error
  } catch {}
  return headers.get('content-type')?.includes('html') ? '' : text
}

async function discard({ body }: Reply): Promise<void> {
  for await (const _ of body) break
}
