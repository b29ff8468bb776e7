/** Fields that several protocols have. */
import { boolean, count, fieldsOf, isPlainObject, kind, text } from '../../base/checks.js'
import { RequestError } from '../../protocol/error.js'
import { type Field, type FieldTable, ignore, use } from '../../protocol/fields.js'
import { WINDOW_FIELDS, windowKeysOf } from '../../protocol/window-fields.js'
import type { TemplateVariables } from '../../reason/template.js'

const isEmpty = (value: unknown) => Array.isArray(value) && value.length === 0

/** A field that another part of the code reads from the body. */
const elsewhere: Field<unknown> & { does: 'use' } = use(kind('value', (value): value is unknown => value !== undefined))

/** All that say something of the thinking: lib/protocol/window-fields.ts reads them. */
export const THINKING_FIELDS: FieldTable = Object.fromEntries(WINDOW_FIELDS.map((name) => [name, elsewhere]))

export const TOOL_FIELDS = {
  tools: elsewhere,
  tool_choice: elsewhere,
  parallel_tool_calls: use(boolean),
}

export const COMMON_FIELDS = {
  model: use(text),
  stream: use(boolean),
  user: ignore('nobody is told apart'),
  metadata: ignore('nothing is stored'),
  safety_identifier: ignore('nobody is told apart'),
  service_tier: ignore('there is one'),
  store: ignore('nothing is stored'),
  prompt_cache_key: ignore('prefixes are found by their tokens'),
  prompt_cache_options: ignore('prefixes are found by their tokens'),
  prompt_cache_retention: ignore('the KV cache keeps what fits'),
}

export const tokens = count(1)

export { elsewhere, isEmpty }

/**
 * What an object says that speaks of thinking and of more: its other keys are template variables, or have no effect.
 * @param warnings Gets a line for each of those; undefined: they are returned.
 */
export function otherKeys(body: ReadonlyMap<string, unknown>, field: string, warnings?: string[]): TemplateVariables {
  const value = body.get(field)
  if (value === undefined || value === null) return {}
  if (!isPlainObject(value)) throw new RequestError(`Expected an object for ${field}`, field)
  const known = windowKeysOf(field)
  const others = [...fieldsOf(value, field)].filter(([key]) => !known.includes(key))
  if (!warnings) return Object.fromEntries(others) as TemplateVariables
  for (const [key, inner] of others) {
    if (inner !== null) warnings.push(`${field}.${key} has no effect`)
  }
  return {}
}

/** Objects of which only keys about thinking mean anything. */
const PARTLY_READ = WINDOW_FIELDS.filter((name) => windowKeysOf(name).length > 0 && name !== 'chat_template_kwargs')

/** @param except Fields whose other keys are read elsewhere. */
export function warnOfOtherKeys(body: ReadonlyMap<string, unknown>, warnings: string[], except: string[] = []): void {
  for (const name of PARTLY_READ) {
    if (!except.includes(name)) otherKeys(body, name, warnings)
  }
}
