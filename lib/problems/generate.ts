/**
 * Problems of graded difficulty with trajectories that are right by construction: the trajectory is the run of the
 * procedure that finds the answer. The answer is checked a second time, by a Python program (`checkProblems`).
 */
import { greatest, sum } from 'd3-array'
import { callback, integer, isCount, isNumber, kind, listOf, numeric, oneOf, text } from '../base/checks.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { hash, Random } from '../base/random.js'
import { arithmetic } from './arithmetic.js'
import { Asking, type Wordings } from './asking.js'
import { letters } from './letters.js'
import { lists } from './lists.js'
import { numbers } from './numbers.js'
import { outOfScope, REFUSAL } from './out-of-scope.js'
import type { Maker, Problem } from './problem.js'
import { programs } from './programs.js'
import type { TrajectoryRecord } from './record.js'
import { several } from './several.js'
import { stories } from './stories.js'
import { longTrajectory, trajectory } from './trajectory.js'

const MAKERS = { letters, arithmetic, lists, numbers, programs, stories, several } satisfies Record<string, Maker>

/** A kind of problem that `generate` makes; 'outside' are questions of other kinds, with a response that declines. */
export type Family = keyof typeof MAKERS | 'outside'

/** The families with answers, which is what `generate` makes by default. */
export const FAMILIES = Object.keys(MAKERS) as readonly Family[]

export interface GenerateOptions {
  /** 0 … 2³² − 1. Equal options give equal records, to the byte. */
  seed: number
  count: number
  /** Names, or `name:weight` for one that comes that many times as often (1 … 99), spread evenly. Default: FAMILIES. */
  families?: readonly string[]
  /** Smallest and largest difficulty, within 1 … 8; taken in turn. Default: [1, 8]. */
  difficulty?: readonly [number, number]
  /** A tenth of the problems is held out as 'test', by what is asked and not by its wording. Default: 'train'. */
  split?: 'train' | 'test'
  /** How questions are put: in wordings that training data has (default), or in others that are kept out of it. */
  wordings?: Wordings
  /** 'z1': reasoning and answer as one text (default). 'delimited': the reasoning between think tags, then the answer. */
  style?: 'z1' | 'delimited'
  /**
   * 'short-and-long': as much as the difficulty asks for (default). 'long': always the procedure and a check of it, as reasoning
   * models write, which may find that what was asked had been misread.
   */
  lengths?: 'short-and-long' | 'long'
  /** Number of the first record, to go on where another run ended. Default: 0. */
  start?: number
  /** Tokens of a response. Default: its UTF-8 bytes. */
  countTokens?: (text: string) => number
}

const records = numeric('integer ≥ 0', isCount)
const range = kind('pair of integers', (value): value is [number, number] => {
  return Array.isArray(value) && value.length === 2 && value.every(isNumber)
})

export const GENERATE_OPTIONS = {
  seed: required(integer(0, 2 ** 32 - 1)),
  count: required(records),
  families: option(listOf(text, 'array of families'), [...FAMILIES]),
  difficulty: option(range, [1, 8]),
  split: option(oneOf(['train', 'test']), 'train'),
  wordings: option(oneOf(['seen', 'unseen']), 'seen'),
  style: option(oneOf(['z1', 'delimited']), 'z1'),
  lengths: option(oneOf(['short-and-long', 'long']), 'short-and-long'),
  start: option(records, 0),
  countTokens: option(callback<(text: string) => number>(), Buffer.byteLength),
} satisfies Record<keyof GenerateOptions, Option<unknown>>

/** A record, what it asks in whatever wording, and the Python program that prints its answer; null where there is none. */
export interface GeneratedProblem {
  record: TrajectoryRecord
  key: string | null
  program: string | null
}

/** @throws {TypeError|RangeError} for invalid options, a family or difficulty that does not exist among them. */
export function* generateProblems(options: GenerateOptions): Generator<GeneratedProblem> {
  const { seed, count, split, wordings, style, lengths, start, countTokens, ...kinds } = readOptions(
    GENERATE_OPTIONS,
    options,
  )
  const families = inTurn(kinds.families)
  const [low, high] = kinds.difficulty
  if (!(Number.isInteger(low) && Number.isInteger(high) && low >= 1 && low <= high && high <= 8))
    throw new RangeError(`Expected difficulties from 1 to 8 but received ${low}-${high}`)

  for (let i = start; i < start + count; i++) {
    const family = families[i % families.length] as Family
    const difficulty = low + (Math.floor(i / families.length) % (high - low + 1))
    const random = new Random(seed, i)
    const asking = new Asking(random, wordings)
    const id = `${family}-${seed}-${i}`
    if (family === 'outside') {
      const question = asking.typed(outOfScope(random, asking))
      const response = style === 'z1' ? REFUSAL : delimited([REFUSAL], REFUSAL)
      yield {
        record: { id, question, response, token_num_qwen: countTokens(response), family },
        key: null,
        program: null,
      }
      continue
    }
    const problem = heldTo(split, () => MAKERS[family](random, difficulty, asking))
    const { key, answer, program } = problem
    const question = asking.typed(problem.question)
    const steps = lengths === 'long' ? longTrajectory(problem, random) : trajectory(problem, random, difficulty)
    const last = `The answer is\n\\boxed{${answer}}`
    const response = style === 'z1' ? `${steps.join('\n')}\n\n${last}` : delimited(steps, last)
    const token_num_qwen = countTokens(response)
    yield { record: { id, question, response, token_num_qwen, answer, family, difficulty }, key, program }
  }
}

/** As {@link generateProblems}, without the programs. */
export function* generate(options: GenerateOptions): Generator<TrajectoryRecord> {
  for (const { record } of generateProblems(options)) yield record
}

/** One round of the families: each by its weight, always the one that is furthest behind. */
function inTurn(names: readonly string[]): Family[] {
  const weights = names.map((text) => {
    const [, name, weight = '1'] = /^(\w+)(?::([1-9]\d?))?$/.exec(text) ?? []
    if (!name || (name !== 'outside' && !Object.hasOwn(MAKERS, name)))
      throw new RangeError(
        `Expected families of ${[...FAMILIES, 'outside'].join(', ')}, each with or without a weight of 1 to 99 after a colon, but received ${text}`,
      )
    return { name: name as Family, weight: Number(weight), taken: 0 }
  })
  const total = sum(weights, ({ weight }) => weight)
  return Array.from({ length: total }, () => {
    for (const entry of weights) entry.taken += entry.weight
    const next = greatest(weights, ({ taken }) => taken) as (typeof weights)[0]
    next.taken -= total
    return next.name
  })
}

function delimited(steps: string[], last: string): string {
  return `<think>\n${steps.join('\n')}\n</think>\n\n${last}`
}

function heldTo(split: 'train' | 'test', make: () => Problem): Problem {
  for (;;) {
    const problem = make()
    if ((hash(problem.key) % 10 === 0) === (split === 'test')) return problem
  }
}
