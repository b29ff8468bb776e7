/**
 * From a caller's input and options to a request that is ready to run: the template, the tags, BOS, the hint, and whether
 * all of it fits.
 */
import { randomInt } from 'node:crypto'
import { Z1Error } from '../base/errors.js'
import type { GenerationRequest, ModelMetadata, TextSegment } from '../native/binding.js'
import type { Model, TokenizeOptions } from '../native/model.js'
import type { ChatMessage } from './messages.js'
import type { ResolvedReasonOptions } from './options.js'
import { findTags, type Tags, templateTags } from './tags.js'
import { ChatTemplate, segmentPrompt } from './template.js'

/** The window of a model that thinks, when none is given (paper, table 1: the window of its main results). */
const DEFAULT_WINDOW = 4096

/** Tokens of an answer, when no limit is given. */
export const DEFAULT_MAX_TOKENS = 1024

/** Of the room that both must share when neither was given, the part that a window takes at least. */
const WINDOW_SHARE = 0.4

/** What runs, and what its result must know that the native side does not tell. */
export interface BuiltRequest {
  request: Omit<GenerationRequest, 'id'>
  /** What is appended when the window closes, if anything is. */
  hint: Hint | null
}

/** A hint's text, and its tokens as they continue a text. */
export interface Hint {
  text: string
  tokens: Int32Array
}

/** Makes the requests for one model: the one place where a native request is put together. */
export class RequestBuilder {
  readonly #model: Pick<Model, 'metadata' | 'tokenize'>
  readonly #metadata: ModelMetadata
  readonly #contextSize: number
  readonly #tags: Tags | null
  /** When none is asked for; null: the model does not think, its whole response is an answer. */
  readonly #defaultWindow: number | null
  #template: ChatTemplate | undefined

  constructor(model: Pick<Model, 'metadata' | 'tokenize'>, contextSize: number) {
    this.#model = model
    this.#metadata = model.metadata
    this.#contextSize = contextSize
    this.#tags = findTags(model.metadata.chatTemplate, model.metadata.specialTokens)
    const { thinkingWindow, chatTemplate } = model.metadata
    const thinks = chatTemplate !== null && templateTags(chatTemplate) !== undefined
    this.#defaultWindow = thinkingWindow ?? (thinks ? DEFAULT_WINDOW : null)
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
   * @throws {RangeError} for a prompt or a hint without tokens.
   * @throws {Z1Error} CONTEXT_TOO_SMALL, TAGS_NOT_FOUND, TEMPLATE_FAILED, TEMPLATE_NOT_FOUND.
   */
  async build(
    input: string | ChatMessage[],
    options: ResolvedReasonOptions,
    signal?: AbortSignal,
  ): Promise<BuiltRequest> {
    const limits = { most: this.#contextSize, signal }
    const tags = this.#tags
    if (options.tags === 'keep' && !tags) {
      throw new Z1Error(
        'TAGS_NOT_FOUND',
        "The model has no think tags: a window inside them (tags: 'keep') has no place",
      )
    }
    const keep = options.tags === 'keep' ? tags : null
    const [prompt, hint] = await Promise.all([
      this.#model.tokenize(this.#segments(input, options), limits),
      options.hint === null
        ? null
        : this.#hint(keep ? `${options.hint.trimEnd()}\n${keep.close}\n\n` : options.hint, limits),
    ])
    const tokens = this.#withBos(prompt)
    if (tokens.length === 0) {
      throw options.template
        ? new Z1Error('TEMPLATE_FAILED', 'The chat template gave an empty prompt')
        : new RangeError('Expected a prompt with at least one token')
    }
    const { loops, stop, stopInThinking, cachePrompt, sampling, seed = randomInt(2 ** 32 - 1) } = options
    return {
      request: {
        prompt: tokens,
        ...this.#resolveLimits(tokens.length, hint, options),
        hint: hint?.tokens ?? null,
        loops,
        stop,
        stopInThinking: stopInThinking || (options.thinkingWindow === Infinity && !keep),
        bannedTags: keep ? [keep.open] : tags ? [tags.open, tags.close] : [],
        closeTag: keep ? keep.close : null,
        cachePrompt,
        sampling: { ...sampling, seed },
      },
      hint,
    }
  }

  async #hint(text: string, limits: TokenizeOptions): Promise<Hint> {
    const tokens = await this.#model.tokenize([{ text, parseSpecial: true, continuation: true }], limits)
    if (tokens.length === 0) throw new RangeError('Expected a hint with at least one token')
    return { text, tokens }
  }

  #segments(input: string | ChatMessage[], options: ResolvedReasonOptions): TextSegment[] {
    if (!options.template) return [{ text: input as string, parseSpecial: true, continuation: false }]

    const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input
    if (options.system !== undefined) messages.unshift({ role: 'system', content: options.system })
    return segmentPrompt(this.#chatTemplate(), messages, this.#metadata.specialTokens, this.#tags, options.tags)
  }

  #chatTemplate(): ChatTemplate {
    if (!this.#template) {
      const source = this.#metadata.chatTemplate
      if (source === null) {
        throw new Z1Error(
          'TEMPLATE_NOT_FOUND',
          'The model has no chat template: give the raw prompt and template: false',
        )
      }
      this.#template = new ChatTemplate(source, this.#metadata)
    }
    return this.#template
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

  /**
   * The window and the limit of the answer. Everything that a request may hold is known before it starts, so that it never
   * runs out half-way: what was asked for must fit, what was not adapts.
   */
  #resolveLimits(
    prompt: number,
    hint: Hint | null,
    { thinkingWindow: asked, maxTokens: limit, tags }: ResolvedReasonOptions,
  ): { thinkingWindow: number | null; maxTokens: number } {
    const size = this.#contextSize
    // Who asks for thinking between tags asks for thinking, also where only the vocabulary has the tags.
    const usual = asked ?? this.#defaultWindow ?? (tags === 'keep' ? DEFAULT_WINDOW : null)
    if (usual === Infinity) {
      if (prompt >= size) this.#tooSmall(`a prompt of ${prompt} tokens and at least one of thinking`, prompt + 1)
      return { thinkingWindow: Infinity, maxTokens: limit ?? DEFAULT_MAX_TOKENS }
    }
    if (usual === null) {
      const maxTokens = limit ?? Math.max(1, Math.min(DEFAULT_MAX_TOKENS, size - prompt))
      if (prompt + maxTokens > size) {
        this.#tooSmall(`${prompt} tokens of prompt and an answer of up to ${maxTokens}`, prompt + maxTokens)
      }
      return { thinkingWindow: null, maxTokens }
    }
    // Without a hint nothing follows the window.
    const room = size - prompt - (hint?.tokens.length ?? 0)
    const least = hint ? (limit ?? 1) : 0
    const shared = limit === undefined ? Math.max(room - DEFAULT_MAX_TOKENS, Math.floor(room * WINDOW_SHARE)) : room
    const thinkingWindow = asked ?? Math.max(0, Math.min(usual, hint ? shared : room, room - least))
    if (thinkingWindow + least > room) {
      const after = hint ? `, a hint of ${hint.tokens.length} and an answer of up to ${least}` : ''
      this.#tooSmall(
        `${prompt} tokens of prompt, a window of ${thinkingWindow}${after}`,
        size - room + thinkingWindow + least,
      )
    }
    return { thinkingWindow, maxTokens: limit ?? Math.max(1, Math.min(DEFAULT_MAX_TOKENS, room - thinkingWindow)) }
  }

  #tooSmall(what: string, needed: number): never {
    throw new Z1Error(
      'CONTEXT_TOO_SMALL',
      `The context is too small: ${what} need ${needed} tokens, contextSize is ${this.#contextSize}`,
    )
  }
}
