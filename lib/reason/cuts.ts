/** The cuts of a request, beside its other options. */
import { misuse } from '../base/checks.js'
import type { Policies } from './policies.js'

/** The other options that say whether a smaller window gives what a request of its own gives. */
interface Beside {
  thinkingWindow: number | undefined
  policies: Policies
  stop: readonly string[]
  stopInThinking: boolean
  tags: string | { mode?: string | undefined }
}

/** Each has to give what a request with that window gives. */
export function checkCuts(
  cuts: number[],
  { thinkingWindow, policies: { landing, earlyExit, wait }, stop, stopInThinking, tags }: Beside,
): void {
  // They change where a smaller window closes, or what it counts.
  const [policy] =
    Object.entries({ landing: landing === 'line', 'earlyExit.probe': earlyExit?.probe, wait }).find(
      ([, value]) => value !== undefined && value !== false,
    ) ?? []
  if (cuts.length > 0 && policy) throw new TypeError(`Expected no ${policy} beside cuts`)
  const tooLarge = cuts.find((cut) => thinkingWindow !== undefined && cut >= thinkingWindow)
  if (tooLarge !== undefined) throw misuse(RangeError, `windows < thinkingWindow (${thinkingWindow})`, 'cuts', tooLarge)
  const kept = tags === 'keep' || (typeof tags === 'object' && tags.mode === 'keep')
  if (cuts.length > 0 && thinkingWindow === Infinity && stop.length > 0 && !stopInThinking && !kept) {
    // Without an end the thinking is searched for them, under a smaller window it would not be.
    throw misuse(TypeError, 'true', 'stopInThinking with cuts, stop and thinkingWindow Infinity', stopInThinking)
  }
}
