/**
 * Objects as rules. Properties come in any order: a rule stands for those that have been, which are told apart as far as it
 * matters (the required ones) and as rules do not become too many. Beyond that the required ones come in the schema's order,
 * with the others anywhere between them.
 */
import { type Automaton, intersect, isEmpty, ofTexts, subtract } from './automaton.js'
import { choice, type Expression, literal, NOTHING, type Rules, rule, sequence } from './expressions.js'
import { type Node, TRUE } from './nodes.js'
import { ANY_OBJECT, type ObjectSet } from './objects.js'
import type { Solver } from './solver.js'
import { anyString, space, stringOf } from './write-texts.js'

export interface Writer {
  /** `all`: what the schema allows. `canonical`: one way to write it. */
  form: 'all' | 'canonical'
  rules: Rules
  solver: Solver
  /** A rule for the values of a node. */
  value(node: Node, hint: string): Expression
  warn(keyword: string, message: string): void
}

/** A property: `bit` is what it leaves behind in the state, 0 for nothing. */
interface Pair {
  rule: Expression
  bit: number
}

interface State {
  /** Bits of the properties that have been. */
  seen: number
  /** Other properties, as far as they are counted. */
  count: number
}

/** States times the properties that may follow. */
const MAX_WAYS = 3000
/** Properties whose order a rule for each can hold: each names those that may come next. */
const MAX_IN_ORDER = 150
/** Properties that are told apart though they are optional, so that none comes twice. */
const MAX_DISTINCT = 5

export function writeObject(set: ObjectSet, hint: string, writer: Writer): Expression {
  const { rules, solver } = writer
  const gap = space(rules)
  const plain = set === ANY_OBJECT
  const allowed = [...set.named].filter(([, node]) => !solver.isEmpty(node))
  const required = allowed.filter(([key]) => set.required.has(key)).map(([key]) => key)
  if (required.length < set.required.size) return NOTHING
  const pairOf = (key: string, node: Node) =>
    rules.add(`${hint}-${key}`, sequence(literal(`${JSON.stringify(key)}:`), gap, writer.value(node, key)))
  // A model that may write any property writes many.
  const isClosed = writer.form === 'canonical' && allowed.length > 0 && set.least <= allowed.length
  const kinds = isClosed ? set.others.filter(({ node }) => node !== TRUE) : set.others
  const others = plain
    ? [sequence(anyString(rules), literal(':'), gap, writer.value(set.others[0]?.node as Node, 'value'))]
    : otherPairs({ ...set, others: kinds }, hint, writer)
  const counted = countedBounds(set, allowed.length, required.length, others.length > 0)
  if (
    writer.form === 'canonical' &&
    counted.least === 0 &&
    counted.most === Infinity &&
    allowed.length <= MAX_IN_ORDER
  ) {
    const inOrder = allowed.map(([key, node]) => ({ rule: pairOf(key, node), isRequired: set.required.has(key) }))
    return inSchemaOrder(inOrder, others, hint, writer)
  }
  const order = orderOf(allowed.length, required.length, others.length, counted)
  if (counted.most < Infinity && counted.most * 2 ** required.length * (allowed.length + 1) > 4 * MAX_WAYS) {
    writer.warn('maxProperties', 'too large for a grammar')
    counted.most = Infinity
  }
  if (counted.least > 1 && (others.length > 0 || order !== 'distinct'))
    writer.warn('minProperties', 'the same key may come twice')
  const tracked = order === 'distinct' ? allowed.map(([key]) => key) : required
  const pairs = allowed.map(
    ([key, node]): Pair => ({ rule: pairOf(key, node), bit: tracked.includes(key) ? 1 << tracked.indexOf(key) : 0 }),
  )
  const needed = required.reduce((bits, key) => bits | (1 << tracked.indexOf(key)), 0)
  if (order === 'inTurn')
    return inTurn(
      pairs,
      others,
      required.map((key) => allowed.findIndex(([name]) => name === key)),
      hint,
      writer,
    )
  return inAnyOrder([...pairs, ...others.map((one) => ({ rule: one, bit: 0 }))], needed, counted, hint, writer)
}

/** Keys that are not named, and their values. */
function otherPairs(set: ObjectSet, hint: string, writer: Writer): Expression[] {
  const { rules, solver } = writer
  const named = ofTexts(set.named.keys())
  return set.others.flatMap(({ keys, node }) => {
    if (solver.isEmpty(node)) return []
    const rest: Automaton = set.named.size === 0 || isEmpty(intersect(keys, named)) ? keys : subtract(keys, named)
    if (isEmpty(rest)) return []
    const key = rest === ANY_OBJECT.others[0]?.keys ? anyString(rules) : stringOf(rules, `${hint}-key`, rest)
    return [rules.add(`${hint}-other`, sequence(key, literal(':'), space(rules), writer.value(node, `${hint}-other`)))]
  })
}

/** Each property at most once, in the schema's order, then those that have no name. */
function inSchemaOrder(
  pairs: readonly { rule: Expression; isRequired: boolean }[],
  others: readonly Expression[],
  hint: string,
  { rules }: Writer,
): Expression {
  const gap = space(rules)
  const names = [...pairs, null].map(() => rules.reserve(`${hint}-rest`))
  /** What may come when those before `from` are done with. */
  const ways = (from: number): { next: Expression[]; canEnd: boolean } => {
    const next: Expression[] = []
    for (let i = from; i < pairs.length; i++) {
      const pair = pairs[i] as (typeof pairs)[number]
      next.push(sequence(pair.rule, rule(names[i + 1] as string)))
      if (pair.isRequired) return { next, canEnd: false }
    }
    next.push(...others.map((one) => sequence(one, rule(names.at(-1) as string))))
    return { next, canEnd: true }
  }
  names.forEach((name, i) => {
    const { next, canEnd } = ways(i)
    const goOn = next.length > 0 ? [sequence(literal(','), gap, choice(next))] : []
    rules.set(name, choice(canEnd ? [sequence(gap, literal('}')), ...goOn] : goOn))
  })
  const { next, canEnd } = ways(0)
  return sequence(literal('{'), gap, choice(canEnd ? [literal('}'), ...next] : next))
}

interface Bounds {
  least: number
  most: number
}

/** Of the properties: bounds that hold anyhow are left out. */
function countedBounds(set: ObjectSet, named: number, required: number, hasOthers: boolean): Bounds {
  const least = set.least <= required ? 0 : set.least
  return { least, most: !hasOthers && set.most >= named ? Infinity : set.most }
}

function orderOf(
  named: number,
  required: number,
  others: number,
  { least, most }: Bounds,
): 'distinct' | 'free' | 'inTurn' {
  const ways = (tracked: number) => 2 ** tracked * (named + others) * (most === Infinity ? 1 : most + 1)
  if (named <= MAX_DISTINCT || ((least > 1 || most < Infinity) && named <= 10 && ways(named) <= 2 * MAX_WAYS))
    return 'distinct'
  return ways(required) <= MAX_WAYS || required <= 1 ? 'free' : 'inTurn'
}

function inAnyOrder(
  pairs: readonly Pair[],
  needed: number,
  { least, most }: Bounds,
  hint: string,
  { rules }: Writer,
): Expression {
  const gap = space(rules)
  const counts = least > 0 || most < Infinity
  const limit = most === Infinity ? least : most
  const total = ({ seen, count }: State) => count + bitsIn(seen)
  const next = (state: State, { bit }: Pair): State | null => {
    if (bit !== 0 && (state.seen & bit) !== 0) return null
    const after = { seen: state.seen | bit, count: state.count + (bit === 0 && counts ? 1 : 0) }
    if (most < Infinity && total(after) + bitsIn(needed & ~after.seen) > most) return null
    // Beyond the least it is enough to know that there are as many.
    if (most === Infinity && counts) after.count = Math.min(after.count, Math.max(0, limit))
    return after
  }
  const isDone = (state: State) => (state.seen & needed) === needed && total(state) >= least
  const follow = (name: string, write: (state: State) => Expression) => {
    const made = new Map<string, string>()
    return (state: State): Expression => {
      const key = `${state.seen},${state.count}`
      let known = made.get(key)
      if (!known) {
        known = rules.reserve(name)
        made.set(key, known)
        rules.set(known, write(state))
      }
      return rule(known)
    }
  }
  const more = follow(
    `${hint}-pairs`,
    (state): Expression =>
      choice(
        pairs.flatMap((pair) => {
          const after = next(state, pair)
          return after ? [sequence(pair.rule, rest(after))] : []
        }),
      ),
  )
  const rest = follow(`${hint}-rest`, (state): Expression => {
    const canGoOn = pairs.some((pair) => next(state, pair) !== null)
    const end = isDone(state) ? [sequence(gap, literal('}'))] : []
    return choice(canGoOn ? [...end, sequence(literal(','), gap, more(state))] : end)
  })
  const first = { seen: 0, count: 0 }
  const empty = isDone(first) ? [literal('}')] : []
  const filled = pairs.some((pair) => next(first, pair) !== null) ? [more(first)] : []
  return sequence(literal('{'), gap, choice([...empty, ...filled]))
}

function inTurn(
  pairs: readonly Pair[],
  others: readonly Expression[],
  turns: readonly number[],
  hint: string,
  { rules }: Writer,
): Expression {
  const gap = space(rules)
  const free = [...pairs.filter((_, i) => !turns.includes(i)).map((pair) => pair.rule), ...others]
  const names = [...turns, -1].map(() => ({
    more: rules.reserve(`${hint}-pairs`),
    rest: rules.reserve(`${hint}-rest`),
  }))
  names.forEach(({ more, rest }, i) => {
    const turn = turns[i]
    const ways = free.map((one) => sequence(one, rule(rest)))
    if (turn !== undefined) ways.push(sequence(pairs[turn]?.rule as Expression, rule(names[i + 1]?.rest as string)))
    rules.set(more, choice(ways))
    const goOn = ways.length > 0 ? [sequence(literal(','), gap, rule(more))] : []
    rules.set(rest, choice(turn === undefined ? [sequence(gap, literal('}')), ...goOn] : goOn))
  })
  return sequence(literal('{'), gap, rule(names[0]?.more as string))
}

function bitsIn(bits: number): number {
  let count = 0
  for (let rest = bits; rest !== 0; rest &= rest - 1) count++
  return count
}
