/** No hint: the response ends at the window. */
import { closingPart, extractFinalAnswer } from '../../reason/answer.js'
import { PLAIN_HINT } from '../../reason/options.js'
import type { ReasonResult } from '../../reason/result.js'
import { roomBeside } from './hint.js'
import type { MethodDefinition } from './method.js'

/** A window closes with a hint and at least a token of answer: these are asked for, and not kept. */
const LEAST = { hint: PLAIN_HINT, maxTokens: 1 }

export const none = {
  name: 'none',
  resolve({ hint, maxTokens }) {
    if ((hint ?? maxTokens) !== undefined) {
      throw new RangeError('Expected neither hint nor maxTokens with the method none: nothing follows the window')
    }
    return {
      pinned: { hint: null, maxTokens: null },
      ask: async (reasoner, { prompt, windows, ...request }) =>
        withoutHint(await reasoner.reason(prompt, { ...request, ...LEAST, tags: 'ban' })),
      room: (reasoner, promptTokens) => roomBeside(reasoner, promptTokens, LEAST.hint, LEAST.maxTokens),
    }
  },
} as const satisfies MethodDefinition

/** The tokens up to the window are the response: the hint that closed it, and what followed, are not. */
function withoutHint(result: ReasonResult): ReasonResult {
  if (result.hint === '') return result
  const { reasoning, tokens, usage } = result
  const answer = closingPart(reasoning)
  return {
    ...result,
    text: reasoning,
    hint: '',
    answer,
    finalAnswer: extractFinalAnswer(answer),
    message: { role: 'assistant', content: reasoning },
    ended: 'window',
    finishReason: 'length',
    tokens: { ...tokens, hint: [], answer: [] },
    usage: { ...usage, hintTokens: 0, answerTokens: 0 },
  }
}
