/** `generate`: problems with their trajectories, written to a file. */
import { isString, kind } from '../base/checks.js'
import { type Option, option, readOptions } from '../base/options.js'
import { checkProblems } from '../problems/check.js'
import {
  GENERATE_OPTIONS,
  type GeneratedProblem,
  type GenerateOptions,
  generateProblems,
} from '../problems/generate.js'
import { openTokenizer } from '../reason/vocabulary.js'
import { fileName, JOB_OPTIONS, type JobOptions } from './options.js'
import { ResumableRun, type Step } from './resumable-run.js'
import type { JobReport } from './run-state.js'

export interface GenerateFileOptions extends JobOptions, Omit<GenerateOptions, 'start' | 'countTokens'> {
  /** Run each problem's program and compare what it prints with the answer: true, or the command of a Python. */
  check?: boolean | string | undefined
  /** GGUF file whose vocabulary counts `token_num_qwen`. Default: the embedded model. */
  tokenizer?: string | undefined
}

const check = kind('boolean or command of a Python', (value): value is boolean | string => {
  return typeof value === 'boolean' || isString(value)
})

/** What is absent stays so: it is not among the settings that a run is pinned to. */
const GENERATE_FILE_OPTIONS = {
  ...JOB_OPTIONS,
  seed: GENERATE_OPTIONS.seed,
  count: GENERATE_OPTIONS.count,
  families: option(GENERATE_OPTIONS.families),
  difficulty: option(GENERATE_OPTIONS.difficulty),
  split: option(GENERATE_OPTIONS.split),
  wordings: option(GENERATE_OPTIONS.wordings),
  style: option(GENERATE_OPTIONS.style),
  lengths: option(GENERATE_OPTIONS.lengths),
  check: option(check, false),
  tokenizer: option(fileName),
} satisfies Record<keyof GenerateFileOptions, Option<unknown>>

/** Starting Python takes as long as some hundred programs. */
const CHECKED_AT_ONCE = 1000

/** Responses that are counted at once. */
const PARALLEL = 4

/**
 * @throws {TypeError|RangeError} for invalid options, a family or difficulty that does not exist among them.
 * @throws {Error} naming a problem whose program prints another answer. No record after it is written.
 * @throws as {@link ResumableRun.open} does; {Z1Error} for the tokenizer.
 */
export async function generateFile(options: GenerateFileOptions): Promise<JobReport> {
  const checked = readOptions(GENERATE_FILE_OPTIONS, options)
  const { seed, count, families, difficulty, split, wordings, style, lengths, check, tokenizer: vocabulary } = checked
  const python = check === true ? 'python3' : check
  const asked = { seed, families, difficulty, split, wordings, style, lengths }
  const settings = { ...asked, count, tokenizer: vocabulary }
  // Validate before writing anything.
  generateProblems({ ...asked, count: 0 }).next()
  const models = [vocabulary]
  await using run = await ResumableRun.open({ command: 'generate', settings, inputs: [], models, options: checked })
  if (run.done) return run.report

  const tokenizer = await openTokenizer(vocabulary)
  const start = (run.position ?? 0) as number
  async function* steps(): AsyncGenerator<Step<GeneratedProblem>> {
    const problems = generateProblems({ ...asked, start, count: count - start })
    let next = start
    for (let batch = take(problems); batch.length > 0; batch = take(problems)) {
      if (python !== false) await checkProblems(batch, python)
      for (const problem of batch) {
        next += 1
        yield { value: problem, location: problem.record.id, next, fraction: next / count }
      }
    }
  }
  try {
    const work = async ({ value: { record } }: Step<GeneratedProblem>) => {
      const token_num_qwen = await tokenizer.count(record.response)
      return { line: JSON.stringify({ ...record, token_num_qwen }) }
    }
    return await run.complete(steps(), work, { parallel: PARALLEL })
  } finally {
    tokenizer.close()
  }
}

function take(problems: Generator<GeneratedProblem>): GeneratedProblem[] {
  const batch: GeneratedProblem[] = []
  while (batch.length < CHECKED_AT_ONCE) {
    const { value, done } = problems.next()
    if (done) break
    batch.push(value)
  }
  return batch
}
