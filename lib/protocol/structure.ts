/**
 * The one place where the forms of an answer that clients ask for (`response_format`, `text.format`, `output_config.format`, the AI
 * SDK's `responseFormat`) become options of a request.
 */
import { isPlainObject } from '../base/checks.js'
import type { ReasonOptions } from '../reason/options.js'
import { RequestError } from './error.js'

/**
 * @param format `{ type: 'text' }`, `{ type: 'json_object' }`, or `{ type: 'json_schema' }` with its schema, which chat completions
 *   have inside `json_schema`.
 * @param name The field it is from.
 * @throws {RequestError} for another form, or one without a schema.
 */
export function structureOf(format: unknown, name: string): Partial<ReasonOptions> {
  if (!isPlainObject(format)) throw new RequestError(`Expected an object for ${name}`, name)
  const { type, schema, json_schema: inner } = format as Record<string, unknown>
  if (type === 'text') return {}
  if (type !== 'json_object' && type !== 'json_schema') {
    throw new RequestError(
      `Expected text, json_object or json_schema for ${name}.type but received ${JSON.stringify(type)}`,
      name,
    )
  }
  if (type === 'json_object') return { schema: { type: 'object' } } as Partial<ReasonOptions>
  const given = schema ?? (inner as { schema?: unknown } | undefined)?.schema
  if (given === undefined) throw new RequestError(`Expected a schema in ${name}`, name)
  return { schema: given } as Partial<ReasonOptions>
}
