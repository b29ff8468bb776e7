/** Automata, and which of their states accept the same texts (Hopcroft 1971: n log n, where rounds over all states are n²). */

/** One step: code points from `first` to `last` lead to the state `to`. */
export interface Edge {
  first: number
  last: number
  to: number
}

/** State 0 is the first. Where no edge leads on, the text is not in the set. Edges are sorted and do not overlap. */
export interface Automaton {
  edges: readonly (readonly Edge[])[]
  accepts: readonly boolean[]
}

/** For each state a number that only its equals have. */
export function equivalent(automaton: Automaton): number[] {
  const inputs = columns(automaton)
  const partition = new Partition(automaton.accepts)
  const pending: [block: number, input: number][] = []
  const enter = (block: number) => pending.push(...inputs.map((_, input): [number, number] => [block, input]))
  for (let block = 0; block < partition.size; block++) enter(block)
  for (let next = pending.pop(); next; next = pending.pop()) {
    const [block, input] = next
    const sources = inputs[input] as readonly number[][]
    const before = partition.statesOf(block).flatMap((state) => sources[state] ?? [])
    for (const fresh of partition.split(before)) enter(fresh)
  }
  return automaton.accepts.map((_, state) => partition.blockOf(state))
}

/** For every set of code points that no state tells apart: by state, those that it leads to it from. The last state is the one of no return. */
function columns({ edges, accepts }: Automaton): number[][][] {
  const cuts = [...new Set(edges.flat().flatMap(({ first, last }) => [first, last + 1]))].sort((a, b) => a - b)
  const sink = accepts.length
  const place = new Map(cuts.map((cut, i) => [cut, i]))
  const targets = cuts.map(() => new Int32Array(sink + 1).fill(sink))
  edges.forEach((list, state) => {
    for (const { first, last, to } of list) {
      for (let i = place.get(first) as number; (cuts[i] as number) <= last; i++) (targets[i] as Int32Array)[state] = to
    }
  })
  const distinct = new Map(targets.map((column) => [column.join(), column]))
  return [...distinct.values()].map((column) => {
    const sources: number[][] = []
    column.forEach((to, state) => {
      const list = sources[to]
      if (list) list.push(state)
      else sources[to] = [state]
    })
    return sources
  })
}

/** Blocks of states, each a part of one array. */
class Partition {
  readonly #states: number[]
  readonly #at: number[]
  readonly #block: number[]
  readonly #starts: number[] = []
  readonly #ends: number[] = []

  constructor(accepts: readonly boolean[]) {
    const all = [...accepts, false]
    const accepting = all.flatMap((accepted, state) => (accepted ? [state] : []))
    const others = all.flatMap((accepted, state) => (accepted ? [] : [state]))
    this.#states = [...others, ...accepting]
    this.#at = []
    this.#block = []
    this.#states.forEach((state, i) => {
      this.#at[state] = i
      this.#block[state] = i < others.length ? 0 : 1
    })
    this.#add(0, others.length)
    if (accepting.length > 0) this.#add(others.length, all.length)
  }

  get size(): number {
    return this.#starts.length
  }

  blockOf(state: number): number {
    return this.#block[state] as number
  }

  statesOf(block: number): number[] {
    return this.#states.slice(this.#starts[block], this.#ends[block])
  }

  /** Parts each block into those of a list and the others; the new blocks, which are the smaller parts. */
  split(list: readonly number[]): number[] {
    const marked = new Map<number, number>()
    for (const state of list) {
      const block = this.blockOf(state)
      const count = marked.get(block) ?? 0
      this.#swap(this.#at[state] as number, (this.#starts[block] as number) + count)
      marked.set(block, count + 1)
    }
    const fresh: number[] = []
    for (const [block, count] of marked) {
      const start = this.#starts[block] as number
      const end = this.#ends[block] as number
      if (count === end - start) continue
      const isSmaller = count <= (end - start) / 2
      const [from, to] = isSmaller ? [start, start + count] : [start + count, end]
      if (isSmaller) this.#starts[block] = to
      else this.#ends[block] = from
      fresh.push(this.#add(from, to))
    }
    return fresh
  }

  #add(from: number, to: number): number {
    const block = this.#starts.push(from) - 1
    this.#ends.push(to)
    for (let i = from; i < to; i++) this.#block[this.#states[i] as number] = block
    return block
  }

  #swap(i: number, j: number): void {
    const a = this.#states[i] as number
    const b = this.#states[j] as number
    this.#states[i] = b
    this.#states[j] = a
    this.#at[a] = j
    this.#at[b] = i
  }
}
