/** The server behind a socket, with its limits, and its end: what runs is finished, nothing new is taken. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createAdaptorServer } from '@hono/node-server'
import { isReasoner, type Reasoner } from '../reason/reasoner.js'
import { appOf } from './app.js'
import { bracketed, checkServeOptions, type ServeOptions } from './options.js'
import { ServerState } from './state.js'

/** Bytes of all headers together; more is 431. */
const MAX_HEADER_BYTES = 16_384

/** For the headers of a request, and for all of it. Slow clients hold a place in the queue. */
const HEADERS_TIMEOUT_MS = 10_000
const REQUEST_TIMEOUT_MS = 60_000

export interface Z1Server {
  /** `http://127.0.0.1:8080`. */
  readonly url: string
  /**
   * Takes nothing new, and resolves when what runs has ended. Calling it again gives the same promise.
   * @param options.timeout Milliseconds after which what still runs is ended. Default: never.
   */
  close(options?: { timeout?: number }): Promise<void>
}

/**
 * Serves a reasoner over HTTP. It stays the caller's to dispose.
 * @throws {TypeError|RangeError} for options that cannot be.
 * @throws the system's error, where it cannot listen there (`EADDRINUSE` and the like).
 */
export async function serve(reasoner: Reasoner, options?: ServeOptions): Promise<Z1Server> {
  if (!isReasoner(reasoner)) throw new TypeError('Expected a reasoner, such as a Z1')
  const { host, port, app } = checkServeOptions(options)
  const state = new ServerState(reasoner, app)
  const server = createAdaptorServer({
    fetch: appOf(state).fetch,
    serverOptions: {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: 5000,
    },
  }) as Server
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  })
  let closed: Promise<void> | undefined
  return {
    url: `http://${bracketed(host)}:${(server.address() as AddressInfo).port}`,
    close({ timeout } = {}) {
      closed ??= close(server, state, timeout)
      return closed
    },
  }
}

async function close(server: Server, state: ServerState, timeout: number | undefined): Promise<void> {
  state.draining = true
  const ended = new Promise<void>((resolve) => server.close(() => resolve()))
  // A connection is idle as soon as its response is out, and would be kept open for the next request.
  const idle = setInterval(() => server.closeIdleConnections(), 100)
  server.closeIdleConnections()
  const timer = timeout === undefined ? undefined : setTimeout(() => state.ending.abort(), timeout)
  await ended
  clearInterval(idle)
  clearTimeout(timer)
}
