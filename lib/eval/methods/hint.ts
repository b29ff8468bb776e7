/** What methods have in common that append a hint when the window closes. */
import { misuse } from '../../base/checks.js'
import { DEFAULT_MAX_TOKENS } from '../../reason/limits.js'
import { checkReasonOptions, type ReasonOptions } from '../../reason/options.js'
import type { Reasoner } from '../../reason/reasoner.js'
import { askWithCuts } from './cuts.js'
import type { MethodOptions, ResolvedMethod } from './method.js'

/** Tokens held back: the line feeds that stand around a close tag may be tokens of their own. */
export const LINE_FEEDS = 8

/** At the cut the hint, then up to `maxTokens` of answer. */
export function hinted(options: MethodOptions, tags: ReasonOptions['tags']): ResolvedMethod {
  const { hint, maxTokens = DEFAULT_MAX_TOKENS } = checkReasonOptions({
    hint: options.hint,
    maxTokens: options.maxTokens,
  })
  const { hint: _, maxTokens: __, ...others } = options
  const policies = Object.fromEntries(Object.entries(others).filter(([, value]) => value !== undefined))
  if (hint === null) throw misuse(TypeError, 'text', 'hint (the method none has no hint)', hint)
  return {
    pinned: { hint, maxTokens, ...(Object.keys(policies).length > 0 && { policies: asJson(policies) }) },
    ask: (reasoner, { prompt, windows, ...request }) =>
      reasoner.reason(prompt, { ...request, ...policies, hint, maxTokens, tags }),
    // Under a smaller window these would close it elsewhere, or have it count something else.
    ...(options.landing !== 'line' &&
      options.earlyExit?.probe === undefined &&
      !options.wait && {
        askAll: (reasoner, { prompt, windows, ...request }) =>
          askWithCuts(reasoner, prompt, windows, { ...request, ...policies, hint, maxTokens, tags }),
      }),
    room: (reasoner, promptTokens) => roomBeside(reasoner, promptTokens, { hint, maxTokens, wait: options.wait }),
  }
}

/** As run.json has it: no number of it is infinite. */
function asJson<T>(value: T): T {
  return JSON.parse(JSON.stringify(value))
}

/** Tokens of thinking for which there is room beside prompt, hint and answer. */
async function roomBeside(
  reasoner: Reasoner,
  promptTokens: number,
  { hint, maxTokens, wait }: { hint: string; maxTokens: number; wait: MethodOptions['wait'] },
): Promise<number> {
  const { tags, contextSize } = reasoner.model
  const tokens = await reasoner.tokenize(`${hint}${tags?.close ?? ''}`)
  const nudge = wait ? await reasoner.tokenize(wait.text ?? '') : []
  const nudges = nudge.length * (wait?.times ?? 0)
  return Math.max(0, contextSize - promptTokens - nudges - tokens.length - maxTokens - LINE_FEEDS)
}
