/** Native work on the pool that reports its progress and can be cancelled: loading, quantizing. */
import { nextId, openAddon } from './channel.js'

export interface TaskOptions {
  /** Called with 0 … 1. What it throws cancels the work. */
  onProgress?: ((progress: number) => void) | undefined
  /** Cancels the work, which then rejects. */
  signal?: AbortSignal | undefined
}

/**
 * Runs `work` with a number to cancel it by and what it may tell its progress. What `onProgress` throws cancels it and
 * is thrown; a result that came all the same goes to `discard`.
 */
export async function runNativeTask<T>(
  { onProgress, signal }: TaskOptions,
  work: (task: number, report: ((progress: number) => void) | null) => Promise<T>,
  discard: (result: T) => void = () => {},
): Promise<T> {
  const task = nextId()
  const cancel = () => openAddon().taskCancel(task)
  let reported = -1
  let mistake: { reason: unknown } | undefined
  const report = (progress: number) => {
    if (!onProgress || mistake || progress <= reported) return
    reported = progress
    try {
      onProgress(progress)
    } catch (reason) {
      mistake = { reason }
      cancel()
    }
  }
  signal?.addEventListener('abort', cancel)
  try {
    signal?.throwIfAborted()
    const result = await work(task, onProgress ? report : null)
    // Reports that are still on their way when the work ends are dropped.
    report(1)
    if (!mistake) return result
    discard(result)
    throw mistake.reason
  } catch (error) {
    throw mistake ? mistake.reason : error
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}
