/** One request from its body to the end of its response, whatever its protocol. */
import { randomUUID } from 'node:crypto'
import { Z1Error } from '../base/errors.js'
import { oneLine } from '../base/one-line.js'
import { RequestError } from '../protocol/error.js'
import { limitsOf } from '../protocol/limits.js'
import { outcomeOf, PartReader } from '../protocol/outcome.js'
import { roomFor } from '../protocol/room.js'
import type { ReasonOptions } from '../reason/options.js'
import type { ReasonEvent, ReasonResult } from '../reason/result.js'
import type { ReasonStream } from '../reason/stream.js'
import { readBody } from './body.js'
import type { Asked, Dialect, Writer } from './dialect.js'
import { CLIENT_GONE, type Failure, failureOf } from './failure.js'
import { eventStream, SSE_HEADERS, type SseEvent } from './sse.js'
import type { ServerState } from './state.js'

/** A response that waits longer than this for its first event begins with its headers, and tells later errors as events. */
const PATIENCE_MS = 10_000

/** @param path For the metrics. */
export async function answer(state: ServerState, dialect: Dialect, path: string, request: Request): Promise<Response> {
  const began = performance.now()
  const aborting = new AbortController()
  const abort = () => aborting.abort(new DOMException('The client has gone', 'AbortError'))
  const end = () => aborting.abort(new Z1Error('DISPOSED', 'The server is shutting down'))
  let leave = () => {}
  request.signal.addEventListener('abort', abort)
  state.ending.signal.addEventListener('abort', end)
  let finished = false
  const finish = (status: number) => {
    if (finished) return
    finished = true
    request.signal.removeEventListener('abort', abort)
    state.ending.signal.removeEventListener('abort', end)
    leave()
    state.metrics.request(path, status, (performance.now() - began) / 1000)
  }
  const refuse = (error: unknown) => {
    const failure = request.signal.aborted ? gone() : failureOf(error)
    finish(failure.status)
    return failed(state, dialect, failure, error)
  }

  try {
    if (state.draining) throw new RequestError('The server is shutting down', null, 503, 5)
    leave = state.admission.enter()
    const warnings: string[] = []
    const body = await readBody(request, state.options.maxBodyBytes)
    const asked = dialect.read(body, warnings, state.options.reasoningField)
    if (asked.model !== undefined && asked.model !== state.modelId) warnings.push(`model is ${state.modelId}`)
    const { stream, writer, id } = await start(state, dialect, asked, aborting.signal)
    const headers = { 'x-request-id': id, ...warningHeader(warnings) }
    state.running.set(id, stream)
    const done = (status: number) => {
      state.running.delete(id)
      finish(status)
    }
    try {
      return asked.stream
        ? await streamed(state, stream, writer, headers, abort, done)
        : await whole(state, stream, writer, headers, done)
    } catch (error) {
      state.running.delete(id)
      throw error
    }
  } catch (error) {
    return refuse(error)
  }
}

/** A response that says no more than what went wrong. */
export function failed(
  state: ServerState,
  dialect: Pick<Dialect, 'error'>,
  failure: Failure,
  error?: unknown,
): Response {
  if (failure.status >= 500) state.options.onError(error)
  const headers: Record<string, string> = {}
  if (failure.retryAfter !== null) headers['retry-after'] = String(failure.retryAfter)
  if (failure.status === 401) headers['www-authenticate'] = 'Bearer'
  return Response.json(dialect.error(failure), { status: failure.status, headers })
}

async function start(state: ServerState, dialect: Dialect, asked: Asked, signal: AbortSignal) {
  const { reasoner } = state
  const { usual, options } = optionsOf(state, asked, signal)
  try {
    signal.throwIfAborted()
    const { room, promptTokens } = await roomFor(reasoner, asked.input, options)
    const facts = {
      id: dialect.idPrefix + randomUUID().replaceAll('-', ''),
      model: state.modelId,
      created: Math.floor(Date.now() / 1000),
      fingerprint: state.fingerprint,
      promptTokens: promptTokens ?? 0,
    }
    const limits = asked.continues
      ? continuing(asked.total, room.left)
      : limitsOf(asked.thinking, asked.total, { ...room, defaultWindow: usual ?? room.defaultWindow }, asked.names)
    return {
      stream: reasoner.stream(asked.input, { ...options, ...limits }),
      writer: asked.writer(facts),
      id: facts.id,
    }
  } catch (error) {
    throw asMisuse(error)
  }
}

/** The options of a request without its limits, and the window of the defaults, which is for those who ask for none. */
function optionsOf({ options: server }: ServerState, asked: Asked, signal: AbortSignal) {
  const { thinkingWindow: usual, ...options } = { ...server.defaults, ...asked.options, signal }
  if (typeof asked.input !== 'string' && asked.input.some(({ role }) => role === 'system')) delete options.system
  return { usual, options }
}

/** What a request would take of the context: nothing runs. */
export async function countTokens(state: ServerState, asked: Asked, signal: AbortSignal): Promise<number> {
  try {
    return await state.reasoner.countTokens(asked.input, optionsOf(state, asked, signal).options)
  } catch (error) {
    throw asMisuse(error)
  }
}

/** One text of so many tokens: a window of all of them, after which nothing follows. */
function continuing(total: number | undefined, left: number): ReasonOptions {
  const window = Math.min(total ?? Infinity, Math.max(1, left))
  return { thinkingWindow: window, hint: null, stopInThinking: true }
}

/** What the options of a request cannot be, only the reasoner knows. */
function asMisuse(error: unknown): unknown {
  const isMisuse = error instanceof TypeError || error instanceof RangeError
  return isMisuse ? new RequestError(error.message) : error
}

type Done = (status: number) => void

async function whole(
  state: ServerState,
  stream: ReasonStream,
  writer: Writer,
  headers: Record<string, string>,
  done: Done,
) {
  let result: ReasonResult
  try {
    result = await stream.result
  } catch (error) {
    throw asMisuse(error)
  }
  state.metrics.response(result)
  done(200)
  return Response.json(writer.whole(result, outcomeOf(result)), { headers })
}

/** What fails before the first event is a response of its own, later an event. */
async function streamed(
  state: ServerState,
  stream: ReasonStream,
  writer: Writer,
  headers: Record<string, string>,
  abort: () => void,
  done: Done,
): Promise<Response> {
  const reader = new PartReader()
  const events = stream[Symbol.asyncIterator]()
  let pending: Promise<IteratorResult<ReasonEvent>> | undefined = events.next()
  let patience: NodeJS.Timeout | undefined
  try {
    const waited = new Promise((resolve) => {
      patience = setTimeout(resolve, PATIENCE_MS)
    })
    await Promise.race([pending, waited])
  } catch (error) {
    throw asMisuse(error)
  } finally {
    clearTimeout(patience)
    // What fails later is read below.
    pending.catch(() => {})
  }

  let begun = false
  let over = false
  const next = async (): Promise<SseEvent[] | null> => {
    if (!begun) {
      begun = true
      return writer.start()
    }
    if (over) return null
    try {
      const { done: isLast, value } = await (pending ?? events.next())
      pending = undefined
      if (isLast) {
        over = true
        return null
      }
      if (value.type === 'done') {
        state.metrics.response(value.result)
        done(200)
      }
      return reader.take(value).flatMap((part) => writer.part(part))
    } catch (error) {
      over = true
      const failure = failureOf(asMisuse(error))
      if (failure.status >= 500) state.options.onError(error)
      done(failure.status)
      return writer.failed(failure)
    }
  }
  const gone = () => {
    if (over) return
    over = true
    abort()
    done(CLIENT_GONE)
  }
  return new Response(eventStream(next, gone), { headers: { ...SSE_HEADERS, ...headers } })
}

function gone(): Failure {
  return { status: CLIENT_GONE, message: 'The client has gone', param: null, code: null, retryAfter: null }
}

/** Characters beyond ASCII have no place in a header. */
function warningHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {}
  return { 'z1-warning': oneLine(warnings.join('; '), 1000).replace(/[^\x20-\x7e]/g, '?') }
}
