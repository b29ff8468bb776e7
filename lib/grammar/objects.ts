/** What a schema says of objects: of each key that it names, of the others by what they look like, and of how many there are. */
import { ANY_TEXT, type Automaton, intersect, isEmpty, matches, negate, ofTexts, subtract, unite } from './automaton.js'
import { FALSE, type Node, TRUE } from './nodes.js'
import type { Solver } from './solver.js'

/** Keys of one kind, and their values. */
export interface KeyKind {
  keys: Automaton
  node: Node
}

export interface ObjectSet {
  named: ReadonlyMap<string, Node>
  /** Of keys that are not named. Kinds do not overlap; what is of none is forbidden. */
  others: readonly KeyKind[]
  required: ReadonlySet<string>
  /** Properties. */
  least: number
  most: number
  /** Keys that a keyword has looked at, for unevaluatedProperties. */
  evaluated: Automaton | null
}

export const ANY_OBJECT: ObjectSet = {
  named: new Map(),
  others: [{ keys: ANY_TEXT, node: TRUE }],
  required: new Set(),
  least: 0,
  most: Infinity,
  evaluated: null,
}

function nodeOfKey({ named, others }: ObjectSet, key: string): Node {
  return named.get(key) ?? others.find(({ keys }) => matches(keys, key))?.node ?? FALSE
}

/** Kinds of keys that several schemas tell apart, with what all of them say. */
export function meetKinds(a: readonly KeyKind[], b: readonly KeyKind[], solver: Solver): KeyKind[] {
  const result: KeyKind[] = []
  for (const x of a) {
    for (const y of b) {
      const node = solver.nodes.all(x.node, y.node)
      if (node === FALSE) continue
      const keys = x.keys === y.keys ? x.keys : intersect(x.keys, y.keys)
      if (!isEmpty(keys)) result.push({ keys, node })
    }
  }
  return result
}

export function intersectObjects(a: ObjectSet, b: ObjectSet, solver: Solver): ObjectSet | null {
  if (a === ANY_OBJECT) return b
  if (b === ANY_OBJECT) return a
  const named = new Map<string, Node>()
  for (const key of [...a.named.keys(), ...b.named.keys()]) {
    named.set(key, solver.nodes.all(nodeOfKey(a, key), nodeOfKey(b, key)))
  }
  return settled(
    {
      named,
      others: meetKinds(a.others, b.others, solver),
      required: new Set([...a.required, ...b.required]),
      least: Math.max(a.least, b.least),
      most: Math.min(a.most, b.most),
      evaluated: a.evaluated && b.evaluated ? unite(a.evaluated, b.evaluated) : (a.evaluated ?? b.evaluated),
    },
    solver,
  )
}

/** With what is required among the named keys. Null: no object is left. */
function settled(set: ObjectSet, solver: Solver): ObjectSet | null {
  const named = new Map(set.named)
  for (const key of set.required) {
    const node = nodeOfKey(set, key)
    if (node === FALSE || solver.isEmpty(node)) return null
    named.set(key, node)
  }
  if (Math.max(set.least, set.required.size) > set.most) return null
  return { ...set, named }
}

export function complementObject(set: ObjectSet, { nodes }: Solver): ObjectSet[] | null {
  const result: ObjectSet[] = []
  for (const key of set.required) result.push({ ...ANY_OBJECT, named: new Map([[key, FALSE]]) })
  for (const [key, node] of set.named) {
    if (node === TRUE) continue
    result.push({ ...ANY_OBJECT, named: new Map([[key, nodes.not(node)]]), required: new Set([key]) })
  }
  // That some key among infinitely many has a wrong value is nothing that such a set can say.
  if (set.others.some(({ node }) => node !== TRUE) || !isEmpty(unnamed(set))) return null
  if (set.least > 0) result.push({ ...ANY_OBJECT, most: set.least - 1 })
  if (set.most < Infinity) result.push({ ...ANY_OBJECT, least: set.most + 1 })
  return result
}

/** Keys that are forbidden, beside those that are named. */
function unnamed({ named, others }: ObjectSet): Automaton {
  if (others.length === 1 && others[0]?.keys === ANY_TEXT) return negate(ANY_TEXT)
  let rest = subtract(ANY_TEXT, ofTexts(named.keys()))
  for (const { keys } of others) rest = subtract(rest, keys)
  return rest
}
