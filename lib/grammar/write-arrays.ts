/** Arrays as rules. */
import { type ArraySet, boundedByItems, itemOf } from './arrays.js'
import { choice, EMPTY, type Expression, literal, NOTHING, optional, repeat, rule, sequence } from './expressions.js'
import type { Node } from './nodes.js'
import type { Writer } from './write-objects.js'
import { space } from './write-texts.js'

/** Items that a grammar counts. */
const MAX_ITEMS = 4000
const MAX_STATES = 300

export function writeArray(given: ArraySet, hint: string, writer: Writer): Expression {
  const set = boundedByItems(given, writer.solver)
  if (!set) return NOTHING
  if (set.unique && set.most > 1) writer.warn('uniqueItems', set.unique.message)
  const gap = space(writer.rules)
  const [sought, ...more] = set.contains.filter(({ least, most }) => least > 0 || most < Infinity)
  if (more.length > 0) writer.warn('contains', 'only the first of several is enforced')
  const items = sought ? writeContaining(set, sought, hint, writer) : writeItems(set, hint, writer)
  const empty = set.least === 0 && (!sought || sought.least === 0) ? [literal(']')] : []
  const filled = set.most > 0 && items ? [sequence(items, gap, literal(']'))] : []
  return sequence(literal('['), gap, choice([...empty, ...filled]))
}

function writeItems(set: ArraySet, hint: string, writer: Writer): Expression {
  const { rules } = writer
  const comma = sequence(literal(','), space(rules))
  const count = Math.min(set.prefix.length, set.most)
  let { least, most } = set
  if (least > MAX_ITEMS) {
    writer.warn('minItems', 'too large for a grammar')
    least = MAX_ITEMS
  }
  if (most < Infinity && most > MAX_ITEMS) {
    writer.warn('maxItems', 'too large for a grammar')
    most = Infinity
  }
  const after = (index: number): Expression => {
    if (index >= most) return EMPTY
    if (index < count) {
      const one = sequence(comma, item(index), after(index + 1))
      return index < least ? one : optional(one)
    }
    const one = rules.add(`${hint}-next`, sequence(comma, writer.value(set.rest, `${hint}-item`)))
    return repeat(one, Math.max(0, least - index), most - index)
  }
  const item = (index: number) => writer.value(itemOf(set, index), `${hint}-item`)
  return sequence(item(0), after(1))
}

/** A rule for how many items have been found, and how many there are as far as that counts. */
function writeContaining(
  set: ArraySet,
  { node, least, most }: { node: Node; least: number; most: number },
  hint: string,
  writer: Writer,
): Expression | null {
  const { rules, solver } = writer
  const { nodes } = solver
  const gap = space(rules)
  const countTo = Math.max(1, set.prefix.length, set.most === Infinity ? set.least : set.most)
  const foundTo = most === Infinity ? least : most
  if ((countTo + 1) * (foundTo + 1) > MAX_STATES) {
    writer.warn('contains', 'too large for a grammar')
    return writeItems(set, hint, writer)
  }
  const made = new Map<string, string>()
  const after = (found: number, count: number): Expression => {
    const key = `${found},${count}`
    let name = made.get(key)
    if (!name) {
      name = rules.reserve(`${hint}-rest`)
      made.set(key, name)
      const isEnough = found >= least && count >= set.least && count > 0
      rules.set(
        name,
        choice([
          ...(isEnough ? [EMPTY] : []),
          ...(count < set.most
            ? [count === 0 ? items(found, count) : sequence(literal(','), gap, items(found, count))]
            : []),
        ]),
      )
    }
    return rule(name)
  }
  const items = (found: number, count: number): Expression => {
    const item = itemOf(set, count)
    const next = Math.min(count + 1, set.most === Infinity ? countTo : Infinity)
    const hit = nodes.all(item, node)
    // Where there is no limit, one that is not counted may as well be a hit.
    const miss = most === Infinity ? item : nodes.all(item, nodes.not(node))
    const ways: Expression[] = []
    if (found < foundTo && !solver.isEmpty(hit))
      ways.push(sequence(writer.value(hit, `${hint}-item`), after(found + 1, next)))
    if (!solver.isEmpty(miss)) ways.push(sequence(writer.value(miss, `${hint}-item`), after(found, next)))
    return choice(ways)
  }
  return after(0, 0)
}
