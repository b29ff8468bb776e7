/**
 * Whether what a function returned is what a test expects, as Python compares it. Numbers are compared exactly: `1`, `1.0`
 * and `True` are the same, and 2⁵³ and 2⁵³ + 1 are not.
 */
import { parse } from 'lossless-json'
import { isString } from '../../base/checks.js'

/** A value as lib/grading/execution/python.ts encodes it: JSON as it is, and objects with one key for each other type. */
export type Encoded = null | boolean | number | string | Encoded[] | { [kind: string]: unknown }

/** JSON with whole numbers apart from others. */
export type Expected = null | boolean | string | number | bigint | Expected[] | { [key: string]: Expected }

/** @throws {SyntaxError} for a text that is no JSON. */
export function parseExpected(json: string): Expected {
  return parse(json, null, { parseNumber: (text) => (/^-?\d+$/.test(text) ? BigInt(text) : Number(text)) }) as Expected
}

/** A tuple is as good as a list where the whole result is one, but not inside it: LiveCodeBench's rule. */
export function sameResult(result: Encoded, expected: Expected): boolean {
  return same(isOf(result, 't') ? (result.t as Encoded[]) : result, expected)
}

function same(result: Encoded, expected: Expected): boolean {
  const [a, b] = [numberOf(result), numberOfExpected(expected)]
  if (a !== undefined || b !== undefined) {
    // biome-ignore lint/suspicious/noDoubleEquals: of a bigint and a number it compares the exact values.
    return a !== undefined && b !== undefined && a == b
  }
  if (result === null || typeof result === 'string' || expected === null || typeof expected === 'string') {
    return result === expected
  }
  if (Array.isArray(expected)) {
    if (!Array.isArray(result) || result.length !== expected.length) return false
    return result.every((each, i) => same(each, expected[i] as Expected))
  }
  return isOf(result, 'd') && sameEntries(result.d, expected as { [key: string]: Expected })
}

/** @param entries Pairs, if the harness made them and not the answer. */
function sameEntries(entries: unknown, expected: { [key: string]: Expected }): boolean {
  if (!Array.isArray(entries) || entries.length !== Object.keys(expected).length) return false
  return entries.every((entry) => {
    const [key, value] = Array.isArray(entry) ? entry : []
    return isString(key) && Object.hasOwn(expected, key) && same(value, expected[key] as Expected)
  })
}

function isOf<Kind extends string>(value: Encoded, kind: Kind): value is { [K in Kind]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.hasOwn(value, kind)
}

function numberOf(value: Encoded): number | bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n
  if (typeof value === 'number') return value
  if (isOf(value, 'i')) return integerOf(String(value.i))
  if (isOf(value, 'f')) return floatOf(String(value.f))
  return undefined
}

function numberOfExpected(value: Expected): number | bigint | undefined {
  if (typeof value === 'boolean') return value ? 1n : 0n
  return typeof value === 'number' || typeof value === 'bigint' ? value : undefined
}

/** Hexadecimal. What is none equals nothing. */
function integerOf(text: string): number | bigint {
  const [, sign, digits] = /^(-?)([0-9a-f]+)$/.exec(text) ?? []
  if (digits === undefined) return Number.NaN
  return sign === '-' ? -BigInt(`0x${digits}`) : BigInt(`0x${digits}`)
}

function floatOf(text: string): number {
  const infinite = /^(-?)inf/i.exec(text)
  if (infinite) return infinite[1] === '-' ? -Infinity : Infinity
  return text === '' ? Number.NaN : Number(text)
}
