/**
 * The frame of a command that works for a while: Ctrl-C and SIGTERM end it in order, and one line of the terminal shows
 * how far it is. Knows no command.
 */
import { bytes } from './table.js'

/** How far the work is. */
export interface Progress {
  /** Share that is done, 0 … 1; 0 if it is not known. */
  fraction: number
  /** What is being done. The rate and the time left of another label are counted anew. */
  label?: string
  /** What has been done, for people. */
  text?: string
  /** How many things have been done, for the rate. */
  done?: number
  /** How a number of such things is shown. Default: as a number. */
  unit?: (value: number) => string
  /** What stands behind all else. */
  detail?: string
}

/** Shows progress; undefined where nobody watches. */
export type Show = ((progress: Progress) => void) | undefined

/** What a frame gives to the work in it. */
export interface Frame {
  /** Aborted by Ctrl-C or SIGTERM. */
  signal: AbortSignal
  show: Show
}

/**
 * Runs `work`. When the first Ctrl-C or SIGTERM has ended it, says so, followed by what `afterward` says, sets the exit
 * code 130 and gives null. The second one ends the process.
 */
export async function runInterruptible<T>(
  work: (frame: Frame) => Promise<T>,
  afterward: () => string | Promise<string> = () => '',
): Promise<T | null> {
  const controller = new AbortController()
  const release = () => {
    process.off('SIGINT', interrupt).off('SIGTERM', interrupt)
  }
  const interrupt = () => {
    release()
    controller.abort()
  }
  process.on('SIGINT', interrupt).on('SIGTERM', interrupt)
  try {
    return await withProgress((show) => work({ signal: controller.signal, show }))
  } catch (error) {
    if (!controller.signal.aborted || error !== controller.signal.reason) throw error
    process.exitCode = 130
    process.stderr.write(`z1: Interrupted${await afterward()}\n`)
    return null
  } finally {
    release()
  }
}

/** Runs `work` with a line on the terminal, which is empty again in the end. */
export async function withProgress<T>(work: (show: Show) => Promise<T>): Promise<T> {
  const line = process.stderr.isTTY ? progressLine(process.stderr) : undefined
  try {
    return await work(line?.show)
  } finally {
    line?.clear()
  }
}

/** For a library function that reports a share alone. */
export function showFraction(label: string, show: Show): ((fraction: number) => void) | undefined {
  return show && ((fraction) => show({ label, fraction }))
}

/** For a library function that reports bytes. */
export function showBytes(
  label: string,
  show: Show,
): ((progress: { done: number; total: number }) => void) | undefined {
  return (
    show &&
    (({ done, total }) => {
      const fraction = total > 0 ? done / total : 1
      show({ label, fraction, text: bytes(done), done, unit: bytes })
    })
  )
}

/** Columns of the bar. */
const BAR = 24

/** Milliseconds between two writes. */
const INTERVAL = 100

/** One line that is written again and again: label, bar, what was done, rate, time left. */
export function progressLine(stream: { write(text: string): unknown; columns?: number }) {
  let first: { at: number; progress: Progress } | undefined
  let written: number | undefined
  let isComplete = false
  return {
    show(progress: Progress): void {
      const now = performance.now()
      const isAnother = first?.progress.label !== progress.label
      if (!first || isAnother) first = { at: now, progress }
      // Only the first of those at the end: a compressed file is read long before its rows are done.
      const isEnd = progress.fraction >= 1 && !isComplete
      if (written !== undefined && !isAnother && !isEnd && now - written < INTERVAL) return
      written = now
      isComplete = progress.fraction >= 1
      const line = lineOf(progress, first.progress, (now - first.at) / 1000)
      // In the last column the cursor would go to the next line.
      stream.write(`\r${line.slice(0, (stream.columns || 80) - 1)}\x1b[K`)
    },
    clear(): void {
      if (written !== undefined) stream.write('\r\x1b[K')
      written = undefined
    },
  }
}

/** Rate and time left go by what was done since the first report: what an earlier run did took no time. */
function lineOf({ label, fraction, text, done = 0, unit, detail }: Progress, first: Progress, seconds: number): string {
  const filled = Math.round(fraction * BAR)
  const things = done - (first.done ?? 0)
  const share = fraction - first.fraction
  const parts = [
    label,
    fraction > 0 && `${'█'.repeat(filled)}${'░'.repeat(BAR - filled)} ${Math.floor(fraction * 100)}%`,
    text,
    things > 0 && seconds > 0 && `${unit ? unit(things / seconds) : (things / seconds).toFixed(1)}/s`,
    share > 0 && `${duration((seconds / share) * (1 - fraction))} left`,
    detail,
  ]
  return parts.filter(Boolean).join('  ')
}

function duration(seconds: number): string {
  const [hours, minutes, rest] = [seconds / 3600, (seconds / 60) % 60, seconds % 60].map(Math.floor) as number[]
  const two = (value: number | undefined) => String(value).padStart(2, '0')
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`
}
