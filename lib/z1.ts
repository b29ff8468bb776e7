/** Class Z1: a loaded model that answers questions under a shifted thinking window. */
import { randomInt } from 'node:crypto'
import type { Binding, ContextHandle, ModelHandle } from './binding.js'
import { nextId, startGeneration } from './channel.js'
import { attempt, type CallSite, callSite, Z1Error } from './errors.js'
import { type Loaded, load, type ModelInfo } from './load.js'
import {
  type ChatMessage,
  checkInput,
  checkLoadOptions,
  checkReasonOptions,
  type LoadOptions,
  type ReasonOptions,
} from './options.js'
import { Prompter } from './prompt.js'
import { type ReasonResult, ResultBuilder } from './result.js'
import { ReasonStream } from './stream.js'

export class Z1 {
  /**
   * Loads a model and makes a context for it.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, OUT_OF_MEMORY, ADDON_NOT_FOUND, ENGINE_NOT_FOUND,
   * ENGINE_MISMATCH, ENGINE_CONFLICT.
   * @throws the signal's reason when it is aborted, and what `onProgress` throws.
   */
  static async load(options?: LoadOptions): Promise<Z1> {
    const site = callSite(Z1.load)
    const checked = checkLoadOptions(options)
    checked.signal?.throwIfAborted()
    return attempt(site, async () => new Z1(await load(checked)), checked.signal)
  }

  /** What was loaded. */
  readonly model: Readonly<ModelInfo>

  readonly #binding: Binding
  readonly #handles: { model: ModelHandle; context: ContextHandle }
  readonly #prompter: Prompter
  #disposed: Promise<void> | undefined

  /** @internal Use {@link Z1.load}. */
  constructor({ binding, model, context, facts, info }: Loaded) {
    this.#binding = binding
    this.#handles = { model, context }
    this.#prompter = new Prompter(binding, model, facts, info.contextSize)
    this.model = Object.freeze(info)
  }

  /**
   * Answers a question or continues a conversation.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} CONTEXT_TOO_SMALL before it starts; DECODE_FAILED, DISPOSED; TEMPLATE_NOT_FOUND, TEMPLATE_FAILED,
   * TAGS_NOT_FOUND.
   * @throws the signal's reason when it is aborted.
   */
  async reason(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<ReasonResult> {
    return this.#stream(input, options, callSite(this.reason)).result
  }

  /** As {@link reason}, with the text as it is generated. Misuse throws at once, all else where the stream is read. */
  stream(input: string | readonly ChatMessage[], options?: ReasonOptions): ReasonStream {
    return this.#stream(input, options, callSite(this.stream))
  }

  /** Token ids of a text. Control tokens that it spells are recognised, and no BOS is added. */
  async tokenize(text: string): Promise<number[]> {
    const site = callSite(this.tokenize)
    const checked = checkInput(text, false) as string
    return attempt(site, async () => {
      const segment = { text: checked, parseSpecial: true, continuation: false }
      return Array.from(await this.#binding.modelTokenize(this.#handles.model, [segment]))
    })
  }

  /** Text of tokens, control tokens left out unless `special`. Bytes that are no character become U+FFFD. */
  async detokenize(tokens: readonly number[], { special = false }: { special?: boolean } = {}): Promise<string> {
    const site = callSite(this.detokenize)
    for (const token of tokens) {
      if (!Number.isInteger(token) || token < 0 || token >= this.model.vocabularySize) {
        throw new RangeError(`Expected token ids from 0 to ${this.model.vocabularySize - 1} but received ${token}`)
      }
    }
    return attempt(site, () => this.#binding.modelDetokenize(this.#handles.model, Int32Array.from(tokens), special))
  }

  /**
   * Frees the model and its memory. Running requests reject with DISPOSED. Resolves when all of it is gone; calling it
   * again gives the same promise.
   */
  dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = this.#binding.contextClose(this.#handles.context)
      this.#binding.modelClose(this.#handles.model)
    }
    return this.#disposed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #stream(input: unknown, options: unknown, site: CallSite): ReasonStream {
    const checked = checkReasonOptions(options)
    const text = checkInput(input, checked.template)
    this.#prompter.check(text, checked)
    const start = async (listener: Parameters<typeof startGeneration>[2]) => {
      return attempt(site, async () => {
        if (this.#disposed) throw new Z1Error('DISPOSED', 'The model was disposed')
        const { tokens, hint, thinkingWindow, bannedTags, closeTag } = await this.#prompter.prepare(text, checked)
        const { maxTokens, stop, cachePrompt, sampling, seed = randomInt(2 ** 32 - 1) } = checked
        const id = nextId()
        const started = { context: this.#handles.context, id, builder: new ResultBuilder(hint, seed) }
        const request = { id, prompt: tokens, hint: hint.tokens, thinkingWindow, maxTokens, stop, bannedTags, closeTag }
        const rest = { loops: false, cachePrompt, sampling: { ...sampling, seed } }
        startGeneration(this.#handles.context, { ...request, ...rest }, listener)
        return started
      })
    }
    return new ReasonStream(start, site, checked.signal)
  }
}
