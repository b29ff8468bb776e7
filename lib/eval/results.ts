/** The files of an evaluation: `run.json`, and `results.jsonl` with one line per response. */
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readLog } from '../base/jsonl.js'
import { oneLine } from '../base/one-line.js'
import { decodeText } from '../base/text.js'
import { currentRecord, currentRun } from './formats.js'
import type { ResultRecord, Run, RunEnvironment, RunOptions, ScoredResponse } from './records.js'
import { RunFolder, runFile } from './run-folder.js'

const RESULTS = 'results.jsonl'

/** Names one response of a run. */
export function keyOf({ id, window, sample }: Pick<ResultRecord, 'id' | 'window' | 'sample'>): string {
  return JSON.stringify([id, window, sample])
}

/** The folder of a run, open for appending. */
export class ResultsFolder {
  readonly #folder: RunFolder<RunOptions, ScoredResponse>

  private constructor(folder: RunFolder<RunOptions, ScoredResponse>) {
    this.#folder = folder
  }

  /** @throws {Error} as `RunFolder.open()` does. */
  static async open(directory: string, options: RunOptions): Promise<ResultsFolder> {
    const folder = await RunFolder.open(directory, {
      log: RESULTS,
      options,
      readOptions: () => readRun(directory).options,
      readLines: () => readOutcomes(directory),
    })
    return new ResultsFolder(folder)
  }

  /** What is there, in the order of the file. */
  get responses(): readonly ScoredResponse[] {
    return this.#folder.lines
  }

  /** Keeps what the run was begun with; a resumed one has it already. */
  async begin(environment: RunEnvironment): Promise<void> {
    await this.#folder.begin(environment)
  }

  /** @throws {Error} for a full disk and the like. What was appended before is kept. */
  async append(record: ResultRecord): Promise<ScoredResponse> {
    const response = scoredResponseOf(record)
    await this.#folder.append(record, response)
    return response
  }

  async close(): Promise<void> {
    await this.#folder.close()
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

export function resultsFile(directory: string): string {
  return join(directory, RESULTS)
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
