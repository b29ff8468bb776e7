/** Schemas for the tests, each with values that tell its keywords apart. */

const DRAFT_7 = 'http://json-schema.org/draft-07/schema#'

/** Tried with every schema. */
export const values: unknown[] = [
  null,
  true,
  false,
  0,
  1,
  -1,
  7,
  2.5,
  'a',
  '',
  'abc',
  [],
  [1],
  ['a', 'b'],
  {},
  { a: 1 },
  { a: 'x', b: 2 },
]

const names = (count: number) => Array.from({ length: count }, (_, i) => `p${i}`)
const objectOf = (keys: readonly string[]) => Object.fromEntries(keys.map((key) => [key, 1]))

export const cases: { name: string; schema: unknown; instances?: unknown[] }[] = [
  { name: 'anything', schema: {} },
  { name: 'types', schema: { type: ['integer', 'null', 'array'] } },
  {
    name: 'integer bounds',
    schema: { type: 'integer', minimum: -12, exclusiveMaximum: 207 },
    instances: [-13, -12, -5, 99, 206, 207, 1000],
  },
  {
    name: 'number bounds',
    schema: { type: 'number', exclusiveMinimum: -2.5, maximum: 12.25 },
    instances: [-2.5, -2.49, 12.25, 12.251, 3, 100],
  },
  {
    name: 'large bounds',
    schema: { type: 'integer', minimum: 123456789 },
    instances: [123456788, 123456789, 999999999, 1000000000],
  },
  { name: 'multiples', schema: { type: 'integer', multipleOf: 7 }, instances: [14, 15, 700, -21, -20] },
  {
    name: 'fractional multiples',
    schema: { type: 'number', multipleOf: 0.25 },
    instances: [0.25, 0.5, 0.3, 12.75, 12.7],
  },
  { name: 'length', schema: { type: 'string', minLength: 1, maxLength: 2 }, instances: ['ab', 'é', '😀😀', '😀😀😀'] },
  { name: 'pattern anywhere', schema: { type: 'string', pattern: '[bx]c' }, instances: ['abc', 'xcz', 'cb', 'ab"xc'] },
  {
    name: 'pattern of it all',
    schema: { type: 'string', pattern: '^a(b|c+)?$' },
    instances: ['ab', 'accc', 'abb', 'xa'],
  },
  {
    name: 'pattern and length',
    schema: { type: 'string', pattern: '^[a-c]+$', maxLength: 3 },
    instances: ['abca', 'cab', 'abd'],
  },
  { name: 'look-ahead', schema: { type: 'string', pattern: '^(?!ab)[a-z]+$' }, instances: ['abc', 'acb', 'b'] },
  {
    name: 'word boundary',
    schema: { type: 'string', pattern: '\\bfoo\\b' },
    instances: ['foo', 'a foo b', 'foob', 'a-foo'],
  },
  {
    name: 'escapes in a pattern',
    schema: { type: 'string', pattern: '^[\\s"\\\\]+$' },
    instances: ['"', '\\', '\n\t', '\u2028', 'a'],
  },
  {
    name: 'date-time',
    schema: { type: 'string', format: 'date-time' },
    instances: [
      '2024-02-29T10:00:00Z',
      '2023-02-29T10:00:00Z',
      '2024-04-31T10:00:00Z',
      '2024-01-01T10:00:00.5+01:00',
      '2024-01-01',
    ],
  },
  {
    name: 'date',
    schema: { type: 'string', format: 'date' },
    instances: ['2000-02-29', '1900-02-29', '2024-13-01', '2024-12-31'],
  },
  {
    name: 'uuid',
    schema: { type: 'string', format: 'uuid' },
    instances: ['01234567-89ab-cdef-0123-456789abcdef', '01234567-89ab-cdef-0123-456789abcde'],
  },
  { name: 'ipv4', schema: { type: 'string', format: 'ipv4' }, instances: ['1.2.3.4', '256.1.1.1', '1.2.3'] },
  {
    name: 'ipv6',
    schema: { type: 'string', format: 'ipv6' },
    instances: ['::1', '1:2:3:4:5:6:7:8', '1::2::3', '::ffff:1.2.3.4', '12345::'],
  },
  {
    name: 'email',
    schema: { type: 'string', format: 'email' },
    instances: ['joe.bloggs@example.com', 'joe', '@example.com', '.joe@example.com'],
  },
  {
    name: 'uri',
    schema: { type: 'string', format: 'uri' },
    instances: ['https://example.com/a?b=c#d', 'urn:x:y', '//no', 'a b'],
  },
  {
    name: 'enum',
    schema: { enum: ['a', 1, null, [1], { a: 1 }, 'long "text"'] },
    instances: ['long "text"', { a: 2 }, [1, 1]],
  },
  { name: 'const', schema: { const: { a: [1, { b: null }] } }, instances: [{ a: [1, { b: null }] }, { a: [1, {}] }] },
  { name: 'enum and type', schema: { type: 'string', enum: ['a', 'abc', 1], maxLength: 2 } },
  {
    name: 'items',
    schema: { type: 'array', items: { type: 'integer' }, minItems: 1, maxItems: 3 },
    instances: [
      [1, 2, 3],
      [1, 2, 3, 4],
      [1, 'a'],
    ],
  },
  {
    name: 'prefixItems',
    schema: { type: 'array', prefixItems: [{ type: 'integer' }, { type: 'string' }], items: false },
    instances: [[1, 'a'], [1, 'a', 2], ['a']],
  },
  {
    name: 'tuples of draft 7',
    schema: { $schema: DRAFT_7, type: 'array', items: [{ type: 'integer' }], additionalItems: { type: 'string' } },
    instances: [
      [1, 'a'],
      [1, 2],
    ],
  },
  {
    name: 'contains among a few',
    schema: { type: 'array', contains: { const: 1 }, maxItems: 3 },
    instances: [[2, 3, 1], [2, 3, 4, 1], [2]],
  },
  {
    name: 'contains',
    schema: { type: 'array', contains: { const: 1 }, minContains: 2, maxContains: 3 },
    instances: [
      [1, 2, 1],
      [1, 1, 1, 1],
      [2, 1],
    ],
  },
  {
    name: 'required in any order',
    schema: { type: 'object', required: ['a', 'b'] },
    instances: [{ b: 1, a: 2 }, { b: 1, c: 3, a: 2 }, { b: 1 }],
  },
  {
    name: 'many properties',
    schema: { type: 'object', properties: objectOfSchemas(names(12)), required: names(4) },
    instances: [
      objectOf(names(12)),
      objectOf(names(4).reverse()),
      objectOf(names(3)),
      { ...objectOf(names(12).reverse()), x: 1 },
    ],
  },
  {
    name: 'many required ones',
    schema: { type: 'object', required: names(14) },
    instances: [objectOf(names(14)), { x: 1, ...objectOf(names(14)), y: 2 }, objectOf(names(13))],
  },
  {
    name: 'additionalProperties',
    schema: { type: 'object', properties: { a: true }, additionalProperties: { type: 'string' } },
    instances: [
      { a: 1, ab: 'x' },
      { a: 1, ab: 2 },
    ],
  },
  {
    name: 'patternProperties',
    schema: {
      type: 'object',
      patternProperties: { '^x': { type: 'integer' }, y$: { minimum: 5 } },
      additionalProperties: false,
    },
    instances: [{ x: 1 }, { xy: 4 }, { xy: 5 }, { y: 9 }, { z: 1 }],
  },
  {
    name: 'propertyNames',
    schema: { type: 'object', propertyNames: { pattern: '^[a-c]+$', maxLength: 2 } },
    instances: [{ abc: 1 }, { cc: 1 }, { d: 1 }],
  },
  {
    name: 'counts of properties',
    schema: { type: 'object', minProperties: 1, maxProperties: 2 },
    instances: [{ a: 1, b: 2, c: 3 }, { c: 1 }],
  },
  { name: 'dependentRequired', schema: { dependentRequired: { a: ['b'] } }, instances: [{ b: 1 }, { a: 1, b: 1 }] },
  {
    name: 'dependentSchemas',
    schema: { dependentSchemas: { a: { properties: { b: { type: 'integer' } } } } },
    instances: [{ a: 1, b: 'x' }, { b: 'x' }],
  },
  {
    name: 'allOf',
    schema: {
      allOf: [{ properties: { a: { type: 'integer' } } }, { properties: { a: { minimum: 3 } }, required: ['a'] }],
    },
    instances: [{ a: 3 }, { a: 'x' }],
  },
  {
    name: 'anyOf',
    schema: {
      anyOf: [
        { type: 'string', maxLength: 1 },
        { type: 'integer', minimum: 5 },
      ],
    },
  },
  {
    name: 'oneOf, apart',
    schema: {
      oneOf: [
        { properties: { k: { const: 'a' } }, required: ['k'] },
        { properties: { k: { const: 'b' }, v: { type: 'integer' } }, required: ['k', 'v'] },
      ],
      type: 'object',
    },
    instances: [{ k: 'a' }, { k: 'b' }, { k: 'b', v: 1 }, { v: 1, k: 'b' }],
  },
  {
    name: 'oneOf, across',
    schema: { oneOf: [{ required: ['a'] }, { required: ['b'] }], type: 'object' },
    instances: [{ b: 1 }],
  },
  {
    name: 'oneOf of numbers',
    schema: {
      oneOf: [
        { type: 'integer', multipleOf: 3 },
        { type: 'integer', multipleOf: 5 },
      ],
    },
    instances: [3, 5, 15, 30, 9],
  },
  { name: 'not', schema: { type: 'string', not: { enum: ['a', 'abc'] } }, instances: ['ab', 'abcd'] },
  { name: 'not required', schema: { type: 'object', not: { required: ['a', 'b'] } }, instances: [{ b: 1 }] },
  {
    name: 'if, then, else',
    schema: JSON.parse(
      '{ "if": { "type": "integer" }, "then": { "minimum": 1 }, "else": { "type": ["string", "null"] } }',
    ),
  },
  {
    name: 'references',
    schema: {
      $defs: { p: { $anchor: 'p', type: 'integer' } },
      properties: { a: { $ref: '#p' }, b: { $ref: '#/$defs/p' } },
    },
  },
  {
    name: 'identifiers',
    schema: {
      $id: 'https://example.com/s',
      $defs: { t: { $id: 't', type: 'integer' } },
      properties: { a: { $ref: 't' } },
    },
  },
  {
    name: 'unevaluatedProperties',
    schema: {
      type: 'object',
      allOf: [{ properties: { a: true } }],
      properties: { b: true },
      unevaluatedProperties: false,
    },
    instances: [{ b: 1 }, { c: 1 }, { a: 1, c: 1 }],
  },
  {
    name: 'unevaluatedItems',
    schema: { type: 'array', allOf: [{ prefixItems: [true] }], unevaluatedItems: { type: 'integer' } },
    instances: [
      ['a', 1],
      ['a', 'b'],
    ],
  },
  {
    name: 'names that are hard to write',
    schema: {
      type: 'object',
      properties: {
        'a"b\\c\n': { type: 'integer' },
        number: { type: 'number' },
        string: true,
        'é😀': { type: 'null' },
      },
      additionalProperties: false,
    },
    instances: [{ 'a"b\\c\n': 1 }, { number: 1.5, string: 'x' }, { 'é😀': null }, { é: null }],
  },
]

function objectOfSchemas(keys: readonly string[]) {
  return Object.fromEntries(keys.map((key) => [key, { type: 'integer' }]))
}

/** What a grammar cannot say. */
export const unsupported: { keyword: string; path: string; schema: unknown; valid: unknown }[] = [
  { keyword: 'uniqueItems', path: '', schema: { uniqueItems: true }, valid: [1, 2] },
  {
    keyword: 'pattern',
    path: '/properties/a',
    schema: { properties: { a: { pattern: '^(a|b)\\1$' } } },
    valid: { a: 'aa' },
  },
  { keyword: 'format', path: '', schema: { format: 'regex' }, valid: 'a*' },
  { keyword: '$ref', path: '/items', schema: { items: { $ref: 'https://example.com/other' } }, valid: [1] },
  { keyword: 'maxLength', path: '', schema: { maxLength: 100_000 }, valid: 'abc' },
  { keyword: 'multipleOf', path: '', schema: { type: 'number', multipleOf: 0.000123 }, valid: 0 },
  { keyword: 'required', path: '/properties/a', schema: { properties: { a: { required: true } } }, valid: { a: 1 } },
  { keyword: 'not', path: '', schema: { not: { uniqueItems: true, type: 'array' } }, valid: 1 },
]
