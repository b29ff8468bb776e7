/** `z1-native/electron/renderer`: the model for a page. It imports nothing of Node, so any bundler takes it for one. */
import type { Reasoner } from '../reason/reasoner.js'
import { connectPort } from './client.js'
import type { WebPort } from './ports.js'
import { CONNECT_CHANNEL, PORT_CHANNEL } from './protocol.js'

interface PageMessage {
  data: unknown
  source: unknown
  ports: readonly WebPort[]
  stopImmediatePropagation(): void
}

/** What is used of a page's `window`. */
export interface Page {
  postMessage(message: string, targetOrigin: string): void
  addEventListener(type: 'message', listener: (event: Event) => void): void
  removeEventListener(type: 'message', listener: (event: Event) => void): void
}

export interface ConnectModelOptions {
  /** Ends the waiting, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
  /** The page. Default: the global object. */
  page?: Page | undefined
}

/**
 * Asks the main process for a port, by way of the preload script, and waits until a model is loaded. The reasoner's `dispose()` closes
 * the port; the model stays. When its requests reject with HOST_EXITED or DISPOSED, ask again for that of the next load.
 * @throws the signal's reason when it is aborted.
 */
export async function connectModel({
  signal,
  page = globalThis as unknown as Page,
}: ConnectModelOptions = {}): Promise<Reasoner> {
  signal?.throwIfAborted()
  let stop = () => {}
  try {
    const port = await new Promise<WebPort>((resolve, reject) => {
      const onMessage = (received: Event) => {
        const event = received as unknown as PageMessage
        const [port] = event.ports
        // Frames inside the page, and the one that opened it, can send messages too.
        if (event.source !== page || event.data !== PORT_CHANNEL || !port) return
        // The next port is for the next who asked.
        event.stopImmediatePropagation()
        stop()
        resolve(port)
      }
      const onAbort = () => reject(signal?.reason)
      page.addEventListener('message', onMessage)
      signal?.addEventListener('abort', onAbort)
      stop = () => {
        page.removeEventListener('message', onMessage)
        signal?.removeEventListener('abort', onAbort)
      }
      // To this page alone; its origin is none where it comes from a file.
      page.postMessage(CONNECT_CHANNEL, '*')
    })
    return await connectPort(port)
  } finally {
    stop()
  }
}
