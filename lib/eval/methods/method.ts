/**
 * What a method is: how thinking is limited, and what is asked for after that. Each method is one file in this folder and
 * a line in index.ts. Methods know reasoners; of tasks, files and the order of a run they know nothing.
 */
import { type Option, option } from '../../base/options.js'
import type { ChatMessage } from '../../reason/messages.js'
import { REASON_OPTIONS, type ReasonOptions } from '../../reason/options.js'
import type { Reasoner } from '../../reason/reasoner.js'
import type { ReasonResult } from '../../reason/result.js'

/** Options that a method may have or not. */
export type MethodOptions = Pick<ReasonOptions, 'hint' | 'maxTokens' | PolicyName>

/** How the thinking ends beside the window. */
type PolicyName = 'loops' | 'landing' | 'stated' | 'earlyExit' | 'confidence' | 'wait'

/** Absent ones stay absent: a method has defaults of its own, or does not have the option. */
export const METHOD_OPTIONS = {
  hint: option(REASON_OPTIONS.hint),
  maxTokens: option(REASON_OPTIONS.maxTokens),
  loops: option(REASON_OPTIONS.loops),
  landing: option(REASON_OPTIONS.landing),
  stated: option(REASON_OPTIONS.stated),
  earlyExit: option(REASON_OPTIONS.earlyExit),
  confidence: option(REASON_OPTIONS.confidence),
  wait: option(REASON_OPTIONS.wait),
} satisfies Record<keyof MethodOptions, Option<unknown>>

/** What run.json holds of them. */
export interface PinnedMethod {
  /** The text; null for a method that appends none. */
  hint: string | null
  maxTokens: number | null
  /** Those that were given; absent where none was. */
  policies?: Pick<MethodOptions, PolicyName>
}

export interface MethodDefinition {
  readonly name: string
  /** The only ones that it has; absent: all windows. */
  readonly windows?: readonly string[]
  /** @throws {TypeError|RangeError} for options that are invalid, or that the method does not have. */
  resolve(options: MethodOptions): ResolvedMethod
}

/** A method with its options, as one run uses it. */
export interface ResolvedMethod {
  readonly pinned: PinnedMethod
  /** Answers one question. Its request, or requests, end with the question's signal. */
  ask(reasoner: Reasoner, question: Question): Promise<ReasonResult>
  /**
   * Answers one question under all windows that are asked for together, in their order, by one request: greedily, and of a
   * reasoner that can do that. Absent: each window needs a request of its own.
   */
  askAll?(reasoner: Reasoner, question: Omit<Question, 'thinkingWindow'>): Promise<ReasonResult[]>
  /** Tokens of thinking for which there is room beside a prompt and all that the method puts after the thinking. */
  room(reasoner: Reasoner, promptTokens: number): Promise<number>
}

/** One item under one window. */
export interface Question extends Pick<ReasonOptions, 'temperature' | 'speculation' | 'signal'> {
  prompt: ChatMessage[]
  /** Tokens of thinking; Infinity: no end. */
  thinkingWindow: number
  /** The windows that are asked for together, with the same prompt and seed, this one among them. */
  windows: readonly number[]
  /** The same for all windows of an item and sample, and for no other item and sample. */
  seed: number
}
