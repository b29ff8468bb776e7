/** What a request gives: the events of a stream and the result at its end, put together from what the context reports. */

import type { SchemaWarning } from '../grammar/warnings.js'
import type { CutEnded, Ended, FinishReason, GenerationEvent, Timings } from '../native/binding.js'
import { closingPart, extractFinalAnswer } from './answer.js'
import type { Hint } from './request.js'
import { type AnswerGrammar, parsedAnswer } from './structured.js'

/** A finished response. */
export interface ReasonResult<T = unknown> {
  /** Everything in order: the reasoning and, after a cut, the hint and the continuation. */
  text: string
  /** What was generated before the cut; of a response that ended by itself, all of it. */
  reasoning: string
  /** What was appended when the window closed; '' if nothing was. */
  hint: string
  /** What to show a user: after a cut the continuation, else the paragraph that states the final answer, else all. */
  answer: string
  /** The value in the answer, as `extractFinalAnswer` finds it; null if it states none. */
  finalAnswer: string | null
  /**
   * With a `schema`, the value that the answer is; null without one, and where the answer was cut short (`finishReason` other than
   * `stop`, or a stop string).
   */
  object: T | null
  /** What of the `schema` a grammar could not enforce: values of it need a look. */
  warnings: readonly SchemaWarning[]
  /** The response as a message, ready for the next turn. */
  message: { role: 'assistant'; content: string }
  /**
   * How the thinking ended. `self`: the model ended it; `window`: the window closed; `request`: `endThinking()`;
   * `stop`: a stop string or `stop()`; `length`: the context was full; `loop`: with `loops`, it repeated itself. `early`
   * and `stated` do not occur yet.
   */
  ended: Ended
  /**
   * How the response ended. `stop`: end of generation or a stop string; `length`: `maxTokens`, the context was full, or the
   * window closed and `hint` is null; `abort`: `stop()`, or `endThinking()` where `hint` is null; `loop`: with `loops`, the
   * answer repeated itself, or the thinking did and `hint` is null.
   */
  finishReason: FinishReason
  /** The stop string that ended it, or null. It is not in the text, but its tokens are in `tokens`. */
  stopString: string | null
  /** Ids of the sampled tokens and of the hint, the end-of-generation token left out. */
  tokens: { reasoning: number[]; hint: number[]; answer: number[] }
  /** Counts of tokens. `cachedTokens` of the prompt were in the KV cache already. */
  usage: {
    promptTokens: number
    cachedTokens: number
    thinkingTokens: number
    hintTokens: number
    answerTokens: number
  }
  /** Milliseconds, and the number of `llama_decode` calls that the request took part in. */
  timings: Timings
  /** Given, or drawn for this request. */
  seed: number
}

/** What a stream gives while a response is generated. The texts together are the text of the result, but for the hint. */
export type ReasonEvent<T = unknown> =
  | { type: 'thinking'; text: string; tokens: number[] }
  /** The thinking ended before the response did. With delimited thinking the model may do that itself; `hint` is '' then. */
  | { type: 'cut'; ended: CutEnded; thinkingTokens: number; hint: string }
  | { type: 'answer'; text: string; tokens: number[] }
  | { type: 'done'; result: ReasonResult<T> }

/**
 * What a running request reports: the native side's events, to which one that runs elsewhere may add how much it thought,
 * and what is behind an error.
 */
export type RequestEvent =
  | Exclude<GenerationEvent, { type: 'done' | 'error' }>
  | (Extract<GenerationEvent, { type: 'done' }> & { thinkingTokens?: number })
  | (Extract<GenerationEvent, { type: 'error' }> & { cause?: unknown })

/** Collects one generation's events. */
export class ResultBuilder {
  readonly #hint: Hint | null
  readonly #seed: number
  readonly #grammar: AnswerGrammar | null
  readonly #thinking = { text: '', tokens: [] as number[] }
  readonly #answer = { text: '', tokens: [] as number[] }
  #cut = false
  #hinted = false

  constructor(hint: Hint | null, seed: number, grammar: AnswerGrammar | null = null) {
    this.#hint = hint
    this.#seed = seed
    this.#grammar = grammar
  }

  /** Takes the next event; returns what a stream shows of it. */
  take(event: Exclude<RequestEvent, { type: 'error' }>): ReasonEvent {
    switch (event.type) {
      case 'text': {
        const part = event.phase === 'thinking' ? this.#thinking : this.#answer
        part.text += event.text
        for (const token of event.tokens) part.tokens.push(token)
        return { type: event.phase, text: event.text, tokens: event.tokens }
      }
      case 'cut':
        this.#cut = true
        this.#hinted = event.hintTokens > 0
        return {
          type: 'cut',
          ended: event.ended,
          thinkingTokens: event.thinkingTokens,
          hint: this.#hinted && this.#hint ? this.#hint.text : '',
        }
      case 'done':
        return { type: 'done', result: this.#result(event) }
    }
  }

  #result(done: Extract<RequestEvent, { type: 'done' }>): ReasonResult {
    const reasoning = this.#thinking.text
    const hint = this.#hinted && this.#hint ? this.#hint.text : ''
    const hintTokens = this.#hinted && this.#hint ? Array.from(this.#hint.tokens) : []
    const text = reasoning + hint + this.#answer.text
    // What is marked as an answer is one, with a cut before it or not.
    const isAnswered = this.#cut || this.#answer.text !== ''
    const answer = isAnswered ? this.#answer.text : closingPart(text)
    const isWhole = isAnswered && done.finishReason === 'stop' && done.stopString === null
    return {
      text,
      reasoning,
      hint,
      answer,
      finalAnswer: extractFinalAnswer(answer, this.#hinted),
      object: this.#grammar?.isJson && isWhole ? parsedAnswer(answer) : null,
      warnings: this.#grammar?.warnings ?? [],
      message: { role: 'assistant', content: text },
      ended: done.ended,
      finishReason: done.finishReason,
      stopString: done.stopString,
      tokens: { reasoning: this.#thinking.tokens, hint: hintTokens, answer: this.#answer.tokens },
      usage: {
        promptTokens: done.promptTokens,
        cachedTokens: done.cachedTokens,
        thinkingTokens: done.thinkingTokens ?? this.#thinking.tokens.length,
        hintTokens: hintTokens.length,
        answerTokens: this.#answer.tokens.length,
      },
      timings: done.timings,
      seed: this.#seed,
    }
  }
}
