/** Forms of nodes: each is made once, on demand, so that recursion in a schema ends. */
import { boundedByItems } from './arrays.js'
import { ANY_FORM, complementForm, type Form, intersectForms, isEmptyForm, NO_FORM, uniteForms } from './form.js'
import { FALSE, type Node, Nodes, TRUE } from './nodes.js'
import type { Solver } from './solver.js'
import { valueForm } from './values.js'

/** Whether a node is empty was asked while its form is being made. */
class Pending extends Error {}

/** A schema that is, in the end, itself. */
export class Circular extends Error {}

/** A node without a form that can be told, as the complement of some. */
export class Unknown extends Error {}

/** How a subschema is read, which this file need not know. */
export type ReadSchema = (node: Node & { kind: 'schema' }, solver: FormSolver) => Form

export class FormSolver implements Solver {
  readonly nodes = new Nodes()
  readonly #read: ReadSchema
  readonly #forms = new Map<Node, Form | 'unknown'>()
  readonly #empty = new Map<Node, boolean>()
  /** Nodes whose forms are being made, and how many questions deep. */
  readonly #open = new Map<Node, number>()
  #depth = 0

  constructor(read: ReadSchema) {
    this.#read = read
  }

  /**
   * @throws {Circular} when it needs itself.
   * @throws {Unknown} for the complement of what has none.
   */
  formOf(node: Node): Form {
    const known = this.#forms.get(node)
    if (known === 'unknown') throw new Unknown()
    if (known) return known
    const depth = this.#open.get(node)
    if (depth !== undefined) throw depth < this.#depth ? new Pending() : new Circular()
    this.#open.set(node, this.#depth)
    try {
      const form = this.#make(node)
      this.#forms.set(node, form)
      return form
    } catch (error) {
      if (error instanceof Unknown) this.#forms.set(node, 'unknown')
      throw error
    } finally {
      this.#open.delete(node)
    }
  }

  isEmpty(node: Node): boolean {
    if (node === TRUE || node === FALSE) return node === FALSE
    const known = this.#empty.get(node)
    if (known !== undefined) return known
    if (this.#depth > 12) return false
    this.#depth++
    try {
      const empty = this.#hasNothing(this.formOf(node))
      this.#empty.set(node, empty)
      return empty
    } catch (error) {
      if (error instanceof Pending || error instanceof Unknown || error instanceof Circular) return false
      throw error
    } finally {
      this.#depth--
    }
  }

  overlap(a: Node, b: Node): boolean {
    return !this.isEmpty(this.nodes.all(a, b))
  }

  #hasNothing(form: Form): boolean {
    if (isEmptyForm(form)) return true
    const withoutArrays = { ...form, arrays: form.arrays.filter((set) => boundedByItems(set, this)) }
    return isEmptyForm(withoutArrays)
  }

  #make(node: Node): Form {
    switch (node.kind) {
      case 'true':
        return ANY_FORM
      case 'false':
        return NO_FORM
      case 'value':
        return valueForm(node.value, this.nodes)
      case 'schema':
        return this.#read(node, this)
      case 'all':
        return node.of.map((one) => this.formOf(one)).reduce((a, b) => intersectForms(a, b, this))
      case 'any':
        return uniteForms(node.of.map((one) => this.formOf(one)))
      case 'not': {
        const form = complementForm(this.formOf(node.of), this)
        if (!form) throw new Unknown()
        return form
      }
    }
  }
}
