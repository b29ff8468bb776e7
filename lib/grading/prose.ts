/** The value that a text states, where it is more than the value: a whole response, or a sentence with a formula in it. */
import { extractFinalAnswer } from '../reason/answer.js'

export interface Stated {
  value: string
  /** The number that a sentence ends in (`the area is 12`), should the whole not be the answer. */
  inner: string | null
  /** Several boxes: the order of the values says nothing. */
  isSet: boolean
}

/** Longer texts are read for a box or phrase only. */
const LONGEST = 20_000

export function stated(text: string): Stated {
  const readable = withSingleBackslashes(text)
  const value = extractFinalAnswer(readable)
  const isSet =
    value !== null && /\\(?:boxed|fbox)[^\n]*\\(?:boxed|fbox)/.test(readable.slice(-2000)) && value.includes(',')
  const whole = value ?? readable
  if (whole.length > LONGEST) return { value: whole.trim(), inner: null, isSet }
  const formula = formulaIn(whole)
  if (formula !== null) return { value: formula, inner: null, isSet }
  return { value: whole, inner: numberIn(whole), isSet }
}

/** A string literal in a data set may be escaped twice: `\\frac`, `\\left`. Rows of matrices end with two, too. */
function withSingleBackslashes(text: string): string {
  if (/\\begin\{/.test(text) && !/\\\\begin\{/.test(text)) return text
  return text.replace(
    /(?<!\\)\\\\(?=(?:frac|[dtc]frac|left|right|le|ge|leq|geq|boxed|text|sqrt|pi|in|cup|infty|cdot|times|pm|begin|end|mathrm|mathbf|quad)(?![A-Za-z]))/g,
    '\\',
  )
}

/** Inline formulas end on their line; those on lines of their own need not. */
const FORMULA = /\$\$([^$]+)\$\$|(?<!\\)\$((?:[^$\n\\]|\\.)+)\$|\\\(([^\n]+?)\\\)|\\\[([\s\S]+?)\\\]/g

/** Words beside formulas that belong to the value: they join formulas or say what they count. */
const JOINING =
  /^(?:and|or|to|percent|pct|cm|mm|km|m|kg|g|in|ft|inch|inches|feet|foot|miles|meters?|metres?|centimeters?|dollars?|cents?|units?|square|cubic|degrees?|hours?|minutes?|seconds?|days?|years?|for|part|euros?|yuan|quad|text|[a-zA-Z])$/

/** The last formula of a sentence; null if there is none, or if the text is nothing but formulas. */
function formulaIn(text: string): string | null {
  if (!/[$\\]/.test(text)) return null
  const formulas = [...text.matchAll(FORMULA)]
  const last = formulas.at(-1)
  if (!last) return null
  const outside = text.replace(FORMULA, ' ')
  const words = outside.match(/\p{L}+/gu) ?? []
  if (words.every((word) => JOINING.test(word))) return null
  if (/\bnot\s*$/.test(text.slice(Math.max(0, last.index - 8), last.index))) return null
  // `$x = 1$ and $x = 2$` is one answer.
  let first = formulas.length - 1
  while (first > 0 && isJoined(text, formulas[first - 1] as RegExpExecArray, formulas[first] as RegExpExecArray))
    first--
  return formulas.slice(first).map(contentOf).join(' and ')
}

function isJoined(text: string, one: RegExpExecArray, next: RegExpExecArray): boolean {
  return /^(?:\s*,\s*(?:(?:and|or)\s+)?|\s+(?:and|or)\s+)$/.test(text.slice(one.index + one[0].length, next.index))
}

function contentOf(formula: RegExpExecArray): string {
  return (formula[1] ?? formula[2] ?? formula[3] ?? formula[4] ?? '').replace(/\\\$/g, ' ')
}

const NUMBER = String.raw`[-+−]?[$€£]?\s?(?:\d{1,3}(?:,\d{3})+|\d+)(?:[.,]\d+)?(?:\/\d+)?(?:\s?(?:%|percent|[$€£]))?`
const STATED_NUMBER = new RegExp(
  String.raw`(?<![\p{L}])(?:is|are|was|be|equals|by|=|:|gives|makes)\s+(${NUMBER})(?!\S*\d)`,
  'giu',
)

/** Words that make a sentence about a number say something else. */
const HEDGED =
  /\b(?:or|not|between|at least|at most|more|less|fewer|than|if|either|and|minus|plus|times|about|except|mod)\b/i

/** The number that a sentence states, or the only one in it. */
function numberIn(text: string): string | null {
  const words = text.length > 2000 ? '' : text.replace(/\\[A-Za-z]+/g, '')
  if (!/\d/.test(words) || !/\p{L}{2,}\s?[\s:]/u.test(words)) return null
  const sentence = text
    .trim()
    .split(/(?<=[.!?])\s+(?=\p{Lu})/u)
    .at(-1) as string
  const numbersStated = [...sentence.matchAll(STATED_NUMBER)]
  const statedNumber = numbersStated.at(-1)
  if (new Set(numbersStated.map((match) => match[1])).size > 1) return null
  if (statedNumber) {
    const rest = sentence.slice(statedNumber.index + statedNumber[0].length)
    return HEDGED.test(rest) || /,[^,]*\d/.test(rest) || /\bnot\s+\S*\s*$/.test(sentence.slice(0, statedNumber.index))
      ? null
      : (statedNumber[1] as string)
  }
  if (HEDGED.test(sentence)) return null
  // A date, `May 5`, is no sentence.
  if (!/:\s/.test(sentence) && (sentence.match(/(?<![\d\p{L}])\p{L}{2,}/gu) ?? []).length < 3) return null
  const numbers = sentence.match(new RegExp(NUMBER, 'gu')) ?? []
  return numbers.length === 1 && !/[\\^_*/=+{]/.test(sentence) ? (numbers[0] as string) : null
}
