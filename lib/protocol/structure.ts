/**
 * The one place where the forms of an answer that clients ask for (`response_format`, `text.format`, `output_config.format`, the AI
 * SDK's `responseFormat`) become options of a request.
 */
import { isPlainObject } from '../base/checks.js'
import { REASON_OPTIONS, type ReasonOptions } from '../reason/options.js'
import { RequestError } from './error.js'

/**
 * @param format `{ type: 'text' }`, `{ type: 'json_object' }`, or `{ type: 'json_schema' }` with its schema, which chat completions
 *   have inside `json_schema`.
 * @param name The field it is from.
 * @throws {RequestError} for a form that this version cannot enforce.
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
  checkBinds('schema', `${name} of the type ${type}`, name)
  if (type === 'json_object') return { schema: { type: 'object' } } as Partial<ReasonOptions>
  const given = schema ?? (inner as { schema?: unknown } | undefined)?.schema
  if (given === undefined) throw new RequestError(`Expected a schema in ${name}`, name)
  return { schema: given } as Partial<ReasonOptions>
}

/** A grammar in GBNF, as llama-server takes it. @throws {RequestError} where this version cannot enforce one. */
export function grammarOf(grammar: string, name: string): Partial<ReasonOptions> {
  checkBinds('grammar', name, name)
  return { grammar } as Partial<ReasonOptions>
}

/** Without the option nothing would bind the answer. */
function checkBinds(option: 'schema' | 'grammar', what: string, name: string): void {
  if (Object.hasOwn(REASON_OPTIONS, option)) return
  throw new RequestError(`${what} is not supported: the answer is text`, name)
}
