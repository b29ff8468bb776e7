/**
 * Message ports and utility processes as this room uses them: Electron's own objects have these types, and so do the ports
 * of pages and of node:worker_threads. So the package does not need Electron, neither its types nor its code.
 */

/** A `MessagePort` of a page, of Node or of node:worker_threads. */
export interface WebPort {
  postMessage(message: unknown): void
  addEventListener(type: string, listener: (event: never) => void): void
  start(): void
  close(): void
}

/** Electron's `MessagePortMain`. */
export interface MainPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown }) => void): unknown
  on(event: 'close', listener: () => void): unknown
  start(): void
  close(): void
}

export type Port = WebPort | MainPort

/** Electron's `UtilityProcess`. */
export interface UtilityProcess {
  postMessage(message: unknown, transfer?: never[]): void
  on(event: 'message', listener: (message: unknown) => void): unknown
  once(event: 'exit', listener: (code: number) => void): unknown
  kill(): boolean
}

/** What is taken from the module `electron`. */
export interface ElectronModule {
  utilityProcess: {
    fork(path: string, args?: string[], options?: { serviceName?: string }): UtilityProcess
  }
  MessageChannelMain: new () => { port1: MainPort; port2: MainPort }
}

/** What a port is sent to: Electron's `WebContents` or `WebFrameMain`. */
export interface PortReceiver {
  postMessage(channel: string, message: unknown, transfer?: never[]): void
}

/** `process.parentPort` in a utility process. */
export interface ParentPort {
  postMessage(message: unknown): void
  on(event: 'message', listener: (event: { data: unknown; ports: MainPort[] }) => void): unknown
}

/** A port whose messages go to listeners, whichever kind it is. */
export class Wire {
  readonly #port: Port
  #closed = false

  /** @param onClose Called once, when either end is closed, or the process at the other end is gone. */
  constructor(port: Port, onMessage: (message: unknown) => void, onClose: () => void) {
    this.#port = port
    const message = ({ data }: { data: unknown }) => {
      if (!this.#closed) onMessage(data)
    }
    const close = () => {
      if (this.#closed) return
      this.#closed = true
      onClose()
    }
    if ('addEventListener' in port) {
      port.addEventListener('message', message)
      port.addEventListener('close', close)
    } else {
      port.on('message', message)
      port.on('close', close)
    }
    port.start()
  }

  /**
   * Nothing, once it is closed.
   * @throws {DOMException|Error} for a message that cannot be cloned: one with a function in it, say.
   */
  post(message: unknown): void {
    if (!this.#closed) this.#port.postMessage(message)
  }

  /** Without a call of `onClose`. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    this.#port.close()
  }
}
