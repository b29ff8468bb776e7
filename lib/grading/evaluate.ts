/** Values of expressions: exact where they are fractions of integers that are not too long, else as numbers. */
import type { Expression } from './expression.js'

/** In lowest terms or not; d > 0. */
interface Fraction {
  n: bigint
  d: bigint
}

/** Longer integers are not worked out: `9^9^9^9` has no value here. */
const MOST_BITS = 20_000

/** LIMO's tolerance, for decimals, and that of arithmetic. */
export const ROUNDING = 1e-4
const ARITHMETIC = 1e-9

/** Places at which expressions with names are compared, and how many of them both must have a value at. */
const POINTS = 8
const LEAST_POINTS = 3

/** Whether two expressions have the same value, or with names in them the same values wherever they are tried. */
export function sameValue(expected: Expression, given: Expression): boolean {
  const names = new Set([...namesOf(expected), ...namesOf(given)])
  if (names.size > 0) return sameFunction(expected, given)
  const [x, y] = [fractionOf(expected), fractionOf(given)]
  const isRounded = hasDecimals(expected) || hasDecimals(given)
  if (x && y && x.n * y.d === y.n * x.d) return true
  if (x && y && (!isRounded || x.n % x.d === 0n)) return false
  const [a, b] = [numberOf(expected, at(0)), numberOf(given, at(0))]
  // sin π is not quite 0.
  if (Math.abs(a - b) < 4e-16 && (!x || !y)) return true
  return isClose(a, b, isRounded && !(x && x.n % x.d === 0n) ? ROUNDING : ARITHMETIC)
}

/** a : b, the same wherever they have values; null if it is not. For equations, which a factor leaves the same. */
export function ratioOf(a: Expression, b: Expression): number | null {
  let ratio: number | null = null
  let points = 0
  for (let i = 0; i < POINTS; i++) {
    const [x, y] = [numberOf(a, at(i)), numberOf(b, at(i))]
    if (!Number.isFinite(x) || !Number.isFinite(y)) continue
    if (Math.abs(x) < 1e-12 && Math.abs(y) < 1e-12) continue
    const quotient = x / y
    if (!Number.isFinite(quotient) || quotient === 0) return null
    if (ratio !== null && !isClose(ratio, quotient, 1e-7)) return null
    ratio ??= quotient
    points++
  }
  return points >= LEAST_POINTS ? ratio : null
}

/** The slope and the constant of a linear expression in one name; null for any other. */
export function lineOf(expression: Expression, name: string): { slope: number; constant: number } | null {
  const value = (x: number) => numberOf(expression, (other) => (other === name ? x : Number.NaN))
  const constant = value(0)
  const slope = value(1) - constant
  const isLine = [2, -3, 7.5].every((x) => isClose(value(x), constant + slope * x, ARITHMETIC))
  return isLine && Math.abs(slope) > 1e-12 ? { slope, constant } : null
}

export function isClose(a: number, b: number, tolerance: number): boolean {
  return Number.isFinite(a) && Number.isFinite(b) && Math.abs(a - b) <= tolerance * Math.max(Math.abs(a), Math.abs(b))
}

/** The value of an expression without names; NaN if it has none. */
export function numericValue(expression: Expression): number {
  return numberOf(expression, () => Number.NaN)
}

export function namesOf(expression: Expression, names = new Set<string>()): Set<string> {
  if (expression.kind === 'name' && !(expression.name in CONSTANTS)) names.add(expression.name)
  if (expression.kind === 'call') for (const arg of expression.args) namesOf(arg, names)
  return names
}

function hasDecimals(expression: Expression): boolean {
  if (expression.kind === 'number') return expression.text.includes('.')
  return expression.kind === 'call' && expression.args.some(hasDecimals)
}

function sameFunction(a: Expression, b: Expression): boolean {
  const counted = countedNames(a, countedNames(b))
  const place = (point: number) => (name: string) => (counted.has(name) ? integerAt(name, point) : at(point)(name))
  let points = 0
  for (let i = 0; i < POINTS; i++) {
    const [x, y] = [numberOf(a, place(i)), numberOf(b, place(i))]
    if (!Number.isFinite(x) && !Number.isFinite(y)) continue
    if (!isClose(x, y, 1e-8) && !(Math.abs(x) < 1e-12 && Math.abs(y) < 1e-12)) return false
    points++
  }
  return points >= LEAST_POINTS
}

/** A value for each name, other ones at each point: below 3.2, at some below 1, and at some below 0. */
function at(point: number): (name: string) => number {
  return (name) => {
    let hash = 17 + point * 7919
    for (let i = 0; i < name.length; i++) hash = (hash * 31 + name.charCodeAt(i)) % 1_000_003
    const value = 0.2 + ((hash * 48271) % 30_011) / 10_004
    // Of an arcsine some have to be below 1.
    const near = point % 2 === 1 ? value * 0.28 : value
    return point % 4 === 3 ? -near : near
  }
}

/** Names in factorials, which have values at integers only. */
function countedNames(expression: Expression, names = new Set<string>()): Set<string> {
  if (expression.kind !== 'call') return names
  if (expression.name === '!' || expression.name === 'binom') return namesOf(expression, names)
  for (const arg of expression.args) countedNames(arg, names)
  return names
}

/** From 2 to 12. */
function integerAt(name: string, point: number): number {
  return 2 + point + Math.floor(Math.abs(at(point)(name)))
}

const CONSTANTS: Record<string, number> = { π: Math.PI, e: Math.E }

function numberOf(expression: Expression, names: (name: string) => number): number {
  if (expression.kind === 'number') return Number(expression.text)
  if (expression.kind === 'name') return CONSTANTS[expression.name] ?? names(expression.name)
  const [a = Number.NaN, b = Number.NaN] = expression.args.map((arg) => numberOf(arg, names))
  switch (expression.name) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      return a * b
    case '/':
      return a / b
    case '^':
      return a < 0 && !Number.isInteger(b) ? root(a, 1 / b) : a ** b
    case '!':
      return factorial(a)
    case 'root':
      return root(a, b)
    case 'binom':
      return factorial(a) / (factorial(b) * factorial(a - b))
    case 'log':
      return expression.args.length > 1 ? Math.log(a) / Math.log(b) : Math.log10(a)
    case 'cot':
      return 1 / Math.tan(a)
    case 'sec':
      return 1 / Math.cos(a)
    case 'csc':
      return 1 / Math.sin(a)
    default:
      return FUNCTIONS[expression.name]?.(a) ?? Number.NaN
  }
}

const FUNCTIONS: Record<string, (x: number) => number> = {
  abs: Math.abs,
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  arcsin: Math.asin,
  arccos: Math.acos,
  arctan: Math.atan,
  sinh: Math.sinh,
  cosh: Math.cosh,
  tanh: Math.tanh,
  ln: Math.log,
  lg: Math.log10,
  exp: Math.exp,
}

/** Odd roots of negative numbers are real. */
function root(a: number, degree: number): number {
  if (degree === 2) return Math.sqrt(a)
  const odd = Math.abs(Math.round(degree)) % 2 === 1 && Math.abs(degree - Math.round(degree)) < 1e-12
  return a < 0 ? (odd ? -((-a) ** (1 / degree)) : Number.NaN) : a ** (1 / degree)
}

function factorial(n: number): number {
  if (!Number.isInteger(n) || n < 0 || n > 170) return Number.NaN
  let product = 1
  for (let i = 2; i <= n; i++) product *= i
  return product
}

/** Null: not a fraction, or too long. */
function fractionOf(expression: Expression): Fraction | null {
  if (expression.kind === 'name') return null
  if (expression.kind === 'number') {
    const [whole = '', decimals = ''] = expression.text.split('.')
    return { n: BigInt(whole + decimals || '0'), d: 10n ** BigInt(decimals.length) }
  }
  const args = expression.args.map(fractionOf)
  const [a, b] = args
  if (!a || args.includes(null)) return null
  const result = b ? combine(expression.name, a, b) : single(expression.name, a)
  return result && bits(result.n) + bits(result.d) <= MOST_BITS ? result : null
}

function combine(name: string, a: Fraction, b: Fraction): Fraction | null {
  if (name === '+') return { n: a.n * b.d + b.n * a.d, d: a.d * b.d }
  if (name === '-') return { n: a.n * b.d - b.n * a.d, d: a.d * b.d }
  if (name === '*') return { n: a.n * b.n, d: a.d * b.d }
  if (name === '/') {
    if (b.n === 0n) return null
    return b.n > 0n ? { n: a.n * b.d, d: a.d * b.n } : { n: -a.n * b.d, d: -a.d * b.n }
  }
  if (name !== '^' || b.n % b.d !== 0n) return null
  const exponent = b.n / b.d
  const size = exponent < 0n ? -exponent : exponent
  if (size > BigInt(MOST_BITS) || Number(size) * (bits(a.n) + bits(a.d)) > MOST_BITS) return null
  const power = { n: a.n ** size, d: a.d ** size }
  if (exponent >= 0n) return power
  if (power.n === 0n) return null
  return power.n > 0n ? { n: power.d, d: power.n } : { n: -power.d, d: -power.n }
}

function single(name: string, a: Fraction): Fraction | null {
  if (name === 'abs') return { n: a.n < 0n ? -a.n : a.n, d: a.d }
  if (name !== '!' || a.n % a.d !== 0n) return null
  const n = a.n / a.d
  if (n < 0n || n > 170n) return null
  let product = 1n
  for (let i = 2n; i <= n; i++) product *= i
  return { n: product, d: 1n }
}

function bits(n: bigint): number {
  return n.toString(16).length * 4
}
