/** Class Z1: a loaded model that answers questions under a shifted thinking window. */
import { misuse } from '../base/checks.js'
import { attempt, type CallSite, callSite, Z1Error } from '../base/errors.js'
import type { Context, GenerationListener } from '../native/context.js'
import type { Model } from '../native/model.js'
import { checkDetokenizeOptions, checkTokens } from './detokenize.js'
import { type Loaded, load, type ModelInfo } from './load.js'
import { type ChatMessage, checkInput } from './messages.js'
import type { ModelFile } from './model-file.js'
import {
  checkLoadOptions,
  checkReasonOptions,
  type LoadOptions,
  type ReasonOptions,
  type ResolvedReasonOptions,
} from './options.js'
import type { TemplateOptions } from './prompt.js'
import type { Reasoner } from './reasoner.js'
import { type RenderedPrompt, RequestBuilder } from './request.js'
import type { ReasonResult } from './result.js'
import { ReasonStream, type Started } from './stream.js'

export class Z1 implements Reasoner {
  /**
   * Loads a model and makes a context for it.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, ADAPTER_INVALID, OUT_OF_MEMORY, ADDON_NOT_FOUND,
   * ENGINE_NOT_FOUND, ENGINE_MISMATCH, ENGINE_CONFLICT; with `download` REMOTE_FAILED, REMOTE_REFUSED, CHECKSUM_MISMATCH, DISK_FULL.
   * @throws the signal's reason when it is aborted, and what `onProgress` and `onDownload` throw.
   */
  static async load(options?: LoadOptions): Promise<Z1> {
    const site = callSite(Z1.load)
    const checked = checkLoadOptions(options)
    checked.signal?.throwIfAborted()
    return attempt(site, async () => new Z1(await load(checked), checked), checked.signal)
  }

  /** What was loaded. */
  readonly model: Readonly<ModelInfo>

  readonly #model: Model
  readonly #file: ModelFile | null
  readonly #context: Context
  readonly #builder: RequestBuilder
  #disposed: Promise<void> | undefined

  /** @internal Use {@link Z1.load}. */
  constructor({ model, context, file, info }: Loaded, template: TemplateOptions) {
    this.#model = model
    this.#file = file
    this.#context = context
    this.#builder = new RequestBuilder(model, info.contextSize, template)
    this.model = Object.freeze(info)
  }

  /**
   * Answers a question or continues a conversation.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} CONTEXT_TOO_SMALL, GRAMMAR_INVALID, MODEL_CHANGED, SCHEMA_INVALID before it starts; DECODE_FAILED, DISPOSED; TEMPLATE_NOT_FOUND, TEMPLATE_FAILED,
   * TAGS_NOT_FOUND.
   * @throws the signal's reason when it is aborted.
   */
  async reason<T>(input: string | readonly ChatMessage[], options?: ReasonOptions<T>): Promise<ReasonResult<T>> {
    return this.#stream<T>(input, options, callSite(this.reason)).result
  }

  /** As {@link reason}, with the text as it is generated. Misuse throws at once, all else where the stream is read. */
  stream<T>(input: string | readonly ChatMessage[], options?: ReasonOptions<T>): ReasonStream<T> {
    return this.#stream<T>(input, options, callSite(this.stream))
  }

  /**
   * What {@link reason} would send for the same input and options. Nothing runs.
   * @throws as {@link reason} does before it starts, but that the prompt may be larger than the context.
   */
  async renderPrompt(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<RenderedPrompt> {
    return this.#render(input, options, callSite(this.renderPrompt))
  }

  /**
   * How many tokens of the context a question or a conversation takes: those of the prompt that {@link reason} would send for the same
   * input and options, template and BOS included. Nothing runs.
   * @throws as {@link renderPrompt}.
   */
  async countTokens(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<number> {
    const { tokens } = await this.#render(input, options, callSite(this.countTokens))
    return tokens.length
  }

  /** Token ids of a text. Control tokens that it spells are recognized, and no BOS is added. */
  async tokenize(text: string): Promise<number[]> {
    const site = callSite(this.tokenize)
    const checked = checkInput(text, false) as string
    return attempt(site, async () => {
      const segment = { text: checked, parseSpecial: true, continuation: false }
      return numbersOf(await this.#model.tokenize([segment]))
    })
  }

  /**
   * Text of up to 16777216 tokens, control tokens left out unless `special`. Bytes that are no character become U+FFFD.
   */
  async detokenize(tokens: readonly number[], options?: { special?: boolean }): Promise<string> {
    const site = callSite(this.detokenize)
    const { special } = checkDetokenizeOptions(options)
    const ids = checkTokens(tokens, this.model.vocabularySize)
    return attempt(site, () => this.#model.detokenize(ids, special))
  }

  /**
   * Frees the model and its memory. Running requests reject with DISPOSED. Resolves when all of it is gone; calling it
   * again gives the same promise.
   */
  dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = Promise.all([this.#context.close(), this.#model.close()]).then(() => {})
    }
    return this.#disposed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #render(input: unknown, options: unknown, site: CallSite): Promise<RenderedPrompt> {
    const checked = checkReasonOptions(options, this.model)
    const read = checkInput(input, checked.template)
    this.#builder.check(read, checked)
    return attempt(site, () => this.#builder.renderPrompt(read, checked), checked.signal)
  }

  #stream<T>(input: unknown, options: unknown, site: CallSite): ReasonStream<T> {
    const checked = checkReasonOptions(options, this.model)
    const read = checkInput(input, checked.template)
    this.#builder.check(read, checked)
    if (checked.policies.earlyExit?.probe !== undefined) {
      if (checked.hint === null) throw misuse(TypeError, 'text', 'hint with earlyExit.probe', null)
      if (this.model.branches === 0)
        throw misuse(RangeError, 'at least 1', 'branches, an option of load, with earlyExit.probe', 0)
    }
    if (checked.cuts.length > 0 && checked.hint !== null && this.model.branches === 0) {
      throw misuse(RangeError, 'at least 1', 'branches, an option of load, with cuts', 0)
    }
    const start = (listener: GenerationListener, signal: AbortSignal) =>
      attempt(site, () => this.#start(read, checked, listener, signal))
    return new ReasonStream(start, site, checked.signal)
  }

  async #start(
    input: string | ChatMessage[],
    options: ResolvedReasonOptions,
    listener: GenerationListener,
    signal: AbortSignal,
  ): Promise<Started> {
    if (this.#disposed) throw new Z1Error('DISPOSED', 'The model was disposed')
    const { request, ...asked } = await this.#builder.build(input, options, signal)
    await this.#file?.check()
    const { cuts } = options
    const { seed } = request.sampling
    return { generation: this.#context.start(request, listener), ...asked, seed, cuts }
  }
}

/** Array.from() goes through an iterator, which takes a second for ten million. */
function numbersOf(tokens: Int32Array): number[] {
  const numbers = new Array<number>(tokens.length)
  for (let i = 0; i < tokens.length; i++) numbers[i] = tokens[i] as number
  return numbers
}
