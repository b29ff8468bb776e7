/** Models behind a server. What asks the server is handed in: this room knows no protocol. */
import type { LoadOptions } from './options.js'
import type { Reasoner } from './reasoner.js'

export interface ConnectOptions extends Pick<LoadOptions, 'chatTemplate' | 'templateVariables' | 'contextSize'> {
  /** `http://localhost:8080`, with or without `/v1`. */
  baseUrl: string
  /** The model's name, as the server knows it. Default: the first that it lists. */
  model?: string | undefined
  /** Sent as a bearer token. Default: none. */
  apiKey?: string | undefined
  /** Requests that are sent at once by those who send many, 1 … 4096. Default: as many as the server runs, else 4. */
  parallel?: number | undefined
  /** How often a request that the server failed to answer is sent again, ≥ 0. Default 4. */
  retries?: number | undefined
  /** Milliseconds before the first time it is; they double each time, up to a minute. Default 500. */
  backoff?: number | undefined
  /** Ends the connecting, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

type Connect = (options: ConnectOptions) => Promise<Reasoner>

let connect: Connect | undefined

/** Hands in what connects to servers. */
export function connectWith(given: Connect): void {
  connect = given
}

export async function connectTo(options: ConnectOptions): Promise<Reasoner> {
  if (!connect) throw new TypeError('Expected the entry of the package, which has the servers')
  return connect(options)
}
