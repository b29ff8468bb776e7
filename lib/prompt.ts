/**
 * From a caller's input to tokens that are ready to run: the template, the tags, BOS, the hint, and whether all of it fits.
 */
import type { Binding, ModelHandle, ModelMetadata, TextSegment } from './binding.js'
import { Z1Error } from './errors.js'
import type { ChatMessage, ResolvedReasonOptions } from './options.js'
import { findTags, type Tags } from './tags.js'
import { ChatTemplate, segmentPrompt } from './template.js'

/** The largest window that is chosen when none is given (paper, table 1: the window of its main results). */
const DEFAULT_WINDOW = 4096

export interface Prompt {
  tokens: Int32Array
  hint: { text: string; tokens: Int32Array }
  thinkingWindow: number
  bannedTags: string[]
  closeTag: string | null
}

/** Makes prompts for one model. */
export class Prompter {
  readonly #binding: Binding
  readonly #model: ModelHandle
  readonly #facts: ModelMetadata
  readonly #contextSize: number
  readonly #tags: Tags | null
  #template: ChatTemplate | undefined

  constructor(binding: Binding, model: ModelHandle, facts: ModelMetadata, contextSize: number) {
    this.#binding = binding
    this.#model = model
    this.#facts = facts
    this.#contextSize = contextSize
    this.#tags = findTags(facts.chatTemplate, facts.specialTokens)
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
      if (token >= this.#facts.vocabularySize) {
        throw new RangeError(`Expected token < ${this.#facts.vocabularySize} for logitBias but received ${token}`)
      }
    }
  }

  /**
   * @throws {RangeError} for a prompt or a hint without tokens.
   * @throws {Z1Error} CONTEXT_TOO_SMALL, TAGS_NOT_FOUND, TEMPLATE_FAILED, TEMPLATE_NOT_FOUND.
   */
  async prepare(input: string | ChatMessage[], options: ResolvedReasonOptions): Promise<Prompt> {
    const tags = this.#tags
    if (options.tags === 'keep' && !tags) {
      throw new Z1Error(
        'TAGS_NOT_FOUND',
        "The model has no think tags: a window inside them (tags: 'keep') has no place",
      )
    }
    const keep = options.tags === 'keep' ? tags : null
    const hintText = keep ? `${options.hint.trimEnd()}\n${keep.close}\n\n` : options.hint
    const [prompt, hint] = await Promise.all([
      this.#tokenize(this.#segments(input, options)),
      this.#binding.modelTokenize(this.#model, [{ text: hintText, parseSpecial: true, continuation: true }]),
    ])
    const tokens = this.#withBos(prompt)
    if (tokens.length === 0) {
      throw options.template
        ? new Z1Error('TEMPLATE_FAILED', 'The chat template gave an empty prompt')
        : new RangeError('Expected a prompt with at least one token')
    }
    if (hint.length === 0) throw new RangeError('Expected a hint with at least one token')
    return {
      tokens,
      hint: { text: hintText, tokens: hint },
      thinkingWindow: this.#fit(tokens.length, hint.length, options),
      bannedTags: keep ? [keep.open] : tags ? [tags.open, tags.close] : [],
      closeTag: keep ? keep.close : null,
    }
  }

  #segments(input: string | ChatMessage[], options: ResolvedReasonOptions): TextSegment[] {
    if (!options.template) return [{ text: input as string, parseSpecial: true, continuation: false }]

    const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input
    if (options.system !== undefined) messages.unshift({ role: 'system', content: options.system })
    return segmentPrompt(this.#chatTemplate(), messages, this.#facts.specialTokens, this.#tags, options.tags)
  }

  #chatTemplate(): ChatTemplate {
    if (!this.#template) {
      const source = this.#facts.chatTemplate
      if (source === null) {
        throw new Z1Error(
          'TEMPLATE_NOT_FOUND',
          'The model has no chat template: give the raw prompt and template: false',
        )
      }
      this.#template = new ChatTemplate(source, this.#facts)
    }
    return this.#template
  }

  #tokenize(segments: TextSegment[]): Promise<Int32Array> {
    return this.#binding.modelTokenize(this.#model, segments)
  }

  get #addsBos(): boolean {
    return this.#facts.addBos && this.#facts.bos >= 0
  }

  /** Whether the template writes it or not, it stands once. */
  #withBos(tokens: Int32Array): Int32Array {
    const { bos } = this.#facts
    if (!this.#addsBos || tokens[0] === bos) return tokens
    return Int32Array.of(bos, ...tokens)
  }

  /** The window to use. Everything that a request may hold is known before it starts, so that it never runs out half-way. */
  #fit(prompt: number, hint: number, { thinkingWindow, maxTokens }: ResolvedReasonOptions): number {
    const size = this.#contextSize
    if (thinkingWindow === Infinity) {
      if (prompt >= size) this.#tooSmall(`a prompt of ${prompt} tokens and at least one of thinking`, prompt + 1)
      return Infinity
    }
    const besides = prompt + hint + maxTokens
    const window = thinkingWindow ?? Math.max(0, Math.min(DEFAULT_WINDOW, size - besides))
    if (besides + window > size) {
      this.#tooSmall(
        `${prompt} tokens of prompt, a window of ${window}, a hint of ${hint} and an answer of up to ${maxTokens}`,
        besides + window,
      )
    }
    return window
  }

  #tooSmall(what: string, needed: number): never {
    throw new Z1Error(
      'CONTEXT_TOO_SMALL',
      `The context is too small: ${what} need ${needed} tokens, contextSize is ${this.#contextSize}`,
    )
  }
}
