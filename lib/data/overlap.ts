/** Decontamination: which questions share a run of words with a question of an evaluation set. */
import { count } from '../base/checks.js'
import { hash53, normalize, runsOf, symbolsOf, wordsOf } from './text.js'

/** Words and signs. A shorter question stands inside others by chance; it is only compared as a whole. */
const LEAST_LENGTH = 6

export class OverlapIndex {
  readonly #runLength: number
  readonly #runs = new Set<number>()
  readonly #whole = new Set<string>()
  /** Questions too short to have a run: hashes of all their words and signs, by how many these are. */
  readonly #short = new Map<number, Set<number>>()

  /**
   * @param runLength Words in a run, ≥ 1. 13, the default, is GPT-3's (arXiv 2005.14165, appendix C).
   * @throws {TypeError|RangeError}
   */
  constructor(runLength = 13) {
    this.#runLength = count(1).read(runLength, 'runLength')
  }

  /** Adds a question that must not be trained on. */
  add(question: string): void {
    this.#whole.add(normalize(question))
    const words = wordsOf(question)
    if (words.length >= this.#runLength) {
      for (const run of runsOf(words, this.#runLength)) this.#runs.add(hash53(run))
      return
    }
    const symbols = symbolsOf(question)
    const signs = symbols.filter((symbol) => !/[\p{L}\p{N}\p{M}]/u.test(symbol))
    if (words.length + signs.length < LEAST_LENGTH) return
    const same = this.#short.get(symbols.length) ?? new Set()
    this.#short.set(symbols.length, same.add(hash53(symbols.join(' '))))
  }

  /** Whether a question is one of those added, shares a run of words with one, or contains a short one whole. */
  has(question: string): boolean {
    if (this.#whole.has(normalize(question))) return true
    const words = wordsOf(question)
    if (words.length >= this.#runLength) {
      for (const run of runsOf(words, this.#runLength)) if (this.#runs.has(hash53(run))) return true
    }
    const symbols = this.#short.size > 0 ? symbolsOf(question) : []
    for (const [length, hashes] of this.#short) {
      if (length > symbols.length) continue
      for (const run of runsOf(symbols, length)) if (hashes.has(hash53(run))) return true
    }
    return false
  }
}
