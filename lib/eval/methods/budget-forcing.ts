/**
 * Budget forcing, as s1 does it (arXiv 2501.19393): at the window `Final Answer:` follows, and where the model would end
 * before, `Wait` takes the place of the end. Between the model's tags where it has them, else without.
 */
import type { Reasoner } from '../../reason/reasoner.js'
import { hinted } from './hint.js'
import type { MethodDefinition, ResolvedMethod } from './method.js'

/** s1's text before the answer. */
const FINAL_ANSWER = '\n\nFinal Answer: '

export const budgetForcing = {
  name: 'budget-forcing',
  resolve({ hint = FINAL_ANSWER, wait = { times: 1, text: 'Wait', until: Infinity }, ...options }) {
    const [banned, kept] = (['ban', 'keep'] as const).map((tags) => hinted({ ...options, hint, wait }, tags))
    const methodFor = (reasoner: Reasoner) => (reasoner.model.tags ? kept : banned) as ResolvedMethod
    return {
      pinned: (banned as ResolvedMethod).pinned,
      ask: (reasoner, question) => methodFor(reasoner).ask(reasoner, question),
      room: (reasoner, promptTokens) => methodFor(reasoner).room(reasoner, promptTokens),
    }
  },
} as const satisfies MethodDefinition
