/** A loaded model as the rest of lib/ sees it: what its file says, its vocabulary, and the contexts made of it. */
import { Z1Error } from '../base/errors.js'
import type { ContextParams, ModelHandle, ModelMetadata, ModelParams, TextSegment } from './binding.js'
import { nextId, openAddon } from './channel.js'
import { Context } from './context.js'
import { runNativeTask, type TaskOptions } from './task.js'

export interface TokenizeOptions {
  /** More tokens than this are of no use: the work may end there. Default: all are. */
  most?: number | undefined
  /** Cancels the work, which then rejects. */
  signal?: AbortSignal | undefined
}

export class Model {
  /** What the file says of itself. */
  readonly metadata: ModelMetadata
  readonly #handle: ModelHandle
  /** Work on the pool, by the number to cancel it by. */
  readonly #running = new Map<number, Promise<unknown>>()
  #closed = false

  private constructor(handle: ModelHandle, metadata: ModelMetadata) {
    this.#handle = handle
    this.metadata = metadata
  }

  /** The engine must be open. Rejects with a native error, whose `code` is a Z1Error's. */
  static async load(params: ModelParams, options: TaskOptions = {}): Promise<Model> {
    const { model, metadata } = await runNativeTask(
      options,
      (task, report) => openAddon().modelLoad(task, params, report),
      ({ model }) => openAddon().modelClose(model),
    )
    return new Model(model, metadata)
  }

  /**
   * Tokens of the segments, one after the other.
   * @throws {Z1Error} CONTEXT_TOO_SMALL as soon as it is known that there are more than `most`; DISPOSED when the model is
   * closed meanwhile.
   */
  async tokenize(segments: TextSegment[], { most = Infinity, signal }: TokenizeOptions = {}): Promise<Int32Array> {
    const { longestToken } = this.metadata
    // In UTF-8 it has at least as many bytes.
    const length = segments.reduce((sum, { text }) => sum + text.length, 0)
    if (longestToken > 0 && length > longestToken * most) {
      const least = Math.ceil(length / longestToken)
      throw new Z1Error(
        'CONTEXT_TOO_SMALL',
        `The context is too small: a text of ${length} characters has at least ${least} tokens, contextSize is ${most}`,
      )
    }
    return this.#run((task) => openAddon().modelTokenize(task, this.#handle, segments, most), signal)
  }

  /**
   * Text of tokens; control tokens are left out unless `special`. Bytes that are no character become U+FFFD.
   * @throws {Z1Error} DISPOSED when the model is closed meanwhile.
   */
  detokenize(tokens: Int32Array, special: boolean): Promise<string> {
    return this.#run((task) => openAddon().modelDetokenize(task, this.#handle, tokens, special))
  }

  /** @internal Whether a grammar allows a text as llama.cpp reads both; see {@link Binding.modelMatches}. */
  matches(grammar: string, tokens: Int32Array): boolean {
    return openAddon().modelMatches(this.#handle, grammar, tokens)
  }

  async createContext(params: ContextParams): Promise<Context> {
    const { context, batchSize } = await openAddon().contextCreate(this.#handle, params)
    return new Context(context, batchSize)
  }

  /** Cancels work on its vocabulary, and resolves when none is left. The memory goes with the last context of the model. */
  async close(): Promise<void> {
    const addon = openAddon()
    this.#closed = true
    addon.modelClose(this.#handle)
    for (const task of this.#running.keys()) addon.taskCancel(task)
    await Promise.allSettled(this.#running.values())
  }

  /** Work on the pool that ends early when the signal is aborted, or the model closed. */
  async #run<T>(work: (task: number) => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted()
    const task = nextId()
    const cancel = () => openAddon().taskCancel(task)
    const running = work(task)
    this.#running.set(task, running)
    signal?.addEventListener('abort', cancel)
    try {
      return await running
    } catch (error) {
      throw this.#closed ? new Z1Error('DISPOSED', 'The model was disposed') : error
    } finally {
      signal?.removeEventListener('abort', cancel)
      this.#running.delete(task)
    }
  }
}
