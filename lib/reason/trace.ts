/**
 * The trace of a request: what the policies would see at each token of a thinking that goes on, and what would be answered
 * where one of them ended it. What a policy comes to can be read off it afterwards, without the model.
 */
import type { Ended, FinishReason, NativeTrace } from '../native/binding.js'
import { closingPart, extractFinalAnswer } from './answer.js'

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
  /** Those where the sentence or line of one has ended: where `stated: 'end'` ends the thinking. */
  settled: number[]
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

export function traceOf({ endProbability, margin, marks, answers }: NativeTrace): ReasonTrace {
  const places = (bit: number) => [...marks.keys()].filter((place) => (marks[place] as number) & bit)
  return {
    endProbability: Array.from(endProbability),
    margin: Array.from(margin),
    sentences: places(1),
    stated: places(2),
    settled: places(32),
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
