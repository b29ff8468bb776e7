/** The windows of a run: numbers of tokens, shares of each item's own natural thinking length, or no end. */

export interface EvalWindow {
  /** How results name it: `64`, `25%` or `inf`. */
  name: string
  /** Tokens; Infinity: no end; null: a share. */
  tokens: number | null
  /** Percent of the natural thinking length; null: tokens. */
  percent: number | null
}

/**
 * Reads windows: `64` or 64, `'25%'`, `'inf'` or Infinity. A share needs the natural length, so with one there is
 * always `inf` too, last unless it was given.
 * @throws {RangeError} for what is not a window, and for duplicates.
 */
export function readWindows(values: readonly (string | number)[]): EvalWindow[] {
  const windows = values.map((value) => readWindow(String(value).trim()))
  if (windows.length === 0) throw new RangeError('Expected at least one window')
  const hasNatural = windows.some(({ tokens }) => tokens === Infinity)
  if (!hasNatural && windows.some(({ percent }) => percent !== null)) windows.push(readWindow('inf'))
  for (const [i, { name }] of windows.entries()) {
    if (windows.findIndex((other) => other.name === name) < i) throw new RangeError(`Duplicate window ${name}`)
  }
  return windows
}

/** The window for one item, in tokens: a share is rounded to the nearest token. */
export function windowTokens({ tokens, percent }: EvalWindow, naturalLength: number): number {
  return percent === null ? (tokens as number) : Math.round((percent * naturalLength) / 100)
}

function readWindow(text: string): EvalWindow {
  if (/^inf(inity)?$/i.test(text)) return { name: 'inf', tokens: Infinity, percent: null }
  const number = Number(text.replace(/%$/, '') || NaN)
  if (text.endsWith('%') && number >= 0 && number <= 100) return { name: `${number}%`, tokens: null, percent: number }
  if (Number.isInteger(number) && number >= 0 && !text.endsWith('%')) {
    return { name: String(number), tokens: number, percent: null }
  }
  throw new RangeError(`Expected windows as 64, 25% (0% … 100%) or inf but received '${text}'`)
}
