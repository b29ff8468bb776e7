/** Several responses to one prompt: the options, and what they depend on. */
import { callback, integer, isPlainObject, type Kind, kind, misuse } from '../base/checks.js'
import { type Option, option, type Read, readOptions } from '../base/options.js'
import type { ModelFacts } from './recommended.js'
import type { SampleResult } from './result.js'

/** Chooses among all samples, in the order of their seeds; those that were ended early have `finishReason` abort. */
export type VoteFunction<T = unknown> = (
  samples: readonly SampleResult<T>[],
) => number | SampleResult<T> | Promise<number | SampleResult<T>>

export interface SampleOptions<T = unknown> {
  /**
   * 1 … 256 responses to the same prompt, which is decoded once. Each has a seed of its own, derived from `seed`; as many run
   * at once as `parallel` of a load allows. The result is the one that is voted for, with all of them in `samples`. Of `reason()`
   * only, and not beside `cuts`. Default: one response, without a vote.
   */
  samples?: number | undefined
  /**
   * `majority`: the answer that most samples give, as `sameAnswer()` compares final answers (with a `schema`, equal values); of two with
   * as many votes, that of the earlier sample. Or a function that gives the index of a sample, or the sample. Default `majority`.
   */
  vote?: 'majority' | VoteFunction<T> | undefined
  /**
   * End the other samples: `true`: when the majority can no longer change; `{ first: m }`: when m of them, 1 … `samples`, have ended.
   * Default false.
   */
  stopEarly?: boolean | { first: number } | undefined
}

/** Of a request with samples. */
export interface Samples {
  count: number
  vote: 'majority' | VoteFunction
  /** Ends the rest when so many have ended. */
  first: number
  /** Ends the rest when the vote is decided. */
  whenDecided: boolean
}

/** llama.cpp's default (common/common.h). */
const SAMPLE_TEMPERATURE = 0.8

const votes = callback<VoteFunction>()

function voteKind(): Kind<'majority' | VoteFunction> {
  const isVote = (value: unknown): value is 'majority' | VoteFunction =>
    typeof value === 'string' || typeof value === 'function'
  return kind("'majority' or function", isVote, {
    isValid: (value) => value === 'majority' || typeof value === 'function',
    convert: (value, name) => (value === 'majority' ? value : votes.read(value, name)),
  })
}

const FIRST = { first: option(integer(1, 256)) }

function stopEarlyKind(): Kind<boolean | { first: number }> {
  const isStop = (value: unknown): value is boolean | object => typeof value === 'boolean' || isPlainObject(value)
  return kind('boolean or { first }', isStop, {
    convert: (value, name) => {
      if (typeof value === 'boolean') return value
      const { first } = readOptions(FIRST, value, name)
      if (first === undefined) throw misuse(TypeError, 'first', name, value)
      return { first }
    },
  })
}

export const SAMPLE_OPTIONS = {
  samples: option(integer(1, 256)),
  vote: option(voteKind()),
  stopEarly: option(stopEarlyKind()),
} satisfies Record<keyof SampleOptions, Option<unknown>>

/** @throws {TypeError|RangeError} */
export function checkSamples(
  { samples: count, vote, stopEarly }: Read<typeof SAMPLE_OPTIONS>,
  cuts: readonly number[],
): Samples | null {
  if (count === undefined) {
    const name = stopEarly !== undefined ? 'stopEarly' : vote !== undefined ? 'vote' : null
    if (name) throw new TypeError(`Expected samples beside ${name}`)
    return null
  }
  if (cuts.length > 0) throw new TypeError('Expected no cuts beside samples')
  if (stopEarly === true && typeof vote === 'function') {
    throw new TypeError(
      'Expected { first } for stopEarly beside a function that votes: when it is decided, only it knows',
    )
  }
  const first = typeof stopEarly === 'object' ? stopEarly.first : count
  if (first > count) throw misuse(RangeError, `integer ≤ samples (${count})`, 'stopEarly.first', first)
  return { count, vote: vote ?? 'majority', first, whenDecided: stopEarly === true }
}

/** At temperature 0 all samples are the same: who asks for several and gives none gets the model's, or llama.cpp's. */
export function withTemperature(given: unknown, model: ModelFacts | undefined): unknown {
  if (!isPlainObject(given)) return given
  const { samples, temperature } = given as { samples?: unknown; temperature?: unknown }
  if (samples === undefined || temperature !== undefined) return given
  const recommends = model !== undefined && Object.keys(model.sampling).length > 0
  return { ...given, temperature: recommends ? 'model' : SAMPLE_TEMPERATURE }
}

/** 2³² − 1 seeds; a prime that has no factor in common with their number, so that no two of them meet. */
const SEEDS = 2 ** 32 - 1
const STRIDE = 2_654_435_761

/** The seed of a sample: that of the request for the first one, then far from it and from those of neighboring seeds. */
export function sampleSeed(seed: number, index: number): number {
  return (seed + index * STRIDE) % SEEDS
}
