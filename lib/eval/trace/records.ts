/** What the files of a trace hold: run.json, and a line of trace.jsonl for each item. Places are numbers of tokens of thinking before them. */
import type { Ended } from '../../native/binding.js'
import type { ChatMessage } from '../../reason/messages.js'
import type { ReasonResult } from '../../reason/result.js'
import type { TraceOptions } from '../../reason/trace-options.js'
import type { RunOptions } from '../records.js'
import type { Grade, Item } from '../task.js'

/** All that decides what a trace is. */
export interface TraceRunOptions extends RunOptions {
  trace: Required<TraceOptions>
}

/** What was answered where the thinking might have ended. */
export interface AnswerRecord extends Grade {
  thinkingTokens: number
  /** 0: the context had no room for a hint, nor for an answer. */
  hintTokens: number
  answerTokens: number
  text: string
  ended: Ended
  finishReason: ReasonResult['finishReason']
  /** Of the tokens that a probe would have generated: how many, and their least probability (null: there are none). */
  probe?: { tokens: number; confidence: number | null }
  /** Where the answer repeats itself: what it is with `loops`, which ends it there. */
  loop?: Grade & { answerTokens: number }
}

/** One item: its greedy trajectory, and what policies see of it. */
export interface TraceRecord {
  id: string
  groups?: Item['groups']
  prompt: ChatMessage[]
  /** The right answer. */
  answer: string
  /** The thinking, as ids and as text. */
  tokens: number[]
  text: string
  /** How it ended: by itself, by the window, or by the context. */
  ended: Ended
  finishReason: ReasonResult['finishReason']
  /** The grade of what ended without a hint; null: the window closed, and the last of the answers is given. */
  natural: Grade | null
  /** By place: as in `ReasonTrace`, but null where no end token is possible. */
  endProbability: number[]
  margin: (number | null)[]
  sentences: number[]
  settled: number[]
  probes: number[]
  lines: number[]
  loops: number[]
  /** Places where an answer stands, and the grade of a response that ends there. */
  stated: (Grade & { thinkingTokens: number })[]
  /** In order of their places. */
  answers: AnswerRecord[]
  usage: { promptTokens: number }
  timings: { totalMs: number }
}
