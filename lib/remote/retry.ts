/** Asking again while a server fails in a way that may pass. */
import { setTimeout as sleep } from 'node:timers/promises'
import { RemoteError } from './http.js'

export interface Retries {
  /** How often a request that a server failed to answer is sent again, ≥ 0. */
  retries: number
  /** Milliseconds before the first time it is; they double each time, up to a minute. */
  backoff: number
}

const MAX_WAIT_MS = 60_000

/**
 * @param mayRetry Whether what was begun can be begun anew. Default: always.
 * @throws {RemoteError} what the last attempt threw, with how many there were.
 */
export async function retrying<T>(
  action: () => Promise<T>,
  { retries, backoff, signal }: Retries & { signal?: AbortSignal | undefined },
  mayRetry: () => boolean = () => true,
): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await action()
    } catch (error) {
      const remote = remoteErrorOf(error)
      if (remote?.fault !== 'server' || !mayRetry()) throw error
      if (attempt >= retries) {
        const times = attempt === 0 ? '' : ` ${attempt + 1} times`
        throw new RemoteError('server', remote.url, `${remote.url} failed${times}: ${remote.message}`, null, {
          cause: error,
        })
      }
      // Half of it by chance, so that requests that failed together do not come back together.
      const doubled = backoff * 2 ** attempt * (0.5 + Math.random() / 2)
      await sleep(Math.min(remote.retryAfter ?? doubled, MAX_WAIT_MS), undefined, signal && { signal })
    }
  }
}

export function remoteErrorOf(error: unknown): RemoteError | undefined {
  if (error instanceof RemoteError) return error
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof RemoteError ? cause : undefined
}
