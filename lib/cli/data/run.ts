/** What the commands of `z1 data` share: progress by rows, and the report of what became of them. */
import type { JobOptions, Progress } from '../../data/options.js'
import type { JobReport } from '../../data/run-state.js'
import { type Frame, runInterruptible, type Show } from '../progress.js'
import { table } from '../table.js'
import { print, printError } from '../terminal.js'

/** Runs a command that writes records, and prints what became of them. */
export async function writeRecords(
  { output, force, json }: { output: string; force: true | undefined; json: true | undefined },
  work: (options: Pick<JobOptions, 'output' | 'force' | 'signal' | 'onProgress'>, show: Show) => Promise<JobReport>,
): Promise<void> {
  let read = 0
  const report = await runReading(
    ({ signal, show }) => {
      const showRows = rowProgress(show)
      const onProgress = (progress: Progress) => {
        read = progress.read
        showRows?.(progress)
      }
      return work({ output, force, signal, onProgress }, show)
    },
    () => (output === '-' ? '' : `: ${read} rows are done; the same command goes on from there`),
  )
  if (!report) return
  const text = json ? `${JSON.stringify(report, null, 2)}\n` : reportTable(report)
  // Standard output may be the records'.
  if (output === '-') printError(text)
  else print(text)
}

/** As {@link runInterruptible}; what waits for standard input is interrupted too: a pipe may have nothing to say for long. */
export function runReading<T>(work: (frame: Frame) => Promise<T>, afterward?: () => string): Promise<T | null> {
  return runInterruptible((frame) => {
    frame.signal.addEventListener('abort', () => process.stdin.destroy())
    return work(frame)
  }, afterward)
}

/** Progress as the library reports it. */
export function rowProgress(show: Show): ((progress: Progress) => void) | undefined {
  return show && (({ fraction, read, kept }) => show({ fraction, done: read, text: `${read} read, ${kept} kept` }))
}

function reportTable({ read, kept, dropped, examples, unused = {} }: JobReport): string {
  const rows = Object.entries(dropped).map(([reason, count]): [string, string] => {
    const named = examples[reason] ?? []
    return [reason, `${count}  (${named.join(', ')}${count > named.length ? ', …' : ''})`]
  })
  const lacking = Object.entries(unused).map(
    ([text, count]) => `${text} of ${count} ${count === 1 ? 'row' : 'rows'} not used\n`,
  )
  return table([['read', String(read)], ['kept', String(kept)], ...rows]) + lacking.join('')
}
