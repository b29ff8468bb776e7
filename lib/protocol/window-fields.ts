/**
 * What a request's fields say of the thinking: ours, and the names that other servers have for the same. Two that disagree are
 * an error, since one of them would not bind.
 */
import { isPlainObject } from '../base/checks.js'
import { EFFORTS, type Effort } from './effort.js'
import { RequestError } from './error.js'
import type { ThinkingAsked } from './limits.js'

/** What a value means. Undefined: it says nothing. */
type Meaning = (value: unknown, name: string) => ThinkingAsked | undefined

/** A number of tokens; -1 is none, as in llama-server. */
const tokens: Meaning = (value, name) => {
  if (value === -1) return { window: Infinity }
  if (typeof value === 'number' && Number.isInteger(value) && value >= 0) return { window: value }
  throw unexpected('integer ≥ 0, or -1 for as much as possible', name, value)
}

const effort: Meaning = (value, name) => {
  if (EFFORTS.includes(value as Effort)) return { effort: value as Effort }
  throw unexpected(`one of ${EFFORTS.join(', ')}`, name, value)
}

const onOrOff: Meaning = (value, name) => {
  if (typeof value === 'boolean') return { thinks: value }
  throw unexpected('boolean', name, value)
}

/** Of Ollama. */
const levelOrBoolean: Meaning = (value, name) =>
  typeof value === 'boolean' ? onOrOff(value, name) : effort(value, name)

/** `type` of Anthropic's `thinking`; with a budget, that says it. */
const thinkingType: Meaning = (value, name) => {
  if (value === 'adaptive' || value === 'enabled') return undefined
  if (value === 'disabled') return { thinks: false }
  throw unexpected('one of enabled, disabled, adaptive', name, value)
}

/** By the path to the field: the names of vLLM, llama-server, Qwen, Anthropic, SGLang, NIM, FastDeploy, OpenRouter and Ollama. */
const FIELDS: readonly (readonly [path: string, meaning: Meaning])[] = [
  ['thinking_window', tokens],
  ['thinking_token_budget', tokens],
  ['reasoning_budget_tokens', tokens],
  ['thinking_budget_tokens', tokens],
  ['thinking_budget', tokens],
  ['reasoning_max_tokens', tokens],
  ['thinking.budget_tokens', tokens],
  ['thinking.type', thinkingType],
  ['enable_thinking', onOrOff],
  ['chat_template_kwargs.enable_thinking', onOrOff],
  ['chat_template_kwargs.thinking', onOrOff],
  ['chat_template_kwargs.thinking_budget', tokens],
  ['custom_params.thinking_budget', tokens],
  ['nvext.max_thinking_tokens', tokens],
  ['reasoning_effort', effort],
  ['reasoning.effort', effort],
  ['reasoning.max_tokens', tokens],
  ['reasoning.enabled', onOrOff],
  ['output_config.effort', effort],
  ['think', levelOrBoolean],
]

/** First names of the paths: fields that this file reads, whole or in part. */
export const WINDOW_FIELDS: readonly string[] = [...new Set(FIELDS.map(([path]) => path.split('.')[0] as string))]

/** Of a field that is an object, the names that are read here. */
export function windowKeysOf(field: string): string[] {
  return FIELDS.flatMap(([path]) => (path.startsWith(`${field}.`) ? [path.slice(field.length + 1)] : []))
}

export interface WindowAsked {
  asked: ThinkingAsked
  /** The field that says so; null: none does. */
  name: string | null
}

/**
 * @param fields Of a request's body. Null is absent.
 * @throws {RequestError} for a wrong value, and for two that disagree.
 */
export function windowOf(fields: ReadonlyMap<string, unknown>): WindowAsked {
  const said = FIELDS.flatMap(([path, meaning]) => {
    const value = valueAt(fields, path)
    const asked = value === undefined || value === null ? undefined : meaning(value, path)
    return asked ? [{ path, asked }] : []
  })
  let kept = said[0]
  if (!kept) return { asked: {}, name: null }
  for (const other of said.slice(1)) {
    const both = agreed(kept.asked, other.asked)
    if (!both) {
      throw new RequestError(`${kept.path} and ${other.path} disagree: give one of them`, other.path)
    }
    if (both === other.asked) kept = other
  }
  return { asked: kept.asked, name: kept.path }
}

/** What both say; undefined: they disagree. */
function agreed(a: ThinkingAsked, b: ThinkingAsked): ThinkingAsked | undefined {
  if (a.window === b.window && a.effort === b.effort && a.thinks === b.thinks) return a
  if (a.thinks !== undefined) return thinks(b) === a.thinks ? b : undefined
  if (b.thinks !== undefined) return thinks(a) === b.thinks ? a : undefined
  // A share is no number of tokens, but none is none.
  return thinks(a) || thinks(b) ? undefined : a
}

function thinks({ window, effort, thinks }: ThinkingAsked): boolean | undefined {
  if (thinks !== undefined) return thinks
  return effort === undefined ? window !== 0 : effort !== 'none'
}

function valueAt(fields: ReadonlyMap<string, unknown>, path: string): unknown {
  const [first = '', second] = path.split('.')
  const value = fields.get(first)
  if (second === undefined || value === undefined || value === null) return value
  if (!isPlainObject(value)) throw unexpected('object', first, value)
  return Object.hasOwn(value, second) ? (value as Record<string, unknown>)[second] : undefined
}

function unexpected(expected: string, name: string, value: unknown): RequestError {
  return new RequestError(`Expected ${expected} for ${name} but received ${JSON.stringify(value)}`, name)
}
