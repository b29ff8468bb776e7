/**
 * From a caller's input and options to a request that is ready to run: the template, the tags, BOS, the hint, and whether
 * all of it fits.
 */
import { randomInt } from 'node:crypto'
import { Z1Error } from '../base/errors.js'
import type { GenerationRequest, ModelMetadata } from '../native/binding.js'
import type { Model, TokenizeOptions } from '../native/model.js'
import type { Hint } from './hint.js'
import { cutLimits, resolveLimits } from './limits.js'
import type { ChatMessage } from './messages.js'
import type { ResolvedReasonOptions } from './options.js'
import { withoutOldest } from './overflow.js'
import { keepsTags, PromptRenderer, type TemplateOptions } from './prompt.js'
import { type AnswerGrammar, answerGrammar } from './structured.js'
import { KNOWN_TAGS, type Tags } from './tags.js'
import { CALL_TAGS, callGrammars } from './tool-grammar.js'

/** The window of a model that thinks, when none is given (paper, table 1: the window of its main results). */
const DEFAULT_WINDOW = 4096

/** What runs, and what its result must know that the native side does not tell. */
export interface BuiltRequest {
  request: Omit<GenerationRequest, 'id'>
  /** What is appended when the window closes, if anything is. */
  hint: Hint | null
  /** What is fed in the place of an end, if anything is. */
  nudge: Hint | null
  /** What binds the answer. */
  answer: Pick<AnswerGrammar, 'isJson' | 'warnings'> | null
  /** Whether log-probabilities are reported. */
  logprobs: boolean
  /** How many messages did not fit. */
  droppedMessages: number
}

/** What would be sent. */
export interface RenderedPrompt {
  /** Control tokens are spelled out, BOS among them. */
  text: string
  tokens: number[]
  /** Tokens of the hint that follows a window which closes; 0 with `hint: null`. */
  hintTokens: number
  /** Tokens of the window where none is asked for, as far as they fit; null: the whole response is the answer. */
  defaultWindow: number | null
  /** With `overflow: 'shift'`, how many of the oldest messages did not fit; else 0. */
  droppedMessages: number
}

/** Makes the requests for one model: the one place where a native request is put together. */
export class RequestBuilder {
  readonly #model: Pick<Model, 'metadata' | 'tokenize'>
  readonly #metadata: ModelMetadata
  readonly #contextSize: number
  readonly #prompts: PromptRenderer

  constructor(model: Pick<Model, 'metadata' | 'tokenize'>, contextSize: number, template?: TemplateOptions) {
    this.#model = model
    this.#metadata = model.metadata
    this.#contextSize = contextSize
    this.#prompts = new PromptRenderer(model.metadata, template)
  }

  /**
   * What can be said of a request at once, but only with the model, or of its input and options together.
   * @throws {TypeError} for a system option beside a system message.
   * @throws {RangeError} for a prompt without tokens, or a bias for a token that does not exist.
   */
  check(input: string | readonly ChatMessage[], { system, template, sampling }: ResolvedReasonOptions): void {
    if (input === '' && !template && !this.#addsBos) {
      throw new RangeError('Expected a prompt with at least one token')
    }
    if (system !== undefined && typeof input !== 'string' && input.some(({ role }) => role === 'system')) {
      throw new TypeError('Expected no system option beside a system message')
    }
    for (const { token } of sampling.logitBias) {
      if (token >= this.#metadata.vocabularySize) {
        throw new RangeError(`Expected token < ${this.#metadata.vocabularySize} for logitBias but received ${token}`)
      }
    }
  }

  /**
   * @param signal Ends the tokenizing, when nobody waits for the request any more.
   * @throws {RangeError} for a prompt or a hint without tokens, and for cuts that are not smaller than the window.
   * @throws {Z1Error} CONTEXT_TOO_SMALL, GRAMMAR_INVALID, MODEL_UNSUPPORTED, SCHEMA_INVALID, TAGS_NOT_FOUND, TEMPLATE_FAILED,
   *   TEMPLATE_NOT_FOUND, TOOLS_UNSUPPORTED.
   */
  async build(
    input: string | ChatMessage[],
    options: ResolvedReasonOptions,
    signal?: AbortSignal,
  ): Promise<BuiltRequest> {
    const answer = answerGrammar(options.grammar, options.schema)
    const calls = callGrammars(options.calls, answer)
    if (options.speculation && (this.#metadata.recurrent || this.#metadata.hybrid)) {
      throw new Z1Error(
        'MODEL_UNSUPPORTED',
        'Expected no speculation: the recurrent state of this model takes nothing back',
      )
    }
    const tokenizing = { most: this.#contextSize, signal }
    const { value, droppedMessages } = await this.#fitting(input, options, tokenizing)
    const { prompt, hint, nudge, keep, tags, callForm, limits } = value
    const {
      loops,
      policies,
      stop,
      stopInThinking,
      cachePrompt,
      speculation,
      logprobs,
      sampling,
      seed = randomInt(2 ** 32 - 1),
    } = options
    const { landing, stated, earlyExit, confidence, wait, trace = null } = policies
    return {
      request: {
        prompt,
        ...limits,
        cuts: cutLimits(this.#contextSize, prompt.length, hint, limits.thinkingWindow, options),
        hint: hint?.tokens ?? null,
        grammar: calls ? calls.answer : (answer?.grammar ?? null),
        calls: calls && { ...CALL_TAGS, grammar: calls.call },
        loops,
        landsOnLine: landing === 'line',
        earlyMargin: earlyExit?.margin ?? null,
        earlyProbe: earlyExit?.probe ?? null,
        keepsStated: stated === 'keep',
        endsStated: stated === 'end',
        confidence,
        logprobs: logprobs ?? null,
        wait: wait && nudge ? { tokens: nudge.tokens, times: wait.times, until: wait.until } : null,
        trace,
        stop,
        stopInThinking: stopInThinking || (options.thinkingWindow === Infinity && !keep),
        bannedTags: [
          ...(keep ? [keep.open] : bannedTags(tags)),
          ...(calls || options.calls.tools.length === 0 ? [] : [CALL_TAGS.open]),
        ],
        // A model that knows calls may write one where nobody asked, and goes on as if it was answered.
        bannedInThinking: callForm && !calls ? [CALL_TAGS.open] : [],
        closeTag: keep ? keep.close : null,
        cachePrompt,
        speculation,
        group: 0,
        sampling: { ...sampling, seed },
      },
      hint,
      nudge,
      answer: calls ? { isJson: answer?.isJson ?? false, warnings: calls.warnings } : answer,
      logprobs: logprobs !== undefined,
      droppedMessages,
    }
  }

  /**
   * The prompt as it would be sent.
   * @throws as {@link build}, but that it may be larger than the context unless `overflow` is `shift`.
   */
  async renderPrompt(input: string | ChatMessage[], options: ResolvedReasonOptions): Promise<RenderedPrompt> {
    const { signal } = options
    const { value, droppedMessages } =
      options.overflow === 'shift'
        ? await this.#fitting(input, options, { most: this.#contextSize, signal })
        : { value: await this.#tokens(input, options, { signal }), droppedMessages: 0 }
    const { segments, tokens, prompt, hint, window } = value
    const text = segments.map((segment) => segment.text).join('')
    return {
      text: prompt === tokens ? text : this.#metadata.bosText + text,
      tokens: Array.from(prompt),
      hintTokens: hint?.tokens.length ?? 0,
      defaultWindow: window,
      droppedMessages,
    }
  }

  /** What becomes of the input, and what it may generate; with `overflow: 'shift'`, of as many of its turns as fit. */
  async #fitting(input: string | ChatMessage[], options: ResolvedReasonOptions, limits: TokenizeOptions) {
    const size = this.#contextSize
    const make = async (messages: string | ChatMessage[], comfortable: boolean) => {
      const made = await this.#tokens(messages, options, limits)
      return { ...made, limits: resolveLimits(size, made, options, comfortable) }
    }
    if (typeof input === 'string' || options.overflow === 'error') {
      return { value: await make(input, false), droppedMessages: 0 }
    }
    // In English half as many characters as tokens are an eighth of the context.
    return withoutOldest(input, Math.ceil(size / 2), make)
  }

  async #tokens(input: string | ChatMessage[], options: ResolvedReasonOptions, limits: TokenizeOptions) {
    const { segments, tags, thinks, callForm } = this.#prompts.render(input, options)
    const keep = keepsTags(options.tags) ? tags : null
    if (keepsTags(options.tags) && !keep) {
      throw new Z1Error(
        'TAGS_NOT_FOUND',
        "The model has no think tags: a window inside them (tags: 'keep') has no place",
      )
    }
    const { wait } = options.policies
    if (wait && keep && !this.#metadata.specialTokens.some(({ text }) => text === keep.close)) {
      throw new Z1Error(
        'MODEL_UNSUPPORTED',
        `The closing tag ${keep.close} is several tokens of the model: wait can take the place of one only`,
      )
    }
    const [tokens, hint, nudge] = await Promise.all([
      this.#model.tokenize(segments, limits),
      options.hint === null
        ? null
        : this.#fed('hint', keep ? `${options.hint.trimEnd()}\n${keep.close}\n\n` : options.hint, limits),
      wait ? this.#fed('wait.text', wait.text, limits) : null,
    ])
    const prompt = this.#withBos(tokens)
    if (prompt.length === 0) {
      throw options.template
        ? new Z1Error('TEMPLATE_FAILED', 'The chat template gave an empty prompt')
        : new RangeError('Expected a prompt with at least one token')
    }
    // Who asks for thinking between tags asks for thinking, also where only the vocabulary has the tags.
    const window = this.#metadata.thinkingWindow ?? (thinks || keep ? DEFAULT_WINDOW : null)
    return { segments, tokens, prompt, hint, nudge, keep, tags, window, callForm }
  }

  async #fed(name: string, text: string, limits: TokenizeOptions): Promise<Hint> {
    const tokens = await this.#model.tokenize([{ text, parseSpecial: true, continuation: true }], limits)
    if (tokens.length === 0) throw new RangeError(`Expected a ${name} with at least one token`)
    return { text, tokens }
  }

  get #addsBos(): boolean {
    return this.#metadata.addBos && this.#metadata.bos >= 0
  }

  /** Whether the template writes it or not, it stands once. */
  #withBos(tokens: Int32Array): Int32Array {
    const { bos } = this.#metadata
    if (!this.#addsBos || tokens[0] === bos) return tokens
    const all = new Int32Array(tokens.length + 1)
    all[0] = bos
    all.set(tokens, 1)
    return all
  }
}

/** Every known tag, whatever the model: a model that never saw its own in a template may still write one. */
function bannedTags(tags: Tags | null): string[] {
  return [...new Set([...(tags ? [tags.open, tags.close] : []), ...KNOWN_TAGS.flat()])]
}
