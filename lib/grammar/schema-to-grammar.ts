/** JSON Schema to GBNF. */
import { oneOf } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { option, readOptions } from '../base/options.js'
import { type Automaton, intersect, isEmpty, ofLength, TooLarge } from './automaton.js'
import { Documents } from './documents.js'
import { choice, type Expression, literal, NOTHING, Rules, rule } from './expressions.js'
import { ANY_FORM, type Form } from './form.js'
import { isRecord, jsonCopy } from './json.js'
import { FALSE, type Node, TRUE } from './nodes.js'
import { isFree, type NumberSet, textsOfNumbers } from './numbers.js'
import { readSchema } from './read-schema.js'
import { Circular, FormSolver, Unknown } from './solve.js'
import type { StringSet } from './strings.js'
import type { SchemaWarning } from './warnings.js'
import { writeArray } from './write-arrays.js'
import { type Writer, writeObject } from './write-objects.js'
import { anyString, plainTexts, stringOf, stringOfLength } from './write-texts.js'

export interface SchemaGrammar {
  /** GBNF, with the rule `root`. */
  grammar: string
  warnings: SchemaWarning[]
}

export interface GrammarOptions {
  /**
   * `all`: whatever the schema allows, properties in any order and those that it does not speak of. `canonical`: for generating:
   * properties in the schema's order, each once, and others only where the schema has something to say of them. Default `all`.
   */
  form?: 'all' | 'canonical' | undefined
}

const GRAMMAR_OPTIONS = { form: option(oneOf(['all', 'canonical'] as const), 'all') }

/** Rules of a grammar; more than any schema of reasonable size needs. */
const MAX_RULES = 60_000
/** Characters of a string that a grammar counts. */
const MAX_LENGTH = 10_000

/**
 * A grammar of the JSON that a schema allows, without white space or with a little. All that it takes is valid, but for what the
 * warnings name. Properties come in any order, where more than a handful are required in the schema's; numbers have at most 16
 * digits before the point.
 * @param schema JSON Schema, draft 4 to 2020-12.
 * @throws {TypeError} for what is no schema.
 * @throws {Z1Error} SCHEMA_INVALID.
 */
export function jsonSchemaToGrammar(schema: unknown, options?: GrammarOptions): SchemaGrammar {
  const { form } = readOptions(GRAMMAR_OPTIONS, options)
  if (schema !== true && schema !== false && !isRecord(schema)) {
    throw new TypeError('Expected a JSON Schema: an object or a boolean')
  }
  const copy = jsonCopy(schema)
  return new GrammarWriter(isRecord(copy) ? copy : copy === true ? {} : { not: {} }, form).write()
}

class GrammarWriter implements Writer {
  readonly form: 'all' | 'canonical'
  readonly rules = new Rules()
  readonly solver: FormSolver
  readonly #documents: Documents
  readonly #names = new Map<Node, string>()
  readonly #warnings = new Map<string, SchemaWarning>()
  /** The same pattern of several properties is one rule. */
  readonly #strings = new Map<Automaton, Map<string, Expression>>()
  readonly #queue: (() => void)[] = []
  #path = ''

  constructor(schema: Readonly<Record<string, unknown>>, form: 'all' | 'canonical') {
    this.form = form
    this.#documents = new Documents(schema)
    this.solver = new FormSolver((node, solver) => readSchema(node.place, this.#documents, solver))
  }

  write(): SchemaGrammar {
    const root = this.rules.reserve('root')
    this.rules.set(root, this.value(this.solver.nodes.schema(this.#documents.root), 'value'))
    // Not by recursion: a schema may be deeper than the stack.
    for (let next = this.#queue.pop(); next; next = this.#queue.pop()) {
      next()
      if (this.rules.size > MAX_RULES) throw new Z1Error('SCHEMA_INVALID', 'The schema is too large for a grammar')
    }
    const grammar = this.rules.print(root)
    if (grammar === null) throw new Z1Error('SCHEMA_INVALID', 'The schema allows no value at all')
    return { grammar, warnings: [...this.#warnings.values()] }
  }

  value(node: Node, hint: string): Expression {
    if (node === FALSE) return NOTHING
    const known = this.#names.get(node)
    if (known) return rule(known)
    const name = this.rules.reserve(node === TRUE ? 'value' : hint)
    this.#names.set(node, name)
    this.#queue.push(() => this.rules.set(name, this.#formOf(node, name)))
    return rule(name)
  }

  warn(keyword: string, message: string): void {
    this.#add({ path: this.#path, keyword, message })
  }

  #add(warning: SchemaWarning): void {
    this.#warnings.set(`${warning.path} ${warning.keyword} ${warning.message}`, warning)
  }

  #formOf(node: Node, hint: string): Expression {
    const form = this.#known(node)
    this.#path = node.kind === 'schema' ? node.place.path : this.#path
    for (const warning of form.warnings) this.#add(warning)
    const ways: Expression[] = []
    if (form.null) ways.push(literal('null'))
    if (form.true) ways.push(literal('true'))
    if (form.false) ways.push(literal('false'))
    for (const set of form.numbers) ways.push(this.#number(set, hint))
    for (const set of form.strings) ways.push(this.#string(set, hint))
    for (const set of form.arrays) ways.push(writeArray(set, hint, this))
    for (const set of form.objects) ways.push(writeObject(set, hint, this))
    return choice(ways)
  }

  /** A combination that has no form of its own is less than it should be, and says so. */
  #known(node: Node): Form {
    try {
      return this.solver.formOf(node)
    } catch (error) {
      if (!(error instanceof Unknown || error instanceof Circular)) throw error
      const parts = node.kind === 'all' ? node.of : []
      this.warn('not', 'what it excludes cannot be told by a grammar')
      const part = parts.find((one) => one.kind !== 'not')
      return part ? this.#known(part) : ANY_FORM
    }
  }

  #number(set: NumberSet, hint: string): Expression {
    if (isFree(set))
      return this.rules.shared('number', () => plainTexts(this.rules, 'number-text', textsOfNumbers(set)))
    const isInteger = isFree({ ...set, multiples: [] }) && set.multiples.length === 1 && set.multiples[0]?.of === 1
    if (isInteger && !set.multiples[0]?.negated) {
      return this.rules.shared('integer', () => plainTexts(this.rules, 'integer-text', textsOfNumbers(set)))
    }
    try {
      const texts = textsOfNumbers(set)
      return isEmpty(texts) ? NOTHING : plainTexts(this.rules, hint, texts)
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error
      this.warn('multipleOf', 'too large for a grammar')
      return this.#number({ ...set, multiples: set.multiples.filter(({ of }) => of === 1) }, hint)
    }
  }

  #string(set: StringSet, hint: string): Expression {
    const { texts } = set
    let { least, most } = set
    if (!texts && most < Infinity && most > MAX_LENGTH) {
      this.warn('maxLength', `more than ${MAX_LENGTH} characters are not counted`)
      most = Infinity
    }
    if (!texts && least > MAX_LENGTH) {
      this.warn('minLength', `more than ${MAX_LENGTH} characters are not counted`)
      least = MAX_LENGTH
    }
    if (!texts)
      return least === 0 && most === Infinity ? anyString(this.rules) : stringOfLength(this.rules, least, most)
    const known = this.#strings.get(texts)?.get(`${least} ${most}`)
    if (known) return known
    const written = this.#writeString(texts, least, most, hint)
    const ofTexts = this.#strings.get(texts) ?? new Map<string, Expression>()
    this.#strings.set(texts, ofTexts.set(`${least} ${most}`, written))
    return written
  }

  #writeString(given: Automaton, least: number, most: number, hint: string): Expression {
    let texts = given
    try {
      if (least > 0 || most < Infinity) texts = intersect(texts, ofLength(least, most))
    } catch (error) {
      if (!(error instanceof TooLarge)) throw error
      this.warn(least > 0 ? 'minLength' : 'maxLength', 'too large for a grammar beside a pattern or format')
    }
    return isEmpty(texts) ? NOTHING : stringOf(this.rules, hint, texts)
  }
}
