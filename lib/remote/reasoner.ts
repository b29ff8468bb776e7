/**
 * A reasoner whose model runs behind an OpenAI-compatible server, in the two-pass form of the method: a pass of the window's
 * length, and one that goes on from it after the hint.
 */
import { randomInt } from 'node:crypto'

import { attempt, type CallSite, callSite, Z1Error } from '../base/errors.js'
import type { ConnectOptions } from '../reason/connect.js'
import { checkTokens } from '../reason/detokenize.js'
import { type ChatMessage, checkInput } from '../reason/messages.js'
import { checkReasonOptions, type ReasonOptions, type ResolvedReasonOptions } from '../reason/options.js'
import type { Reasoner, ReasonerModel } from '../reason/reasoner.js'
import { RequestBuilder } from '../reason/request.js'
import type { ReasonResult, RequestEvent } from '../reason/result.js'
import { ReasonStream, type Started } from '../reason/stream.js'
import { KNOWN_TAGS, templateTags } from '../reason/tags.js'
import { RemoteGeneration } from './generation.js'
import { checkConnectOptions, type ResolvedConnectOptions } from './options.js'
import { type Prompt, run } from './passes.js'
import { applyTemplate, chatPrompt, messagesOf, tagsAsked } from './prompt.js'
import { retrying } from './retry.js'
import { checkSupported, samplingFields } from './sampling.js'
import { factsOf, type Server, type ServerFacts, serverAt } from './server.js'
import { RemoteVocabulary } from './vocabulary.js'

type Listener = (event: RequestEvent) => void

/** Requests at once, where neither the caller nor the server says. */
const DEFAULT_PARALLEL = 4

/**
 * Asks a server what it runs.
 * @throws {TypeError|RangeError} for options that cannot be.
 * @throws {Z1Error} REMOTE_FAILED, REMOTE_REFUSED.
 * @throws the signal's reason when it is aborted.
 */
export async function connect(options: ConnectOptions): Promise<Reasoner> {
  const site = callSite(connect)
  const checked = checkConnectOptions(options)
  const server = serverAt(checked.baseUrl, checked.apiKey)
  checked.signal?.throwIfAborted()
  return attempt(
    site,
    () =>
      retrying(async () => {
        const facts = await factsOf(server, checked.model, checked.signal)
        const template = checked.chatTemplate ?? facts.chatTemplate
        const vocabulary = await RemoteVocabulary.of(server, facts, template, checked.signal)
        return new RemoteReasoner(server, facts, vocabulary, checked)
      }, checked),
    checked.signal,
  )
}

class RemoteReasoner implements Reasoner {
  readonly model: ReasonerModel
  readonly #server: Server
  readonly #facts: ServerFacts
  readonly #vocabulary: RemoteVocabulary
  readonly #options: ResolvedConnectOptions
  readonly #builder: RequestBuilder
  readonly #disposed = new AbortController()

  constructor(server: Server, facts: ServerFacts, vocabulary: RemoteVocabulary, options: ResolvedConnectOptions) {
    this.#server = server
    this.#facts = facts
    this.#vocabulary = vocabulary
    this.#options = options
    const contextSize = options.contextSize ?? facts.contextSize
    // What cannot be counted cannot be found too long either: the server says so.
    this.#builder = new RequestBuilder(vocabulary, vocabulary.counts ? contextSize : Infinity, {
      templateVariables: options.templateVariables,
    })
    const { chatTemplate } = vocabulary.metadata
    const tags = chatTemplate === null ? undefined : templateTags(chatTemplate)
    this.model = Object.freeze({
      path: facts.model,
      contextSize,
      parallel: options.parallel ?? facts.parallel ?? DEFAULT_PARALLEL,
      tags: tags ? { open: tags[0], close: tags[1] } : null,
      ...(facts.thinkingWindow !== null && { thinkingWindow: facts.thinkingWindow }),
    })
  }

  async reason<T>(input: string | readonly ChatMessage[], options?: ReasonOptions<T>): Promise<ReasonResult<T>> {
    return this.#stream<T>(input, options, callSite(this.reason)).result
  }

  stream<T>(input: string | readonly ChatMessage[], options?: ReasonOptions<T>): ReasonStream<T> {
    return this.#stream<T>(input, options, callSite(this.stream))
  }

  async countTokens(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<number> {
    const site = callSite(this.countTokens)
    const { read, checked } = this.#check(input, options)
    const ended = this.#disposed.signal
    const signal = checked.signal ? AbortSignal.any([checked.signal, ended]) : ended
    return attempt(
      site,
      async () => {
        signal.throwIfAborted()
        this.#checkCounts()
        const rendered = await this.#rendered(read, checked, signal)
        if (!rendered)
          throw new Z1Error(
            'REMOTE_REFUSED',
            `The server at ${this.#server.root} shows no prompt: give the model's chatTemplate`,
          )
        return (await this.#builder.renderPrompt(rendered.text, rendered.asking)).tokens.length
      },
      signal,
    )
  }

  async tokenize(text: string): Promise<number[]> {
    const site = callSite(this.tokenize)
    const read = checkInput(text, false) as string
    return attempt(site, async () => {
      this.#checkCounts()
      return Array.from(await this.#vocabulary.tokenize([{ text: read, parseSpecial: true, continuation: false }]))
    })
  }

  async detokenize(tokens: readonly number[]): Promise<string> {
    const site = callSite(this.detokenize)
    const ids = checkTokens(tokens, this.#facts.vocabularySize)
    return attempt(site, async () => {
      this.#checkCounts()
      return this.#vocabulary.detokenize(Array.from(ids))
    })
  }

  async dispose(): Promise<void> {
    this.#disposed.abort(new Z1Error('DISPOSED', 'The reasoner was disposed'))
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #checkCounts(): void {
    if (this.#vocabulary.counts) return
    throw new Z1Error('REMOTE_REFUSED', `The server at ${this.#server.root} has no /tokenize: it tells no tokens`)
  }

  #check(input: unknown, options: Omit<ReasonOptions, 'vote'> = {}) {
    const checked = checkReasonOptions(options)
    checkSupported(options, this.#facts.kind)
    const read = checkInput(input, checked.template)
    if (typeof read !== 'string' && read.some(({ role, toolCalls }) => role === 'tool' || toolCalls)) {
      throw new TypeError('Expected no calls of tools in messages with a server')
    }
    this.#builder.check(read, checked)
    return { read, checked }
  }

  #stream<T>(input: unknown, options: ReasonOptions<T> = {}, site: CallSite): ReasonStream<T> {
    const { read, checked } = this.#check(input, options)
    const start = (listener: Listener, signal: AbortSignal) =>
      attempt(site, () => this.#start(read, options, checked, listener, signal))
    return new ReasonStream<T>(start, site, checked.signal)
  }

  async #start(
    input: string | ChatMessage[],
    given: Omit<ReasonOptions, 'vote'>,
    options: ResolvedReasonOptions,
    listener: Listener,
    signal: AbortSignal,
  ): Promise<Started> {
    this.#disposed.signal.throwIfAborted()
    const preparing = AbortSignal.any([signal, this.#disposed.signal])
    const prepared = await retrying(() => this.#prepare(input, options, preparing), {
      ...this.#options,
      signal: preparing,
    })
    const { prompt, promptTokens, hint, answer, grammar, window, maxTokens, tags } = prepared
    const { banned, watched } = await this.#bans(tags)
    const { seed = randomInt(2 ** 32 - 1), stop, loops } = options
    const { kind, model } = this.#facts
    const generation = new RemoteGeneration(
      {
        prompt,
        promptTokens,
        window,
        most: window === Infinity ? this.#most(prompt) : undefined,
        maxTokens,
        hint,
        stop,
        stopInThinking: options.stopInThinking || options.thinkingWindow === Infinity,
        loops,
        sampling: samplingFields(given, options, kind, banned, seed),
        grammar,
        watched,
        retries: this.#options,
        run: (pass, aborted) => run(this.#server, model, pass, aborted),
        count: (text) => this.#count(text),
      },
      listener,
    )
    // Events come after the one who starts it has what this returns.
    setImmediate(() => void generation.run(this.#disposed.signal))
    return { generation, hint, seed, answer }
  }

  /** Where no window closes and a server's own limit would be 16 tokens (OpenAI's), what the context leaves. */
  #most(prompt: Prompt): number | undefined {
    if (prompt.form === 'chat') return undefined
    const { contextSize } = this.model
    if (prompt.form === 'tokens') return contextSize === Infinity ? undefined : contextSize - prompt.tokens.length
    if (this.#facts.kind === 'z1') return undefined
    throw new RangeError('Expected a thinkingWindow with a number of tokens: this server has no other end')
  }

  async #count(text: string): Promise<number[] | null> {
    if (!this.#vocabulary.counts) return null
    return Array.from(
      await this.#vocabulary.tokenize([{ text, parseSpecial: this.#facts.kind !== 'llama.cpp', continuation: true }]),
    )
  }

  async #prepare(input: string | ChatMessage[], options: ResolvedReasonOptions, signal: AbortSignal) {
    const template = options.chatTemplate ?? this.#vocabulary.metadata.chatTemplate
    const tags = tagsAsked(options, template)
    const { kind } = this.#facts
    const rendered = await this.#rendered(input, options, signal)
    if (!rendered) return { ...chatPrompt(messagesOf(input, options.system), options, this.#server, kind), tags }
    const { text, asking } = rendered
    const { request, hint, answer } = await this.#builder.build(text, asking, signal)
    const prompt: Prompt =
      kind === 'llama.cpp' && this.#vocabulary.counts
        ? { form: 'tokens', tokens: Array.from(request.prompt) }
        : { form: 'text', text: (await this.#builder.renderPrompt(text, asking)).text }
    const { grammar, thinkingWindow: window, maxTokens } = request
    const promptTokens = this.#vocabulary.counts ? request.prompt.length : null
    return { prompt, promptTokens, hint: hint && this.#known(hint), answer, grammar, window, maxTokens, tags }
  }

  /** What the prompt is made of; undefined where only the server can make it. */
  async #rendered(input: string | ChatMessage[], options: ResolvedReasonOptions, signal: AbortSignal) {
    const messages = messagesOf(input, options.system)
    const { kind } = this.#facts
    let [text, asking] = [input, options]
    if (options.template && (options.chatTemplate ?? this.#vocabulary.metadata.chatTemplate) === null) {
      if (kind !== 'llama.cpp' && kind !== 'z1') return undefined
      const templateVariables = { ...this.#options.templateVariables, ...options.templateVariables }
      text = await applyTemplate(messages, templateVariables, this.#server, signal)
      asking = { ...options, template: false, system: undefined, templateVariables: undefined }
    }
    await this.#vocabulary.learn(messages.map(({ content }) => content))
    return { text, asking }
  }

  /** What stands for the tokens of a text is no token. */
  #known<H extends { tokens: Int32Array }>(hint: H): H {
    return this.#vocabulary.counts ? hint : { ...hint, tokens: new Int32Array() }
  }

  /**
   * The model's own tags are banned by their tokens. Of the others, those that are several tokens are looked for instead.
   * @throws {Z1Error} REMOTE_REFUSED for tags of the model that are several tokens.
   */
  async #bans(own: readonly string[]) {
    if (this.#facts.kind === 'z1') return { banned: [], watched: own }
    const texts = [...new Set([...own, ...KNOWN_TAGS.flat()])]
    const ids = await Promise.all(texts.map((text) => this.#vocabulary.single(text)))
    const missing = own.find((tag) => ids[texts.indexOf(tag)] === null)
    if (missing !== undefined) {
      const why = this.#vocabulary.counts ? 'it is several tokens' : 'the server has no /tokenize'
      throw new Z1Error('REMOTE_REFUSED', `The tag ${missing} of the model cannot be banned: ${why}`)
    }
    return { banned: ids.filter((id) => id !== null), watched: texts.filter((_, i) => ids[i] === null) }
  }
}
