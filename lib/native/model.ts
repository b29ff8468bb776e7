/** A loaded model as the rest of lib/ sees it: what its file says, its vocabulary, and the contexts made of it. */
import type { ContextParams, ModelHandle, ModelMetadata, ModelParams, TextSegment } from './binding.js'
import { openAddon } from './channel.js'
import { Context } from './context.js'
import { runNativeTask, type TaskOptions } from './task.js'

export class Model {
  /** What the file says of itself. */
  readonly metadata: ModelMetadata
  readonly #handle: ModelHandle

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

  /** Tokens of the segments, one after the other. */
  tokenize(segments: TextSegment[]): Promise<Int32Array> {
    return openAddon().modelTokenize(this.#handle, segments)
  }

  /** Text of tokens; control tokens are left out unless `special`. Bytes that are no character become U+FFFD. */
  detokenize(tokens: Int32Array, special: boolean): Promise<string> {
    return openAddon().modelDetokenize(this.#handle, tokens, special)
  }

  async createContext(params: ContextParams): Promise<Context> {
    const { context, batchSize } = await openAddon().contextCreate(this.#handle, params)
    return new Context(context, batchSize)
  }

  /** The memory goes with the last context of the model. */
  close(): void {
    openAddon().modelClose(this.#handle)
  }
}
