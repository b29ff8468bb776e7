/** One connection: its stalls, its end, and what these are called. */

/** What may pass: asking again may help. */
export class PassingFailure extends Error {
  constructor(
    message: string,
    /** Milliseconds that the server asks to wait. */
    readonly retryAfter: number | null = null,
    options?: { cause?: unknown },
  ) {
    super(message, options)
  }
}

/** No connection came about. */
export class Unreachable extends PassingFailure {}

/** Aborts a request that stalls. */
export class Watch {
  readonly #controller = new AbortController()
  readonly #timer: NodeJS.Timeout
  readonly #abort: () => void
  readonly #given: AbortSignal | undefined
  stalled = false

  constructor(timeout: number, given: AbortSignal | undefined) {
    given?.throwIfAborted()
    this.#given = given
    this.#abort = () => this.#controller.abort(given?.reason)
    given?.addEventListener('abort', this.#abort)
    this.#timer = setTimeout(() => {
      this.stalled = true
      this.#controller.abort()
    }, timeout)
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  end(): void {
    clearTimeout(this.#timer)
    this.#given?.removeEventListener('abort', this.#abort)
  }

  async *through(body: AsyncIterable<Uint8Array> | null, url: URL): AsyncGenerator<Uint8Array> {
    try {
      for await (const part of body ?? []) {
        this.#timer.refresh()
        yield part
        this.#timer.refresh()
      }
    } catch (error) {
      if (this.#given?.aborted) throw this.#given.reason
      if (this.stalled) throw stalled(url)
      throw new PassingFailure(`The connection to ${url.host} was lost: ${causeOf(error)}`, null, { cause: error })
    } finally {
      this.end()
      // Ends the connection of a body that is not read to its end.
      this.#controller.abort()
    }
  }
}

export function stalled({ host }: URL): PassingFailure {
  return new PassingFailure(`The connection to ${host} was lost: nothing came any more`)
}

/** fetch says `fetch failed`, and its cause why; of several addresses, one cause each. */
export function causeOf(error: unknown): string {
  const { message, cause } = error as Error
  if (!(cause instanceof Error)) return message
  const [first] = cause instanceof AggregateError ? cause.errors : []
  return first?.message || cause.message || ((cause as NodeJS.ErrnoException).code ?? message)
}
