/**
 * The one client of OpenAI-compatible servers: `POST /v1/chat/completions`, read as it streams. Knows the protocol and what
 * its failures mean; asks once.
 */
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { Z1Error } from '../base/errors.js'
import { readContent } from './content.js'

/** Where to ask, and as whom. */
export interface Endpoint {
  /** URL of the chat completions. */
  url: string
  /** Sent as a bearer token. */
  key: string | undefined
}

/** What a chunk adds. */
export interface Delta {
  reasoning: string
  content: string
}

/** How a response ended, and what the server counted. */
export interface Completion {
  finishReason: 'stop' | 'length'
  /** Null where the server does not count. */
  promptTokens: number | null
  completionTokens: number | null
}

/**
 * What a failure is about: `server` may pass, `question` lies in what was asked and another question may be answered,
 * `filter` is the server's content filter, `request` is wrong for every question.
 */
export type Fault = 'server' | 'question' | 'filter' | 'request'

/** A server did not answer. Code REMOTE_FAILED where asking again may help, else REMOTE_REFUSED. */
export class RemoteError extends Z1Error {
  constructor(
    readonly fault: Fault,
    readonly url: string,
    message: string,
    /** Milliseconds that the server asks to wait. */
    readonly retryAfter: number | null = null,
    options?: { cause?: unknown },
  ) {
    super(fault === 'server' ? 'REMOTE_FAILED' : 'REMOTE_REFUSED', message, options)
  }
}

/** @param server `http://localhost:8080`, with or without `/v1`. @throws {TypeError} for an address that is none. */
export function chatCompletionsUrl(server: string): string {
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new TypeError(`Expected the http(s) address of a server but received ${JSON.stringify(server)}`)
  }
  const path = new URL(server).pathname.replace(/\/+$/, '')
  if (path.endsWith('/chat/completions')) return server
  return new URL(`${path === '' ? '/v1' : path}/chat/completions`, server).href
}

/**
 * Yields what a response adds as it comes, and returns how it ended.
 * @throws {RemoteError}
 * @throws the signal's reason when it is aborted.
 */
export async function* chatCompletion(
  { url, key }: Endpoint,
  body: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Delta, Completion> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
      // As a stream: fetch gives up on a response that says nothing for five minutes.
      body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
      signal,
    })
    if (!response.ok) throw await failureOf(response, url)
    return yield* readChunks(response, url)
  } catch (error) {
    signal.throwIfAborted()
    throw error instanceof RemoteError ? error : new RemoteError('server', url, causeOf(error), null, { cause: error })
  }
}

async function* readChunks(response: Response, url: string): AsyncGenerator<Delta, Completion> {
  let finish: string | null = null
  let usage: Usage = {}
  for await (const data of documentsOf(response)) {
    if (data === '[DONE]' || data === '') continue
    const chunk = parse(data, url)
    if (chunk.error) throw new RemoteError('server', url, messageOf(data))
    usage = chunk.usage ?? usage
    const choice = chunk.choices?.[0]
    const part = choice?.delta ?? choice?.message
    finish = choice?.finish_reason ?? finish
    const delta = deltaOf(part ?? {})
    if (delta.reasoning !== '' || delta.content !== '') yield delta
  }
  if (finish === null) throw new RemoteError('server', url, 'its response ended early')
  if (finish === 'content_filter') throw new RemoteError('filter', url, 'its content filter stepped in')
  return {
    finishReason: finish === 'length' ? 'length' : 'stop',
    promptTokens: usage.prompt_tokens ?? null,
    completionTokens: usage.completion_tokens ?? null,
  }
}

/** Some servers split the reasoning off into a field, some into parts of the content. */
function deltaOf({ reasoning_content, reasoning, content }: Part): Delta {
  const [apart, said] = [readContent(reasoning_content ?? reasoning), readContent(content)]
  return { reasoning: (apart?.text ?? '') + (said?.thinking ?? ''), content: said?.text ?? '' }
}

/** The data of server-sent events, or the one document of a server that does not stream. */
async function* documentsOf(response: Response): AsyncGenerator<string> {
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    yield await response.text()
    return
  }
  const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { data } of events ?? []) yield data.trim()
}

function parse(data: string, url: string): Chunk {
  try {
    return JSON.parse(data)
  } catch {
    throw new RemoteError('server', url, `its response is not JSON: ${data.slice(0, 80)}`)
  }
}

/** 408, 429 and 5xx pass; 400, 413 and 422 may lie in the question; all else lies in the request. */
async function failureOf(response: Response, url: string): Promise<RemoteError> {
  const { status, headers } = response
  const text = await response.text().catch(() => '')
  const said = `status ${status}${text === '' ? '' : `: ${messageOf(text)}`}`
  if (status === 408 || status === 429 || status >= 500) {
    const seconds = Number(headers.get('retry-after') ?? NaN)
    return new RemoteError('server', url, said, Number.isFinite(seconds) ? seconds * 1000 : null)
  }
  if (status === 400 || status === 413 || status === 422) return new RemoteError('question', url, said)
  return new RemoteError('request', url, `${url} refused the request with ${said}`)
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

interface Usage {
  prompt_tokens?: number
  completion_tokens?: number
}

interface Chunk {
  error?: unknown
  usage?: Usage | null
  choices?: { delta?: Part; message?: Part; finish_reason?: string | null }[]
}

/** Each a text or a list of parts. */
interface Part {
  content?: unknown
  reasoning_content?: unknown
  reasoning?: unknown
}
