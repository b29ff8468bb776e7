/** Results of responses as lib/reason makes them from a context's events, without a model. */
import type { FinishReason } from '../../lib/native/binding.js'
import { type ReasonEvent, type ReasonResult, ResultBuilder } from '../../lib/reason/result.js'

export interface Said {
  /** Pieces, each a token. */
  thoughts?: string[]
  /** Appended after the thoughts; undefined: there is no cut. A character is a token. */
  hint?: string
  answer?: string[]
  stopString?: string
  finishReason?: FinishReason
}

export function eventsOf({ thoughts = [], hint, answer = [], stopString, finishReason = 'stop' }: Said): ReasonEvent[] {
  const tokens = Int32Array.from({ length: hint?.length ?? 0 }, (_, i) => i)
  const builder = new ResultBuilder({ hint: hint === undefined ? null : { text: hint, tokens }, seed: 7 })
  const timings = { promptMs: 1, thinkingMs: 1, hintMs: 1, answerMs: 1, totalMs: 4, decodeCalls: 1, threads: 1 }
  return [
    ...thoughts.map((text) => builder.take({ type: 'text', phase: 'thinking', text, tokens: [1] })),
    ...(hint === undefined
      ? []
      : [builder.take({ type: 'cut', ended: 'window', thinkingTokens: thoughts.length, hintTokens: hint.length })]),
    ...answer.map((text) => builder.take({ type: 'text', phase: 'answer', text, tokens: [1] })),
    builder.take({
      type: 'done',
      ended: hint === undefined ? 'self' : 'window',
      finishReason,
      stopString: stopString ?? null,
      promptTokens: 11,
      cachedTokens: 4,
      timings,
    }),
  ]
}

export function resultOf(said: Said): ReasonResult {
  const last = eventsOf(said).at(-1) as Extract<ReasonEvent, { type: 'done' }>
  return last.result
}
