/** How much of all its tokens a response may think with, by the words that clients have for it. */

/** Shares of the total limit, in percent: those that the AI SDK's providers use (provider-utils, map-reasoning-to-provider). */
const PERCENT = { none: 0, minimal: 2, low: 10, medium: 30, high: 60, xhigh: 90, max: 95 } as const

export type Effort = keyof typeof PERCENT

export const EFFORTS = Object.keys(PERCENT) as Effort[]

/** Tokens of thinking, of a total of `total`: always less than that, so that an answer has at least one. */
export function windowOfEffort(effort: Effort, total: number): number {
  return Math.floor((total * PERCENT[effort]) / 100)
}
