/** The fields of a request that are options of a request under another name: how tokens are drawn, and what ends an answer. */
import { type Kind, kind } from '../base/checks.js'
import { REASON_OPTIONS, type ReasonOptions } from '../reason/options.js'
import { RequestError } from './error.js'
import { type FieldValues, use } from './fields.js'

/** -1 is a random one, as in llama-server. */
const seed: Kind<number> = kind('integer between 0 and 4294967294', (value) => typeof value === 'number', {
  isValid: (value) => Number.isInteger(value) && value >= -1 && value <= 2 ** 32 - 2,
})

const { hint, loops, stop, stopInThinking, cachePrompt, speculation, temperature, topP, topK, minP, typicalP } =
  REASON_OPTIONS
const { frequencyPenalty, presencePenalty, repeatPenalty, penaltyLastN, logitBias } = REASON_OPTIONS

/** Names of OpenAI, and those that llama-server and vLLM add. */
export const SAMPLING_FIELDS = {
  temperature: use(temperature),
  top_p: use(topP),
  top_k: use(topK),
  min_p: use(minP),
  typical_p: use(typicalP),
  repeat_penalty: use(repeatPenalty),
  repetition_penalty: use(repeatPenalty),
  frequency_penalty: use(frequencyPenalty),
  presence_penalty: use(presencePenalty),
  repeat_last_n: use(penaltyLastN),
  dry_multiplier: use(REASON_OPTIONS.dryMultiplier),
  dry_base: use(REASON_OPTIONS.dryBase),
  dry_allowed_length: use(REASON_OPTIONS.dryAllowedLength),
  dry_penalty_last_n: use(REASON_OPTIONS.dryPenaltyLastN),
  dry_sequence_breakers: use(REASON_OPTIONS.drySequenceBreakers),
  xtc_probability: use(REASON_OPTIONS.xtcProbability),
  xtc_threshold: use(REASON_OPTIONS.xtcThreshold),
  logit_bias: use(logitBias),
  seed: use(seed),
  stop: use(stop),
  stop_in_thinking: use(stopInThinking),
  hint: use(hint),
  loops: use(loops),
  cache_prompt: use(cachePrompt),
  speculation: use(speculation),
}

/** The options that the fields give; what is absent stays absent. @throws {RequestError} for two that disagree. */
export function samplingOptions(fields: FieldValues<typeof SAMPLING_FIELDS>): ReasonOptions {
  const { repeat_penalty: ours, repetition_penalty: theirs } = fields
  if (ours !== undefined && theirs !== undefined && ours !== theirs) {
    throw new RequestError('repeat_penalty and repetition_penalty disagree: give one of them', 'repetition_penalty')
  }
  const options: ReasonOptions = {
    temperature: fields.temperature,
    topP: fields.top_p,
    topK: fields.top_k,
    minP: fields.min_p,
    typicalP: fields.typical_p,
    repeatPenalty: ours ?? theirs,
    frequencyPenalty: fields.frequency_penalty,
    presencePenalty: fields.presence_penalty,
    penaltyLastN: fields.repeat_last_n,
    dryMultiplier: fields.dry_multiplier,
    dryBase: fields.dry_base,
    dryAllowedLength: fields.dry_allowed_length,
    dryPenaltyLastN: fields.dry_penalty_last_n,
    drySequenceBreakers: fields.dry_sequence_breakers,
    xtcProbability: fields.xtc_probability,
    xtcThreshold: fields.xtc_threshold,
    logitBias: fields.logit_bias?.map(({ token, bias }) => [token, bias] as const),
    seed: fields.seed === -1 ? undefined : fields.seed,
    stop: fields.stop,
    stopInThinking: fields.stop_in_thinking,
    hint: fields.hint,
    loops: fields.loops,
    cachePrompt: fields.cache_prompt,
    speculation: fields.speculation,
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}
