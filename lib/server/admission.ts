/** How many requests are here at once: those that run, and a bounded number that wait for them. */
import { RequestError } from '../protocol/error.js'

export class Admission {
  readonly #limit: number
  readonly #parallel: number
  #here = 0

  constructor(parallel: number, maxQueue: number) {
    this.#parallel = parallel
    this.#limit = parallel + maxQueue
  }

  get running(): number {
    return Math.min(this.#here, this.#parallel)
  }

  get waiting(): number {
    return this.#here - this.running
  }

  /** @returns What to call when the request has ended, once. @throws {RequestError} 429. */
  enter(): () => void {
    if (this.#here >= this.#limit) {
      throw new RequestError(`${this.#here} requests are running and waiting: ask again later`, null, 429, 1)
    }
    this.#here++
    return () => {
      this.#here--
    }
  }
}
