/** No hint: the response ends at the window. */
import { askWithCuts } from './cuts.js'
import type { MethodDefinition } from './method.js'

export const none = {
  name: 'none',
  resolve({ hint, maxTokens, ...policies }) {
    if ((hint ?? maxTokens) !== undefined) {
      throw new RangeError('Expected neither hint nor maxTokens with the method none: nothing follows the window')
    }
    const [policy] = Object.entries(policies).find(([, value]) => value !== undefined) ?? []
    if (policy) throw new RangeError(`Expected no ${policy} with the method none: only its window ends the thinking`)
    return {
      pinned: { hint: null, maxTokens: null },
      ask: (reasoner, { prompt, windows, ...request }) =>
        reasoner.reason(prompt, { ...request, hint: null, tags: 'ban' }),
      askAll: (reasoner, { prompt, windows, ...request }) =>
        askWithCuts(reasoner, prompt, windows, { ...request, hint: null, tags: 'ban' }),
      room: async ({ model }, promptTokens) => Math.max(0, model.contextSize - promptTokens),
    }
  },
} as const satisfies MethodDefinition
