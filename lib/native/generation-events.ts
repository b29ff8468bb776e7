/** What the context's thread reports of a generation. */
import type { ErrorCode } from '../base/errors.js'

/** A token and how likely it was, at temperature 1 and before anything was banned. */
export interface TokenLogprob {
  token: number
  /** Natural logarithm of the probability; -Infinity where the model rules the token out. */
  logprob: number
  /** Bytes that are no whole character are U+FFFD. Control tokens show by their names. */
  text: string
  bytes: number[]
}

/** What the model made of the place of a sampled token. */
export interface SampledLogprob extends TokenLogprob {
  /** The likeliest tokens there, likeliest first, as many as were asked for. */
  top: TokenLogprob[]
}

/** How the thinking ended; see `ReasonResult.ended`. */
export type Ended = 'self' | 'window' | 'request' | 'stop' | 'length' | 'loop' | 'early' | 'stated'
/** What a cut's `ended` can be: the others end the generation. */
export type CutEnded = Exclude<Ended, 'stop' | 'length' | 'stated'>
export type FinishReason = 'stop' | 'length' | 'abort' | 'loop'

export interface Timings {
  promptMs: number
  thinkingMs: number
  hintMs: number
  answerMs: number
  totalMs: number
  decodeCalls: number
  /** Of the last of them; 0 where there was none. */
  threads: number
}

/** Of a request with `trace`: by its tokens of thinking so far, from 0 on. */
export interface NativeTrace {
  /** Of the likeliest end token as the next one, 0 … 1. Ends where nothing more was sampled, one short of `marks` or with them. */
  endProbability: Float32Array
  /** Nats by which the likeliest token exceeds it; as long. */
  margin: Float32Array
  /** Bits: 1 a sentence may end, 2 an answer stands, 4 a probe is due, 8 a line ends, 16 a loop goes on. */
  marks: Uint8Array
  /** In no order. */
  answers: {
    thinkingTokens: number
    /** 0: there was no room for the hint, nor for an answer. */
    hintTokens: number
    text: string
    tokens: number[]
    /** Of each token, 0 … 1, at temperature 1 and before anything is banned. */
    probabilities: Float64Array
    /** Of the tokens, those that a probe would have. */
    probeTokens: number
    ended: Ended
    finishReason: FinishReason
  }[]
}

interface DoneEvent {
  type: 'done'
  ended: Ended
  finishReason: FinishReason
  stopString: string | null
  promptTokens: number
  cachedTokens: number
  timings: Timings
  /** Fed and generated for probes. */
  probeTokens: number
  /** Decoded before they were sampled, and of them those that were sampled and not decoded again. */
  draftedTokens: number
  acceptedTokens: number
  /** Null: it was not asked for, or the answer has no tokens. */
  confidence: number | null
  /** Null: it was not asked for. */
  trace: NativeTrace | null
}

/** What a text is a part of. Calls of tools, if there are any, end the answer: from the first one's tag on all of it is `call`. */
export type Phase = 'thinking' | 'answer' | 'call'

/**
 * What the context's thread reports. Per generation: any number of text events, any number of nudges, at most one cut after them,
 * any number of branches, then exactly one done or error.
 */
export type GenerationEvent =
  /** With `logprobs`: one for each of the tokens. */
  | { type: 'text'; phase: Phase; text: string; tokens: number[]; logprobs?: SampledLogprob[] }
  | { type: 'nudge'; thinkingTokens: number; nudgeTokens: number }
  | { type: 'cut'; ended: CutEnded; thinkingTokens: number; hintTokens: number }
  /** All that a request with one of the `cuts` as its window gives; none comes for a cut that was not reached. */
  | {
      type: 'branch'
      thinking: { text: string; tokens: number[]; logprobs: SampledLogprob[] }
      answer: { text: string; tokens: number[]; logprobs: SampledLogprob[] }
      hintTokens: number
      done: DoneEvent
    }
  | DoneEvent
  | { type: 'error'; code: ErrorCode; message: string }

/**
 * Told of an event of generation `id`. Of a text in arguments, which is cheaper than an object, and there is one for nearly
 * every token: its phase by its number, the text and its tokens.
 */
export type OnEvent = (
  id: number,
  event: number | Exclude<GenerationEvent, { type: 'text' }>,
  text?: string,
  tokens?: number[],
  logprobs?: SampledLogprob[],
) => void
