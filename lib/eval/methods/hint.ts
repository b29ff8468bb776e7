/** What methods have in common that append a hint when the window closes. */
import { misuse } from '../../base/checks.js'
import { checkReasonOptions, type ReasonOptions } from '../../reason/options.js'
import type { Reasoner } from '../../reason/reasoner.js'
import { DEFAULT_MAX_TOKENS } from '../../reason/request.js'
import { askWithCuts } from './cuts.js'
import type { MethodOptions, ResolvedMethod } from './method.js'

/** At the cut the hint, then up to `maxTokens` of answer. */
export function hinted(options: MethodOptions, tags: ReasonOptions['tags']): ResolvedMethod {
  const { hint, maxTokens = DEFAULT_MAX_TOKENS } = checkReasonOptions({
    hint: options.hint,
    maxTokens: options.maxTokens,
  })
  if (hint === null) throw misuse(TypeError, 'text', 'hint (the method none has no hint)', hint)
  return {
    pinned: { hint, maxTokens },
    ask: (reasoner, { prompt, windows, ...request }) => reasoner.reason(prompt, { ...request, hint, maxTokens, tags }),
    askAll: (reasoner, { prompt, windows, ...request }) =>
      askWithCuts(reasoner, prompt, windows, { ...request, hint, maxTokens, tags }),
    room: (reasoner, promptTokens) => roomBeside(reasoner, promptTokens, hint, maxTokens),
  }
}

/** Tokens of thinking for which there is room beside prompt, hint and answer. */
async function roomBeside(reasoner: Reasoner, promptTokens: number, hint: string, maxTokens: number): Promise<number> {
  const { tags, contextSize } = reasoner.model
  const tokens = await reasoner.tokenize(`${hint}${tags?.close ?? ''}`)
  // The line feeds that stand around a close tag may be tokens of their own.
  return Math.max(0, contextSize - promptTokens - tokens.length - maxTokens - 8)
}
