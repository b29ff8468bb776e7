/** What a schema says of arrays. */
import { FALSE, type Node, TRUE } from './nodes.js'
import type { Solver } from './solver.js'
import type { SchemaWarning } from './warnings.js'

export interface ArraySet {
  /** Of the first items, by position. */
  prefix: readonly Node[]
  /** Of the others. */
  rest: Node
  least: number
  most: number
  /** How many items are of a node. */
  contains: readonly { node: Node; least: number; most: number }[]
  /** What is said when items may be the same after all. */
  unique: SchemaWarning | null
  /** How many of the first items a keyword has looked at, for unevaluatedItems. */
  evaluated: number
}

export const ANY_ARRAY: ArraySet = {
  prefix: [],
  rest: TRUE,
  least: 0,
  most: Infinity,
  contains: [],
  unique: null,
  evaluated: 0,
}

export const itemOf = ({ prefix, rest }: ArraySet, index: number): Node => prefix[index] ?? rest

export function intersectArrays(a: ArraySet, b: ArraySet, { nodes }: Solver): ArraySet | null {
  if (a === ANY_ARRAY) return b
  if (b === ANY_ARRAY) return a
  const positions = Math.max(a.prefix.length, b.prefix.length)
  const result: ArraySet = {
    prefix: Array.from({ length: positions }, (_, i) => nodes.all(itemOf(a, i), itemOf(b, i))),
    rest: nodes.all(a.rest, b.rest),
    least: Math.max(a.least, b.least),
    most: Math.min(a.most, b.most),
    contains: [...new Set([...a.contains, ...b.contains])],
    unique: a.unique ?? b.unique,
    evaluated: Math.max(a.evaluated, b.evaluated),
  }
  return result.least > result.most ? null : result
}

/** The set with its length bound by items that no value is of. Null: no array is left. */
export function boundedByItems(set: ArraySet, solver: Solver): ArraySet | null {
  let most = set.most
  for (let i = 0; i <= set.prefix.length && i < most; i++) {
    if (itemOf(set, i) === FALSE || solver.isEmpty(itemOf(set, i))) most = i
  }
  return most < set.least ? null : { ...set, most }
}

export function complementArray(set: ArraySet, { nodes }: Solver): ArraySet[] | null {
  if (set.unique) return null
  const result: ArraySet[] = []
  if (set.least > 0) result.push({ ...ANY_ARRAY, most: set.least - 1 })
  if (set.most < Infinity) result.push({ ...ANY_ARRAY, least: set.most + 1 })
  for (const [i, node] of set.prefix.entries()) {
    if (node === TRUE) continue
    const prefix = [...Array.from({ length: i }, () => TRUE), nodes.not(node)]
    result.push({ ...ANY_ARRAY, prefix, least: i + 1 })
  }
  if (set.rest === FALSE) result.push({ ...ANY_ARRAY, least: set.prefix.length + 1 })
  else if (set.rest !== TRUE) {
    if (set.prefix.length > 0) return null
    result.push({ ...ANY_ARRAY, contains: [{ node: nodes.not(set.rest), least: 1, most: Infinity }] })
  }
  for (const { node, least, most } of set.contains) {
    if (least > 0) result.push({ ...ANY_ARRAY, contains: [{ node, least: 0, most: least - 1 }] })
    if (most < Infinity) result.push({ ...ANY_ARRAY, contains: [{ node, least: most + 1, most: Infinity }] })
  }
  return result
}
