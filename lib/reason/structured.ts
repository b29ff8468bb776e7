/** What binds an answer: a grammar as it is given, or that of a schema, and the value that a schema's answer is. */

import { isPlainObject, type Kind, kind } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { checkGrammar } from '../grammar/check-grammar.js'
import { jsonSchemaToGrammar } from '../grammar/schema-to-grammar.js'
import type { SchemaWarning } from '../grammar/warnings.js'

/** A JSON Schema, draft 7 or 2020-12. */
export type JsonSchema = boolean | Readonly<Record<string, unknown>>

/** What schema libraries implement (https://standardschema.dev/json-schema): zod from 4.2 on, and others. */
export interface StandardJsonSchema<T = unknown> {
  readonly '~standard': {
    readonly jsonSchema: { readonly input: (options: { target: 'draft-2020-12' }) => Record<string, unknown> }
    readonly types?: { readonly input: T } | undefined
  }
}

/** The grammar of an answer. */
export interface AnswerGrammar {
  grammar: string
  /** The answer is JSON of a schema. */
  isJson: boolean
  warnings: readonly SchemaWarning[]
}

/** Schemas are often the same from request to request, and a large one takes a second. */
const recent = new Map<string, unknown>()
const MAX_RECENT = 32

export function answerSchema(): Kind<JsonSchema | StandardJsonSchema> {
  return kind(
    'JSON Schema or Standard JSON Schema',
    (value): value is JsonSchema | StandardJsonSchema =>
      typeof value === 'boolean' || isStandard(value) || isPlainObject(value),
  )
}

/** @throws {Z1Error} GRAMMAR_INVALID, SCHEMA_INVALID. */
export function answerGrammar(
  grammar: string | undefined,
  schema: JsonSchema | StandardJsonSchema | undefined,
): AnswerGrammar | null {
  if (schema !== undefined) return ofSchema(schema)
  if (grammar === undefined) return null
  return remembered(`grammar ${grammar}`, () => {
    checkGrammar(grammar)
    return { grammar, isJson: false, warnings: [] }
  })
}

function ofSchema(schema: JsonSchema | StandardJsonSchema): AnswerGrammar {
  const given = plainSchema(schema)
  return remembered(`schema ${asText(given)}`, () => {
    const { grammar, warnings } = jsonSchemaToGrammar(given, { form: 'canonical' })
    return { grammar, isJson: true, warnings }
  })
}

/** @throws {Z1Error} SCHEMA_INVALID. */
export function plainSchema(schema: JsonSchema | StandardJsonSchema): unknown {
  return isStandard(schema) ? fromLibrary(schema) : schema
}

function fromLibrary(schema: StandardJsonSchema): unknown {
  try {
    return schema['~standard'].jsonSchema.input({ target: 'draft-2020-12' })
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Z1Error('SCHEMA_INVALID', `The schema's library makes no JSON Schema of it: ${reason}`, { cause: error })
  }
}

/** What cannot be text is no schema either, which the converter says. */
function asText(schema: unknown): string {
  try {
    return JSON.stringify(schema)
  } catch {
    return ''
  }
}

/** @param key Says all that `make` depends on. */
export function remembered<T>(key: string, make: () => T): T {
  const known = (recent.get(key) as T | undefined) ?? make()
  // The last used is the last to go.
  recent.delete(key)
  recent.set(key, known)
  if (recent.size > MAX_RECENT) recent.delete(recent.keys().next().value as string)
  return known
}

function isStandard(value: unknown): value is StandardJsonSchema {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null || !('~standard' in value))
    return false
  const standard = value['~standard'] as Partial<StandardJsonSchema['~standard']> | undefined
  return typeof standard?.jsonSchema?.input === 'function'
}
