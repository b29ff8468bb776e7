/**
 * Checks of what callers pass, and the one sentence that says what was wrong: a TypeError for a value of another type,
 * a RangeError for one of the right type that is out of range. Knows no option by name.
 */
import { fileURLToPath } from 'node:url'
import { oneLine } from './one-line.js'

/**
 * A kind of value: how a sentence names it, and the check that turns it into the form that the rest of the code uses.
 */
export interface Kind<T> {
  expected: string
  /** @param name Where the value stands, for the sentence. */
  read(value: unknown, name: string): T
}

/** Native code counts tokens in 32 bits, more than any context has. */
const INT32_MAX = 2 ** 31 - 1

export function kind<V, T = V>(
  expected: string,
  isType: (value: unknown) => value is V,
  more: { isValid?: (value: V) => boolean; convert?: (value: V, name: string) => T } = {},
): Kind<T> {
  const { isValid = () => true, convert = (value: V) => value as unknown as T } = more
  return {
    expected,
    read(value, name) {
      if (!isType(value)) throw misuse(TypeError, expected, name, value)
      if (!isValid(value)) throw misuse(RangeError, expected, name, value)
      return convert(value, name)
    },
  }
}

export function numeric(
  expected: string,
  isValid: (value: number) => boolean,
  convert = (value: number) => value,
): Kind<number> {
  return kind(expected, isNumber, { isValid, convert })
}

export function number(min: number, max: number, convert?: (value: number) => number): Kind<number> {
  return numeric(`number between ${min} and ${max}`, (value) => value >= min && value <= max, convert)
}

export function integer(min: number, max: number): Kind<number> {
  const isValid = (value: number) => Number.isInteger(value) && value >= min && value <= max
  return numeric(`integer between ${min} and ${max}`, isValid)
}

/** An integer that counts tokens or layers: more than there can be is as good as all. */
export function count(min: number): Kind<number> {
  return numeric(`integer ≥ ${min}`, (value) => isCount(value) && value >= min, clamp)
}

export const boolean: Kind<boolean> = kind('boolean', (value) => typeof value === 'boolean')

/** Text that has an encoding in UTF-8. */
export const text: Kind<string> = kind('string', isString, { convert: wellFormed })

/** One of a few words. */
export function oneOf<const Name extends string>(names: readonly Name[]): Kind<Name> {
  const isKnown = (value: string) => (names as readonly string[]).includes(value)
  return kind(names.join(names.length > 2 ? ', ' : ' or '), isString, { isValid: isKnown })
}

/** @param expected What the list is of, for the sentence: `array of file names`. */
export function listOf<T>(each: Kind<T>, expected: string): Kind<T[]> {
  return kind(expected, Array.isArray, {
    convert: (values, name) => Array.from(values, (value, i) => each.read(value, `${name}[${i}]`)),
  })
}

/** A path, which a `file:` URL may name. */
export function filePath(): Kind<string> {
  return kind('file path or file: URL', (value): value is string | URL => isString(value) || value instanceof URL, {
    isValid: (value) => (isString(value) ? value !== '' : value.protocol === 'file:'),
    convert: (value) => (isString(value) && !value.startsWith('file:') ? value : fileURLToPath(value)),
  })
}

export function callback<F extends (...args: never[]) => unknown>(): Kind<F> {
  return kind('function', (value): value is F => typeof value === 'function')
}

export function abortSignal(): Kind<AbortSignal> {
  // Not instanceof: a signal may come from another realm, or be a polyfill. But all that is used of one must be there.
  return kind('AbortSignal', (value): value is AbortSignal => {
    if (typeof value !== 'object' || value === null || !('reason' in value)) return false
    const { aborted, addEventListener, removeEventListener, throwIfAborted } = value as Partial<AbortSignal>
    const methods = [addEventListener, removeEventListener, throwIfAborted]
    return typeof aborted === 'boolean' && methods.every((method) => typeof method === 'function')
  })
}

export function isCount(value: number): boolean {
  return Number.isInteger(value) && value >= 0
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number'
}

export function isString(value: unknown): value is string {
  return typeof value === 'string'
}

export function clamp(value: number): number {
  return Math.min(value, INT32_MAX)
}

export function wellFormed(value: string, name: string): string {
  const index = value.search(/\p{Surrogate}/u)
  if (index < 0) return value
  throw new TypeError(`Expected well-formed UTF-16 for ${name} but received a lone surrogate at index ${index}`)
}

/** A plain object's own values, each read once. Undefined ones are absent. */
export function fieldsOf(value: unknown, name: string): Map<string, unknown> {
  if (!isPlainObject(value)) throw misuse(TypeError, 'plain object', name, value)
  return new Map(Object.entries(value).filter(([, field]) => field !== undefined))
}

export function isPlainObject(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  const prototype = Object.getPrototypeOf(value)
  // The prototype of another realm's plain object is a root too.
  return prototype === null || Object.getPrototypeOf(prototype) === null
}

export function misuse(Misuse: typeof TypeError | typeof RangeError, expected: string, name: string, value: unknown) {
  return new Misuse(oneLine(`Expected ${expected} for ${name} but received ${describe(value)}`))
}

/** `what` says what is unknown, with its name. */
export function unknownName(what: string, name: string, known: readonly string[]): TypeError {
  const nearest = nearestOf(name, known)
  return new TypeError(
    oneLine(`Unknown ${what}: ${nearest ? `did you mean ${nearest}?` : `expected one of ${known.join(', ')}`}`),
  )
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)
  if (typeof value === 'bigint') return `${value}n`
  if (Array.isArray(value)) return 'an array'
  if (typeof value === 'object' && value !== null) return 'an object'
  if (typeof value === 'function' || typeof value === 'symbol') return `a ${typeof value}`
  return String(value)
}

/** The known name that a typing mistake or another naming convention is likely to have meant. */
export function nearestOf(name: string, known: readonly string[]): string | undefined {
  const bare = (word: string) => word.replace(/[-_]/g, '').toLowerCase()
  const typed = bare(name)
  let nearest: string | undefined
  let best = typed.length < 4 ? 2 : 3
  for (const candidate of known) {
    const meant = bare(candidate)
    if (Math.abs(meant.length - typed.length) >= best) continue
    const distance = editDistance(typed, meant)
    if (distance < best) {
      best = distance
      nearest = candidate
    }
  }
  return nearest
}

/** Levenshtein's: insertions, deletions and replacements that make one of the other. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = (above[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1)
      row.push(Math.min(replaced, (above[j] as number) + 1, (row[j - 1] as number) + 1))
    }
    above = row
  }
  return above[b.length] as number
}
