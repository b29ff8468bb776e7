/**
 * The files of a run: `run.json` with what it was made with, `results.jsonl` with one line per response, appended as it
 * is done. A line counts from its line feed on: whatever ended the process, all lines before stay, and a torn one is
 * cut off by the next start.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { removeLeftovers, writeWhole } from '../base/files.js'
import { AppendLog, readLog } from '../base/jsonl.js'
import { Lock } from '../base/lock.js'
import { oneLine } from '../base/one-line.js'
import { decodeText } from '../base/text.js'
import { currentRecord, currentRun, FORMAT } from './formats.js'
import type { ResultRecord, Run, RunEnvironment, RunOptions, ScoredResponse } from './records.js'

/** Names one response of a run. */
export function keyOf({ id, window, sample }: Pick<ResultRecord, 'id' | 'window' | 'sample'>): string {
  return JSON.stringify([id, window, sample])
}

/** The folder of a run, open for appending. */
export class ResultsFolder {
  /** What is there, in the order of the file. */
  readonly responses: ScoredResponse[]
  readonly #directory: string
  readonly #options: RunOptions
  readonly #log: AppendLog
  readonly #lock: Lock

  private constructor(directory: string, options: RunOptions, log: AppendLog, responses: ScoredResponse[], lock: Lock) {
    this.#directory = directory
    this.#options = options
    this.#log = log
    this.#lock = lock
    this.responses = responses
  }

  /**
   * Opens a folder that may not be there yet, or holds a run with the same options.
   * @throws {Error} for another run's folder, for one that a run works in, and for lines that are not results.
   */
  static async open(directory: string, options: RunOptions): Promise<ResultsFolder> {
    await mkdir(directory, { recursive: true })
    const lock = await Lock.take(resultsFile(directory))
    try {
      return await ResultsFolder.#read(directory, options, lock)
    } catch (error) {
      await lock[Symbol.asyncDispose]()
      throw error
    }
  }

  static async #read(directory: string, options: RunOptions, lock: Lock): Promise<ResultsFolder> {
    const results = resultsFile(directory)
    // An empty file may be that of a run whose model could not be loaded.
    const size = await stat(results).then(
      ({ size }) => size,
      () => 0,
    )
    if (existsSync(runFile(directory))) checkSame(directory, readRun(directory).options, options)
    else if (size > 0) throw new Error(`${directory} holds results without run.json: give another folder`)
    for (const file of ['run.json', 'summary.json']) await removeLeftovers(join(directory, file))
    const responses = size > 0 ? await readOutcomes(directory) : []
    return new ResultsFolder(directory, options, await AppendLog.resume(results), responses, lock)
  }

  /** Keeps what the run was begun with; a resumed one has it already. */
  async begin(environment: RunEnvironment): Promise<void> {
    if (existsSync(runFile(this.#directory))) return
    const run: Run = { format: FORMAT, options: this.#options, environment }
    await writeWhole(runFile(this.#directory), `${JSON.stringify(run, null, 2)}\n`)
  }

  /** @throws {Error} for a full disk and the like. What was appended before is kept. */
  async append(record: ResultRecord): Promise<ScoredResponse> {
    await this.#log.append(JSON.stringify(record))
    await this.#log.flush()
    const response = scoredResponseOf(record)
    this.responses.push(response)
    return response
  }

  async close(): Promise<void> {
    await this.#log.close()
    await this.#lock[Symbol.asyncDispose]()
  }
}

/** The files of a run, there or not. */
export function filesOfRun(directory: string): string[] {
  return [runFile(directory), resultsFile(directory), join(directory, 'summary.json')]
}

/** What a folder's run was made with. @throws {Error} when there is none, or a later version has written it. */
export function readRun(directory: string): Run {
  return currentRun(readJson(runFile(directory), `${directory} holds no run`) as Run, directory)
}

/** The results in a folder, the large parts left out. @throws {Error} naming the line that is not a result. */
export async function readOutcomes(directory: string): Promise<ScoredResponse[]> {
  const responses: ScoredResponse[] = []
  for await (const { record } of readResults(directory)) responses.push(scoredResponseOf(record))
  return responses
}

/** The results in a folder, one after the other, with the line of each. @throws {Error} naming the line that is not a result. */
export async function* readResults(directory: string): AsyncGenerator<{ record: ResultRecord; location: string }> {
  const keys = new Set<string>()
  for await (const { columns, location } of readLog(resultsFile(directory))) {
    const record = columns as unknown as ResultRecord
    if (typeof record.correct !== 'boolean' || typeof record.usage?.thinkingTokens !== 'number') {
      throw new Error(`${location}: Expected a result`)
    }
    const key = keyOf(record)
    if (keys.has(key)) {
      throw new Error(oneLine(`${location}: Duplicate result of ${record.id} at window ${record.window}`))
    }
    keys.add(key)
    yield { record: currentRecord(record), location }
  }
}

/** Reads a file that is whole or not there. */
export function readJson(file: string, missing: string): unknown {
  let bytes: Buffer
  try {
    if (!statSync(file).isFile()) throw new Error('not a regular file')
    bytes = readFileSync(file)
  } catch (cause) {
    throw new Error(oneLine(`${missing}: ${(cause as Error).message}`), { cause })
  }
  try {
    return JSON.parse(decodeText(bytes))
  } catch (cause) {
    throw new Error(oneLine(`${file}: ${(cause as Error).message}`), { cause })
  }
}

function runFile(directory: string): string {
  return join(directory, 'run.json')
}

export function resultsFile(directory: string): string {
  return join(directory, 'results.jsonl')
}

function show(json: string | undefined): string {
  return json === undefined ? 'unset' : oneLine(json, 200)
}

function checkSame(directory: string, before: RunOptions, now: RunOptions): void {
  // One may have what the other has not: a shard.
  for (const name of new Set(Object.keys({ ...before, ...now })) as Set<keyof RunOptions>) {
    const [was, is] = [before[name], now[name]].map((value) => JSON.stringify(value))
    if (was === is) continue
    throw new Error(
      `${directory} holds a run with ${name} ${show(was)}, not ${show(is)}: give the same options to go on, or another folder`,
    )
  }
}

export function scoredResponseOf({
  prompt,
  tokens,
  text,
  parts,
  timings,
  thinkingWindow,
  seed,
  ...response
}: ResultRecord): ScoredResponse {
  return response
}
