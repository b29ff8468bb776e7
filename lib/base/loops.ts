/** Repetition in what a model writes: the same block of tokens, or of words, again and again. Knows no vocabulary. */
import { count, misuse } from './checks.js'
import { type Option, option, readOptions } from './options.js'

/** A block that repeats without a gap. Counts are in tokens, or in words where words were given. */
export interface Loop {
  /** Where the first repetition begins, ≥ 0. */
  start: number
  /** Length of the block. */
  period: number
}

export interface LoopOptions {
  /** Shortest block that counts, ≥ 1. Default 4. */
  minPeriod?: number | undefined
  /** Longest block that is looked for, ≥ minPeriod. Default 128. */
  maxPeriod?: number | undefined
  /** How many times in a row a block must stand, ≥ 2. Default 3. */
  repeats?: number | undefined
}

const LOOP_OPTIONS = {
  minPeriod: option(count(1), 4),
  maxPeriod: option(count(1), 128),
  repeats: option(count(2), 3),
} satisfies Record<keyof LoopOptions, Option<unknown>>

/**
 * Watches a text while it grows. Each item costs `maxPeriod` comparisons; memory does not grow.
 *
 * A block that is itself made of something shorter than `minPeriod` (a row of zeros, a rule of dashes) is often meant:
 * it counts only once it is as long as `repeats` of the longest block.
 */
export class LoopDetector {
  readonly #min: number
  readonly #max: number
  readonly #repeats: number
  /** The last items, item i at i modulo the longest period. */
  readonly #recent: (number | string)[] = []
  /** By period: how many of the last items in a row equal the one a period before. */
  readonly #equal: Int32Array
  #count = 0

  /** @throws {TypeError|RangeError} for invalid options. */
  constructor(options: LoopOptions = {}) {
    const { minPeriod, maxPeriod, repeats } = readOptions(LOOP_OPTIONS, options)
    if (maxPeriod < minPeriod) throw misuse(RangeError, `integer ≥ minPeriod, ${minPeriod},`, 'maxPeriod', maxPeriod)
    this.#min = minPeriod
    this.#max = maxPeriod
    this.#repeats = repeats
    this.#equal = new Int32Array(maxPeriod + 1)
  }

  /** Takes the next token or word; returns the loop that it completes or continues, or null. */
  push(item: number | string): Loop | null {
    const equal = this.#equal
    const at = this.#count
    const longest = Math.min(this.#max, at)
    let period = 0
    for (let p = 1; p <= longest; p++) {
      equal[p] = this.#recent[(at - p) % this.#max] === item ? (equal[p] as number) + 1 : 0
      if (period === 0 && p >= this.#min && this.#spans(p, p * this.#repeats)) {
        if (this.#unitOf(p * this.#repeats) === 0) period = p
      }
    }
    this.#recent[at % this.#max] = item
    this.#count += 1
    if (period === 0) period = this.#unitOf(this.#max * this.#repeats)
    return period === 0 ? null : { start: this.#count - (equal[period] as number) - period, period }
  }

  /** The period under the shortest that counts, of the last `length` items; 0 if they have none. */
  #unitOf(length: number): number {
    for (let unit = 1; unit < this.#min; unit++) if (this.#spans(unit, length)) return unit
    return 0
  }

  /** Whether the last `length` items have this period. */
  #spans(period: number, length: number): boolean {
    return (this.#equal[period] as number) >= length - period
  }
}

/** The first loop in a text of tokens or words, or null. */
export function findLoop(items: Iterable<number | string>, options?: LoopOptions): Loop | null {
  const detector = new LoopDetector(options)
  for (const item of items) {
    const loop = detector.push(item)
    if (loop) return loop
  }
  return null
}
