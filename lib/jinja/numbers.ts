/** Python's arithmetic on ints and floats. Ints are exact or refused. */
import { TemplateError } from './budget.js'
import { Float, numeric, typeName, Undefined, type Value } from './values.js'

export function int(value: number): number {
  if (!Number.isSafeInteger(value)) throw new TemplateError(`an integer is out of range`)
  return value === 0 ? 0 : value
}

/** `a operator b` of two numbers, or undefined where one is not. */
export function arithmetic(operator: string, a: Value, b: Value): Value | undefined {
  const x = numeric(a)
  const y = numeric(b)
  if (x === undefined || y === undefined) return undefined
  const float = a instanceof Float || b instanceof Float
  const result = (value: number) => (float ? new Float(value) : int(value))
  switch (operator) {
    case '+':
      return result(x + y)
    case '-':
      return result(x - y)
    case '*':
      return result(x * y)
    case '/':
      return new Float(x / divisor(y))
    case '//': {
      // By the remainder, as Python: 1.0 // 0.1 is 9, since 0.1 is a little more than a tenth.
      const quotient = Math.round((x - remainder(x, y)) / y)
      return result(quotient === 0 && x / y > 0 ? 0 : quotient)
    }
    case '%':
      return result(remainder(x, y))
    case '**':
      if (x === 0 && y < 0) throw new TemplateError('0.0 cannot be raised to a negative power')
      return float || y < 0 ? new Float(x ** y) : int(x ** y)
  }
  return undefined
}

/** With the sign of the divisor, which a zero has, too. */
function remainder(x: number, y: number): number {
  const rest = x % divisor(y)
  if (rest === 0) return y < 0 ? -0 : 0
  return rest < 0 !== y < 0 ? rest + y : rest
}

function divisor(value: number): number {
  if (value === 0) throw new TemplateError('division by zero')
  return value
}

export function negate(value: Value, operator: '-' | '+'): Value {
  if (value instanceof Undefined) value.fail()
  const number = numeric(value)
  if (number === undefined) throw new TemplateError(`bad operand type for unary ${operator}: '${typeName(value)}'`)
  const result = operator === '-' ? -number : number
  return value instanceof Float ? new Float(result) : int(result)
}

/** An int for an index, a width or a count. */
export function toIndex(value: Value, what: string): number {
  if (typeof value === 'number') return value
  if (typeof value === 'boolean') return Number(value)
  if (value instanceof Undefined) value.fail()
  throw new TemplateError(`${what} must be an integer, not ${typeName(value)}`)
}

/** The indices of a Python slice. */
export function sliceIndices(bounds: readonly Value[], length: number): number[] {
  const [first, second, third] = bounds.map((bound) =>
    bound === null ? null : toIndex(bound as Value, 'slice indices'),
  )
  const step = third ?? 1
  if (step === 0) throw new TemplateError('slice step cannot be zero')
  const clamp = (value: number, low: number, high: number) =>
    Math.min(Math.max(value < 0 ? value + length : value, low), high)
  const [low, high] = step > 0 ? [0, length] : [-1, length - 1]
  const start = first == null ? (step > 0 ? 0 : length - 1) : clamp(first, low, high)
  const stop = second == null ? (step > 0 ? length : -1) : clamp(second, low, high)
  const indices: number[] = []
  for (let i = start; step > 0 ? i < stop : i > stop; i += step) indices.push(i)
  return indices
}

/** `round(value, digits)`: halves go to the even neighbor, as the exact decimal value of the float says. */
export function roundHalfEven(value: number, digits: number): number {
  if (!Number.isFinite(value) || value === 0 || digits > 300) return value
  if (digits < 0) {
    const unit = 10 ** -digits
    return halfEven(value / unit) * unit
  }
  if (digits === 0) return halfEven(value)
  // toFixed rounds the exact value; only true ties differ, and those are exact in binary.
  const scaled = value * 10 ** digits
  if (digits <= 20 && Math.abs(scaled) < 2 ** 52 && Math.abs(scaled % 1) === 0.5 && scaled / 10 ** digits === value) {
    const exact = Number.isInteger(value * 2 ** Math.min(digits + 1, 50))
    if (exact) return halfEven(scaled) / 10 ** digits
  }
  return digits > 100 ? value : Number(value.toFixed(Math.min(digits, 100)))
}

function halfEven(value: number): number {
  const floor = Math.floor(value)
  const rest = value - floor
  if (rest !== 0.5) return Math.round(value)
  return floor % 2 === 0 ? floor : floor + 1
}
