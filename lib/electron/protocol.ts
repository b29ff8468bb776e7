/**
 * What goes over the ports: the messages between a client and the host, those between the main process and its utility process, and
 * errors in a form that can be sent. Runs on all sides, in pages too: it imports nothing of Node.
 */
import { ERROR_CODES, type ErrorCode, Z1Error } from '../base/errors.js'
import type { ReasonerModel } from '../reason/reasoner.js'
import type { ReasonEvent } from '../reason/result.js'

/** The channel on which a page asks for a port: its preload script sends it to the main process. */
export const CONNECT_CHANNEL = 'z1-native:connect'
/** The channel on which the main process sends a port to a page, and its preload script hands it on. */
export const PORT_CHANNEL = 'z1-native:port'

/** From a client. Ids are the client's: numbers that it uses once. */
export type ClientMessage =
  /** `quiet`: the last event alone is of use. */
  | { type: 'start'; id: number; input: unknown; options: unknown; quiet: boolean }
  | { type: 'call'; id: number; method: Method; args: unknown[] }
  | { type: 'endThinking' | 'stop' | 'abort'; id: number }
  /** A batch was taken. */
  | { type: 'taken' }

/** What a client calls for one value. */
export type Method = 'tokenize' | 'detokenize' | 'countTokens'

/** What a batch holds: an event of a request, what a call returned, or what either failed with. */
export type Item =
  | { id: number; event: ReasonEvent }
  | { id: number; value: unknown }
  | { id: number; error: PackedError }

/** To a client. */
export type HostMessage =
  /** The first message. */
  | { type: 'model'; model: ReasonerModel }
  | { type: 'batch'; items: Item[] }
  /** The last message: the model is gone, for this reason. */
  | { type: 'end'; error: PackedError }

/** From the main process to the utility process. A port comes with `connect`. */
export type MainMessage =
  | { type: 'load'; options: Record<string, unknown>; progress: boolean; downloadProgress: boolean }
  | { type: 'connect' }
  | { type: 'dispose' }

/** From the utility process to the main process. */
export type UtilityMessage =
  | { type: 'progress'; progress: number }
  | { type: 'downloadProgress'; progress: { done: number; total: number } }
  | { type: 'loaded' }
  | { type: 'failed'; error: PackedError }
  | { type: 'disposed' }

/** An error as plain data. Structured clones of errors lose `code`, and other classes than JavaScript's own. */
export type PackedError =
  | { name: string; message: string; code?: string | number; cause?: PackedError }
  /** What was thrown is no error. */
  | { value: unknown }

/** Causes of causes that are sent. */
const MAX_CAUSES = 8

export function packError(error: unknown, depth = 0): PackedError {
  if (!isErrorLike(error)) {
    return { value: typeof error === 'object' || typeof error === 'function' ? String(error) : error }
  }
  const { name, message, code, cause } = error
  return {
    name: String(name),
    message: String(message),
    ...(typeof code === 'string' || (typeof code === 'number' && name !== 'AbortError') ? { code } : {}),
    ...(cause === undefined || depth >= MAX_CAUSES ? {} : { cause: packError(cause, depth + 1) }),
  }
}

interface ErrorLike {
  name: unknown
  message: unknown
  code?: unknown
  cause?: unknown
}

/** Not instanceof: an error may be of another realm. */
function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value
}

/** JavaScript's own classes of errors, by their names. */
const CLASSES: Record<string, ErrorConstructor> = {
  TypeError,
  RangeError,
  SyntaxError,
  ReferenceError,
  EvalError,
  URIError,
}

/** An error with the class, name, message, code and cause of the one that was sent. Its stack is that of this call. */
export function unpackError(packed: PackedError): unknown {
  if (!('name' in packed)) return packed.value
  const { name, message, code } = packed
  const options = packed.cause === undefined ? undefined : { cause: unpackError(packed.cause) }
  if (name === 'Z1Error' && ERROR_CODES.includes(code as ErrorCode)) {
    const [first = '', ...lines] = message.split('\n')
    return new Z1Error(code as ErrorCode, first, { lines, ...options })
  }
  if (name === 'AbortError' || name === 'TimeoutError') return new DOMException(message, name)
  const error = new (CLASSES[name] ?? Error)(message, options)
  if (error.name !== name) Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  return code === undefined ? error : Object.assign(error, { code })
}
