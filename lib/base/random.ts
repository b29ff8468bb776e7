/** Draws of one problem: the same seed and index give the same draws on every machine. */
import { sum } from 'd3-array'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'
import type { RandomGenerator } from 'pure-rand/types/RandomGenerator'

export class Random {
  readonly #generator: RandomGenerator

  /** @param index Which of the independent streams of `seed`. */
  constructor(seed: number, index = 0) {
    this.#generator = xoroshiro128plus(hash(`${seed}/${index}`))
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return uniformInt(this.#generator, low, high)
  }

  chance(probability: number): boolean {
    return this.int(0, 9999) < probability * 10_000
  }

  pick<T>(items: readonly T[]): T {
    return items[this.int(0, items.length - 1)] as T
  }

  /** One of `[weight, item]`, with a chance proportional to its weight (an integer). */
  weighted<T>(items: readonly (readonly [number, T])[]): T {
    const total = sum(items, ([weight]) => weight)
    let rest = this.int(1, total)
    for (const [weight, item] of items) {
      rest -= weight
      if (rest <= 0) return item
    }
    throw new RangeError('Expected positive weights')
  }

  /** `count` different items, in random order. */
  sample<T>(items: readonly T[], count: number): T[] {
    const rest = [...items]
    return Array.from({ length: count }, () => rest.splice(this.int(0, rest.length - 1), 1)[0] as T)
  }

  /** `count` different integers from `low` to `high`, in random order. */
  distinct(low: number, high: number, count: number): number[] {
    const seen = new Set<number>()
    while (seen.size < count) seen.add(this.int(low, high))
    return [...seen]
  }
}

/** 32 bits of a text: FNV-1a, then MurmurHash3's mixing, since FNV's low bits of short texts are close to each other. */
export function hash(text: string): number {
  let h = 0x811c9dc5
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193)
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}
