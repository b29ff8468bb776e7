/** The windows of a run: numbers of tokens, shares of each item's own natural thinking length, or no end. */
import { isNumber, isString, kind } from '../base/checks.js'

export interface EvalWindow {
  /** How results name it: `64`, `25%` or `inf`. */
  name: string
  /** Tokens; Infinity: no end; null: a share. */
  tokens: number | null
  /** Percent of the natural thinking length; null: tokens. */
  percent: number | null
}

/** Under it a response has its natural length. */
const NATURAL: EvalWindow = { name: 'inf', tokens: Infinity, percent: null }

const textOf = (value: string | number) => String(value).trim()

const window = kind(
  'tokens, as 64, share, as 25%, or inf',
  (value): value is string | number => isString(value) || isNumber(value),
  {
    isValid: (value) => readWindow(textOf(value)) !== undefined,
    convert: (value) => readWindow(textOf(value)) as EvalWindow,
  },
)

/**
 * Reads windows: `64` or 64, `'25%'`, `'inf'` or Infinity. A share needs the natural length, so with one there is
 * always `inf` too, last unless it was given.
 * @throws {TypeError|RangeError} for what is not a window, and for duplicates.
 */
export function readWindows(values: readonly unknown[]): EvalWindow[] {
  const windows = values.map((value, i) => window.read(value, `windows[${i}]`))
  if (windows.length === 0) throw new RangeError('Expected at least one window')
  const hasNatural = windows.some(({ tokens }) => tokens === Infinity)
  if (!hasNatural && windows.some(({ percent }) => percent !== null)) windows.push(NATURAL)
  for (const [i, { name }] of windows.entries()) {
    if (windows.findIndex((other) => other.name === name) < i) throw new RangeError(`Duplicate window ${name}`)
  }
  return windows
}

/** The window for one item, in tokens: a share is rounded to the nearest token. */
export function windowTokens({ tokens, percent }: EvalWindow, naturalLength: number): number {
  return percent === null ? (tokens as number) : Math.round((percent * naturalLength) / 100)
}

function readWindow(text: string): EvalWindow | undefined {
  if (/^inf(inity)?$/i.test(text)) return NATURAL
  const number = Number(text.replace(/%$/, '') || NaN)
  if (text.endsWith('%') && number >= 0 && number <= 100) return { name: `${number}%`, tokens: null, percent: number }
  if (Number.isInteger(number) && number >= 0 && !text.endsWith('%')) {
    return { name: String(number), tokens: number, percent: null }
  }
  return undefined
}
