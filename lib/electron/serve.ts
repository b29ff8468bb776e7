/**
 * The far end of ports: answers what clients ask of a reasoner. A client may be a page, so its messages are taken for what they
 * are: what is no message of the protocol is left alone, and options are checked by the reasoner.
 */
import { isPlainObject } from '../base/checks.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonStream } from '../reason/stream.js'
import { Outbox } from './outbox.js'
import { type Port, Wire } from './ports.js'
import { type ClientMessage, type HostMessage, packError } from './protocol.js'

interface Running {
  stream: ReasonStream
  abort: AbortController
  /** Resolves when its last item is in the outbox. */
  ended: Promise<void>
}

export class ServedPort {
  readonly #reasoner: Reasoner
  readonly #wire: Wire
  readonly #outbox: Outbox
  readonly #running = new Map<number, Running>()

  /** @param onClose The client has gone; what it asked is aborted. */
  constructor(reasoner: Reasoner, port: Port, onClose: () => void) {
    this.#reasoner = reasoner
    this.#outbox = new Outbox((items) => this.#post({ type: 'batch', items }))
    this.#wire = new Wire(
      port,
      (message) => this.#onMessage(message as ClientMessage),
      () => {
        this.#outbox.close()
        for (const { abort } of this.#running.values()) abort.abort()
        onClose()
      },
    )
    this.#post({ type: 'model', model: reasoner.model })
  }

  /** The model is gone: what its requests failed with is sent, then the reason, and the port is closed. */
  async end(reason: Error): Promise<void> {
    await Promise.all(Array.from(this.#running.values(), ({ ended }) => ended))
    this.#outbox.flush()
    this.#outbox.close()
    this.#post({ type: 'end', error: packError(reason) })
    this.#wire.close()
  }

  #post(message: HostMessage): void {
    this.#wire.post(message)
  }

  #onMessage(message: ClientMessage): void {
    if (typeof message !== 'object' || message === null) return
    switch (message.type) {
      case 'taken':
        this.#outbox.taken()
        break
      case 'start':
        this.#start(message)
        break
      case 'call':
        void this.#call(message)
        break
      case 'endThinking':
        this.#running.get(message.id)?.stream.endThinking()
        break
      case 'stop':
        this.#running.get(message.id)?.stream.stop()
        break
      case 'abort':
        this.#running.get(message.id)?.abort.abort()
    }
  }

  #start({ id, input, options, quiet }: Extract<ClientMessage, { type: 'start' }>): void {
    if (typeof id !== 'number' || this.#running.has(id)) return
    const abort = new AbortController()
    try {
      // What is no plain object is refused by the reasoner.
      const given = options === undefined || isPlainObject(options) ? { ...options, signal: abort.signal } : options
      const stream = this.#reasoner.stream(input as string, given as object)
      this.#running.set(id, { stream, abort, ended: this.#relay(id, stream, quiet === true) })
    } catch (error) {
      this.#outbox.push({ id, error: packError(error) })
    }
  }

  async #relay(id: number, stream: ReasonStream, quiet: boolean): Promise<void> {
    try {
      if (quiet) this.#outbox.push({ id, event: { type: 'done', result: await stream.result } })
      else for await (const event of stream) this.#outbox.push({ id, event })
    } catch (error) {
      this.#outbox.push({ id, error: packError(error) })
    } finally {
      this.#running.delete(id)
    }
  }

  async #call({ id, method, args }: Extract<ClientMessage, { type: 'call' }>): Promise<void> {
    if (typeof id !== 'number') return
    try {
      const [first, second] = Array.isArray(args) ? args : []
      const reasoner = this.#reasoner
      if (method === 'tokenize') this.#outbox.push({ id, value: await reasoner.tokenize(first as string) })
      else if (method === 'detokenize') {
        this.#outbox.push({ id, value: await reasoner.detokenize(first as number[], second as object) })
      } else if (method === 'countTokens') {
        this.#outbox.push({ id, value: await reasoner.countTokens(first as string, second as object) })
      }
    } catch (error) {
      this.#outbox.push({ id, error: packError(error) })
    }
  }
}
