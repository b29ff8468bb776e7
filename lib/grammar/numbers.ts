/** What a schema says of numbers, and the decimal notation of those that it allows. */
import {
  ANY_TEXT,
  type Automaton,
  type Edge,
  explore,
  intersect,
  minimize,
  ofTexts,
  subtract,
  TooLarge,
  unite,
} from './automaton.js'
import { ofPattern } from './regex.js'

interface Bound {
  value: number
  strict: boolean
}

/** Numbers that are within bounds, of a list if there is one, and multiples (or not) of others. */
export interface NumberSet {
  least?: Bound | undefined
  most?: Bound | undefined
  values?: readonly number[] | undefined
  multiples: readonly { of: number; negated: boolean }[]
}

export const ANY_NUMBER: NumberSet = { multiples: [] }

/** Digits before the point: all that a double tells apart. */
const INTEGER_DIGITS = 16
const FRACTION_DIGITS = 15
const MAX_LISTED = 2000

export function intersectNumbers(a: NumberSet, b: NumberSet): NumberSet | null {
  const multiples = [...a.multiples]
  for (const one of b.multiples) {
    if (!multiples.some(({ of, negated }) => of === one.of && negated === one.negated)) multiples.push(one)
  }
  const result: NumberSet = {
    least: tighter(a.least, b.least, (x, y) => x > y),
    most: tighter(a.most, b.most, (x, y) => x < y),
    multiples,
  }
  const values = a.values && b.values ? a.values.filter((value) => b.values?.includes(value)) : (a.values ?? b.values)
  if (values) {
    const kept = values.filter((value) => holdsNumber(result, value))
    return kept.length > 0 ? { values: kept, multiples: [] } : null
  }
  const { least, most } = result
  if (least && most && (least.value > most.value || (least.value === most.value && (least.strict || most.strict))))
    return null
  if (isNever(multiples)) return null
  return result
}

const isNever = (multiples: NumberSet['multiples']) =>
  multiples.some((one) => one.negated && multiples.some(({ of, negated }) => !negated && isMultiple(of, one.of)))

function tighter(
  a: Bound | undefined,
  b: Bound | undefined,
  beats: (a: number, b: number) => boolean,
): Bound | undefined {
  if (!a || !b) return a ?? b
  if (a.value === b.value) return a.strict ? a : b
  return beats(a.value, b.value) ? a : b
}

export function holdsNumber({ least, most, values, multiples }: NumberSet, value: number): boolean {
  if (values && !values.includes(value)) return false
  if (least && (least.strict ? value <= least.value : value < least.value)) return false
  if (most && (most.strict ? value >= most.value : value > most.value)) return false
  return multiples.every(({ of, negated }) => isMultiple(value, of) !== negated)
}

function isMultiple(value: number, of: number): boolean {
  const a = decimal(value)
  const b = decimal(of)
  const digits = Math.max(a.fraction.length, b.fraction.length)
  return scaled(a, digits) % scaled(b, digits) === 0n
}

/** Those that are not in a set; null when that cannot be told. */
export function complementNumbers(set: NumberSet): NumberSet[] | null {
  const { least, most, values, multiples } = set
  if (values) {
    if (values.length > 16) return null
    const sorted = [...new Set(values)].sort((a, b) => a - b)
    return Array.from({ length: sorted.length + 1 }, (_, i) => ({
      least: i > 0 ? { value: sorted[i - 1] as number, strict: true } : undefined,
      most: i < sorted.length ? { value: sorted[i] as number, strict: true } : undefined,
      multiples: [],
    }))
  }
  return [
    ...(least ? [{ most: { value: least.value, strict: !least.strict }, multiples: [] }] : []),
    ...(most ? [{ least: { value: most.value, strict: !most.strict }, multiples: [] }] : []),
    ...multiples.map(({ of, negated }) => ({ multiples: [{ of, negated: !negated }] })),
  ]
}

/** All numbers: exponents too, as long as they are finite. */
const FREE_NUMBER = `-?(?:0|[1-9]\\d{0,${INTEGER_DIGITS - 1}})(?:\\.\\d{1,20})?(?:[eE][+-]?(?:\\d{1,2}|1\\d\\d|2[0-8]\\d))?`
const FREE_INTEGER = `-?(?:0|[1-9]\\d{0,${INTEGER_DIGITS - 1}})`

export const isFree = (set: NumberSet) => !set.least && !set.most && !set.values && set.multiples.length === 0

/**
 * Decimal notation of the numbers of a set: digits, and a fraction where it may have one.
 * @throws {TooLarge} when the multiples of a number are too many to tell by an automaton.
 */
export function textsOfNumbers(set: NumberSet): Automaton {
  const { least, most, values } = set
  if (values) return ofTexts(values.map((value) => JSON.stringify(value)))
  if (isFree(set)) return ofPattern(`^${FREE_NUMBER}$`)
  const isInteger = set.multiples.some(({ of, negated }) => !negated && Number.isInteger(of))
  const multiples = set.multiples.filter(({ of, negated }) => negated || of !== 1)
  if (isInteger && multiples.length === 0 && !least && !most) return ofPattern(`^${FREE_INTEGER}$`)
  const listed = listMultiples(set, isInteger)
  if (listed) return ofTexts(listed)
  const strict = [least, most]
    .filter((bound) => bound?.strict)
    .map((bound) => decimal(bound?.value as number).whole.length)
  const digits = isInteger ? 0 : Math.max(1, FRACTION_DIGITS - Math.max(0, ...strict))
  let whole = ofPattern(`^(?:0|[1-9]\\d{0,${INTEGER_DIGITS - 1}})${digits > 0 ? `(?:\\.\\d{1,${digits}})?` : ''}$`)
  for (const { of, negated } of multiples) {
    const texts = ofMultiples(of)
    whole = negated ? subtract(whole, texts) : intersect(whole, texts)
  }
  const positive = within(whole, least, most)
  const negative = within(whole, flipped(most), flipped(least))
  const hasNegative = !least || least.value < 0
  return hasNegative ? unite(positive, minusBefore(negative)) : positive
}

function flipped(bound: Bound | undefined): Bound | undefined {
  return bound && { value: -bound.value, strict: bound.strict }
}

/** Of numbers without a sign. */
function within(whole: Automaton, least: Bound | undefined, most: Bound | undefined): Automaton {
  let result = whole
  if (least && (least.value > 0 || (least.value === 0 && least.strict)))
    result = intersect(result, ofPattern(above(least)))
  if (!most) return result
  if (most.value < 0 || (most.value === 0 && most.strict)) return subtract(result, ANY_TEXT)
  return subtract(result, ofPattern(above({ value: most.value, strict: !most.strict })))
}

function minusBefore(automaton: Automaton): Automaton {
  const edges = automaton.edges.map((list) => list.map((edge) => ({ ...edge, to: edge.to + 1 })))
  const minus = 45
  return minimize({ edges: [[{ first: minus, last: minus, to: 1 }], ...edges], accepts: [false, ...automaton.accepts] })
}

/** Pattern of the decimal notation of numbers above a bound that is not negative. */
function above({ value, strict }: Bound): string {
  const { whole, fraction } = decimal(value)
  const rest = '(?:\\.\\d+)?'
  const cases = whole === '0' ? [`[1-9]\\d*${rest}`] : [`[1-9]\\d{${whole.length},}${rest}`]
  if (whole !== '0') {
    for (const [i, digit] of [...whole].entries()) {
      if (digit !== '9') cases.push(`${whole.slice(0, i)}[${Number(digit) + 1}-9]\\d{${whole.length - i - 1}}${rest}`)
    }
  }
  for (const [i, digit] of [...fraction].entries()) {
    if (digit !== '9') cases.push(`${whole}\\.${fraction.slice(0, i)}[${Number(digit) + 1}-9]\\d*`)
  }
  if (fraction === '') cases.push(strict ? `${whole}\\.\\d*[1-9]\\d*` : `${whole}${rest}`)
  else cases.push(`${whole}\\.${fraction}${strict ? '\\d*[1-9]' : ''}\\d*`)
  return `^(?:${cases.join('|')})$`
}

/** Texts of all multiples, when they are few. */
function listMultiples({ least, most, multiples }: NumberSet, isInteger: boolean): string[] | null {
  const steps = multiples.filter(({ negated }) => !negated).map(({ of }) => of)
  const step = Math.max(...steps, 0)
  if (!isInteger || !least || !most || step < 2 || !Number.isInteger(step)) return null
  if ((most.value - least.value) / step > MAX_LISTED) return null
  const texts: string[] = []
  for (let value = Math.ceil(least.value / step) * step; value <= most.value; value += step) {
    // -0 is 0.
    if (holdsNumber({ least, most, multiples }, value)) texts.push(String(value + 0))
  }
  return texts
}

/** By the remainder of the digits read, the point left out: a state is a remainder and the digits after the point. */
function ofMultiples(of: number): Automaton {
  const { fraction } = decimal(of)
  const step = Number(scaled(decimal(of), fraction.length))
  if (!Number.isSafeInteger(step) || step > 3000) throw new TooLarge()
  const places = fraction.length
  return minimize(
    explore<readonly [rest: number, place: number]>(
      [0, -1],
      ([rest, place]) => `${rest},${place}`,
      ([rest, place], index) => {
        const edges: Edge[] = []
        if (place === -1) edges.push({ first: 46, last: 46, to: index([rest, 0]) })
        for (let digit = 0; digit <= 9; digit++) {
          const point = 48 + digit
          if (place < places) {
            const next = place === -1 ? -1 : place + 1
            edges.push({ first: point, last: point, to: index([(rest * 10 + digit) % step, next]) })
          } else if (digit === 0) edges.push({ first: point, last: point, to: index([rest, place]) })
        }
        const missing = places - Math.max(place, 0)
        let value = rest
        for (let i = 0; i < missing; i++) value = (value * 10) % step
        return { edges, accepts: value === 0 }
      },
    ),
  )
}

interface Decimal {
  negative: boolean
  whole: string
  fraction: string
}

function decimal(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = String(Math.abs(value)).split('e')
  const [whole = '0', fraction = ''] = mantissa.split('.')
  const shift = Number(exponent)
  const digits =
    shift < 0
      ? '0'.repeat(-shift) + whole + fraction
      : whole + fraction + '0'.repeat(Math.max(0, shift - fraction.length))
  const point = shift < 0 ? whole.length : Math.min(whole.length + shift, digits.length)
  return {
    negative: value < 0,
    whole: digits.slice(0, point).replace(/^0+(?=\d)/, '') || '0',
    fraction: digits.slice(point).replace(/0+$/, ''),
  }
}

function scaled({ negative, whole, fraction }: Decimal, digits: number): bigint {
  const value = BigInt(whole + fraction.padEnd(digits, '0'))
  return negative ? -value : value
}
