/** What answers questions under a thinking window, wherever the model runs. `Z1` is one. */
import type { ModelInfo } from './load.js'
import type { ChatMessage } from './messages.js'
import type { ReasonOptions } from './options.js'
import type { ReasonResult } from './result.js'
import type { ReasonStream } from './stream.js'

/** What is known of a reasoner's model; of one that runs elsewhere it may be little. */
export type ReasonerModel = Readonly<Pick<ModelInfo, 'path' | 'contextSize' | 'parallel' | 'tags'> & Partial<ModelInfo>>

export interface Reasoner {
  readonly model: ReasonerModel
  /** As `Z1.reason()`. A window that cannot be enforced is an error, never ignored. */
  reason(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<ReasonResult>
  /** As `Z1.stream()`. */
  stream(input: string | readonly ChatMessage[], options?: ReasonOptions): ReasonStream
  /** As `Z1.countTokens()`: what a question or a conversation takes of the context. */
  countTokens(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<number>
  /** As `Z1.tokenize()`. */
  tokenize(text: string): Promise<number[]>
  /** As `Z1.detokenize()`. */
  detokenize(tokens: readonly number[], options?: { special?: boolean }): Promise<string>
  dispose(): Promise<void>
}

/** Whether a value can be asked as a reasoner is. */
export function isReasoner(value: unknown): value is Reasoner {
  if (typeof value !== 'object' || value === null) return false
  const { reason, stream, model } = value as Partial<Reasoner>
  return typeof reason === 'function' && typeof stream === 'function' && typeof model === 'object'
}
