/** What a reply and a chat have cost, in a line and in a table. */
import type { ReasonResult } from '../../reason/result.js'

const ENDS: Partial<Record<ReasonResult['finishReason'], string>> = {
  abort: 'stopped',
  length: 'ended at its limit',
  loop: 'ended in a loop',
}

/** The line below a reply: how it ended, tokens, rate, window, context. */
export function statusOf(result: ReasonResult, window: number | null, contextSize: number): string {
  const { thinkingTokens, answerTokens } = result.usage
  const parts = [
    ENDS[result.finishReason],
    window === null ? `${answerTokens} tokens` : `${thinkingTokens} + ${answerTokens} tokens`,
    rateOf(thinkingTokens + answerTokens, generatingMs(result)),
    window === null ? 'no window' : `window ${showWindow(window)}`,
    `context ${contextTokens(result)} of ${contextSize}`,
    result.droppedMessages > 0 && `without the ${result.droppedMessages} oldest messages`,
  ]
  return `⟨${parts.filter(Boolean).join(' · ')}⟩`
}

/** As `--window` takes it. */
export function showWindow(window: number | null): string {
  return window === null ? 'none' : window === Infinity ? 'inf' : String(window)
}

/** Tokens that the conversation takes after a reply. */
export function contextTokens({ usage }: ReasonResult): number {
  return usage.promptTokens + usage.thinkingTokens + usage.hintTokens + usage.answerTokens
}

function generatingMs({ timings }: ReasonResult): number {
  return timings.thinkingMs + timings.hintMs + timings.answerMs
}

/** Undefined: too little to tell. */
function rateOf(tokens: number, ms: number): string | undefined {
  return tokens > 0 && ms > 0 ? `${((tokens / ms) * 1000).toFixed(1)} tokens/s` : undefined
}

/** Sums over all replies of a chat. */
export class Totals {
  #replies = 0
  #prompt = 0
  #cached = 0
  #thinking = 0
  #answer = 0
  #ms = 0

  add(result: ReasonResult): void {
    const { promptTokens, cachedTokens, thinkingTokens, answerTokens } = result.usage
    this.#replies += 1
    this.#prompt += promptTokens
    this.#cached += cachedTokens
    this.#thinking += thinkingTokens
    this.#answer += answerTokens
    this.#ms += generatingMs(result)
  }

  rows(): [string, string][] {
    const rate = rateOf(this.#thinking + this.#answer, this.#ms)
    return [
      ['replies', String(this.#replies)],
      ['prompt tokens', `${this.#prompt}, of which ${this.#cached} were in the KV cache`],
      ['tokens', `${this.#thinking} of thinking, ${this.#answer} of answers${rate ? `, ${rate}` : ''}`],
    ]
  }
}
