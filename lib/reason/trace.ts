/**
 * The trace of a request: what the policies would see at each token of a thinking that goes on, and what would be answered
 * where one of them ended it. What a policy comes to can be read off it afterwards, without the model.
 */
import { boolean, count, misuse, number } from '../base/checks.js'
import { type Option, option } from '../base/options.js'
import type { Ended, FinishReason, NativeTrace } from '../native/binding.js'
import { closingPart, extractFinalAnswer } from './answer.js'

export interface TraceOptions {
  /** Tokens of thinking, ≥ 1, after each of which an answer is recorded, the first before any. Default 32. */
  every?: number | undefined
  /** 0 … 100, in nats: an answer at each end of a sentence where `earlyExit.margin` of this would end the thinking. Default 2. */
  margin?: number | undefined
  /** An answer at each end of a line, where `landing: 'line'` may close the window. Default false. */
  lines?: boolean | undefined
}

export const TRACE_OPTIONS = {
  every: option(count(1), 32),
  margin: option(number(0, 100), 2),
  lines: option(boolean, false),
} satisfies Record<keyof TraceOptions, Option<unknown>>

/** What is said of a place in the thinking: places are numbers of tokens before them, 0 … all. */
export interface ReasonTrace {
  /** By place: the probability, 0 … 1, of the likeliest end token as the next one. None after the last token where the window closed. */
  endProbability: number[]
  /** By place: how much the log-probability of the likeliest token exceeds that of the likeliest end token, in nats; as long. */
  margin: number[]
  /** Places where a sentence may end, or a box does: where `earlyExit.margin` looks. */
  sentences: number[]
  /** Places where an answer stands: where `stated: 'keep'` keeps it. */
  stated: number[]
  /** Places where `earlyExit.probe` tries out an answer. */
  probes: number[]
  /** Places where a line ends: where `landing: 'line'` closes the window. */
  lines: number[]
  /** Places where a loop goes on, from that one on where `loops` closes the window. */
  loops: number[]
  /** In order of their places. */
  answers: TracedAnswer[]
}

/** What is answered where the window closes at a place. */
export interface TracedAnswer {
  thinkingTokens: number
  /** 0: the context had no room for the hint, nor for an answer. */
  hintTokens: number
  text: string
  tokens: number[]
  /** Of each token, 0 … 1, at temperature 1 and before anything is banned. */
  probabilities: number[]
  /** Of the tokens, those that a probe would have. */
  probeTokens: number
  ended: Ended
  finishReason: FinishReason
}

/** Options that a trace depends on, as they are read. */
interface Others {
  policies: { landing: string; stated: string; earlyExit?: object | undefined; wait?: object | undefined }
  cuts: unknown[]
  stop: unknown[]
  schema?: unknown
  grammar?: unknown
  calls: { tools: readonly unknown[] }
  samples: object | null
  loops: boolean
  hint: string | null
}

/** @throws {TypeError|RangeError} for what a trace cannot be beside. @param branches Of the model. */
export function checkTrace(
  { policies, cuts, stop, schema, grammar, calls, samples, loops, hint }: Others,
  branches: number,
): void {
  const { landing, stated, earlyExit, wait } = policies
  const others = {
    ...{ cuts: cuts.length > 0, stop: stop.length > 0, schema: schema !== undefined, grammar: grammar !== undefined },
    ...{ loops, landing: landing !== 'token', stated: stated !== 'ask', earlyExit: earlyExit !== undefined },
    ...{ wait: wait !== undefined, samples: samples !== null, tools: calls.tools.length > 0 },
  }
  const other = Object.entries(others).find(([, given]) => given)
  if (other) throw new TypeError(`Expected no ${other[0]} beside trace`)
  if (hint === null) throw misuse(TypeError, 'text', 'hint with trace', null)
  if (branches === 0) throw misuse(RangeError, 'at least 1', 'branches, an option of load, with trace', 0)
}

export function traceOf({ endProbability, margin, marks, answers }: NativeTrace): ReasonTrace {
  const places = (bit: number) => [...marks.keys()].filter((place) => (marks[place] as number) & bit)
  return {
    endProbability: Array.from(endProbability),
    margin: Array.from(margin),
    sentences: places(1),
    stated: places(2),
    probes: places(4),
    lines: places(8),
    loops: places(16),
    answers: answers
      .map((answer) => ({ ...answer, probabilities: Array.from(answer.probabilities) }))
      .sort((a, b) => a.thinkingTokens - b.thinkingTokens),
  }
}

/** What of a result says what was answered. */
interface Answered {
  text: string
  reasoning: string
  hint: string
  answer: string
  finalAnswer: string | null
}

/** What a request gives whose thinking ends with this text, without a hint. */
export function endedAt(reasoning: string): Answered {
  const answer = closingPart(reasoning)
  return { text: reasoning, reasoning, hint: '', answer, finalAnswer: extractFinalAnswer(answer) }
}

/** What a request gives whose hint and answer follow this text. */
export function answeredAt(reasoning: string, hint: string, answer: string): Answered {
  return { text: reasoning + hint + answer, reasoning, hint, answer, finalAnswer: extractFinalAnswer(answer, true) }
}
