/** How far a run is. */
import type { ScoredResponse } from './records.js'

export interface Progress {
  /** Responses that are there, earlier ones included. */
  done: number
  total: number
  /** Of them, those that this call has computed. */
  computed: number
  /** By window. */
  windows: { window: string; done: number; correct: number }[]
}

/** @param done What is there already. */
export function startProgress(total: number, windows: readonly string[], done: readonly ScoredResponse[]): Progress {
  const progress: Progress = {
    done: 0,
    total,
    computed: 0,
    windows: windows.map((window) => ({ window, done: 0, correct: 0 })),
  }
  for (const response of done) count(progress, response)
  return progress
}

/** Counts a response that was just computed. */
export function countComputed(progress: Progress, response: ScoredResponse): void {
  count(progress, response)
  progress.computed++
}

function count(progress: Progress, { window, correct }: ScoredResponse): void {
  progress.done++
  const tally = progress.windows.find((tally) => tally.window === window)
  if (!tally) return
  tally.done++
  if (correct) tally.correct++
}
