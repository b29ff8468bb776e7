/** `generate`: problems with their trajectories, written to a file. */
import { checkProblems } from '../problems/check.js'
import { type GeneratedProblem, type GenerateOptions, generateProblems } from '../problems/generate.js'
import { openTokenizer } from '../reason/vocabulary.js'
import { Job, type JobOptions, type JobReport, type Step } from './job.js'

export interface GenerateFileOptions extends JobOptions, Omit<GenerateOptions, 'start' | 'countTokens'> {
  /** Run each problem's program and compare what it prints with the answer: true, or the command of a Python. */
  check?: boolean | string | undefined
  /** GGUF file whose vocabulary counts `token_num_qwen`. Default: the embedded model. */
  tokenizer?: string | undefined
}

/** Starting Python takes as long as some hundred programs. */
const CHECKED_AT_ONCE = 1000

/** Responses that are counted at once. */
const PARALLEL = 4

/**
 * @throws {RangeError} for a family or difficulty that does not exist.
 * @throws {Error} naming a problem whose program prints another answer. No record after it is written.
 * @throws as {@link Job.open} does; {Z1Error} for the tokenizer.
 */
export async function generateFile(options: GenerateFileOptions): Promise<JobReport> {
  const { seed, count, families, difficulty, split, style, check = false, tokenizer: vocabulary } = options
  const python = check === true ? 'python3' : check
  const asked = { seed, families, difficulty, split, style }
  const settings = { ...asked, count, tokenizer: vocabulary }
  // What cannot be is told before anything is written.
  generateProblems({ ...asked, count: 0 }).next()
  await using job = await Job.open({ command: 'generate', settings, inputs: [], options })
  if (job.done) return job.report

  const tokenizer = await openTokenizer(vocabulary)
  const start = (job.position ?? 0) as number
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
    return await job.run(steps(), work, { parallel: PARALLEL })
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
