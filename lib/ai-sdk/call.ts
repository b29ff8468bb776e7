/** A call's options as a request: what is portable, what `providerOptions.z1` says, and a warning for what is not supported. */
import type { LanguageModelV3CallOptions, SharedV3Warning } from '@ai-sdk/provider'
import { misuse } from '../base/checks.js'
import { EFFORTS, type Effort } from '../protocol/effort.js'
import { RequestError } from '../protocol/error.js'
import { limitsOf, type ThinkingAsked } from '../protocol/limits.js'
import { roomFor } from '../protocol/room.js'
import { structureOf } from '../protocol/structure.js'
import type { ChatMessage } from '../reason/messages.js'
import { checkReasonOptions, type ReasonOptions } from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import { messagesOf } from './prompt.js'
import { toolsOf } from './tools.js'

/** `reasoning` is of specification v4; the AI SDK 7 gives it to models of v3 too. */
export type CallOptions = LanguageModelV3CallOptions & { reasoning?: string | undefined }

export interface Call {
  input: ChatMessage[]
  options: ReasonOptions
  warnings: SharedV3Warning[]
}

const NAMES = { window: 'thinkingWindow', total: 'maxOutputTokens' }

/** @throws {TypeError|RangeError|RequestError} for what cannot be. */
export async function callOf(reasoner: Reasoner, given: CallOptions, defaults: ReasonOptions): Promise<Call> {
  const warnings: SharedV3Warning[] = []
  const own = ownOptions(given.providerOptions?.z1)
  const { thinkingWindow: usual, ...base } = defaults
  const input = messagesOf(given.prompt)
  const { thinkingWindow, maxTokens, ...rest } = {
    ...base,
    ...portable(given),
    ...format(given),
    ...toolsOf(given, warnings),
    ...own,
  }
  if (input.some(({ role }) => role === 'system') && own.system === undefined) delete rest.system
  if (given.includeRawChunks === true) warnings.push({ type: 'unsupported', feature: 'includeRawChunks' })
  const options = { ...rest, signal: given.abortSignal }
  const asked = thinkingOf(thinkingWindow, given.reasoning)
  const isPlain = maxTokens !== undefined && given.maxOutputTokens === undefined && asked.effort === undefined
  // A limit of the answer alone splits nothing.
  if (isPlain) return { input, options: { ...options, thinkingWindow: thinkingWindow ?? usual, maxTokens }, warnings }
  const { room } = await roomFor(reasoner, input, options)
  const limits = limitsOf(asked, total(given), { ...room, defaultWindow: usual ?? room.defaultWindow }, NAMES)
  return { input, options: { ...options, ...limits, ...(maxTokens === undefined ? {} : { maxTokens }) }, warnings }
}

/** Every option of a request; one that is unknown is an error that names the nearest. */
function ownOptions(given: unknown): ReasonOptions {
  checkReasonOptions(given)
  const own = { ...(given as ReasonOptions | undefined) }
  if (own.signal !== undefined) throw misuse(TypeError, 'nothing', 'signal in providerOptions.z1', own.signal)
  return own
}

function portable(given: CallOptions): ReasonOptions {
  const { temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stopSequences: stop } = given
  const options: ReasonOptions = { temperature, topP, topK, presencePenalty, frequencyPenalty, seed, stop }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

function format({ responseFormat }: CallOptions): ReasonOptions {
  if (responseFormat?.type !== 'json') return {}
  const { schema } = responseFormat
  return structureOf(schema ? { type: 'json_schema', schema } : { type: 'json_object' }, 'responseFormat')
}

/** Our own option wins. */
function thinkingOf(window: number | undefined, reasoning: string | undefined): ThinkingAsked {
  if (window !== undefined) return { window }
  if (reasoning === undefined || reasoning === 'provider-default') return {}
  if (EFFORTS.includes(reasoning as Effort)) return { effort: reasoning as Effort }
  throw misuse(RangeError, `one of provider-default, ${EFFORTS.join(', ')}`, 'reasoning', reasoning)
}

function total({ maxOutputTokens }: CallOptions): number | undefined {
  if (maxOutputTokens === undefined || (Number.isInteger(maxOutputTokens) && maxOutputTokens >= 1))
    return maxOutputTokens
  throw new RequestError(`Expected integer ≥ 1 for maxOutputTokens but received ${maxOutputTokens}`, 'maxOutputTokens')
}
