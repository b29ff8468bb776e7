/** Keywords of numbers and strings. */
import { ANY_FORM, type Form } from './form.js'
import { ofFormat } from './formats.js'
import { ANY_NUMBER, type NumberSet } from './numbers.js'
import { countOf, Malformed, type SchemaReader } from './schema-reader.js'
import { ANY_STRING, type StringSet } from './strings.js'

const numbers = (set: Partial<NumberSet>): Form => ({ ...ANY_FORM, numbers: [{ ...ANY_NUMBER, ...set }] })
const strings = (set: Partial<StringSet>): Form => ({ ...ANY_FORM, strings: [{ ...ANY_STRING, ...set }] })

export function readNumbers(reader: SchemaReader): void {
  const { schema } = reader
  // In draft 4 they say whether the bound is one of the numbers.
  const strictLeast = schema.exclusiveMinimum === true
  const strictMost = schema.exclusiveMaximum === true
  reader.keyword('minimum', (value) => numbers({ least: { value: numberOf(value), strict: strictLeast } }))
  reader.keyword('maximum', (value) => numbers({ most: { value: numberOf(value), strict: strictMost } }))
  if (typeof schema.exclusiveMinimum !== 'boolean') {
    reader.keyword('exclusiveMinimum', (value) => numbers({ least: { value: numberOf(value), strict: true } }))
  }
  if (typeof schema.exclusiveMaximum !== 'boolean') {
    reader.keyword('exclusiveMaximum', (value) => numbers({ most: { value: numberOf(value), strict: true } }))
  }
  reader.keyword('multipleOf', (value) => {
    if (numberOf(value) <= 0) throw new Malformed('expected a number > 0')
    return numbers({ multiples: [{ of: numberOf(value), negated: false }] })
  })
}

export function readStrings(reader: SchemaReader): void {
  reader.keyword('minLength', (value) => strings({ least: countOf(value) }))
  reader.keyword('maxLength', (value) => strings({ most: countOf(value) }))
  reader.keyword('pattern', (value) => {
    if (typeof value !== 'string') throw new Malformed('a pattern is a string')
    return strings({ texts: reader.pattern(value) })
  })
  reader.keyword('format', (value) => {
    if (value === 'regex') throw new Malformed('no grammar tells whether a text is a regular expression')
    const texts = typeof value === 'string' ? ofFormat(value) : null
    return texts ? strings({ texts, exact: false }) : ANY_FORM
  })
  if (!reader.documents.refStandsAlone) return
  for (const keyword of ['contentEncoding', 'contentMediaType']) {
    reader.keyword(keyword, () => {
      throw new Malformed('what a string encodes is not looked at')
    })
  }
}

function numberOf(value: unknown): number {
  if (typeof value === 'number' && Number.isFinite(value)) return value
  throw new Malformed('expected a number')
}
