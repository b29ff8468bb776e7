/** Native work on the pool that reports its progress and can be cancelled: loading, quantising. */
import type { Binding } from './binding.js'
import { nextId } from './channel.js'

interface Job {
  onProgress: ((progress: number) => void) | undefined
  signal: AbortSignal | undefined
}

/**
 * Runs `work` with a number to cancel it by and what it may tell its progress. What `onProgress` throws cancels it and
 * is thrown; a result that came all the same goes to `discard`.
 */
export async function nativeJob<T>(
  binding: Binding,
  { onProgress, signal }: Job,
  work: (job: number, report: ((progress: number) => void) | null) => Promise<T>,
  discard: (result: T) => void = () => {},
): Promise<T> {
  const job = nextId()
  const cancel = () => binding.taskCancel(job)
  let told = -1
  let mistake: { reason: unknown } | undefined
  const report = (progress: number) => {
    if (!onProgress || mistake || progress <= told) return
    told = progress
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
    const result = await work(job, onProgress ? report : null)
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
