/** One schema while its keywords are read: what they allow together, and the keywords that schemas are combined by. */
import { Z1Error } from '../base/errors.js'
import { ANY_ARRAY } from './arrays.js'
import { type Automaton, TooLarge } from './automaton.js'
import type { Documents } from './documents.js'
import { ANY_FORM, type Form, intersectForms, isEmptyForm, NO_FORM, TooMany, uniteForms } from './form.js'
import { isRecord } from './json.js'
import { FALSE, type Node, type Place, TRUE } from './nodes.js'
import { ANY_NUMBER } from './numbers.js'
import { ANY_OBJECT } from './objects.js'
import { NotRegular, ofPattern } from './regex.js'
import { Circular, type FormSolver, Unknown } from './solve.js'
import { ANY_STRING } from './strings.js'
import type { SchemaWarning } from './warnings.js'

const TYPES: Record<string, Partial<Form>> = {
  null: { null: true },
  boolean: { true: true, false: true },
  number: { numbers: [ANY_NUMBER] },
  integer: { numbers: [{ multiples: [{ of: 1, negated: false }] }] },
  string: { strings: [ANY_STRING] },
  array: { arrays: [ANY_ARRAY] },
  object: { objects: [ANY_OBJECT] },
}

/** A keyword whose value is not what JSON Schema says, as `required: true`. */
export class Malformed extends Error {}

/** One schema as its keywords are read, one after the other, each with what it allows. */
export class SchemaReader {
  readonly place: Place
  readonly documents: Documents
  readonly solver: FormSolver
  #form: Form = ANY_FORM
  readonly #warnings: SchemaWarning[] = []

  constructor(place: Place, documents: Documents, solver: FormSolver) {
    this.place = place
    this.documents = documents
    this.solver = solver
  }

  get schema() {
    return this.place.schema
  }

  get form(): Form {
    return this.#form
  }

  /** Intersects with what a keyword, if it is there, allows; or says that it is left out. */
  keyword(name: string, allows: (value: unknown) => Form): void {
    const value = this.schema[name]
    if (value === undefined || isEmptyForm(this.#form)) return
    try {
      const allowed = allows(value)
      this.#form = intersectForms(this.#form, allowed, this.solver)
    } catch (error) {
      const reason = reasonOf(error)
      if (reason === null) throw error
      this.warn(name, reason)
    }
  }

  replace(form: Form): void {
    this.#form = form
  }

  warn(keyword: string, message: string): void {
    this.#warnings.push({ path: this.place.path, keyword, message })
  }

  warning(keyword: string, message: string): SchemaWarning {
    return { path: this.place.path, keyword, message }
  }

  /** The node of a subschema that stands in this one. */
  node(value: unknown, ...keys: (string | number)[]): Node {
    if (value === true) return TRUE
    if (value === false) return FALSE
    if (!isRecord(value)) throw new Malformed('a schema is an object or a boolean')
    return this.solver.nodes.schema(this.documents.within(this.place, value, ...keys))
  }

  /** The texts of a pattern in this schema. */
  pattern(pattern: string): Automaton {
    try {
      return ofPattern(pattern)
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error
      throw new Z1Error('SCHEMA_INVALID', `At ${this.place.path || 'the root'}: ${error.message}`)
    }
  }

  result(): Form {
    return { ...this.#form, warnings: [...this.#form.warnings, ...this.#warnings] }
  }

  formOf(node: Node): Form {
    return this.solver.formOf(node)
  }

  nodesOf(value: unknown, keyword: string): Node[] {
    return listOf(value).map((item, i) => this.node(item, keyword, i))
  }

  types(value: unknown): Form {
    const names = Array.isArray(value) ? value : [value]
    const parts = names.map((name) => {
      const part = typeof name === 'string' && Object.hasOwn(TYPES, name) ? TYPES[name] : undefined
      if (part) return { ...NO_FORM, ...part }
      const known = Object.keys(TYPES).join(', ')
      throw new Z1Error(
        'SCHEMA_INVALID',
        `Expected type ${known} at ${this.place.path || 'the root'} but received ${JSON.stringify(name)}`,
      )
    })
    return uniteForms(names.includes('number') ? parts.filter((_, i) => names[i] !== 'integer') : parts)
  }

  reference(value: unknown): Form {
    if (typeof value !== 'string') throw new Malformed('a reference is a string')
    const target = this.documents.resolve(value, this.place.base)
    if (target === null) throw new Malformed(`${JSON.stringify(value)} is not in this schema`)
    if (typeof target === 'boolean') return target ? ANY_FORM : NO_FORM
    return this.formOf(this.solver.nodes.schema(target))
  }

  /** Which of several schemas is meant depends on the way that led here, which a node does not know. */
  dynamicReference(value: unknown): Form {
    const name = String(value).replace(/^.*#/, '')
    if (this.documents.countDynamic(name) > 1)
      throw new Malformed(`more than one schema has $dynamicAnchor ${JSON.stringify(name)}`)
    return this.reference(value)
  }

  condition(value: unknown): Form {
    const { nodes } = this.solver
    const { then = true, else: otherwise = true } = this.schema
    if (then === true && otherwise === true && !this.documents.keywords.has('unevaluatedProperties')) return ANY_FORM
    const condition = this.node(value, 'if')
    const holds = this.formOf(nodes.all(condition, this.node(then, 'then')))
    const fails = this.formOf(nodes.all(nodes.not(condition), this.node(otherwise, 'else')))
    return uniteForms([holds, fails])
  }

  anyOf(nodes: Node[]): Form {
    const forms = nodes.map((node) => this.formOf(node))
    // Narrowed one by one, alternatives that cannot be are gone before they are counted.
    return uniteForms(forms.map((form) => intersectForms(this.#form, form, this.solver)))
  }

  oneOf(nodes: Node[]): Form {
    const { solver } = this
    const forms: Form[] = []
    for (const [i, node] of nodes.entries()) {
      const rivals = nodes.filter((other, j) => j !== i && solver.overlap(node, other))
      try {
        forms.push(this.formOf(solver.nodes.all(node, ...rivals.map((rival) => solver.nodes.not(rival)))))
      } catch (error) {
        const reason = reasonOf(error)
        if (reason === null) throw error
        this.warn('oneOf', 'more than one of its schemas may hold')
        forms.push(this.formOf(node))
      }
    }
    return uniteForms(forms.map((form) => intersectForms(this.#form, form, solver)))
  }
}

/** Why a keyword is left out; null for errors that are none of its. */
function reasonOf(error: unknown): string | null {
  if (error instanceof TooLarge || error instanceof TooMany) return 'too large for a grammar'
  if (error instanceof Circular) return 'the schema refers to itself without an end'
  if (error instanceof Unknown) return 'what it excludes cannot be told by a grammar'
  if (error instanceof NotRegular) return `it has ${error.message}`
  if (error instanceof Malformed) return error.message
  return null
}

export function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Malformed('expected an array')
  return value
}

export function countOf(value: unknown): number {
  if (typeof value === 'number' && value >= 0 && Number.isInteger(value)) return value
  throw new Malformed('expected an integer ≥ 0')
}
