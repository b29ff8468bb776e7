/** Class Z1: a loaded model that answers questions under a shifted thinking window. */
import { filePath, misuse } from '../base/checks.js'
import { attempt, type CallSite, callSite, Z1Error } from '../base/errors.js'
import { type Context, type GenerationListener, nextGroup } from '../native/context.js'
import type { Model } from '../native/model.js'
import { type ConnectOptions, connectTo } from './connect.js'
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
import { type BuiltRequest, type RenderedPrompt, RequestBuilder } from './request.js'
import type { ReasonResult } from './result.js'
import { type Samples, sampleSeed } from './sample-options.js'
import { readStateFile, type StateFacts, stateFactsOf, writeStateFile } from './state-file.js'
import { ReasonStream, type Start, type Started } from './stream.js'
import { checkTrace } from './trace-options.js'
import { resultOfSamples } from './vote.js'

const statePath = filePath()

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

  /**
   * A reasoner whose model runs behind an OpenAI-compatible server: vLLM, SGLang, llama-server, `z1 serve`.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} REMOTE_FAILED, REMOTE_REFUSED.
   * @throws the signal's reason when it is aborted.
   */
  static async connect(options: ConnectOptions): Promise<Reasoner> {
    return connectTo(options)
  }

  /** What was loaded. */
  readonly model: Readonly<ModelInfo>

  readonly #model: Model
  readonly #file: ModelFile | null
  readonly #context: Context
  readonly #builder: RequestBuilder
  #disposed: Promise<void> | undefined
  #facts: StateFacts | undefined

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
   * TAGS_NOT_FOUND, TOOLS_UNSUPPORTED.
   * @throws the signal's reason when it is aborted.
   */
  async reason<T>(input: string | readonly ChatMessage[], options?: ReasonOptions<T>): Promise<ReasonResult<T>> {
    const site = callSite(this.reason)
    const { read, checked } = this.#check(input, options)
    const { samples } = checked
    return samples ? this.#sample<T>(read, checked, samples, site) : this.#stream<T>(read, checked, site).result
  }

  /** As {@link reason}, with the text as it is generated. Misuse throws at once, all else where the stream is read. */
  stream<T>(input: string | readonly ChatMessage[], options?: ReasonOptions<T>): ReasonStream<T> {
    const site = callSite(this.stream)
    const { read, checked } = this.#check(input, options)
    if (checked.samples) throw new TypeError('Expected no samples with stream(): reason() takes them')
    return this.#stream<T>(read, checked, site)
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
   * Writes the state of what was decoded last, prompt and response, to a file, from which {@link loadState} has it without decoding:
   * of the request that began last, also while it runs.
   * @throws {TypeError} for what is no path.
   * @throws {Z1Error} STATE_EMPTY, DISK_FULL, MODEL_CHANGED, MODEL_UNSUPPORTED, DISPOSED. What was at the path stays then.
   * @throws {Error} when the file cannot be written.
   */
  async saveState(path: string | URL): Promise<void> {
    const site = callSite(this.saveState)
    const to = statePath.read(path, 'path')
    return attempt(site, async () => {
      const facts = await this.#stateFacts()
      await writeStateFile(to, facts, await this.#context.saveState())
    })
  }

  /**
   * Reads a state that {@link saveState} has written. A prompt that begins as it does then needs no decoding of that beginning:
   * `usage.cachedTokens` says how much. While all sequences are in use it waits for one.
   * @throws {TypeError} for what is no path.
   * @throws {Z1Error} STATE_INVALID, STATE_MISMATCH, CONTEXT_TOO_SMALL, OUT_OF_MEMORY, MODEL_CHANGED, DISPOSED.
   */
  async loadState(path: string | URL): Promise<void> {
    const site = callSite(this.loadState)
    const from = statePath.read(path, 'path')
    return attempt(site, async () => this.#context.loadState(await readStateFile(from, await this.#stateFacts())))
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

  async #stateFacts(): Promise<StateFacts> {
    if (this.#disposed) throw new Z1Error('DISPOSED', 'The model was disposed')
    await this.#file?.check()
    this.#facts ??= await stateFactsOf(this.model)
    return this.#facts
  }

  #render(input: unknown, options: unknown, site: CallSite): Promise<RenderedPrompt> {
    const checked = checkReasonOptions(options, this.model)
    const read = checkInput(input, checked.template)
    this.#builder.check(read, checked)
    return attempt(site, () => this.#builder.renderPrompt(read, checked), checked.signal)
  }

  #check(input: unknown, options: unknown) {
    const checked = checkReasonOptions(options, this.model)
    const read = checkInput(input, checked.template)
    this.#builder.check(read, checked)
    if (checked.policies.earlyExit?.probe !== undefined) {
      if (checked.hint === null) throw misuse(TypeError, 'text', 'hint with earlyExit.probe', null)
      if (this.model.branches === 0)
        throw misuse(RangeError, 'at least 1', 'branches, an option of load, with earlyExit.probe', 0)
    }
    if (checked.policies.trace) checkTrace(checked, this.model.branches)
    if (checked.cuts.length > 0 && checked.hint !== null && this.model.branches === 0) {
      throw misuse(RangeError, 'at least 1', 'branches, an option of load, with cuts', 0)
    }
    return { read, checked }
  }

  #stream<T>(input: string | ChatMessage[], options: ResolvedReasonOptions, site: CallSite): ReasonStream<T> {
    const start: Start = (listener, signal) =>
      attempt(site, async () => this.#start(await this.#build(input, options, signal), options, listener))
    return new ReasonStream(start, site, options.signal)
  }

  /** One request for each sample, all of one group; when one of them fails the others are aborted. */
  async #sample<T>(
    input: string | ChatMessage[],
    options: ResolvedReasonOptions,
    samples: Samples,
    site: CallSite,
  ): Promise<ReasonResult<T>> {
    const { signal } = options
    signal?.throwIfAborted()
    const abort = new AbortController()
    const onAbort = () => abort.abort(signal?.reason)
    signal?.addEventListener('abort', onAbort)
    try {
      const built = await attempt(site, () => this.#build(input, options, abort.signal), abort.signal)
      const group = nextGroup()
      const streams = Array.from({ length: samples.count }, (_, i) => {
        const seed = sampleSeed(built.request.sampling.seed, i)
        const request = { ...built.request, group, sampling: { ...built.request.sampling, seed } }
        const start: Start = (listener) =>
          attempt(site, async () => this.#start({ ...built, request }, options, listener))
        return new ReasonStream<T>(start, site, abort.signal)
      })
      return await resultOfSamples(samples, streams)
    } finally {
      signal?.removeEventListener('abort', onAbort)
      abort.abort() // of what has ended, without effect
    }
  }

  async #build(
    input: string | ChatMessage[],
    options: ResolvedReasonOptions,
    signal: AbortSignal,
  ): Promise<BuiltRequest> {
    if (this.#disposed) throw new Z1Error('DISPOSED', 'The model was disposed')
    const built = await this.#builder.build(input, options, signal)
    await this.#file?.check()
    return built
  }

  #start({ request, ...asked }: BuiltRequest, { cuts }: ResolvedReasonOptions, listener: GenerationListener): Started {
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
