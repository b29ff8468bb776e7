/**
 * A run from rows to an output file that can be killed at any moment and goes on, with the same call, where it stood:
 * without loss, without duplicates, and to the same bytes.
 *
 * The output grows at its end only. A side file, `OUT.state.json`, says how many bytes of it are certain and from where
 * the input goes on; what stands beyond them, a torn line too, is cut off. It also pins what the run was begun with,
 * and stays when the run is done, as a note of how the output came to be.
 */
import { sum } from 'd3-array'
import { inOrder } from '../base/concurrency.js'
import { checkDistinct, removeLeftovers, writeWhole } from '../base/files.js'
import { outputFormatOf, readRows } from '../base/formats.js'
import { AppendLog, readLog } from '../base/jsonl.js'
import { Lock } from '../base/lock.js'
import type { Position, Row } from '../base/rows.js'
import { finishFile, linesPath, removeLines } from './io.js'
import type { JobOptions } from './options.js'
import { checkLinesAreOurs, identityOf, type JobReport, type RunState, resumableState } from './run-state.js'

/**
 * A row's fate: the line to write and what it lacks of the row's texts, or the reason why it is left out (one of a few) and what
 * more there is to say.
 */
export type RowOutcome = { line: string; unused?: string[] } | { dropped: string; detail?: string | undefined }

/** One step of a run's input. */
export interface Step<T> {
  value: T
  /** For messages. */
  location: string
  /** What {@link ResumableRun.position} shall be after it: anything that JSON can say. */
  next: unknown
  fraction: number
}

/** Milliseconds between two checkpoints where steps are quick: what a killed run does again at most. */
const CHECKPOINT_MS = 1000

const EXAMPLES = 5

export interface RunSpec {
  command: string
  /** What decides about the output. A run that is begun with others is another run. */
  settings: Record<string, unknown>
  inputs: readonly string[]
  /** What else is read, if given: models. */
  models?: readonly (string | undefined)[]
  options: JobOptions
}

export class ResumableRun {
  readonly #output: string
  readonly #statePath: string | null
  /** null: the run is done. */
  readonly #lines: AppendLog | null
  readonly #state: RunState
  readonly #options: JobOptions
  #checkpointed = 0

  /** null: nobody else can write to standard output. */
  readonly #lock: Lock | null

  private constructor(
    options: JobOptions,
    { statePath, lines, lock }: { statePath: string | null; lines: AppendLog | null; lock: Lock | null },
    state: RunState,
  ) {
    this.#options = options
    this.#output = options.output
    this.#statePath = statePath
    this.#lines = lines
    this.#lock = lock
    this.#state = state
  }

  /**
   * Finds out where to begin.
   * @throws {TypeError} for a name without a known extension, or an output that is an input.
   * @throws {Error} for an output that other settings, or another program, began, or that another run works on; for files
   * that cannot be read.
   */
  static async open({ command, settings, inputs, models = [], options }: RunSpec): Promise<ResumableRun> {
    const { output, force = false } = options
    outputFormatOf(output)
    const pinned = JSON.parse(JSON.stringify(settings))
    const fresh: RunState = {
      command,
      settings: pinned,
      inputs: await Promise.all(inputs.map(identityOf)),
      position: null,
      bytes: 0,
      report: { read: 0, kept: 0, dropped: {}, examples: {} },
      done: false,
    }
    const read = [...inputs, ...models.filter((model) => model !== undefined)]
    if (output === '-') {
      await checkDistinct(['-'], read)
      return new ResumableRun(options, { statePath: null, lines: await AppendLog.open('-'), lock: null }, fresh)
    }

    const statePath = `${output}.state.json`
    await checkDistinct([output, linesPath(output), statePath], read)
    const lock = await Lock.take(output)
    try {
      await removeLeftovers(output)
      await removeLeftovers(statePath)
      const state = (force ? null : await resumableState(fresh, output, statePath)) ?? fresh
      if (state.done) {
        await removeLines(output, state.bytes)
        return new ResumableRun(options, { statePath, lines: null, lock }, state)
      }
      if (state === fresh) {
        await checkLinesAreOurs(output, statePath)
        // In this order: lines without a state are another program's, and those of another state are not this one's.
        await writeState(statePath, state)
      }
      const lines = await AppendLog.open(linesPath(output), state.bytes)
      return new ResumableRun(options, { statePath, lines, lock }, state)
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  /** Whether an earlier run has done all of it. */
  get done(): boolean {
    return this.#state.done
  }

  get report(): JobReport {
    return this.#state.report
  }

  /** `next` of the last step whose outcome is certain; null at the beginning. */
  get position(): unknown {
    return this.#state.position
  }

  /** The rows that earlier runs have kept. */
  async *written(): AsyncGenerator<Row> {
    if (this.#state.bytes > 0) yield* readLog(linesPath(this.#output))
  }

  /**
   * Does the steps and completes the output. Of a run that is done it does nothing.
   * @param steps From {@link position} on.
   * @param parallel Steps that are worked on at once; outcomes are written in the order of the steps all the same.
   * @param slow Steps are dear: each outcome is made certain at once.
   */
  async complete<T>(
    steps: AsyncIterable<Step<T>>,
    work: (step: Step<T>, signal: AbortSignal) => RowOutcome | Promise<RowOutcome>,
    { parallel = 1, slow = false }: { parallel?: number; slow?: boolean } = {},
  ): Promise<JobReport> {
    const { signal, onProgress } = this.#options
    const { report } = this.#state
    const lines = this.#lines
    if (!lines) return report
    try {
      for await (const { item, result } of inOrder(steps, parallel, work, signal)) {
        report.read += 1
        if ('line' in result) {
          await lines.append(result.line)
          report.kept += 1
          for (const text of result.unused ?? []) {
            report.unused = { ...report.unused, [text]: (report.unused?.[text] ?? 0) + 1 }
          }
        } else {
          drop(report, result.dropped, result.detail ? `${item.location}: ${result.detail}` : item.location)
        }
        this.#state.position = item.next
        if (slow || Date.now() - this.#checkpointed >= CHECKPOINT_MS) await this.#checkpoint()
        onProgress?.({ fraction: item.fraction, read: report.read, kept: report.kept })
      }
    } finally {
      // Also when the run fails: what was done is not done again. A second failure would hide the first.
      await this.#checkpoint().catch(() => {})
    }
    await this.#finish()
    return report
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#lines?.close()
    await this.#lock?.[Symbol.asyncDispose]()
  }

  async #finish(): Promise<void> {
    await this.#checkpoint()
    if (this.#statePath === null) return
    await finishFile(this.#output)
    this.#state.done = true
    await this.#checkpoint()
    await removeLines(this.#output, this.#state.bytes)
  }

  /** The lines come first: the state never says more than the output holds. */
  async #checkpoint(): Promise<void> {
    const lines = this.#lines
    if (!lines || this.#statePath === null) return lines?.flush()
    await lines.sync()
    this.#state.bytes = lines.bytes
    await writeState(this.#statePath, this.#state)
    this.#checkpointed = Date.now()
  }
}

function writeState(path: string, state: RunState): Promise<void> {
  return writeWhole(path, `${JSON.stringify(state, null, 2)}\n`)
}

function drop({ dropped, examples }: JobReport, reason: string, example: string): void {
  dropped[reason] = (dropped[reason] ?? 0) + 1
  const named = examples[reason] ?? []
  if (named.length < EXAMPLES) examples[reason] = [...named, example]
}

/** The steps over the rows of several files, one after the other, from a run's position on. */
export async function* rowsOf(inputs: readonly string[], position: unknown): AsyncGenerator<Step<Row>> {
  // As it stands in state files, `place` is where in the file.
  const from = (position ?? { file: 0, place: undefined }) as { file: number; place: Position | undefined }
  const sizes = await Promise.all(inputs.map(async (path) => (await identityOf(path)).size))
  const total = sum(sizes)
  let before = 0
  for (const [file, path] of inputs.entries()) {
    const size = sizes[file] as number
    if (file >= from.file) {
      for await (const row of readRows(path, file === from.file ? from.place : undefined)) {
        const fraction = total > 0 ? (before + row.fraction * size) / total : 0
        yield { value: row, location: row.location, next: { file, place: row.next }, fraction }
      }
    }
    before += size
  }
}
