/** No window: the model thinks for as long as it likes, in its own tags where it has them, and the response ends by itself. */
import type { MethodDefinition } from './method.js'

export const unlimited = {
  name: 'unlimited',
  windows: ['inf'],
  resolve({ hint, maxTokens }) {
    if ((hint ?? maxTokens) !== undefined) {
      throw new RangeError('Expected neither hint nor maxTokens with the method unlimited: nothing ends its thinking')
    }
    return {
      pinned: { hint: null, maxTokens: null },
      ask: (reasoner, { prompt, windows, ...request }) =>
        reasoner.reason(prompt, { ...request, hint: null, tags: reasoner.model.tags ? 'keep' : 'ban' }),
      room: async ({ model }, promptTokens) => Math.max(0, model.contextSize - promptTokens),
    }
  },
} as const satisfies MethodDefinition
