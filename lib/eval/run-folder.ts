/**
 * The folder of a run: `run.json` with what it was made with, and a log with one line for each thing that it has come to,
 * appended as it is done. A line counts from its line feed on: whatever ended the process, all lines before stay, and a torn
 * one is cut off by the next start.
 */
import { existsSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { removeLeftovers, writeWhole } from '../base/files.js'
import { AppendLog } from '../base/jsonl.js'
import { Lock } from '../base/lock.js'
import { oneLine } from '../base/one-line.js'
import { FORMAT } from './formats.js'
import type { RunEnvironment, RunOptions } from './records.js'

interface FolderOptions<Options, Kept> {
  /** Name of the log. */
  log: string
  /** What the lines depend on: a folder that holds a run with others is refused. */
  options: Options
  /** What the folder's run was made with. */
  readOptions(): Options
  /** What is kept in memory of the lines that are there. */
  readLines(): Promise<Kept[]>
}

/** Open for appending. */
export class RunFolder<Options extends RunOptions, Kept> {
  /** In the order of the log. */
  readonly lines: Kept[]
  readonly #directory: string
  readonly #options: Options
  readonly #log: AppendLog
  readonly #lock: Lock

  private constructor(directory: string, options: Options, log: AppendLog, lines: Kept[], lock: Lock) {
    this.#directory = directory
    this.#options = options
    this.#log = log
    this.#lock = lock
    this.lines = lines
  }

  /**
   * Opens a folder that may not be there yet, or holds a run with the same options.
   * @throws {Error} for another run's folder, for one that a run works in, and for lines that are not of a run.
   */
  static async open<Options extends RunOptions, Kept>(
    directory: string,
    folder: FolderOptions<Options, Kept>,
  ): Promise<RunFolder<Options, Kept>> {
    await mkdir(directory, { recursive: true })
    const lock = await Lock.take(join(directory, folder.log))
    try {
      return await RunFolder.#read(directory, folder, lock)
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  static async #read<Options extends RunOptions, Kept>(
    directory: string,
    { log, options, readOptions, readLines }: FolderOptions<Options, Kept>,
    lock: Lock,
  ): Promise<RunFolder<Options, Kept>> {
    const file = join(directory, log)
    // An empty file may be that of a run whose model could not be loaded.
    const size = await stat(file).then(
      ({ size }) => size,
      () => 0,
    )
    if (existsSync(runFile(directory))) checkSame(directory, readOptions(), options)
    else if (size > 0) throw new Error(`${directory} holds results without run.json: give another folder`)
    for (const name of ['run.json', 'summary.json']) await removeLeftovers(join(directory, name))
    const lines = size > 0 ? await readLines() : []
    return new RunFolder(directory, options, await AppendLog.resume(file), lines, lock)
  }

  /** Keeps what the run was begun with; a resumed one has it already. */
  async begin(environment: RunEnvironment): Promise<void> {
    if (existsSync(runFile(this.#directory))) return
    const run = { format: FORMAT, options: this.#options, environment }
    await writeWhole(runFile(this.#directory), `${JSON.stringify(run, null, 2)}\n`)
  }

  /** @throws {Error} for a full disk and the like. What was appended before is kept. */
  async append(line: object, kept: Kept): Promise<void> {
    await this.#log.append(JSON.stringify(line))
    await this.#log.flush()
    this.lines.push(kept)
  }

  async close(): Promise<void> {
    await this.#log.close()
    await this.#lock[Symbol.asyncDispose]()
  }
}

export function runFile(directory: string): string {
  return join(directory, 'run.json')
}

function show(json: string | undefined): string {
  return json === undefined ? 'unset' : oneLine(json, 200)
}

function checkSame<Options extends object>(directory: string, before: Options, now: Options): void {
  // One may have what the other has not: a shard.
  for (const name of new Set(Object.keys({ ...before, ...now })) as Set<string & keyof Options>) {
    const [was, is] = [before[name], now[name]].map((value) => JSON.stringify(value))
    if (was === is) continue
    throw new Error(
      `${directory} holds a run with ${name} ${show(was)}, not ${show(is)}: give the same options to go on, or another folder`,
    )
  }
}
