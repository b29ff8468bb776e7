/** The sampling that a model's file recommends, in the names of the options. */
import { isPlainObject } from '../base/checks.js'
import type { SamplingParams } from '../native/binding.js'

export type RecommendedSampling = Partial<SamplingParams>

/** llama.cpp's default (common/common.h), for a file that names other samplers only. */
const USUAL_TEMPERATURE = 0.8

const NAMES = {
  temp: 'temperature',
  top_k: 'topK',
  top_p: 'topP',
  min_p: 'minP',
  xtc_probability: 'xtcProbability',
  xtc_threshold: 'xtcThreshold',
  penalty_last_n: 'penaltyLastN',
  penalty_repeat: 'repeatPenalty',
} as const satisfies Record<string, keyof SamplingParams>

/** Of `general.sampling.*`; {} where the file says nothing. */
export function recommendedSampling(keys: Readonly<Record<string, number>>): RecommendedSampling {
  const entries = Object.entries(NAMES).flatMap(([key, name]) => {
    // Numbers of 32 bits: 0.7 is 0.699999988… there.
    return keys[key] === undefined ? [] : [[name, Number(keys[key].toPrecision(7))] as const]
  })
  return Object.fromEntries(entries)
}

/** What of a model the options of a request depend on. */
export interface ModelFacts {
  /** There are no more biases. */
  vocabularySize: number
  /** For `temperature: 'model'`. */
  sampling: RecommendedSampling
}

/**
 * Options with `temperature: 'model'`, with what the model recommends in the place of those that are not given; others as
 * they are.
 * @param model Undefined: it is not known yet, and nothing is recommended.
 * @param read Checks a recommended value that is used.
 */
export function withRecommended(
  given: unknown,
  model: ModelFacts | undefined,
  read: (name: keyof RecommendedSampling, value: unknown) => unknown,
): unknown {
  if (!isPlainObject(given) || !('temperature' in given) || given.temperature !== 'model') return given
  const { temperature: _, ...others } = given
  if (!model) return others
  const recommended = Object.entries(model.sampling)
  if (recommended.length === 0) {
    throw new RangeError(
      'Expected a number for temperature but received "model": the model\'s file recommends no sampling',
    )
  }
  const own = new Map(Object.entries(others).filter(([, value]) => value !== undefined))
  // What is given in its place makes up for a value that cannot be.
  const used = recommended.filter(([name]) => !own.has(name))
  const checked = used.map(([name, value]) => [name, read(name as keyof RecommendedSampling, value)])
  return { temperature: USUAL_TEMPERATURE, ...Object.fromEntries(checked), ...Object.fromEntries(own) }
}
