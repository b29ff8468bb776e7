/** Where in the text of a response its reasoning ends, and where the hint stands. */
import type { ResultRecord, RunOptions } from '../records.js'

/** UTF-16 code units from the start of the text; what follows both is the answer. */
export type Parts = NonNullable<ResultRecord['parts']>

type Response = Pick<ResultRecord, 'text' | 'parts' | 'usage'>

/** As the result says. In one of an earlier version, which does not, the hint is looked for where the tokens say. */
export function partsOf(
  { text, parts, usage }: Response,
  { hint, method }: Pick<RunOptions, 'hint' | 'method'>,
): Parts {
  if (parts && isWithin(parts, text.length)) return { reasoning: parts.reasoning, hint: parts.hint }
  const whole = { reasoning: text.length, hint: 0 }
  if (usage.hintTokens === 0 || hint === null) return whole
  const { thinkingTokens, hintTokens, answerTokens } = usage
  const about = (thinkingTokens / (thinkingTokens + hintTokens + answerTokens)) * text.length
  const reasoning = nearest(text, hint.trimEnd(), about)
  if (reasoning === undefined) return whole
  return { reasoning, hint: hintEnd(text, reasoning, hint, method) - reasoning }
}

function isWithin({ reasoning, hint }: Parts, length: number): boolean {
  return [reasoning, hint].every((count) => Number.isInteger(count) && count >= 0) && reasoning + hint <= length
}

/** The place of a text that is closest to another place: the model may have written the hint's words itself. */
function nearest(text: string, words: string, about: number): number | undefined {
  let best: number | undefined
  for (let at = text.indexOf(words); at >= 0; at = text.indexOf(words, at + 1)) {
    if (best === undefined || Math.abs(at - about) < Math.abs(best - about)) best = at
  }
  return best
}

/** In delimited thinking a line with the closing tag and an empty line follow the words. */
function hintEnd(text: string, start: number, hint: string, method: RunOptions['method']): number {
  const words = start + hint.trimEnd().length
  const tagged = text.indexOf('\n\n', words)
  if (method === 'delimited' && tagged >= 0) return tagged + 2
  return text.startsWith(hint, start) ? start + hint.length : words
}
