/** What a request gives: the events of a stream and the result at its end, put together from what the context reports. */

import type { SchemaWarning } from '../grammar/warnings.js'
import type { CutEnded, Ended, FinishReason, GenerationEvent, SampledLogprob, Timings } from '../native/binding.js'
import { closingPart, extractFinalAnswer, parsedAnswer } from './answer.js'
import type { Hint } from './hint.js'
import type { AnswerGrammar } from './structured.js'
import { type ToolCallDelta, ToolCallReader } from './tool-calls.js'
import type { ToolCall } from './tools.js'
import { type ReasonTrace, traceOf } from './trace.js'
import type { Usage } from './usage.js'

/** A finished response. */
export interface ReasonResult<T = unknown> {
  /** Everything in order: the reasoning and, after a cut, the hint and the continuation, calls of tools as the model wrote them. */
  text: string
  /** What was generated before the cut; of a response that ended by itself, all of it. */
  reasoning: string
  /** What was appended when the window closed; '' if nothing was. */
  hint: string
  /** What to show a user, without calls of tools: after a cut the continuation, else the paragraph that states the final answer, else all. */
  answer: string
  /** The value in the answer, as `extractFinalAnswer` finds it; null if it states none. */
  finalAnswer: string | null
  /**
   * With a `schema`, the value that the answer is; null without one, and where the answer was cut short (`finishReason` other than
   * `stop`, or a stop string).
   */
  object: T | null
  /** With `tools`, the calls that the model asks for; one that was cut short is left out. Where there are none, []. */
  toolCalls: readonly ToolCall[]
  /** What of the `schema`, and of the `parameters` of `tools`, a grammar could not enforce: values of it need a look. */
  warnings: readonly SchemaWarning[]
  /** The response as a message, ready for the next turn. */
  message: { role: 'assistant'; content: string; toolCalls?: readonly ToolCall[] }
  /**
   * How the thinking ended. `self`: the model ended it; `window`: the window closed; `request`: `endThinking()`;
   * `stop`: a stop string or `stop()`; `length`: the context was full; `loop`: with `loops`, it repeated itself; `early`:
   * with `earlyExit`; `stated`: it was closed, and with `stated: 'keep'` or `'end'` the answer that it had just stated stands.
   */
  ended: Ended
  /**
   * How the response ended. `stop`: end of generation or a stop string; `length`: `maxTokens`, the context was full, or the
   * window or `earlyExit` closed the thinking and `hint` is null; `abort`: `stop()`, or `endThinking()` where `hint` is null; `loop`: with `loops`, the
   * answer repeated itself, or the thinking did and `hint` is null; `tool_calls`: the model waits for what `toolCalls` give.
   */
  finishReason: FinishReason | 'tool_calls'
  /**
   * With the option `confidence`: the least probability, 0 … 1, that the model gave to a token of the answer, at temperature 1
   * and before anything was banned. Null without it, and where nothing was generated after a hint: of a response that ended
   * by itself, or whose stated answer stands.
   */
  confidence: number | null
  /** The stop string that ended it, or null. It is not in the text, but its tokens are in `tokens`. */
  stopString: string | null
  /**
   * Ids of the sampled tokens and of the hint, the end-of-generation token left out. The reasoning's are in order with those
   * that were fed in the place of an end (`wait`).
   */
  tokens: { reasoning: number[]; hint: number[]; answer: number[] }
  /**
   * With the option `logprobs`: what the model made of the place of each sampled token, in the order of `tokens`; of the reasoning
   * where that was asked for, else empty there. What was fed (`wait`) has none. Null without the option.
   */
  logprobs: { reasoning: SampledLogprob[]; answer: SampledLogprob[] } | null
  usage: Usage
  /** With `overflow: 'shift'`, how many of the oldest messages were left out, since they did not fit; else 0. */
  droppedMessages: number
  /** Milliseconds, and the number of `llama_decode` calls that the request took part in. */
  timings: Timings
  /** Given, or drawn for this request. */
  seed: number
  /**
   * Of a request with `cuts`, in their order: what a request with that window gives. A response that ended before it got to
   * a cut stands there itself.
   */
  cuts?: CutResult[]
  /** Of a request with `trace`. */
  trace?: ReasonTrace
  /** Of a request with `samples`, all of them in the order of their seeds; the result is the one that won the vote. */
  samples?: SampleResult<T>[]
  /** Of a request with `samples`. */
  vote?: Vote
  /**
   * Of a request with `samples`: the sums of their counts, in which the prompt is counted for each, and as cached for those
   * that did not decode it; and the milliseconds until the last one had ended.
   */
  cost?: Usage & { totalMs: number }
}

/** One of several `samples`. One that was ended early has `finishReason` abort, and no vote. */
export type SampleResult<T = unknown> = Omit<ReasonResult<T>, 'cuts' | 'trace' | 'samples' | 'vote' | 'cost'>

export interface Vote {
  /** Index of the sample that the result is; 0 where none states an answer. */
  winner: number
  /**
   * With `majority`: the answers, each with the samples that gave it; most votes first, then the earliest sample. A value where
   * a `schema` bound it, else text. With a function that votes: none.
   */
  answers: { answer: unknown; samples: number[] }[]
}

/** The result at one of the `cuts`. Its tokens and milliseconds before the cut are those of the whole request. */
export type CutResult = Omit<ReasonResult, 'cuts' | 'trace' | 'samples' | 'vote' | 'cost'>

/**
 * What a stream gives while a response is generated. The texts together, with the hint of the cut, are the text of the
 * result.
 */
export type ReasonEvent<T = unknown> =
  /** With `logprobs`: one for each of the tokens. */
  | { type: 'thinking'; text: string; tokens: number[]; logprobs?: SampledLogprob[] }
  /** With `wait`: the model would have ended, and was fed this in the place of the end. */
  | { type: 'nudge'; text: string; tokens: number[]; thinkingTokens: number }
  /** The thinking ended before the response did. With delimited thinking the model may do that itself; `hint` is '' then. */
  | { type: 'cut'; ended: CutEnded; thinkingTokens: number; hint: string }
  | { type: 'answer'; text: string; tokens: number[]; logprobs?: SampledLogprob[] }
  /** With `tools`: text of calls, as the model writes it, and what it adds to them. */
  | { type: 'toolCall'; text: string; tokens: number[]; deltas: ToolCallDelta[] }
  /** With `cuts`: one that the thinking has passed is answered. */
  | { type: 'branch'; result: CutResult }
  | { type: 'done'; result: ReasonResult<T> }

type Done = Extract<GenerationEvent, { type: 'done' }>
/** What only a model that runs here tells. */
type LocalFacts = 'confidence' | 'probeTokens' | 'draftedTokens' | 'acceptedTokens' | 'trace'

/**
 * What a running request reports: the native side's events, to which one that runs elsewhere may add how many tokens it
 * took, and what is behind an error.
 */
export type RequestEvent =
  | Exclude<GenerationEvent, { type: 'done' | 'error' }>
  | (Omit<Done, LocalFacts> &
      Partial<Pick<Done, LocalFacts>> & {
        thinkingTokens?: number
        hintTokens?: number
        answerTokens?: number
      })
  | (Extract<GenerationEvent, { type: 'error' }> & { cause?: unknown })
  /** Of a request whose stream is in another process: what that stream gave, or failed with. */
  | { type: 'relayed'; event: ReasonEvent }
  | { type: 'failed'; reason: unknown }

/** What a result says beside the generation's events. */
export interface Asked {
  hint: Hint | null
  seed: number
  /** What is fed in the place of an end, if anything is. */
  nudge?: Hint | null
  /** The smaller windows that it shall give results for. */
  cuts?: readonly number[]
  /** What binds the answer, if anything does. */
  answer?: Pick<AnswerGrammar, 'isJson' | 'warnings'> | null
  /** Whether log-probabilities are reported. */
  logprobs?: boolean
  /** How many messages did not fit. */
  droppedMessages?: number
}

/** Collects one generation's events. */
export class ResultBuilder {
  readonly #hint: Hint | null
  readonly #seed: number
  readonly #cuts: readonly number[]
  readonly #branches = new Map<number, CutResult>()
  readonly #grammar: Pick<AnswerGrammar, 'isJson' | 'warnings'> | null
  readonly #reader = new ToolCallReader()
  #callText = ''
  readonly #hasLogprobs: boolean
  readonly #thinking = { text: '', tokens: [] as number[], logprobs: [] as SampledLogprob[] }
  readonly #answer = { text: '', tokens: [] as number[], logprobs: [] as SampledLogprob[] }
  readonly #nudge: Hint | null
  readonly #droppedMessages: number
  #nudgeTokens = 0
  #cut = false
  #hinted = false

  constructor({ hint, seed, cuts = [], nudge = null, answer = null, logprobs = false, droppedMessages = 0 }: Asked) {
    this.#hint = hint
    this.#nudge = nudge
    this.#droppedMessages = droppedMessages
    this.#seed = seed
    this.#cuts = cuts
    this.#grammar = answer
    this.#hasLogprobs = logprobs
  }

  /** Takes the next event; returns what a stream shows of it. */
  take(event: Exclude<RequestEvent, { type: 'error' | 'failed' }>): ReasonEvent {
    switch (event.type) {
      case 'relayed':
        return event.event
      case 'text': {
        const { phase, text, tokens, logprobs } = event
        const part = phase === 'thinking' ? this.#thinking : this.#answer
        for (const token of tokens) part.tokens.push(token)
        if (phase === 'call') {
          this.#callText += text
          return { type: 'toolCall', text, tokens, deltas: this.#reader.push(text) }
        }
        part.text += text
        if (!logprobs) return { type: phase, text, tokens }
        for (const one of logprobs) part.logprobs.push(one)
        return { type: phase, text, tokens, logprobs }
      }
      case 'nudge': {
        const text = this.#nudge?.text ?? ''
        const tokens = Array.from(this.#nudge?.tokens ?? [])
        this.#thinking.text += text
        this.#thinking.tokens.push(...tokens)
        this.#nudgeTokens += tokens.length
        return { type: 'nudge', text, tokens, thinkingTokens: event.thinkingTokens }
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
      case 'branch': {
        const parts = new ResultBuilder({
          hint: this.#hint,
          seed: this.#seed,
          answer: this.#grammar,
          logprobs: this.#hasLogprobs,
          droppedMessages: this.#droppedMessages,
        })
        parts.#append(event)
        const result = parts.#result(event.done)
        this.#branches.set(event.thinking.tokens.length, result)
        return { type: 'branch', result }
      }
      case 'done': {
        const result: ReasonResult = this.#result(event)
        if (event.trace) result.trace = traceOf(event.trace)
        if (this.#cuts.length === 0) return { type: 'done', result }
        return { type: 'done', result: { ...result, cuts: this.#cuts.map((cut) => this.#branches.get(cut) ?? result) } }
      }
    }
  }

  /** All of a branch at once. */
  #append({ thinking, answer, hintTokens }: Extract<RequestEvent, { type: 'branch' }>): void {
    Object.assign(this.#thinking, thinking)
    Object.assign(this.#answer, answer)
    this.#cut = hintTokens > 0
    this.#hinted = hintTokens > 0
  }

  #result(done: Extract<RequestEvent, { type: 'done' }>): CutResult {
    const reasoning = this.#thinking.text
    const hint = this.#hinted && this.#hint ? this.#hint.text : ''
    const hintTokens = this.#hinted && this.#hint ? Array.from(this.#hint.tokens) : []
    const text = reasoning + hint + this.#answer.text + this.#callText
    // What is marked as an answer is one, with a cut before it or not.
    const isAnswered = this.#cut || this.#answer.text !== '' || this.#callText !== ''
    const answer = isAnswered ? this.#answer.text : closingPart(text)
    const isWhole = isAnswered && done.finishReason === 'stop' && done.stopString === null
    const toolCalls = [...this.#reader.calls]
    const content = reasoning + hint + this.#answer.text
    return {
      text,
      reasoning,
      hint,
      answer,
      finalAnswer: extractFinalAnswer(answer, this.#hinted),
      object: this.#grammar?.isJson && isWhole && this.#callText === '' ? parsedAnswer(answer) : null,
      toolCalls,
      warnings: this.#grammar?.warnings ?? [],
      message: { role: 'assistant', content, ...(toolCalls.length > 0 ? { toolCalls } : {}) },
      ended: done.ended,
      finishReason: isWhole && toolCalls.length > 0 ? 'tool_calls' : done.finishReason,
      confidence: done.confidence ?? null,
      stopString: done.stopString,
      tokens: { reasoning: this.#thinking.tokens, hint: hintTokens, answer: this.#answer.tokens },
      logprobs: this.#hasLogprobs ? { reasoning: this.#thinking.logprobs, answer: this.#answer.logprobs } : null,
      usage: {
        promptTokens: done.promptTokens,
        cachedTokens: done.cachedTokens,
        thinkingTokens: done.thinkingTokens ?? this.#thinking.tokens.length - this.#nudgeTokens,
        hintTokens: done.hintTokens ?? hintTokens.length,
        answerTokens: done.answerTokens ?? this.#answer.tokens.length,
        nudgeTokens: this.#nudgeTokens,
        probeTokens: done.probeTokens ?? 0,
        draftedTokens: done.draftedTokens ?? 0,
        acceptedTokens: done.acceptedTokens ?? 0,
      },
      droppedMessages: this.#droppedMessages,
      timings: done.timings,
      seed: this.#seed,
    }
  }
}
