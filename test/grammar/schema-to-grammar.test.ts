/** Grammars of schemas: what llama.cpp accepts by them is what Ajv finds valid. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkGrammar } from '../../lib/grammar/check-grammar.js'
import { jsonSchemaToGrammar } from '../../lib/index.js'
import { schemaValidator } from '../support/schema-validator.js'
import { type Judge, loadJudge } from './judge.js'
import { cases, unsupported, values } from './schemas.js'

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#'
const ajv = { draft7: schemaValidator('draft7'), draft2020: schemaValidator() }

let judge: Judge
beforeAll(async () => {
  judge = await loadJudge()
})
afterAll(() => judge.close())

describe.each(cases)('$name', ({ schema, instances = [] }) => {
  const isDraft7 = (schema as { $schema?: string }).$schema === DRAFT_7
  const isValid = (isDraft7 ? ajv.draft7 : ajv.draft2020).compile(schema as object)
  const all = [...instances, ...values]

  it('accepts what is valid, and nothing else', () => {
    const { grammar, warnings } = jsonSchemaToGrammar(schema)
    checkGrammar(grammar)
    expect(warnings).toEqual([])
    const accepted = all.filter((value) => judge.accepts(grammar, JSON.stringify(value)))
    expect(accepted).toEqual(all.filter((value) => isValid(value)))
  })

  it('in canonical form accepts some of it', () => {
    const { grammar } = jsonSchemaToGrammar(schema, { form: 'canonical' })
    checkGrammar(grammar)
    const accepted = all.filter((value) => judge.accepts(grammar, JSON.stringify(value)))
    expect(accepted.filter((value) => !isValid(value))).toEqual([])
    expect(accepted.length > 0 || !all.some((value) => isValid(value))).toBe(true)
  })
})

describe('warnings', () => {
  it.each(unsupported)('name $keyword', ({ schema, keyword, path, valid }) => {
    const { grammar, warnings } = jsonSchemaToGrammar(schema)
    checkGrammar(grammar)
    expect(warnings.map((warning) => [warning.path, warning.keyword])).toEqual([[path, keyword]])
    expect(judge.accepts(grammar, JSON.stringify(valid))).toBe(true)
  })
})

describe('the canonical form', () => {
  const schema = { properties: { a: { type: 'integer' }, b: true, c: true }, required: ['b'], type: 'object' }
  const accepts = (text: string, form: 'all' | 'canonical') =>
    judge.accepts(jsonSchemaToGrammar(schema, { form }).grammar, text)

  it.each([
    ['{"a":1,"b":2,"c":3}', true],
    ['{"b":2}', true],
    ['{"b":2,"c":3}', true],
    ['{ "a": 1,\n  "b": 2 }', true],
    ['{"b":2,"a":1}', false],
    ['{"b":2,"x":1}', false],
    ['{"b":2,"b":3}', false],
  ])('%s: %s', (text, expected) => {
    expect(accepts(text, 'canonical')).toBe(expected)
  })

  it('all has every order, and properties that the schema does not name', () => {
    for (const text of ['{"c":1,"b":2,"a":1}', '{"x":{"y":[]},"b":2}']) expect(accepts(text, 'all')).toBe(true)
  })

  it('has other properties where the schema speaks of them', () => {
    const { grammar } = jsonSchemaToGrammar({ ...schema, additionalProperties: true }, { form: 'canonical' })
    expect(judge.accepts(grammar, '{"b":2,"x":1}')).toBe(true)
  })
})

it('counts characters, however they are written', () => {
  const { grammar } = jsonSchemaToGrammar({ type: 'string', minLength: 2, maxLength: 2 })
  for (const text of ['"ab"', '"é😀"', '"\\n\\u00e9"']) expect(judge.accepts(grammar, text)).toBe(true)
  for (const text of ['"a"', '"abc"', '"\\ud83d\\ude00"']) expect(judge.accepts(grammar, text)).toBe(false)
})

it('refuses a key that another spelling makes one of the named', () => {
  const { grammar } = jsonSchemaToGrammar({ properties: { a: { type: 'integer' } }, type: 'object' })
  expect(judge.accepts(grammar, '{"\\u0061":"x"}')).toBe(false)
})

it('goes as deep as a recursive schema does', () => {
  const schema = { $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } }, $ref: '#/$defs/tree' }
  const { grammar } = jsonSchemaToGrammar(schema)
  expect(judge.accepts(grammar, '[[],[[[[]]]]]')).toBe(true)
  expect(judge.accepts(grammar, '[[],[[[[1]]]]]')).toBe(false)
})

// By draft 7; Ajv looks at it all the same.
it('does not look at what stands beside a reference in draft 7', () => {
  const schema = { definitions: { s: { type: 'integer' } }, $ref: '#/definitions/s', maximum: 0 }
  const accepts = ($schema: string) => judge.accepts(jsonSchemaToGrammar({ $schema, ...schema }).grammar, '5')
  expect([accepts(DRAFT_7), accepts('https://json-schema.org/draft/2020-12/schema')]).toEqual([true, false])
})

describe('refused', () => {
  const nested = (levels: number): unknown => (levels === 0 ? {} : { items: nested(levels - 1) })
  it.each([
    ['an unknown type', { properties: { a: { type: 'kaboom' } } }, 'at /properties/a but received "kaboom"'],
    ['no value', { enum: [] }, 'allows no value'],
    ['false', false, 'allows no value'],
    ['a broken pattern', { pattern: '(' }, 'Invalid regular expression'],
    ['too deep', nested(300), 'more than 256 levels'],
    ['more than the stack', nested(5000), 'more than 256 levels'],
  ])('%s', (_, schema, message) => {
    expect(() => jsonSchemaToGrammar(schema)).toThrow(expect.objectContaining({ code: 'SCHEMA_INVALID' }))
    expect(() => jsonSchemaToGrammar(schema)).toThrow(message)
  })

  it.each([[null], ['{}'], [[]], [3]])('%j is no schema', (schema) => {
    expect(() => jsonSchemaToGrammar(schema)).toThrow(TypeError)
  })
})
