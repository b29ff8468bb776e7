/** A teacher behind an OpenAI-compatible server: `POST /v1/chat/completions`, answered as a stream of events. */
import { setTimeout as sleep } from 'node:timers/promises'
import { findLoop } from '../base/loops.js'
import { Refusal, type Teacher, type TeachingOptions, type Trajectory } from './teacher.js'

export interface ServerOptions extends TeachingOptions {
  /** `http://localhost:8080`, with or without `/v1`. */
  server: string
  /** Name of the model, as the server knows it. */
  model: string
  /** Sent as a bearer token. Default: none. */
  key?: string | undefined
  /** How often a request is sent again, ≥ 0. Default 6. */
  retries?: number | undefined
  /** Milliseconds before the first time it is; they double each time, up to a minute. Default 1000. */
  backoff?: number | undefined
}

const MAX_WAIT_MS = 60_000

/** A failure that may not happen again. */
class Transient extends Error {
  constructor(
    message: string,
    /** Milliseconds that the server asks to wait. */
    readonly wait: number | null = null,
  ) {
    super(message)
  }
}

/** @throws {TypeError} for an address that is none. */
export function serverTeacher(options: ServerOptions): Teacher {
  const url = endpointOf(options.server)
  const { retries = 6, backoff = 1000 } = options
  return {
    async ask(question, seed, signal) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await request(url, question, seed, options, signal)
        } catch (error) {
          signal.throwIfAborted()
          if (!(error instanceof Transient)) throw error
          if (attempt >= retries) {
            throw new Error(`${url} failed ${attempt + 1} times: ${error.message}`, { cause: error })
          }
          // Half of it by chance, so that requests that failed together do not come back together.
          const doubled = backoff * 2 ** attempt * (0.5 + Math.random() / 2)
          await sleep(Math.min(error.wait ?? doubled, MAX_WAIT_MS), undefined, { signal })
        }
      }
    },
    async close() {},
  }
}

function endpointOf(server: string): string {
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new TypeError(`Expected the http(s) address of a server but received ${JSON.stringify(server)}`)
  }
  const path = new URL(server).pathname.replace(/\/+$/, '')
  if (path.endsWith('/chat/completions')) return server
  return new URL(`${path === '' ? '/v1' : path}/chat/completions`, server).href
}

async function request(
  url: string,
  question: string,
  seed: number,
  { model, key, system, limit, temperature, topP }: ServerOptions,
  signal: AbortSignal,
): Promise<Trajectory> {
  const messages = [{ role: 'user', content: question }]
  if (system !== undefined) messages.unshift({ role: 'system', content: system })
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
    // As a stream: fetch gives up on a response that says nothing for five minutes.
    body: JSON.stringify({
      model,
      messages,
      max_tokens: limit,
      temperature,
      top_p: topP,
      seed,
      stream: true,
      stream_options: { include_usage: true },
    }),
    signal,
  }).catch((error) => {
    throw new Transient(causeOf(error))
  })
  if (!response.ok) throw await failureOf(response, url)

  const reader = new ChunkReader()
  try {
    for await (const data of eventsOf(response)) reader.take(data)
  } catch (error) {
    throw error instanceof Transient || error instanceof Refusal ? error : new Transient(causeOf(error))
  }
  return reader.trajectory()
}

/** 429 and 5xx pass; 400, 413 and 422 may lie in the question; all else lies in the request. */
async function failureOf(response: Response, url: string): Promise<Error> {
  const { status, headers } = response
  const text = await response.text().catch(() => '')
  const said = `status ${status}${text === '' ? '' : `: ${messageOf(text)}`}`
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get('retry-after') ?? NaN)
    return new Transient(said, Number.isFinite(seconds) ? seconds * 1000 : null)
  }
  if (status === 400 || status === 413 || status === 422) return new Refusal('refused', said)
  return new Error(`${url} refused the request with ${said}`)
}

function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text)
    if (typeof (error?.message ?? error) === 'string') return error.message ?? error
  } catch {}
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}

/** fetch says `fetch failed`, and its cause why. */
function causeOf(error: unknown): string {
  const { message, cause } = error as Error
  return cause instanceof Error ? cause.message || ((cause as NodeJS.ErrnoException).code ?? message) : message
}

/** The data of server-sent events, or the one document of a server that does not stream. */
async function* eventsOf(response: Response): AsyncGenerator<string> {
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    yield await response.text()
    return
  }
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of response.body ?? []) {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split(/\r?\n/)
    rest = lines.pop() as string
    for (const line of lines) if (line.startsWith('data:')) yield line.slice(5).trim()
  }
  if (rest.startsWith('data:')) yield rest.slice(5).trim()
}

/** Puts a response together from its chunks. */
class ChunkReader {
  #reasoning = ''
  #content = ''
  #tokens: number | null = null
  #finish: string | null = null

  take(data: string): void {
    if (data === '[DONE]' || data === '') return
    let chunk: Chunk
    try {
      chunk = JSON.parse(data)
    } catch {
      throw new Transient(`its response is not JSON: ${data.slice(0, 80)}`)
    }
    if (chunk.error) throw new Transient(messageOf(data))
    this.#tokens = chunk.usage?.completion_tokens ?? this.#tokens
    const choice = chunk.choices?.[0]
    const part = choice?.delta ?? choice?.message
    this.#reasoning += part?.reasoning_content ?? part?.reasoning ?? ''
    this.#content += part?.content ?? ''
    this.#finish = choice?.finish_reason ?? this.#finish
  }

  trajectory(): Trajectory {
    if (this.#finish === null) throw new Transient('its response ended early')
    if (this.#finish === 'content_filter') throw new Refusal('content filter', 'its content filter stepped in')
    // Some servers split off the reasoning; the trajectory is one text.
    const text = [this.#reasoning, this.#content].filter((part) => part.trim() !== '').join('\n\n')
    return {
      text,
      tokens: this.#tokens,
      truncated: this.#finish === 'length',
      loops: findLoop(text.split(/\s+/)) !== null,
    }
  }
}

interface Chunk {
  error?: unknown
  usage?: { completion_tokens?: number } | null
  choices?: {
    delta?: Part
    message?: Part
    finish_reason?: string | null
  }[]
}

interface Part {
  content?: string | null
  reasoning_content?: string | null
  reasoning?: string | null
}
