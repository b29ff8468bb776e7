/** The near end of a port: a reasoner whose model is in another process. Runs in pages too: it imports nothing of Node. */
import { type CallSite, callSite, withFrames, Z1Error } from '../base/errors.js'
import type { ChatMessage } from '../reason/messages.js'
import type { ReasonOptions } from '../reason/options.js'
import type { Reasoner, ReasonerModel } from '../reason/reasoner.js'
import type { ReasonResult, RequestEvent } from '../reason/result.js'
import { ReasonStream, type Started } from '../reason/stream.js'
import { type Port, Wire } from './ports.js'
import { type ClientMessage, type HostMessage, type Item, type Method, unpackError } from './protocol.js'

/** What waits for an answer under an id. */
interface Waiting {
  take(item: Item): void
  fail(reason: unknown): void
}

export class PortReasoner implements Reasoner {
  readonly model: ReasonerModel
  readonly #connection: Connection
  readonly #onDispose: (() => Promise<void>) | undefined

  constructor(model: ReasonerModel, connection: Connection, onDispose: (() => Promise<void>) | undefined) {
    this.model = Object.freeze(model)
    this.#connection = connection
    this.#onDispose = onDispose
  }

  async reason(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<ReasonResult> {
    return this.#stream(input, options, true, callSite(this.reason)).result
  }

  /** As `Z1.stream()`, but that misuse too comes where the stream is read: the host checks the options. */
  stream(input: string | readonly ChatMessage[], options?: ReasonOptions): ReasonStream {
    return this.#stream(input, options, false, callSite(this.stream))
  }

  async countTokens(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<number> {
    const { signal, rest } = splitSignal(options)
    signal?.throwIfAborted()
    const count = (await this.#connection.call('countTokens', [input, rest], callSite(this.countTokens))) as number
    signal?.throwIfAborted()
    return count
  }

  async tokenize(text: string): Promise<number[]> {
    return (await this.#connection.call('tokenize', [text], callSite(this.tokenize))) as number[]
  }

  async detokenize(tokens: readonly number[], options?: { special?: boolean }): Promise<string> {
    return (await this.#connection.call('detokenize', [tokens, options], callSite(this.detokenize))) as string
  }

  async dispose(): Promise<void> {
    if (this.#onDispose) await this.#onDispose()
    this.#connection.end(new Z1Error('DISPOSED', 'The reasoner was disposed'))
  }

  /** What runs fails with the reason, and so do all later calls. */
  end(reason: Error): void {
    this.#connection.end(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #stream(input: unknown, options: unknown, quiet: boolean, site: CallSite): ReasonStream {
    const { signal, rest } = splitSignal(options)
    const start = (listener: (event: RequestEvent) => void) =>
      this.#connection.start({ input, options: rest, quiet }, listener, site)
    return new ReasonStream(start, site, signal)
  }
}

/** A signal stays here: it cannot be sent. */
function splitSignal(options: unknown): { signal: AbortSignal | undefined; rest: unknown } {
  if (typeof options !== 'object' || options === null || !('signal' in options)) {
    return { signal: undefined, rest: options }
  }
  const { signal, ...rest } = options
  if (signal === undefined) return { signal, rest }
  if (typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function') {
    throw new TypeError(`Expected AbortSignal for signal but received ${typeof signal}`)
  }
  return { signal: signal as AbortSignal, rest }
}

/** The requests and calls on one port. */
export class Connection {
  readonly #wire: Wire
  readonly #onModel: (model: ReasonerModel) => void
  readonly #onEnd: (reason: Error) => void
  readonly #waiting = new Map<number, Waiting>()
  #nextId = 1
  #ended: Error | undefined

  /** @param onEnd Called once, with what every later call fails with. */
  constructor(port: Port, onModel: (model: ReasonerModel) => void, onEnd: (reason: Error) => void) {
    this.#onModel = onModel
    this.#onEnd = onEnd
    this.#wire = new Wire(
      port,
      (message) => this.#onMessage(message as HostMessage),
      () =>
        this.end(new Z1Error('HOST_EXITED', 'The process in which the model runs has ended, or closed the connection')),
    )
  }

  /** The reason is that of all that runs, and of all later calls. */
  end(reason: Error): void {
    if (this.#ended) return
    this.#ended = reason
    this.#wire.close()
    for (const waiting of this.#waiting.values()) waiting.fail(reason)
    this.#waiting.clear()
    this.#onEnd(reason)
  }

  async start(
    request: { input: unknown; options: unknown; quiet: boolean },
    listener: (event: RequestEvent) => void,
    site: CallSite,
  ): Promise<Started> {
    const id = this.#ask((id) => ({ type: 'start', id, ...request }), site, {
      take: (item) => {
        if ('event' in item) listener({ type: 'relayed', event: item.event })
      },
      fail: (reason) => listener({ type: 'failed', reason }),
    })
    const tell = (type: 'endThinking' | 'stop' | 'abort') => () => {
      if (this.#waiting.has(id)) this.#post({ type, id })
    }
    const abort = () => {
      tell('abort')()
      this.#waiting.delete(id)
    }
    // The result comes as an event: neither hint nor seed is looked at here.
    return { generation: { endThinking: tell('endThinking'), stop: tell('stop'), abort }, hint: null, seed: 0 }
  }

  call(method: Method, args: unknown[], site: CallSite): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#ask((id) => ({ type: 'call', id, method, args }), site, {
        take: (item) => {
          if ('value' in item) resolve(item.value)
        },
        fail: reject,
      })
    })
  }

  /** What fails gets the stack of the call. */
  #ask(message: (id: number) => ClientMessage, site: CallSite, { take, fail }: Waiting): number {
    if (this.#ended) throw withFrames(site, copyOf(this.#ended))
    const id = this.#nextId++
    this.#waiting.set(id, {
      take,
      fail: (reason) => fail(reason instanceof Error ? withFrames(site, copyOf(reason)) : reason),
    })
    try {
      this.#post(message(id))
    } catch (error) {
      this.#waiting.delete(id)
      throw withFrames(
        site,
        new TypeError('Expected values that can be cloned for input and options', { cause: error }),
      )
    }
    return id
  }

  #post(message: ClientMessage): void {
    this.#wire.post(message)
  }

  #onMessage(message: HostMessage): void {
    switch (message.type) {
      case 'model':
        this.#onModel(message.model)
        break
      case 'batch':
        for (const item of message.items) this.#take(item)
        this.#post({ type: 'taken' })
        break
      case 'end':
        this.end(unpackError(message.error) as Error)
    }
  }

  #take(item: Item): void {
    const waiting = this.#waiting.get(item.id)
    if (!waiting) return
    if (!('event' in item) || item.event.type === 'done') this.#waiting.delete(item.id)
    if ('error' in item) waiting.fail(unpackError(item.error))
    else waiting.take(item)
  }
}

/** An error of its own for each call: they have different stacks. */
function copyOf(error: Error): Error {
  return error instanceof Z1Error
    ? new Z1Error(error.code, error.message.split('\n')[0] as string, {
        lines: error.message.split('\n').slice(1),
        ...('cause' in error ? { cause: error.cause } : {}),
      })
    : error
}

/**
 * The reasoner behind a port, as soon as its host has said which model it runs.
 * @param onDispose What `dispose()` does before it closes the port.
 * @throws {Z1Error} HOST_EXITED when the port is closed before that.
 */
export function connectPort(port: Port, onDispose?: () => Promise<void>): Promise<PortReasoner> {
  return new Promise((resolve, reject) => {
    const connection: Connection = new Connection(
      port,
      (model) => resolve(new PortReasoner(model, connection, onDispose)),
      reject,
    )
  })
}
