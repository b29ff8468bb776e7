/**
 * The files of a run: `run.json` with what it was made with, `results.jsonl` with one line per response, appended as it
 * is done. A line counts from its line feed on: whatever ended the process, all lines before stay, and a torn one is
 * cut off by the next start.
 */
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { removeLeftovers, writeWhole } from '../base/files.js'
import { AppendLog, readLog } from '../base/jsonl.js'
import type { Ended, FinishReason } from '../native/binding.js'
import type { ChatMessage } from '../reason/options.js'
import type { ReasonResult } from '../reason/result.js'

/** What limits thinking: the shifted window, forced closing of the model's tags, or a limit alone. */
export type Method = 'window' | 'delimited' | 'none'

/** All that decides what a run's results are. A folder holds the results of one such set. */
export interface RunOptions {
  task: string
  items: number
  /** Of all items, as JSON. */
  itemsSha256: string
  modelSha256: string
  method: Method
  windows: string[]
  /** The text; null for the method `none`. */
  hint: string | null
  maxTokens: number | null
  system: string | null
  temperature: number
  samples: number
  seed: number
  contextSize: number | null
}

/** What is worth knowing about a run and may differ when it is resumed. */
export interface RunFacts {
  /** Of this package. */
  version: string
  model: { file: string; architecture: string; quantization: string; parameters: number; size: number }
  engine: string
  devices: string[]
  parallel: number
  threads: number
}

export interface Run {
  options: RunOptions
  facts: RunFacts
}

/** One response, graded: a line of results.jsonl. */
export interface ResultRecord {
  id: string
  family?: string
  difficulty?: number
  /** As it was asked for: `64`, `25%`, `inf`. */
  window: string
  /** In tokens; null: no end. */
  thinkingWindow: number | null
  /** 0 … samples − 1 */
  sample: number
  prompt: ChatMessage[]
  /** Ids of the sampled tokens and of the hint. */
  tokens: ReasonResult['tokens']
  /** All of the response: reasoning, hint, answer. */
  text: string
  extracted: string | null
  /** The right answer. */
  answer: string
  correct: boolean
  /** After a hint: whether the answer has the form that the hint asks for; null: there was no hint. */
  inForm: boolean | null
  /** As in `ReasonResult`; `length` where the method `none` reached its limit. */
  ended: Ended
  finishReason: FinishReason
  usage: ReasonResult['usage']
  timings: ReasonResult['timings']
  seed: number
}

/** What figures need of a result: the large parts are left in the file. */
export type Outcome = Omit<ResultRecord, 'prompt' | 'tokens' | 'text' | 'timings' | 'thinkingWindow' | 'seed'>

/** Names one response of a run. */
export function keyOf({ id, window, sample }: Pick<ResultRecord, 'id' | 'window' | 'sample'>): string {
  return JSON.stringify([id, window, sample])
}

/** The folder of a run, open for appending. */
export class ResultsFolder {
  /** What is there, in the order of the file. */
  readonly outcomes: Outcome[]
  readonly #directory: string
  readonly #options: RunOptions
  readonly #log: AppendLog

  private constructor(directory: string, options: RunOptions, log: AppendLog, outcomes: Outcome[]) {
    this.#directory = directory
    this.#options = options
    this.#log = log
    this.outcomes = outcomes
  }

  /**
   * Opens a folder that may not be there yet, or holds a run with the same options.
   * @throws {Error} for another run's folder, and for results that are none.
   */
  static async open(directory: string, options: RunOptions): Promise<ResultsFolder> {
    await mkdir(directory, { recursive: true })
    const results = resultsFile(directory)
    // An empty file may be that of a run whose model could not be loaded.
    const size = await stat(results).then(
      ({ size }) => size,
      () => 0,
    )
    if (existsSync(runFile(directory))) checkSame(directory, readRun(directory).options, options)
    else if (size > 0) throw new Error(`${directory} holds results without run.json: give another folder`)
    for (const file of ['run.json', 'summary.json']) await removeLeftovers(join(directory, file))
    const outcomes = size > 0 ? await readOutcomes(directory) : []
    return new ResultsFolder(directory, options, await AppendLog.resume(results), outcomes)
  }

  /** Keeps what the run was begun with; a resumed one has it already. */
  async begin(facts: RunFacts): Promise<void> {
    if (existsSync(runFile(this.#directory))) return
    await writeWhole(runFile(this.#directory), `${JSON.stringify({ options: this.#options, facts }, null, 2)}\n`)
  }

  /** @throws {Error} for a full disk and the like. What was appended before is kept. */
  async append(record: ResultRecord): Promise<Outcome> {
    await this.#log.append(JSON.stringify(record))
    await this.#log.flush()
    const outcome = outcomeOf(record)
    this.outcomes.push(outcome)
    return outcome
  }

  async close(): Promise<void> {
    await this.#log.close()
  }
}

/** What a folder's run was made with. @throws {Error} when there is none. */
export function readRun(directory: string): Run {
  return readJson(runFile(directory), `${directory} holds no run`) as Run
}

/** The results in a folder, the large parts left out. @throws {Error} naming the line that is none. */
export async function readOutcomes(directory: string): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const keys = new Set<string>()
  for await (const { columns, location } of readLog(resultsFile(directory))) {
    const record = columns as unknown as ResultRecord
    if (typeof record.correct !== 'boolean' || typeof record.usage?.thinkingTokens !== 'number') {
      throw new Error(`${location}: Expected a result`)
    }
    const key = keyOf(record)
    if (keys.has(key)) {
      throw new Error(`${location}: The result of ${record.id} at window ${record.window} is there twice`)
    }
    keys.add(key)
    outcomes.push(outcomeOf(record))
  }
  return outcomes
}

/** Reads a file that is whole or not there. */
export function readJson(file: string, missing: string): unknown {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (cause) {
    throw new Error(`${missing}: ${(cause as Error).message}`, { cause })
  }
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new Error(`${file}: ${(cause as Error).message}`, { cause })
  }
}

function runFile(directory: string): string {
  return join(directory, 'run.json')
}

function resultsFile(directory: string): string {
  return join(directory, 'results.jsonl')
}

function checkSame(directory: string, before: RunOptions, now: RunOptions): void {
  for (const name of Object.keys(now) as (keyof RunOptions)[]) {
    const [was, is] = [before[name], now[name]].map((value) => JSON.stringify(value))
    if (was === is) continue
    throw new Error(
      `${directory} holds a run with ${name} ${was}, not ${is}: give the same options to go on, or another folder`,
    )
  }
}

function outcomeOf({ prompt, tokens, text, timings, thinkingWindow, seed, ...outcome }: ResultRecord): Outcome {
  return outcome
}
