/** Requests to a server that speaks JSON: one at a time, read as they stream, and what their failures mean. Asks once. */
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { Z1Error } from '../base/errors.js'

/** Where to ask, and as whom. */
export interface Endpoint {
  url: string
  /** Sent as a bearer token. */
  key: string | undefined
}

/**
 * What a failure is about: `server` may pass, `question` lies in what was asked and another question may be answered,
 * `filter` is the server's content filter, `request` is wrong for every question.
 */
export type Fault = 'server' | 'question' | 'filter' | 'request'

/** A server did not answer. Code REMOTE_FAILED where asking again may help, else REMOTE_REFUSED. */
export class RemoteError extends Z1Error {
  /** Of HTTP, where the server answered. */
  readonly status: number | null

  constructor(
    readonly fault: Fault,
    readonly url: string,
    message: string,
    /** Milliseconds that the server asks to wait. */
    readonly retryAfter: number | null = null,
    options?: { cause?: unknown; status?: number },
  ) {
    super(fault === 'server' ? 'REMOTE_FAILED' : 'REMOTE_REFUSED', message, options)
    this.status = options?.status ?? null
  }
}

/**
 * The documents of a response, as texts: the data of server-sent events, or the one of a server that does not stream.
 * @throws {RemoteError}
 * @throws the signal's reason when it is aborted.
 */
export async function* streamed(
  { url, key }: Endpoint,
  body: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  try {
    const response = await post({ url, key }, body, signal)
    if (!response.ok) throw await failureOf(response, url)
    for await (const data of documentsOf(response)) if (data !== '[DONE]' && data !== '') yield data
  } catch (error) {
    signal.throwIfAborted()
    throw asRemoteError(error, url)
  }
}

/**
 * What a server says at an address.
 * @param body Undefined: a GET.
 * @throws as {@link streamed}.
 */
export async function asked<T>(
  { url, key }: Endpoint,
  body: Record<string, unknown> | undefined,
  signal?: AbortSignal,
): Promise<T> {
  try {
    const response = await post({ url, key }, body, signal)
    if (!response.ok) throw await failureOf(response, url)
    return parsed(await response.text(), url) as T
  } catch (error) {
    signal?.throwIfAborted()
    throw asRemoteError(error, url)
  }
}

function post({ url, key }: Endpoint, body: Record<string, unknown> | undefined, signal?: AbortSignal) {
  const authorization: Record<string, string> = key === undefined ? {} : { authorization: `Bearer ${key}` }
  if (body === undefined) return fetch(url, { headers: authorization, signal: signal ?? null })
  const headers = { 'content-type': 'application/json', ...authorization }
  return fetch(url, { method: 'POST', headers, body: JSON.stringify(body), signal: signal ?? null })
}

function asRemoteError(error: unknown, url: string): RemoteError {
  return error instanceof RemoteError ? error : new RemoteError('server', url, causeOf(error), null, { cause: error })
}

async function* documentsOf(response: Response): AsyncGenerator<string> {
  if (response.headers.get('content-type')?.startsWith('application/json')) {
    yield await response.text()
    return
  }
  const events = response.body?.pipeThrough(new TextDecoderStream()).pipeThrough(new EventSourceParserStream())
  for await (const { data } of events ?? []) yield data.trim()
}

/** @throws {RemoteError} for what is no JSON. */
export function parsed(data: string, url: string): unknown {
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
    return new RemoteError('server', url, said, Number.isFinite(seconds) ? seconds * 1000 : null, { status })
  }
  if (status === 400 || status === 413 || status === 422)
    return new RemoteError('question', url, said, null, { status })
  return new RemoteError('request', url, `${url} refused the request with ${said}`, null, { status })
}

export function messageOf(text: string): string {
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
