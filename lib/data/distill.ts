/** `distill`: asks a teacher every question of the inputs and keeps the trajectories that are worth training on. */

import { boolean, count, integer, isPlainObject, kind, misuse, numeric, oneOf, text } from '../base/checks.js'
import { oneLine } from '../base/one-line.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { idOf, type Row, scalarOf, textOf } from '../base/rows.js'
import { sameAnswer } from '../grading/answers.js'
import type { TrajectoryRecord } from '../problems/record.js'
import { extractFinalAnswer } from '../reason/answer.js'
import { LOAD_OPTIONS, REASON_OPTIONS, type ReasonOptions } from '../reason/options.js'
import { isReasoner, type Reasoner } from '../reason/reasoner.js'
import { openTokenizer } from '../reason/vocabulary.js'
import { stripDelimiters } from './delimiters.js'
import { fileName, fileNames, JOB_OPTIONS, type JobOptions } from './options.js'
import { ResumableRun, type RowOutcome, rowsOf } from './resumable-run.js'
import type { JobReport } from './run-state.js'
import { ask, openTeacher, Refusal, type TeacherOptions, type Trajectory } from './teacher.js'

export interface DistillOptions extends JobOptions, TeacherOptions, Pick<ReasonOptions, 'system' | 'topP' | 'tags'> {
  /** Files of questions. Their other columns are kept. */
  inputs: readonly string[]
  /** Requests at once, 1 … 64. Default 4. One at a time and with a seed, the addon gives the same text every time. */
  parallel?: number | undefined
  /** Default 8192, the paper's. */
  limit?: number | undefined
  /** 0 … 100; 0 is greedy. Default 0. */
  temperature?: number | undefined
  /** Of the first question, ≥ 0; each has its own. Default 0. */
  seed?: number | undefined
  /** Leave out what reached the limit. Default false: it is kept as far as it goes, as in the paper. */
  whole?: boolean | undefined
  /** Keep a trajectory only if its final answer is the record's `answer`. Default false. */
  check?: boolean | undefined
  /** Trajectories of each question, 1 … 64, of which one is kept. More than one need a temperature. Default 1. */
  samples?: number | undefined
  /**
   * Which of several is kept, of those that are not left out: `shortest`, `longest`, or `pass-rate`: the shortest where at
   * least half of the samples are kept, else the longest, so that length follows difficulty. The column `pass_rate` has
   * their share. Default `shortest`.
   */
  keep?: 'shortest' | 'longest' | 'pass-rate' | undefined
  /** How often a request that a server failed to answer is sent again, ≥ 0. Default 6. */
  retries?: number | undefined
  /** Milliseconds before the first time it is; they double each time, up to a minute. Default 1000. */
  backoff?: number | undefined
  /** GGUF file whose vocabulary counts `token_num_qwen`. Default: the teacher's count, else the embedded model. */
  tokenizer?: string | undefined
}

const SEEDS = 2 ** 32 - 1

/** Where no default is given, the teacher has one, and what is absent is not among the settings of a run. */
const DISTILL_OPTIONS = {
  ...JOB_OPTIONS,
  inputs: required(fileNames),
  reasoner: option(kind<Reasoner>('reasoner', isReasoner)),
  model: option(text),
  contextSize: option(LOAD_OPTIONS.contextSize),
  load: option(kind<object, TeacherOptions['load']>('plain object', isPlainObject)),
  server: option(text),
  key: option(text),
  retries: option(count(0), 6),
  backoff: option(
    numeric('number ≥ 0', (value) => value >= 0),
    1000,
  ),
  parallel: option(integer(1, 64), 4),
  limit: option(count(1), 8192),
  system: option(REASON_OPTIONS.system),
  temperature: option(REASON_OPTIONS.temperature, 0),
  topP: option(REASON_OPTIONS.topP),
  tags: option(REASON_OPTIONS.tags),
  seed: option(integer(0, SEEDS - 1), 0),
  whole: option(boolean, false),
  check: option(boolean, false),
  samples: option(integer(1, 64), 1),
  keep: option(oneOf(['shortest', 'longest', 'pass-rate']), 'shortest'),
  tokenizer: option(fileName),
} satisfies Record<keyof DistillOptions, Option<unknown>>

/**
 * Writes a record for each question that got a trajectory. Left out, by reason: `repetitive`, `truncated` (with `whole`),
 * `wrong answer` and `no answer to check` (with `check`), `empty`, and what the teacher refused.
 * @throws {RangeError|TypeError} for invalid options.
 * @throws as {@link ResumableRun.open} and its input do; {Z1Error} for the model; {Error} when the server fails for good.
 */
export async function distill(options: DistillOptions): Promise<JobReport> {
  const checked = readOptions(DISTILL_OPTIONS, options)
  const { inputs, parallel, limit, temperature, seed, whole, check, retries, backoff } = checked
  const { reasoner, model, server, system, topP, tags, samples, keep, tokenizer: counter } = checked
  if (server !== undefined && model === undefined) throw misuse(TypeError, 'name', 'model with server', model)
  if (samples > 1 && temperature === 0) {
    throw misuse(RangeError, 'number > 0', 'temperature (several samples are else the same)', temperature)
  }
  const asking = { limit, samples, system, temperature, topP, tags, retries, backoff }
  const settings = {
    limit,
    system,
    temperature,
    topP,
    // A server is known by its model: its address may change between two runs.
    model: reasoner?.model.path ?? model,
    server: server !== undefined,
    tags,
    seed,
    whole,
    check,
    ...(samples > 1 && { samples, keep }),
    tokenizer: counter,
  }
  const models = [server === undefined ? model : undefined, counter]
  await using run = await ResumableRun.open({ command: 'distill', settings, inputs, models, options: checked })
  if (run.done) return run.report

  let teacher: Reasoner | undefined
  const countsItself = server === undefined && reasoner?.model.vocabularySize !== undefined
  const tokenizer = counter !== undefined || !countsItself ? await openTokenizer(counter) : null
  // Until something was answered, a refusal may well be meant for all.
  let answered = run.report.read > 0

  const work = async (row: Row, line: number, signal: AbortSignal): Promise<RowOutcome> => {
    const question = textOf(row, 'question')
    const answer = scalarOf(row, 'answer')
    if (check && answer === undefined) return { dropped: 'no answer to check' }
    try {
      const first = (seed + line * samples) % SEEDS
      const trajectories = await ask(teacher as Reasoner, question, { ...asking, seed: first, signal })
      answered = true
      const judged = trajectories.map((trajectory) => judge(trajectory, { whole, answer: check ? answer : undefined }))
      const good = judged.filter((each) => 'response' in each)
      const rate = good.length / samples
      const [chosen] = good.sort(keep === 'longest' || (keep === 'pass-rate' && rate < 0.5) ? longFirst : shortFirst)
      if (!chosen) return judged[0] as { dropped: string }
      const { response } = chosen
      const reported = counter === undefined ? chosen.tokens : null
      const token_num_qwen = reported ?? (await tokenizer?.count(response)) ?? 0
      const record: TrajectoryRecord = { ...row.columns, id: idOf(row), question, response, token_num_qwen }
      return { line: JSON.stringify(samples > 1 ? { ...record, pass_rate: rate } : record) }
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      if (!answered)
        throw new Error(oneLine(`${row.location}: the teacher refused: ${error.message}`), { cause: error })
      return { dropped: error.reason, detail: error.message }
    }
  }
  try {
    teacher = reasoner ?? (await openTeacher(checked, parallel, limit))
    return await run.complete(
      rowsOf(inputs, run.position),
      ({ value }, signal) => work(value, value.next.line - 1, signal),
      { parallel, slow: true },
    )
  } finally {
    tokenizer?.close()
    if (teacher !== reasoner) await teacher?.dispose()
  }
}

interface Kept {
  response: string
  /** As the teacher counts them. */
  tokens: number | null
}

/** What is kept of a trajectory, or why nothing is. @param answer To be checked against. */
function judge(
  { text, tokens, truncated, loops }: Trajectory,
  { whole, answer }: { whole: boolean; answer: string | undefined },
): Kept | { dropped: string } {
  if (loops) return { dropped: 'repetitive' }
  if (whole && truncated) return { dropped: 'truncated' }
  const response = stripDelimiters(text)
  if (response === null) return { dropped: 'reasoning without an end' }
  if (response === '') return { dropped: 'empty' }
  if (answer !== undefined && !isRight(response, answer)) return { dropped: 'wrong answer' }
  return { response, tokens }
}

function shortFirst(a: Kept, b: Kept): number {
  return a.response.length - b.response.length
}

function longFirst(a: Kept, b: Kept): number {
  return shortFirst(b, a)
}

function isRight(response: string, answer: string): boolean {
  const found = extractFinalAnswer(response)
  return found !== null && sameAnswer(answer, found)
}
