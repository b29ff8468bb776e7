/** Work on a sequence, several items at a time, with the results in the order of the items. */

/** How far ahead of the oldest unfinished item others may run, as a multiple of those that run at once. */
const LOOKAHEAD = 4

/**
 * Pairs each item with what `work` makes of it. At most `parallel` run at once, and only as many wait for an earlier one
 * as keeps those busy. When the iteration is left or `outer` is aborted, so is the signal that `work` gets, and what is
 * under way is awaited.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  parallel: number,
  work: (item: T, signal: AbortSignal) => R | Promise<R>,
  outer?: AbortSignal,
): AsyncGenerator<{ item: T; result: R }> {
  const own = new AbortController()
  const stop = () => own.abort(outer?.reason)
  outer?.addEventListener('abort', stop)
  const limit = limiter(parallel)
  const queue: { item: T; result: Promise<R> }[] = []
  const most = parallel === 1 ? 1 : parallel * LOOKAHEAD
  const settled = async ({ item, result }: { item: T; result: Promise<R> }) => ({ item, result: await result })
  try {
    outer?.throwIfAborted()
    for await (const item of items) {
      outer?.throwIfAborted()
      const result = limit(async () => {
        own.signal.throwIfAborted()
        return work(item, own.signal)
      })
      // Awaited in its turn, which may come after it has failed.
      result.catch(() => {})
      queue.push({ item, result })
      while (queue.length >= most) yield await settled(queue.shift() as (typeof queue)[0])
    }
    // An abort may also have ended `items` early.
    outer?.throwIfAborted()
    while (queue.length > 0) yield await settled(queue.shift() as (typeof queue)[0])
  } catch (error) {
    // Whatever fails once it is aborted fails for that reason.
    outer?.throwIfAborted()
    throw error
  } finally {
    stop()
    outer?.removeEventListener('abort', stop)
    await Promise.allSettled(queue.map(({ result }) => result))
  }
}

/** Runs what it is given, at most `parallel` at once, the first come first. */
export function limiter(parallel: number): <R>(task: () => Promise<R>) => Promise<R> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= parallel) await new Promise<void>((start) => waiting.push(start))
    else running += 1
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next) next()
      else running -= 1
    }
  }
}
