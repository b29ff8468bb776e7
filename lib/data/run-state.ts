/** The side file of a run, `OUT.state.json`: how far it is, and what it was begun with. Knows no row. */
import { lstat, stat } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { cannotRead, readBytes } from '../base/files.js'
import { formatOf } from '../base/formats.js'
import { oneLine } from '../base/one-line.js'
import { decodeText } from '../base/text.js'
import { linesPath } from './io.js'

/** What became of the rows, earlier runs included. */
export interface JobReport {
  read: number
  kept: number
  /** Rows left out, by reason. */
  dropped: Record<string, number>
  /** Up to five rows of each reason, by file and line. */
  examples: Record<string, string[]>
  /** Rows that were kept without one of their texts, by which it is: `system turns`. Absent where there are none. */
  unused?: Record<string, number>
}

/** What the side file holds: a format, which later releases go on from. */
export interface RunState {
  command: string
  settings: Record<string, unknown>
  inputs: { path: string; size: number; modified: number }[]
  position: unknown
  /** Of the output, those that are certain. */
  bytes: number
  report: JobReport
  done: boolean
}

/**
 * The state to go on from, or null if there is nothing yet.
 * @throws {Error} for an output that other settings, or another program, began.
 */
export async function resumableState(fresh: RunState, output: string, statePath: string): Promise<RunState | null> {
  const written = await stat(output).catch(() => null)
  const bytes = await readBytes(statePath).catch(() => null)
  if (bytes === null) {
    // An empty one may be that of a run that was killed before its first checkpoint.
    if (!written || written.size === 0) return null
    throw new Error(
      `${output} already exists and was not written by this command (no ${statePath}); use --force to overwrite`,
    )
  }
  let state: RunState
  try {
    state = JSON.parse(decodeText(bytes))
  } catch {
    throw new Error(`${statePath} is damaged: use --force to start over`)
  }
  const lines = state.done ? written : await stat(linesPath(output)).catch(() => null)
  // The output was deleted: start over.
  if (!lines) return null
  for (const key of ['command', 'inputs'] as const) {
    if (isDeepStrictEqual(state[key], fresh[key])) continue
    throw new Error(`${output} was begun with another ${key === 'command' ? key : 'input'}: --force begins anew`)
  }
  for (const name of new Set([...Object.keys(state.settings), ...Object.keys(fresh.settings)])) {
    const [was, is] = [state.settings[name], fresh.settings[name]]
    if (isDeepStrictEqual(was, is)) continue
    throw new Error(
      `${output} was begun with ${name} ${show(was)}, not ${show(is)}: give that again, or --force to begin anew`,
    )
  }
  if (!state.done && lines.size < state.bytes) {
    throw new Error(`${linesPath(output)} is shorter than it was when the run ended: --force begins anew`)
  }
  return state
}

/**
 * Beside a Parquet output, `OUT.partial.jsonl` is written anew. A file of that name that no run has left is a user's.
 * @throws {Error} for such a file.
 */
export async function checkLinesAreOurs(output: string, statePath: string): Promise<void> {
  const lines = linesPath(output)
  const there = lines === output ? null : await lstat(lines).catch(() => null)
  if (!there?.isFile() || there.size === 0) return
  const state: Partial<RunState> | null = await readBytes(statePath)
    .then(String)
    .then(JSON.parse)
    .catch(() => null)
  if (state?.done === false || (state?.done && state.bytes === there.size)) return
  throw new Error(`${lines} already exists and was not written by this command: move it away, or give another output`)
}

function show(value: unknown): string {
  return value === undefined ? 'unset' : oneLine(JSON.stringify(value), 200)
}

/** @throws {Error} when the file cannot be read. */
export async function identityOf(path: string): Promise<RunState['inputs'][number]> {
  formatOf(path)
  if (path === '-') return { path, size: 0, modified: 0 }
  try {
    const { size, mtimeMs } = await stat(path)
    return { path, size, modified: Math.round(mtimeMs) }
  } catch (error) {
    throw cannotRead(path, error)
  }
}
