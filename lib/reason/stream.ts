/**
 * One request as its caller sees it: an iteration over its events, a promise of its result, and the ways to end it.
 * Knows nothing of prompts, nor of where the request runs: what starts it is handed in.
 */
import { type CallSite, fromNative } from '../base/errors.js'
import type { Generation } from '../native/context.js'
import { type Asked, type ReasonEvent, type ReasonResult, type RequestEvent, ResultBuilder } from './result.js'

/** A generation that was started. */
export interface Started extends Asked {
  generation: Generation
}

/**
 * Prepares and starts a generation. `listener` gets its events, from macrotasks after the one in which this resolves. The
 * signal ends what prepares it.
 */
export type Start = (listener: (event: RequestEvent) => void, signal: AbortSignal) => Promise<Started>

/** A call of an iterator's `next()` that has no value yet. */
interface Waiting<T> {
  resolve: (result: IteratorResult<ReasonEvent<T>, undefined>) => void
  reject: (reason: unknown) => void
}

export class ReasonStream<T = unknown> implements AsyncIterable<ReasonEvent<T>> {
  /** The result. Rejects as the iteration does, but an unobserved rejection is no unhandled one. */
  readonly result: Promise<ReasonResult<T>>

  readonly #site: CallSite
  readonly #signal: AbortSignal | undefined
  /** Aborted when the stream ends: what still prepares its generation need not go on. */
  readonly #preparing = new AbortController()
  #resolve!: (result: ReasonResult<T>) => void
  #reject!: (reason: unknown) => void
  #generation: Generation | undefined
  #builder: ResultBuilder | undefined
  /** What was asked for before the generation ran. */
  #pending: ((generation: Generation) => void)[] = []
  #events: ReasonEvent<T>[] = []
  #iterator: AsyncIterator<ReasonEvent<T>> | undefined
  #waiting: Waiting<T>[] = []
  #ended = false
  #failure: { reason: unknown } | undefined

  /** @internal Streams come from `Z1.stream()`. */
  constructor(start: Start, site: CallSite, signal: AbortSignal | undefined) {
    this.#site = site
    this.#signal = signal
    this.result = new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.result.catch(() => {})

    if (signal?.aborted) {
      this.#fail(signal.reason)
      return
    }
    signal?.addEventListener('abort', this.#onAbort)
    start((event) => this.#onEvent(event), this.#preparing.signal).then(
      ({ generation, ...asked }) => {
        this.#builder = new ResultBuilder(asked)
        this.#generation = generation
        for (const action of this.#pending.splice(0)) action(generation)
      },
      (reason) => this.#fail(reason),
    )
  }

  /** Closes the window now, if the model is still thinking: the hint follows and the answer. */
  endThinking(): void {
    this.#whenStarted((generation) => generation.endThinking())
  }

  /** Ends the response now; `result` resolves with what there is. */
  stop(): void {
    this.#whenStarted((generation) => generation.stop())
  }

  /**
   * The events, once. Leaving the iteration early aborts the request.
   * No generator: this runs for every token, and a generator takes several promises for each.
   */
  [Symbol.asyncIterator](): AsyncIterator<ReasonEvent<T>, undefined, undefined> {
    const iterator: AsyncIterator<ReasonEvent<T>, undefined, undefined> = {
      next: () =>
        new Promise((resolve, reject) => {
          this.#iterator ??= iterator
          if (this.#iterator !== iterator) throw new TypeError('A stream can be iterated only once')
          this.#waiting.push({ resolve, reject })
          this.#drain()
        }),
      return: async () => {
        if (this.#iterator === iterator) this.#return()
        return { done: true, value: undefined }
      },
    }
    return iterator
  }

  /** Gives the iteration, for each time it asked, what comes next, as far as that is known. */
  #drain(): void {
    while (this.#waiting.length > 0) {
      const value = this.#events.shift()
      if (!value && !this.#ended) return
      const { resolve, reject } = this.#waiting.shift() as Waiting<T>
      if (value) resolve({ done: false, value })
      else if (this.#failure) reject(this.#failure.reason)
      else resolve({ done: true, value: undefined })
      // An iteration ends once.
      if (!value) this.#failure = undefined
    }
  }

  #return(): void {
    this.#events = []
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
    if (!this.#ended) this.#abort(new DOMException('The iteration was left', 'AbortError'))
    this.#failure = undefined
  }

  #onAbort = (): void => this.#abort(this.#signal?.reason)

  /** Rejects at once; the context drops the generation at its next step. */
  #abort(reason: unknown): void {
    this.#whenStarted((generation) => generation.abort())
    this.#fail(reason)
  }

  #whenStarted(action: (generation: Generation) => void): void {
    if (this.#generation) action(this.#generation)
    else if (!this.#ended) this.#pending.push(action)
  }

  #onEvent(event: RequestEvent): void {
    if (this.#ended) return
    if (event.type === 'failed') {
      this.#fail(event.reason)
      return
    }
    if (event.type === 'error') {
      const { code, message, cause } = event
      this.#fail(fromNative(this.#site, code, message, cause === undefined ? undefined : { cause }))
      return
    }
    // The answer's grammar is that of a schema of T.
    const shown = (this.#builder as ResultBuilder).take(event) as ReasonEvent<T>
    this.#events.push(shown)
    if (shown.type === 'done') {
      this.#end()
      this.#resolve(shown.result)
    }
    this.#drain()
  }

  #fail(reason: unknown): void {
    if (this.#ended) return
    this.#failure = { reason }
    this.#end()
    this.#reject(reason)
    this.#drain()
  }

  #end(): void {
    this.#ended = true
    this.#preparing.abort()
    this.#signal?.removeEventListener('abort', this.#onAbort)
  }
}
