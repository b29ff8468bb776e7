/** Numbers as people write them: separators, percents, units, marks of a base. */
import { isClose, numericValue, ROUNDING } from './evaluate.js'
import { readExpression } from './expression.js'
import { splitUnit } from './notation.js'

/** Longer ones have no unit. */
const LONGEST = 3000

interface ReadNumber {
  value: number
  /** Its digits, of whatever length; null if it is no integer. */
  integer: string | null
  percent: boolean
  unit: string
}

/** The right one first. Null: one of them is no number. */
export function sameNumber(right: string, found: string): boolean | null {
  const [x, y] = [readNumber(right), readNumber(found)]
  if (x && y) return sameReadNumber(x, y)
  const [share, other] = x?.percent ? [x, found] : [y, right]
  if (!share?.percent || !/\\frac|\//.test(other)) return null
  // `25%` and `1/4`.
  const expression = readExpression(splitUnit(other).amount)
  return expression ? isClose(share.value / 100, numericValue(expression), ROUNDING) : null
}

function sameReadNumber(x: ReadNumber, y: ReadNumber): boolean {
  if (x.unit !== '' && y.unit !== '' && x.unit !== y.unit) return false
  if (x.percent !== y.percent) {
    if (x.unit !== y.unit) return false
    const [share, other] = x.percent ? [x, y] : [y, x]
    if (isClose(share.value / 100, other.value, ROUNDING)) return true
    // The sign may be left out, and may be added where the number can be no share already.
    const mayAdd = x.percent || Math.abs(x.value) >= 1
    return mayAdd && isClose(share.value, other.value, ROUNDING)
  }
  if (x.integer !== null) return x.integer === y.integer
  return isClose(x.value, y.value, ROUNDING)
}

/** A number in digits alone, `10,080` as `10080`; any other text as it is. */
export function withoutSeparators(value: string): string {
  const text = value.length < 100 ? value : ''
  if (/^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(text)) return value.replaceAll(',', '')
  if (/^[-+]?\d{1,3}(?: \d{3})+(?:\.\d+)?$/.test(text)) return value.replaceAll(' ', '')
  return value
}

/** Beside a fraction, the ratio `3:4` is one, too; else as `withoutSeparators` has it. */
export function asNumber(value: string, other: string): string {
  if (/^\d{1,15} ?: ?\d{1,15}$/.test(value) && /^\d+ ?\/|^\\frac/.test(other)) return value.replace(':', '/')
  return withoutSeparators(value)
}

/** `3e5` as a product; the letter is no name there. */
export function withoutExponents(value: string): string {
  return value.replace(/(?<![\w.\\])(\d+(?:\.\d+)?)[eE]([-+]?\d{1,3})(?![\w.])/g, '($1*10^{$2})')
}

/** The digits of a number in a base that it names, `204_5`; null for any other text. The question names the base, too. */
export function digitsOfBase(value: string): string | null {
  return /^(\d[0-9A-F]{0,100}) ?_ ?(?:\{ ?\d{1,2} ?\}|\d{1,2})$/.exec(value)?.[1] ?? null
}

function readNumber(value: string): ReadNumber | null {
  const { amount, unit } = value.length < LONGEST ? splitUnit(value) : { amount: value, unit: '' }
  const percent = amount.endsWith('%')
  let text = (percent ? amount.slice(0, -1) : amount).trim()
  if (/^[-+]?\d{1,3}(?:,\d{3})+(?:\.\d+)?$/.test(text)) text = text.replaceAll(',', '')
  else if (/^[-+]?\d{1,3}(?: \d{3})+(?:\.\d+)?$/.test(text)) text = text.replaceAll(' ', '')
  // A decimal comma: three digits after it are thousands, and after a space begins the next element.
  else if (/^[-+]?\d+,(?:\d{1,2}|\d{4,})$/.test(text)) text = text.replace(',', '.')
  if (!/^[-+]? ?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?$/i.test(text)) return null
  text = text.replace(' ', '')
  if (/e/i.test(text) && Number.isSafeInteger(Number(text))) text = String(Number(text))
  const whole = /^\+?(-?)0*(\d+?)(?:\.0*)?$/.exec(text)
  return {
    value: Number(text),
    integer: whole ? `${whole[2] === '0' ? '' : whole[1]}${whole[2]}` : null,
    percent,
    unit,
  }
}
