/** From JavaScript's values to a template's. */
import type { InputSize } from './budget.js'
import { Text } from './text.js'
import { Dict, Float, List, type Value } from './values.js'

/** What JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | { readonly [key: string]: JsonValue }

/**
 * @param origin Where the texts in it come from: those of the `input` are never read as control tokens.
 * @param size Is added to: what the value holds.
 * @param marked Of the keys of objects, whether their texts are of the input; the others are the template's.
 */
export function toValue(
  value: JsonValue,
  origin: 'input' | 'template',
  size: InputSize,
  marked: (key: string) => boolean = () => true,
): Value {
  size.values++
  if (typeof value === 'string') {
    size.characters += value.length
    return origin === 'input' ? Text.input(value) : new Text(value)
  }
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : new Float(value)
  if (value === null || typeof value === 'boolean') return value
  if (Array.isArray(value)) return new List(value.map((item) => toValue(item, origin, size, marked)))
  const entries = Object.entries(value).map(([key, item]) => {
    return [new Text(key), toValue(item, marked(key) ? origin : 'template', size, marked)] as const
  })
  return new Dict(entries)
}
