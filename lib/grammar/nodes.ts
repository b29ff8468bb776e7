/**
 * Subschemas and what is combined of them, as nodes that are compared by identity: the same combination is the same node,
 * so that recursion comes back to where it began.
 */
import type { JsonValue } from './json.js'

/** A subschema and where it stands. */
export interface Place {
  schema: Readonly<Record<string, unknown>>
  /** URI that references in it are relative to. */
  base: string
  /** JSON Pointer from the root of what was given. */
  path: string
}

export type Node = { readonly id: number } & (
  | { readonly kind: 'true' | 'false' }
  | { readonly kind: 'schema'; readonly place: Place }
  | { readonly kind: 'value'; readonly value: JsonValue }
  | { readonly kind: 'all' | 'any'; readonly of: readonly Node[] }
  | { readonly kind: 'not'; readonly of: Node }
)

export const TRUE: Node = { id: 0, kind: 'true' }
export const FALSE: Node = { id: 1, kind: 'false' }

export class Nodes {
  readonly #bySchema = new Map<object, Node>()
  readonly #byKey = new Map<string, Node>()
  #next = 2

  /** @param place Its schema is of an object that stands at one place. */
  schema(place: Place): Node {
    const known = this.#bySchema.get(place.schema)
    if (known) return known
    const node: Node = { id: this.#next++, kind: 'schema', place }
    this.#bySchema.set(place.schema, node)
    return node
  }

  value(value: JsonValue): Node {
    return this.#intern(`value ${JSON.stringify(value)}`, (id) => ({ id, kind: 'value', value }))
  }

  all(...nodes: readonly Node[]): Node {
    return this.#combine('all', nodes, TRUE, FALSE)
  }

  any(...nodes: readonly Node[]): Node {
    return this.#combine('any', nodes, FALSE, TRUE)
  }

  not(node: Node): Node {
    if (node.kind === 'not') return node.of
    if (node === TRUE) return FALSE
    if (node === FALSE) return TRUE
    return this.#intern(`not ${node.id}`, (id) => ({ id, kind: 'not', of: node }))
  }

  #combine(kind: 'all' | 'any', nodes: readonly Node[], neutral: Node, absorbing: Node): Node {
    const flat = new Set(nodes.flatMap((node) => (node.kind === kind ? node.of : [node])))
    flat.delete(neutral)
    if (flat.has(absorbing)) return absorbing
    const of = [...flat].sort((a, b) => a.id - b.id)
    if (of.length <= 1) return of[0] ?? neutral
    return this.#intern(`${kind} ${of.map(({ id }) => id).join()}`, (id) => ({ id, kind, of }))
  }

  #intern(key: string, make: (id: number) => Node): Node {
    const known = this.#byKey.get(key)
    if (known) return known
    const node = make(this.#next++)
    this.#byKey.set(key, node)
    return node
  }
}
