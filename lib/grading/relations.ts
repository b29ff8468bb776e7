/** Equations and inequalities in plain signs. */
import { isClose, lineOf, namesOf, numericValue, ROUNDING, ratioOf } from './evaluate.js'
import { type Expression, readExpression } from './expression.js'
import { readList, splitAt } from './lists.js'

/** `=`-chains: the first and the last side, what is rounded (`≈ 1.3`) left out. */
export interface Equation {
  left: string
  right: string
  /** The left side only names what the right one is. */
  isNamed: boolean
}

export function readEquation(value: string): Equation | null {
  const [exact = ''] = splitAt(value, '≈')
  if (/[<>]|!=/.test(exact) || [',', ';'].some((sign) => splitAt(value, sign).length > 1)) return null
  const sides = splitAt(exact, '=')
  const left = sides[0] as string
  if (sides.length < 2) {
    // `x ≈ 1.3` names, too; of `1/3 ≈ 0.33` the first is the value.
    const [name, rounded] = splitAt(value, '≈')
    if (rounded === undefined) return null
    return isName(name as string)
      ? { left: name as string, right: rounded, isNamed: true }
      : { left: rounded, right: name as string, isNamed: true }
  }
  const right = sides.at(-1) as string
  const isNamed =
    isName(left) ||
    sides.slice(0, -1).some((side, i) => i > 0 && isName(side)) ||
    isSum(left, right) ||
    isWorking(sides)
  return { left, right, isNamed }
}

/** A letter or two, an index, arguments; a segment, an angle, a ratio of segments, a tuple of names. */
function isName(text: string): boolean {
  if (text.length > 80) return false
  const name = text.replace(/\\(?:angle|triangle|overline|widehat|hat|bar|vec|mathrm)(?![A-Za-z])/g, '').trim()
  if (/^\\frac\s?\{[A-Za-z]{1,2}\}\s?\{[A-Za-z]{1,2}\}$/.test(name) || /^\|[A-Za-z]{1,2}\|$/.test(name)) return true
  if (/^\(\s?[A-Za-z]\w?(?:\s?,\s?[A-Za-z]\w?)+\s?\)$/.test(name)) return true
  return /^\{?(?:[A-Za-z]{1,2}|\\?[A-Za-z]{2,12}|[α-ωΑ-Ω]|[A-Z]{3,4})'*(?:_\w|_\{\w{1,8}\})?(?:\^\{?-1\}?)?'*\}?(?:\s?\([^()]{1,20}\))?$/.test(
    name,
  )
}

/** `12 + 13 = 25`: both sides are the same number. */
function isSum(left: string, right: string): boolean {
  if (!/[-+*/^]|\\/.test(left)) return false
  const [a, b] = [readExpression(left), readExpression(right)]
  return a !== null && b !== null && isClose(numericValue(a), numericValue(b), ROUNDING)
}

/** `f(1) + f(2) = 3 + 2^2 = 7`: what the left side comes to, step by step. */
function isWorking(sides: string[]): boolean {
  return sides.length > 2 && sides.slice(1, -1).every((side) => isSum(side, sides.at(-1) as string))
}

/** Equations of the same curve: left − right differs by a factor. */
export function sameEquation(a: Equation, b: Equation): boolean {
  const [x, y] = [difference(a.left, a.right), difference(b.left, b.right)]
  return x !== null && y !== null && namesOf(x).size > 0 && ratioOf(x, y) !== null
}

function difference(left: string, right: string): Expression | null {
  const [a, b] = [readExpression(left), readExpression(right)]
  return a && b && { kind: 'call', name: '-', args: [a, b] }
}

interface Interval {
  low: number
  high: number
  /** Whether the ends belong to it. */
  closed: [boolean, boolean]
}

/** The set of numbers that inequalities, or intervals joined by ∪, describe; null if it is none. */
export function readIntervals(value: string): Interval[] | null {
  if (value.length > 400) return null
  const body = value.includes('∈') ? (splitAt(value, '∈').at(-1) as string) : value
  const holes = withHoles(body)
  if (holes) return holes
  const parts = /[<>]/.test(body) ? body.split(/\s+or\s+|∪/) : splitAt(body, '∪')
  const intervals: Interval[] = []
  let name: string | undefined
  for (const part of parts) {
    const read = /[<>]/.test(part) ? inequality(part.trim(), name) : interval(part)
    if (!read) return null
    name ??= read.name
    intervals.push(read)
  }
  return intervals.sort((a, b) => a.low - b.low)
}

/** `x != 2`, `ℝ ∖ ⦃0, 1⦄`: all numbers but a few. */
function withHoles(text: string): Interval[] | null {
  const [, elements] = /^\(-∞,∞\)\s?[∖-]\s?⦃(.+)⦄$/.exec(text) ?? []
  const holes = elements?.split(',') ?? text.split(/,|\band\b/).map((part) => /^\s?[A-Za-z]\s?!=(.+)$/.exec(part)?.[1])
  const values = holes.map((hole) => (hole === undefined ? Number.NaN : bound(hole.trim()))).sort((a, b) => a - b)
  if (!values.every(Number.isFinite)) return null
  const ends = [-Infinity, ...values, Infinity]
  return ends.slice(1).map((high, i) => ({ low: ends[i] as number, high, closed: [false, false] }))
}

export function sameIntervals(a: Interval[], b: Interval[]): boolean {
  return (
    a.length === b.length &&
    a.every((x, i) => {
      const y = b[i] as Interval
      return (
        sameEnd(x.low, y.low) &&
        sameEnd(x.high, y.high) &&
        (Number.isFinite(x.low) ? x.closed[0] === y.closed[0] : true) &&
        (Number.isFinite(x.high) ? x.closed[1] === y.closed[1] : true)
      )
    })
  )
}

function sameEnd(a: number, b: number): boolean {
  return a === b || isClose(a, b, 1e-9)
}

function interval(text: string): (Interval & { name?: string }) | null {
  const { brackets, elements } = readList(text.trim())
  if (!/^[([][)\]]$/.test(brackets) || elements.length !== 2) return null
  const [low, high] = elements.map(bound) as [number, number]
  if (Number.isNaN(low) || Number.isNaN(high) || low > high || (low === high && brackets !== '[]')) return null
  return { low, high, closed: [brackets[0] === '[', brackets[1] === ']'] }
}

function bound(text: string): number {
  const infinite = /^([-+]?)\s?∞$/.exec(text)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  const expression = readExpression(text)
  return expression ? numericValue(expression) : Number.NaN
}

/** What stands between the signs of inequalities, and the signs. */
export function splitAtSigns(value: string): { sides: string[]; signs: string[] } {
  const sides = value.split(/<=|>=|<|>/).map((side) => side.trim())
  return { sides, signs: value.match(/<=|>=|<|>/g) ?? [] }
}

/** `a < x ≤ b`, `x > a`, `-x ≥ a`: linear in one name. */
function inequality(text: string, known?: string): (Interval & { name: string }) | null {
  const { sides, signs } = splitAtSigns(text)
  // The values of a function are in no order that its name says.
  if (signs.length > 2 || sides.includes('') || /[A-Za-z]\s?\(/.test(text)) return null
  const all: Interval = { low: -Infinity, high: Infinity, closed: [false, false] }
  let name = known
  for (const [i, sign] of signs.entries()) {
    const less = difference(sides[i] as string, sides[i + 1] as string)
    if (!less) return null
    const names = [...namesOf(less)]
    name ??= names[0]
    if (names.length !== 1 || name !== names[0]) return null
    const line = lineOf(less, name as string)
    if (!line) return null
    const at = -line.constant / line.slope
    const isUpper = sign.startsWith('<') === line.slope > 0
    const closed = sign.endsWith('=')
    if (isUpper && at < all.high) [all.high, all.closed[1]] = [at, closed]
    if (!isUpper && at > all.low) [all.low, all.closed[0]] = [at, closed]
  }
  return name === undefined || all.low > all.high ? null : { ...all, name }
}
