/**
 * Sets of texts as deterministic automata: what patterns, lengths, formats and numbers allow. Intersection, union and
 * complement are exact, so what a schema combines is combined here. Knows no JSON.
 */
import { ALL } from './code-points.js'
import { type Automaton, type Edge, equivalent } from './equivalence.js'

export type { Automaton, Edge }

/** An automaton grew beyond what a grammar can hold. */
export class TooLarge extends Error {}

const MAX_STATES = 4000

export const ANY_TEXT: Automaton = {
  edges: [[0, 2].map((i) => ({ first: ALL[i] as number, last: ALL[i + 1] as number, to: 0 }))],
  accepts: [true],
}

const DEAD = -1

/** States found by a walk from a first one, numbered in order. */
export function explore<S>(
  start: S,
  keyOf: (state: S) => string,
  step: (state: S, index: (state: S) => number) => { edges: Edge[]; accepts: boolean },
): Automaton {
  const found = new Map<string, number>()
  const states: S[] = []
  const index = (state: S) => {
    const key = keyOf(state)
    let at = found.get(key)
    if (at === undefined) {
      at = states.length
      if (at >= MAX_STATES) throw new TooLarge()
      found.set(key, at)
      states.push(state)
    }
    return at
  }
  index(start)
  const edges: Edge[][] = []
  const accepts: boolean[] = []
  for (let i = 0; i < states.length; i++) {
    const { edges: next, accepts: last } = step(states[i] as S, index)
    edges.push(next)
    accepts.push(last)
  }
  return { edges, accepts }
}

/** Every pair of states, over the code points for which both, or one of the two, go on. */
function product(
  a: Automaton,
  b: Automaton,
  accepts: (a: boolean, b: boolean) => boolean,
  needs: 'both' | 'first' | 'any',
) {
  const edgesOf = (automaton: Automaton, state: number) => (state === DEAD ? [] : (automaton.edges[state] ?? []))
  const result = explore<readonly [number, number]>(
    [0, 0],
    ([x, y]) => `${x},${y}`,
    ([x, y], index) => {
      const edges: Edge[] = []
      const ofA = edgesOf(a, x)
      const ofB = edgesOf(b, y)
      const cuts = new Set<number>()
      for (const edge of [...ofA, ...ofB]) {
        cuts.add(edge.first)
        cuts.add(edge.last + 1)
      }
      const points = [...cuts].sort((left, right) => left - right)
      let i = 0
      let j = 0
      for (let k = 0; k + 1 < points.length; k++) {
        const first = points[k] as number
        while (i < ofA.length && (ofA[i] as Edge).last < first) i++
        while (j < ofB.length && (ofB[j] as Edge).last < first) j++
        const edgeA = ofA[i]
        const edgeB = ofB[j]
        const toA = edgeA && edgeA.first <= first ? edgeA.to : DEAD
        const toB = edgeB && edgeB.first <= first ? edgeB.to : DEAD
        if (toA === DEAD && (toB === DEAD || needs !== 'any')) continue
        if (toB === DEAD && needs === 'both') continue
        edges.push({ first, last: (points[k + 1] as number) - 1, to: index([toA, toB]) })
      }
      const inA = x !== DEAD && (a.accepts[x] as boolean)
      const inB = y !== DEAD && (b.accepts[y] as boolean)
      return { edges, accepts: accepts(inA, inB) }
    },
  )
  return minimize(result)
}

export function intersect(a: Automaton, b: Automaton): Automaton {
  if (a === ANY_TEXT) return b
  if (b === ANY_TEXT) return a
  return product(a, b, (inA, inB) => inA && inB, 'both')
}

export function unite(a: Automaton, b: Automaton): Automaton {
  return product(a, b, (inA, inB) => inA || inB, 'any')
}

export function subtract(a: Automaton, b: Automaton): Automaton {
  return product(a, b, (inA, inB) => inA && !inB, 'first')
}

export function negate(a: Automaton): Automaton {
  return subtract(ANY_TEXT, a)
}

export function isEmpty(automaton: Automaton): boolean {
  return !automaton.accepts.includes(true)
}

export function matches(automaton: Automaton, text: string): boolean {
  let state = 0
  for (const character of text) {
    const point = character.codePointAt(0) as number
    const edge = automaton.edges[state]?.find(({ first, last }) => first <= point && point <= last)
    if (!edge) return false
    state = edge.to
  }
  return automaton.accepts[state] as boolean
}

/** The texts of a list. */
export function ofTexts(texts: Iterable<string>): Automaton {
  const next: Map<number, number>[] = [new Map()]
  const accepts = [false]
  for (const text of texts) {
    let state = 0
    for (const character of text) {
      const point = character.codePointAt(0) as number
      let to = next[state]?.get(point)
      if (to === undefined) {
        to = next.length
        next.push(new Map())
        accepts.push(false)
        next[state]?.set(point, to)
      }
      state = to
    }
    accepts[state] = true
  }
  // A state's targets are made after it: from the last state on, equals are found at once.
  const same: number[] = []
  const found = new Map<string, number>()
  const edges = next.map((steps) =>
    [...steps].map(([point, to]) => ({ first: point, last: point, to })).sort((x, y) => x.first - y.first),
  )
  for (let state = next.length - 1; state >= 0; state--) {
    const signature = `${accepts[state]}${(edges[state] as Edge[]).map(({ first, to }) => `,${first}:${same[to]}`).join('')}`
    same[state] = found.get(signature) ?? state
    found.set(signature, same[state] as number)
  }
  return explore<number>(same[0] as number, String, (state, index) => ({
    edges: (edges[state] as Edge[]).map((edge) => ({ ...edge, to: index(same[edge.to] as number) })),
    accepts: accepts[state] as boolean,
  }))
}

/** Texts of `least` to `most` characters. */
export function ofLength(least: number, most: number): Automaton {
  const count = most === Infinity ? least : most
  if (count >= MAX_STATES) throw new TooLarge()
  const step = (to: number) => [0, 2].map((i) => ({ first: ALL[i] as number, last: ALL[i + 1] as number, to }))
  const edges = Array.from({ length: count + 1 }, (_, i) =>
    i < count ? step(i + 1) : most === Infinity ? step(i) : [],
  )
  return { edges, accepts: edges.map((_, i) => i >= least) }
}

/** Least and most characters of a text in the set, which is not empty; of those that are too many, Infinity. */
export function lengths(automaton: Automaton): { least: number; most: number } {
  let least = Infinity
  const distance = [0]
  for (let head = 0, queue = [0]; head < queue.length; head++) {
    const state = queue[head] as number
    if (automaton.accepts[state] && least === Infinity) least = distance[state] as number
    for (const { to } of automaton.edges[state] as readonly Edge[]) {
      if (distance[to] !== undefined) continue
      distance[to] = (distance[state] as number) + 1
      queue.push(to)
    }
  }
  return { least, most: longest(automaton) }
}

/** All states of a minimal automaton reach an accepting one, so a circle among them makes texts of any length. */
function longest(automaton: Automaton): number {
  const into = automaton.edges.map(() => 0)
  for (const edges of automaton.edges) for (const { to } of edges) into[to] = (into[to] as number) + 1
  const depth = automaton.edges.map(() => 0)
  const queue = into.flatMap((count, state) => (count === 0 ? [state] : []))
  for (const state of queue) {
    for (const { to } of automaton.edges[state] as readonly Edge[]) {
      depth[to] = Math.max(depth[to] as number, (depth[state] as number) + 1)
      into[to] = (into[to] as number) - 1
      if (into[to] === 0) queue.push(to)
    }
  }
  if (queue.length < automaton.edges.length) return Infinity
  return Math.max(...depth.filter((_, state) => automaton.accepts[state]))
}

/** The same set with as few states as can be, in the order in which a walk finds them; states from which no text ends are gone. */
export function minimize(automaton: Automaton): Automaton {
  const lives = liveStates(automaton)
  const edges = automaton.edges.map((list) => list.filter(({ to }) => lives[to]))
  const group = equivalent({ edges, accepts: automaton.accepts })
  const first = new Map<number, number>()
  group.forEach((own, state) => {
    if (!first.has(own)) first.set(own, state)
  })
  return explore<number>(group[0] as number, String, (own, index) => {
    const state = first.get(own) as number
    const steps = joined(edges[state] as Edge[], group).map((edge) => ({ ...edge, to: index(edge.to) }))
    return { edges: steps, accepts: automaton.accepts[state] as boolean }
  })
}

/** Edges to groups, neighbors with the same target as one. */
function joined(edges: readonly Edge[], group: readonly number[]): Edge[] {
  const result: Edge[] = []
  for (const { first, last, to } of edges) {
    const before = result.at(-1)
    const target = group[to] as number
    if (before && before.to === target && before.last + 1 === first) before.last = last
    else result.push({ first, last, to: target })
  }
  return result
}

function liveStates(automaton: Automaton): boolean[] {
  const from: number[][] = automaton.edges.map(() => [])
  automaton.edges.forEach((edges, state) => {
    for (const { to } of edges) from[to]?.push(state)
  })
  const lives = [...automaton.accepts]
  const queue = lives.flatMap((live, state) => (live ? [state] : []))
  for (const state of queue) {
    for (const before of from[state] as number[]) {
      if (lives[before]) continue
      lives[before] = true
      queue.push(before)
    }
  }
  return lives
}
