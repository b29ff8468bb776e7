/**
 * Near duplicates by MinHash (Broder 1997) with banding: texts are sets of word runs, a signature keeps of each set the
 * smallest value under many hash functions, and two signatures agree in as large a share of their values as the sets
 * have in common (Jaccard's index). Some 800 bytes a text, whatever its length.
 */
import { count, numeric } from '../base/checks.js'
import { type Option, option, readOptions } from '../base/options.js'
import { hash } from '../base/random.js'
import { numbersOf } from './numbers.js'
import { runsOf, symbolsOf } from './text.js'

/** Values of a signature: the estimate's standard deviation is 0.035 at a similarity of 0.8. */
const NUM_PERM = 128

/** Share of the pairs just at the threshold that share a band, and so are compared at all. */
const RECALL = 0.98

const SEEDS = Uint32Array.from({ length: NUM_PERM }, (_, i) => mix(i + 1))

export interface NearOptions {
  /** Jaccard's index from which two texts count as the same, above 0 … 1. Default 0.8. */
  threshold?: number | undefined
  /** Words in a run, or characters where a script has no spaces, ≥ 1. Default 3. */
  runLength?: number | undefined
}

export const NEAR_OPTIONS = {
  threshold: option(
    numeric('number > 0 and ≤ 1', (value) => value > 0 && value <= 1),
    0.8,
  ),
  runLength: option(count(1), 3),
} satisfies Record<keyof NearOptions, Option<unknown>>

/** Texts in the order in which they were added, to be found by what is like them. */
export class MinHashIndex {
  readonly #threshold: number
  readonly #shingleSize: number
  readonly #rows: number
  readonly #bands: number
  #count = 0
  #capacity = 1024
  #signatures = new Uint32Array(this.#capacity * NUM_PERM)
  /**
   * Linked lists in two arrays, one list for each band and bucket: `heads[bucket]` is the newest text, `before[text]` the
   * one added before it, both plus 1; 0 ends a list.
   */
  #heads!: Int32Array
  #before!: Int32Array
  /** By text: the last query that compared it. */
  #compared = new Uint32Array(this.#capacity)
  #queries = 0

  /** @throws {TypeError|RangeError} for invalid options. */
  constructor(options: NearOptions = {}) {
    const { threshold, runLength } = readOptions(NEAR_OPTIONS, options)
    this.#threshold = threshold
    this.#shingleSize = runLength
    this.#rows = rowsFor(threshold)
    this.#bands = Math.floor(NUM_PERM / this.#rows)
    this.#allocate()
  }

  /** The signature of a text. Two with different numbers have nothing in common: their runs are told apart by them. */
  signatureOf(text: string): Uint32Array {
    const signature = new Uint32Array(NUM_PERM).fill(0xffffffff)
    const numbers = hash(numbersOf(text).join(' '))
    for (const run of runsOf(symbolsOf(text), this.#shingleSize)) {
      const bits = hash(run) ^ numbers
      for (let i = 0; i < NUM_PERM; i++) {
        const value = Math.imul(bits ^ (SEEDS[i] as number), 0x9e3779b1)
        const mixed = (value ^ (value >>> 15)) >>> 0
        if (mixed < (signature[i] as number)) signature[i] = mixed
      }
    }
    return signature
  }

  /** The number, from 0, of a text that is like this one; -1 if there is none. */
  find(signature: Uint32Array): number {
    this.#queries += 1
    for (let band = 0; band < this.#bands; band++) {
      let at = this.#heads[this.#bucket(signature, 0, band)] as number
      for (; at > 0; at = this.#before[band * this.#capacity + at - 1] as number) {
        const text = at - 1
        if (this.#compared[text] === this.#queries) continue
        this.#compared[text] = this.#queries
        if (this.#isNear(signature, text)) return text
      }
    }
    return -1
  }

  add(signature: Uint32Array): void {
    if (this.#count === this.#capacity) this.#grow()
    this.#signatures.set(signature, this.#count * NUM_PERM)
    this.#insert(this.#count)
    this.#count += 1
  }

  #isNear(signature: Uint32Array, text: number): boolean {
    let allowed = Math.floor(NUM_PERM * (1 - this.#threshold) + 1e-9)
    const start = text * NUM_PERM
    for (let i = 0; i < NUM_PERM; i++) {
      if (signature[i] !== this.#signatures[start + i] && --allowed < 0) return false
    }
    return true
  }

  #insert(text: number): void {
    for (let band = 0; band < this.#bands; band++) {
      const bucket = this.#bucket(this.#signatures, text * NUM_PERM, band)
      this.#before[band * this.#capacity + text] = this.#heads[bucket] as number
      this.#heads[bucket] = text + 1
    }
  }

  #bucket(values: Uint32Array, start: number, band: number): number {
    let bits = band
    const from = start + band * this.#rows
    for (let i = from; i < from + this.#rows; i++) bits = mix(bits ^ (values[i] as number))
    return band * this.#capacity + (bits & (this.#capacity - 1))
  }

  #grow(): void {
    this.#capacity *= 2
    const signatures = new Uint32Array(this.#capacity * NUM_PERM)
    signatures.set(this.#signatures)
    this.#signatures = signatures
    this.#compared = new Uint32Array(this.#capacity)
    this.#allocate()
    for (let text = 0; text < this.#count; text++) this.#insert(text)
  }

  #allocate(): void {
    this.#heads = new Int32Array(this.#bands * this.#capacity)
    this.#before = new Int32Array(this.#bands * this.#capacity)
  }
}

/**
 * Values in a band. More of them make fewer unlike pairs meet, fewer of them make sure that like ones do: a pair of
 * similarity s shares one of b bands of r values with a probability of 1 - (1 - sʳ)ᵇ.
 */
function rowsFor(threshold: number): number {
  let rows = 1
  const recall = (r: number) => 1 - (1 - threshold ** r) ** Math.floor(NUM_PERM / r)
  while (rows < NUM_PERM && recall(rows + 1) >= RECALL) rows += 1
  return rows
}

/** The finalizer of MurmurHash3: a bijection of 32 bits in which every bit depends on all. */
function mix(value: number): number {
  let bits = value
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35)
  return (bits ^ (bits >>> 16)) >>> 0
}
