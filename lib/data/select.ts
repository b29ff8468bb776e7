/** `select`: part of a set, by a budget of tokens. The paper's script and its Algorithm 1 differ; both are here. */
import { integer, numeric, oneOf } from '../base/checks.js'
import { readRows } from '../base/formats.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { Random } from '../base/random.js'
import { countOf } from '../base/rows.js'
import { fileNames, JOB_OPTIONS, type JobOptions } from './options.js'
import { ResumableRun, rowsOf } from './resumable-run.js'
import type { JobReport } from './run-state.js'

const MODES = ['longest', 'shortest', 'random'] as const
const RULES = ['script', 'algorithm1'] as const

export interface SelectionOptions {
  /** Budget of tokens, ≥ 0. The paper's: 73,996,112. */
  tokens: number
  /** Which records come first. Of equal length, the earlier one. */
  mode: (typeof MODES)[number]
  /**
   * `script`: as `data/data_select.py` of Z1's repository: takes records while the sum so far is below the budget, so
   * that the last one exceeds it. `algorithm1`: as the paper's: takes a record if it still fits, and goes on to the end.
   * Default `script`.
   */
  rule?: (typeof RULES)[number] | undefined
  /** For `random`, 0 … 4294967295. Default 42. */
  seed?: number | undefined
}

export interface SelectOptions extends JobOptions, SelectionOptions {
  inputs: readonly string[]
}

const SELECTION_OPTIONS = {
  tokens: required(numeric('number ≥ 0', (value) => value >= 0)),
  mode: required(oneOf(MODES)),
  rule: option(oneOf(RULES), 'script'),
  seed: option(integer(0, 2 ** 32 - 1), 42),
} satisfies Record<keyof SelectionOptions, Option<unknown>>

const SELECT_OPTIONS = {
  ...JOB_OPTIONS,
  ...SELECTION_OPTIONS,
  inputs: required(fileNames),
} satisfies Record<keyof SelectOptions, Option<unknown>>

/**
 * Which of the records are taken, given their lengths.
 * @returns For each record 1 or 0.
 * @throws {TypeError|RangeError} for invalid options.
 */
export function selectRows(lengths: ArrayLike<number>, options: SelectionOptions): Uint8Array {
  const { tokens, mode, rule, seed } = readOptions(SELECTION_OPTIONS, options)
  const order = Uint32Array.from({ length: lengths.length }, (_, i) => i)
  const at = (i: number) => lengths[i] as number
  if (mode === 'random') shuffle(order, seed)
  else order.sort(mode === 'longest' ? (a, b) => at(b) - at(a) || a - b : (a, b) => at(a) - at(b) || a - b)

  const taken = new Uint8Array(lengths.length)
  let sum = 0
  for (const i of order) {
    if (rule === 'script' ? sum >= tokens : sum + at(i) > tokens) {
      if (rule === 'script') break
      continue
    }
    taken[i] = 1
    sum += at(i)
  }
  return taken
}

/**
 * Writes the selected records, unaltered and in the order of the inputs. Reads the inputs twice; memory holds the
 * lengths only.
 * @throws {RangeError|TypeError} for invalid options, standard input among the inputs.
 * @throws as {@link ResumableRun.open} and its input do.
 */
export async function select(options: SelectOptions): Promise<JobReport> {
  const { inputs, tokens, mode, rule, seed, ...jobOptions } = readOptions(SELECT_OPTIONS, options)
  if (inputs.includes('-')) {
    throw new TypeError('Expected files to select from: they are read twice, and a pipe cannot be')
  }
  const settings = { tokens, mode, rule, ...(mode === 'random' ? { seed } : {}) }
  await using run = await ResumableRun.open({ command: 'select', settings, inputs, options: jobOptions })
  if (run.done) return run.report

  const lengths: number[] = []
  for (const path of inputs) {
    for await (const row of readRows(path)) {
      jobOptions.signal?.throwIfAborted()
      lengths.push(countOf(row, 'token_num_qwen'))
    }
  }
  const taken = selectRows(lengths, { tokens, mode, rule, seed })
  let row = run.report.read
  return await run.complete(rowsOf(inputs, run.position), ({ value }) => {
    const outcome = taken[row] === 1 ? { line: value.json } : { dropped: 'not selected' }
    row += 1
    return outcome
  })
}

/** Fisher and Yates's, by integers: a seed shall always give the same set, and d3-array's shuffler draws otherwise. */
function shuffle(items: Uint32Array, seed: number): void {
  const random = new Random(seed)
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.int(0, i)
    const item = items[i] as number
    items[i] = items[j] as number
    items[j] = item
  }
}
