/**
 * Everything that can go wrong at run time: the codes, the one error class, and the loan of a caller's stack to a
 * failure that native code reports later. Misuse (TypeError, RangeError) is lib/base/checks.ts's. Knows nothing of models
 * or generations.
 */
import { oneLine } from './one-line.js'

/** Every code of a {@link Z1Error}. `npm run check` compares them with native/error.h. */
export const ERROR_CODES = [
  /** Internal, never seen by users: a cancelled load or generation. It becomes the reason of the caller's signal. */
  'ABORTED',
  /**
   * There is no file at an adapter's path, or it is no LoRA adapter, or one that was made for another model. The message says
   * which.
   */
  'ADAPTER_INVALID',
  /**
   * No addon was built for this platform, or it could not be loaded. The message lists what was tried; build from
   * source.
   */
  'ADDON_NOT_FOUND',
  /**
   * A download is not what its repository says it is: its hash differs. Nothing was kept; pull it again, or from another
   * address (HF_ENDPOINT).
   */
  'CHECKSUM_MISMATCH',
  /**
   * Prompt, window, hint and answer do not fit. The message says what was needed: raise contextSize or lower a limit.
   */
  'CONTEXT_TOO_SMALL',
  /**
   * `llama_decode` failed, or gave logits that are not numbers. The generation is lost; the model can be used again.
   */
  'DECODE_FAILED',
  /**
   * A download does not fit on the disk: what came is kept; make room, or use a cache on another disk (HF_HUB_CACHE). Or a state does not,
   * and the file that was there before still is.
   */
  'DISK_FULL',
  /** The Z1 was disposed before the call, or while it ran. Load another one. */
  'DISPOSED',
  /** This process already runs another engine directory. One engine per process: use another process for the second. */
  'ENGINE_CONFLICT',
  /** The engine is of another llama.cpp release than the addon. Install the release that the message names. */
  'ENGINE_MISMATCH',
  /**
   * No engine was found, or no backend of it would load. The message gives the reason of each; install an engine pack.
   */
  'ENGINE_NOT_FOUND',
  /** The grammar is not GBNF, or more than llama.cpp can take. The message says where; {@link jsonSchemaToGrammar} makes one. */
  'GRAMMAR_INVALID',
  /**
   * The process in which the model ran ended (`z1-native/electron`): what it was asked is lost. Load again, which starts
   * another one.
   */
  'HOST_EXITED',
  /**
   * The model's file was overwritten, cut short or replaced since it was loaded, and is read while the model runs. Load it again;
   * mmap: false reads all of it at the load.
   */
  'MODEL_CHANGED',
  /** The file is no GGUF model, or the folder no checkpoint; it is cut short, or contradicts itself. Download it again. */
  'MODEL_INVALID',
  /** There is no readable file, or folder, at the model's path, or no such model in the cache or in its repository. */
  'MODEL_NOT_FOUND',
  /**
   * The model is sound, but cannot reason under a window (an encoder, a diffusion model, an unknown architecture, a format
   * with messages of its own for thinking and answer), or cannot be converted exactly.
   */
  'MODEL_UNSUPPORTED',
  /**
   * The model or its context does not fit in memory. Lower contextSize, parallel or gpuLayers, use a smaller model, or a
   * quantized cacheType. With mlock, memory could not be locked: raise the limit (ulimit -l).
   */
  'OUT_OF_MEMORY',
  /** There is no Python at the path, or none that runs. Install it, or name another one. */
  'PYTHON_NOT_FOUND',
  /** A server could not be reached, or failed while it answered. Asking again may help; the message says what it said. */
  'REMOTE_FAILED',
  /** A server refused the request, or cannot do what was asked. The message says what it said. */
  'REMOTE_REFUSED',
  /**
   * Programs cannot be executed in a sandbox here. The message names the package that is missing, or the reason; unsafeExecution
   * does without one.
   */
  'SANDBOX_UNAVAILABLE',
  /** The schema is not a JSON Schema, allows no value, or is too large for a grammar. The message says where. */
  'SCHEMA_INVALID',
  /** No prompt has been decoded yet whose state could be saved. Ask something first. */
  'STATE_EMPTY',
  /** There is no file at a state's path, or it is no state, cut short, or damaged. Save it again. */
  'STATE_INVALID',
  /**
   * The state was saved with another model, other adapters or scales, another type of cache, or another release of the
   * engine. The message says which; load the model as it was then, or decode the prompt again.
   */
  'STATE_MISMATCH',
  /** tags: 'keep' was asked for, but neither the model's template nor its vocabulary has think tags. Use 'ban'. */
  'TAGS_NOT_FOUND',
  /**
   * The chat template is broken, refused the messages, leaves one out, or takes more steps or text than it may. The message
   * says which, and the line.
   */
  'TEMPLATE_FAILED',
  /** The model has no chat template. Give one as chatTemplate, or use template: false and write the prompt yourself. */
  'TEMPLATE_NOT_FOUND',
  /**
   * A thread could not be started: the system's limit of processes or threads is reached. Lower threads, or raise the
   * limit.
   */
  'THREAD_FAILED',
  /** The model's chat template has no tool calls as JSON in <tool_call> tags. The message says what it has; give a chatTemplate. */
  'TOOLS_UNSUPPORTED',
] as const

export type ErrorCode = (typeof ERROR_CODES)[number]

interface ErrorDetails {
  cause?: unknown
  /** Lines below the sentence, as where each candidate has a reason of its own. */
  lines?: readonly string[]
}

/**
 * A failure at run time. `code` is stable and meant for programs; `message` is meant for people and may change. It is one
 * line of at most 2,000 characters, unless it lists what was tried; what it quotes from a file is cut and escaped.
 */
export class Z1Error extends Error {
  static {
    Z1Error.prototype.name = 'Z1Error'
  }

  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, { lines = [], ...options }: ErrorDetails = {}) {
    super([message, ...lines].map((line) => oneLine(line)).join('\n'), options)
    this.code = code
  }
}

/**
 * Where a call was made. V8 turns the frames into text when `stack` is read, so one that is never read costs little.
 */
export type CallSite = Pick<Error, 'stack'>

/** The call site of whoever called `below`. */
export function callSite(below: (...args: never[]) => unknown): CallSite {
  const site: CallSite = {}
  Error.captureStackTrace(site, below)
  return site
}

/** The error for a failure that native code reported later: its stack is that of the call, not of an event handler. */
export function fromNative(site: CallSite, code: ErrorCode, message: string, options?: { cause?: unknown }): Z1Error {
  return withFrames(site, new Z1Error(code, message, options))
}

/** The same error, with the stack of a call. */
export function withFrames<E extends Error>(site: CallSite, error: E): E {
  error.stack = `${error.name}: ${error.message}${frames(site)}`
  return error
}

/**
 * What failed after a call had returned its promise, as the caller shall see it: a Z1Error gets the stack of the call,
 * and a native failure, which arrives as a plain error with a code, becomes one. What is not ours stays as it is: the
 * reason of a signal has a code too.
 */
export function atCall(site: CallSite, error: unknown): unknown {
  if (error instanceof Z1Error) return withFrames(site, error)
  const code = error instanceof Error && 'code' in error && error.code
  return ERROR_CODES.includes(code as ErrorCode) ? fromNative(site, code as ErrorCode, (error as Error).message) : error
}

/** What fails in it becomes the reason of the signal, if that was aborted, or a Z1Error with the caller's stack. */
export async function attempt<T>(site: CallSite, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await action()
  } catch (error) {
    signal?.throwIfAborted()
    throw atCall(site, error)
  }
}

function frames(site: CallSite): string {
  return site.stack?.match(/\n {4}at .*/s)?.[0] ?? ''
}
