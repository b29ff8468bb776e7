/** Which options of a request a server keeps, and what it calls those of sampling. */
import { misuse } from '../base/checks.js'
import type { ReasonOptions, ResolvedReasonOptions } from '../reason/options.js'
import type { ServerKind } from './server.js'

type Name = keyof ReasonOptions

/** What the two passes keep, whatever the server. */
const ALWAYS: readonly Name[] = [
  'thinkingWindow',
  'maxTokens',
  'hint',
  'loops',
  'system',
  'template',
  'chatTemplate',
  'templateVariables',
  'seed',
  'stop',
  'stopInThinking',
  'tags',
  'signal',
]

type Fields = Partial<Record<Name, string>>

/** Of OpenAI's protocol. */
const OPENAI: Fields = {
  temperature: 'temperature',
  topP: 'top_p',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  logitBias: 'logit_bias',
}

const VLLM: Fields = { ...OPENAI, topK: 'top_k', minP: 'min_p', repeatPenalty: 'repetition_penalty' }

const LLAMA: Fields = {
  ...OPENAI,
  topK: 'top_k',
  minP: 'min_p',
  typicalP: 'typical_p',
  repeatPenalty: 'repeat_penalty',
  penaltyLastN: 'repeat_last_n',
  dryMultiplier: 'dry_multiplier',
  dryBase: 'dry_base',
  dryAllowedLength: 'dry_allowed_length',
  dryPenaltyLastN: 'dry_penalty_last_n',
  drySequenceBreakers: 'dry_sequence_breakers',
  xtcProbability: 'xtc_probability',
  xtcThreshold: 'xtc_threshold',
  cachePrompt: 'cache_prompt',
}

const FIELDS: Readonly<Record<ServerKind, Fields>> = {
  'llama.cpp': LLAMA,
  z1: LLAMA,
  vllm: VLLM,
  sglang: VLLM,
  other: OPENAI,
}

/** llama-server's own `/completion` takes grammars. */
const BINDING: readonly Name[] = ['schema', 'grammar']

/** What asks for nothing is no option that a server has to keep. */
const NEUTRAL: Partial<Record<Name, unknown>> = {
  landing: 'token',
  stated: 'ask',
  confidence: false,
  overflow: 'error',
  speculation: false,
}

/** @throws {TypeError} for what the server does not keep. */
export function checkSupported(options: Omit<ReasonOptions, 'vote'>, kind: ServerKind): void {
  const supported = [...ALWAYS, ...Object.keys(FIELDS[kind]), ...(kind === 'llama.cpp' ? BINDING : [])]
  const server = kind === 'other' ? 'this server' : kind
  for (const [name, value] of Object.entries(options)) {
    if (value === undefined || supported.includes(name) || NEUTRAL[name as Name] === value) continue
    if (name === 'cuts' && options.cuts?.length === 0) continue
    throw misuse(TypeError, 'nothing', `${name} with ${server}`, value)
  }
  if (options.temperature === 'model') throw misuse(TypeError, 'number', `temperature with ${server}`, 'model')
  const keeps = options.tags === 'keep' || (typeof options.tags === 'object' && options.tags.mode === 'keep')
  if (keeps) throw misuse(TypeError, "'ban'", `tags with ${server}`, options.tags)
}

/** OpenAI's least bias, which bans. */
const LEAST_BIAS = -100

/**
 * The fields of sampling. What was not asked for stays the server's, but for the temperature, whose default is 0.
 * @param banned Tokens that shall not be generated.
 */
export function samplingFields(
  given: Omit<ReasonOptions, 'vote'>,
  checked: ResolvedReasonOptions,
  kind: ServerKind,
  banned: readonly number[],
  seed: number,
): Record<string, unknown> {
  const { logitBias: _, ...fields } = FIELDS[kind]
  const body: Record<string, unknown> = { temperature: checked.sampling.temperature, seed }
  for (const [name, field] of Object.entries(fields)) {
    const value = given[name as keyof typeof given]
    if (value !== undefined && name !== 'temperature') body[field] = value
  }
  const ban = kind === 'llama.cpp' ? false : LEAST_BIAS
  // With a seed its default is false, as with the addon: a reused prefix can change a token.
  if (fields.cachePrompt !== undefined) body.cache_prompt = checked.cachePrompt
  const biases = [
    ...checked.sampling.logitBias.map(({ token, bias }) => [token, bias === -Infinity ? ban : bias] as const),
    ...banned.map((token) => [token, ban] as const),
  ]
  return biases.length === 0 ? body : { ...body, logit_bias: Object.fromEntries(biases) }
}
