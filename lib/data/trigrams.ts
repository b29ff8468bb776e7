/** The most frequent runs of three words, in bounded memory. */
import { cutWords } from '../base/words.js'

export interface Trigram {
  text: string
  count: number
}

/** Distinct trigrams that are held at most, some 50 MB of them. */
const CAPACITY = 2 ** 18

/**
 * Counts trigrams. When more than the capacity are held, the median of their counts is taken from all and those that
 * have nothing left are forgotten (Misra and Gries's counters): what was taken in all, `error`, bounds how far a count is
 * off, and one that is far more frequent is exact.
 */
export class TrigramCounter {
  /** How much the counts of {@link top} may be too high; 0: they are exact. */
  error = 0

  readonly #counts = new Map<string, number>()
  readonly #capacity: number

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity
  }

  /** Adds the trigrams of a text: words are what stands between white space, or as a dictionary cuts it, lower case. */
  add(text: string): void {
    const [first, second, ...words] = (text.toLowerCase().match(/\S+/g) ?? []).flatMap(cutWords)
    let [a, b] = [first, second]
    for (const word of words) {
      const trigram = `${a} ${b} ${word}`
      this.#counts.set(trigram, (this.#counts.get(trigram) ?? 0) + 1)
      a = b
      b = word
    }
    if (this.#counts.size > this.#capacity) this.#thin()
  }

  /** The most frequent ones, those of equal count in alphabetical order. */
  top(count: number): Trigram[] {
    return Array.from(this.#counts, ([text, found]) => ({ text, count: found + this.error }))
      .sort((a, b) => b.count - a.count || (a.text < b.text ? -1 : 1))
      .slice(0, count)
  }

  #thin(): void {
    const counts = Uint32Array.from(this.#counts.values()).sort()
    const median = counts[counts.length >> 1] as number
    this.error += median
    for (const [text, count] of this.#counts) {
      if (count > median) this.#counts.set(text, count - median)
      else this.#counts.delete(text)
    }
  }
}
