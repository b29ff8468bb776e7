/** Names and their values, in blocks that are nested in the source. */
import type { Value } from './values.js'

export class Scope {
  readonly #values = new Map<string, Value>()
  readonly #outer: Scope | null

  constructor(outer: Scope | null = null) {
    this.#outer = outer
  }

  get(name: string): Value | undefined {
    for (let scope: Scope | null = this; scope; scope = scope.#outer) {
      const value = scope.#values.get(name)
      if (value !== undefined) return value
    }
    return undefined
  }

  /** In this block only: what a loop sets is gone after it. */
  set(name: string, value: Value): void {
    this.#values.set(name, value)
  }
}
