/** A context and its thread, on which generations run. */
import type { ContextHandle, GenerationEvent, GenerationRequest, SamplingParams, StateHandle } from './binding.js'
import { deliverTo, nextId, openAddon } from './channel.js'

/** A request that runs. After its last event, and after its context was closed, nothing here has an effect. */
export interface Generation {
  /** Closes the window, if the model is still thinking. */
  endThinking(): void
  /** Ends it with what there is. */
  stop(): void
  /** Ends it with an error event of code ABORTED. */
  abort(): void
}

/** Any number of texts, at most one cut, any number of nudges before it, then exactly one `done` or `error`. */
export type GenerationListener = (event: GenerationEvent) => void

/** A number for requests that have the same prompt ({@link GenerationRequest.group}). */
export const nextGroup = nextId

/** The state of a sequence as bytes, which stay in native memory and are read and written in pieces. */
export class State {
  /** @internal */
  readonly handle: StateHandle

  /** @internal */
  constructor(
    handle: StateHandle,
    /** In bytes. */
    readonly size: number,
  ) {
    this.handle = handle
  }

  /** To which so many bytes will be appended. */
  static create(size: number): State {
    return new State(openAddon().stateCreate(), size)
  }

  read(offset: number, buffer: Uint8Array): void {
    openAddon().stateRead(this.handle, offset, buffer)
  }

  append(bytes: Uint8Array): void {
    openAddon().stateAppend(this.handle, bytes)
  }
}

export class Context {
  /** Tokens in one `llama_decode` at most (llama.cpp's n_ubatch), as llama.cpp has made it. */
  readonly batchSize: number
  readonly #handle: ContextHandle

  /** @internal Use `Model.createContext()`. */
  constructor(handle: ContextHandle, batchSize: number) {
    this.#handle = handle
    this.batchSize = batchSize
  }

  /** `listener` is called from a macrotask of its own, never from within this call. It must not throw. */
  start(request: Omit<GenerationRequest, 'id'>, listener: GenerationListener): Generation {
    const addon = openAddon()
    const context = this.#handle
    const id = nextId()
    const sampling = { ...request.sampling, logitBias: inOneArray(request.sampling.logitBias) }
    addon.generationStart(context, { ...request, id, sampling })
    deliverTo(id, { listener, context })
    // A context that was closed meanwhile has ended its generations already, and says so by throwing.
    const careful = (action: () => void) => () => {
      try {
        action()
      } catch {}
    }
    return {
      endThinking: careful(() => addon.generationEndThinking(context, id)),
      stop: careful(() => addon.generationStop(context, id)),
      abort: careful(() => addon.generationAbort(context, id)),
    }
  }

  /** What the request that began last has decoded. @throws {Z1Error} STATE_EMPTY, MODEL_UNSUPPORTED, DISPOSED. */
  async saveState(): Promise<State> {
    const { state, size } = await openAddon().contextSaveState(this.#handle)
    return new State(state, size)
  }

  /**
   * Makes it what a sequence holds, as soon as one is free. The state has no bytes after it.
   * @throws {Z1Error} STATE_INVALID, CONTEXT_TOO_SMALL, DISPOSED.
   */
  async loadState(state: State): Promise<void> {
    return openAddon().contextLoadState(this.#handle, state.handle)
  }

  /** Resolves when the thread has ended and its memory is freed; running generations end with DISPOSED. */
  close(): Promise<void> {
    return openAddon().contextClose(this.#handle)
  }
}

function inOneArray(biases: SamplingParams['logitBias']): Float64Array {
  const pairs = new Float64Array(2 * biases.length)
  biases.forEach(({ token, bias }, i) => {
    pairs[2 * i] = token
    pairs[2 * i + 1] = bias
  })
  return pairs
}
