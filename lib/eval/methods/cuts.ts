/** All windows of a question from one request: greedy thinking under a smaller window is a beginning of that under a larger one. */
import type { ChatMessage } from '../../reason/messages.js'
import type { ReasonOptions } from '../../reason/options.js'
import type { Reasoner } from '../../reason/reasoner.js'
import type { ReasonResult } from '../../reason/result.js'

/** The request thinks under the largest window, and the others are its cuts. The results are in the order of the windows. */
export async function askWithCuts(
  reasoner: Reasoner,
  prompt: ChatMessage[],
  windows: readonly number[],
  options: ReasonOptions,
): Promise<ReasonResult[]> {
  const thinkingWindow = Math.max(...windows)
  const { cuts = [], ...result } = await reasoner.reason(prompt, {
    ...options,
    thinkingWindow,
    cuts: windows.filter((window) => window !== thinkingWindow),
  })
  const rest = cuts[Symbol.iterator]()
  return windows.map((window) => (window === thinkingWindow ? result : (rest.next().value as ReasonResult)))
}
