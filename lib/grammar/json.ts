/** Schemas as JSON, and no deeper than llama.cpp's parser and ours go. */
import { Z1Error } from '../base/errors.js'

export type JsonValue = null | boolean | number | string | JsonValue[] | { [key: string]: JsonValue }

/** Objects and arrays in one another. */
const MAX_DEPTH = 256

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One step of a JSON Pointer. */
export const pointerStep = (key: string | number) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`

/**
 * A copy in which every object stands at one place, as the text of a schema has it.
 * @throws {Z1Error} SCHEMA_INVALID for what is no JSON, or too deep.
 */
export function jsonCopy(value: unknown): unknown {
  const copy = parsed(value)
  if (depthOf(copy) > MAX_DEPTH) throw new Z1Error('SCHEMA_INVALID', `The schema has more than ${MAX_DEPTH} levels`)
  return copy
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value))
  } catch (error) {
    const reason = error instanceof RangeError ? `it has more than ${MAX_DEPTH} levels` : (error as Error).message
    throw new Z1Error('SCHEMA_INVALID', `The schema is not JSON: ${reason}`)
  }
}

function depthOf(value: unknown): number {
  let level = [value]
  let depth = 0
  for (; depth <= MAX_DEPTH; depth++) {
    level = level.flatMap((one) => (typeof one === 'object' && one !== null ? Object.values(one) : []))
    if (level.length === 0) return depth
  }
  return depth
}
