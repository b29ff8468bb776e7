/**
 * From the limits that protocols have to those of a request. They limit all that is generated, thinking and answer; a request has
 * a window for the one and a limit for the other.
 */
import type { ReasonOptions } from '../reason/options.js'
import { type Effort, windowOfEffort } from './effort.js'
import { RequestError } from './error.js'

/** What was asked of the thinking. At most one of them; none: what the model does by itself. */
export type ThinkingAsked =
  /** A number of tokens; Infinity: as many as leave an answer. */
  | { window: number; effort?: never; thinks?: never }
  | { effort: Effort; window?: never; thinks?: never }
  | { thinks: boolean; window?: never; effort?: never }
  | { window?: never; effort?: never; thinks?: never }

/** What the context has for a response. */
export interface Room {
  /** Tokens after the prompt; Infinity where they are not known. */
  left: number
  /** Tokens of the hint. */
  hint: number
  /** The window where none is asked for; null: the model answers without thinking. */
  defaultWindow: number | null
}

/** Of a response whose window was not given, the part that it may think with, in percent. */
const DEFAULT_PERCENT = 60

/** The window of a model that has none of its own, where thinking is asked for in no number. */
const USUAL_WINDOW = 4096

/**
 * @param total Tokens of thinking and answer together, ≥ 1; undefined: what the context leaves.
 * @param names What the client calls them, for the sentence.
 * @throws {RequestError} for a window that leaves no token of the total for an answer, and for a share of an unknown total.
 */
export function limitsOf(
  asked: ThinkingAsked,
  total: number | undefined,
  { left, hint, defaultWindow }: Room,
  names = { window: 'thinking_window', total: 'max_tokens' },
): Pick<ReasonOptions, 'thinkingWindow' | 'maxTokens'> {
  const known = Math.min(total ?? Infinity, left - hint)
  const usual = asked.thinks === true ? (defaultWindow ?? USUAL_WINDOW) : defaultWindow
  if (asked.thinks === false) return withWindow(defaultWindow === null ? null : 0)
  if (asked.effort !== undefined) return withWindow(share(asked.effort))
  if (asked.window === undefined) return withWindow(usual === null ? null : Math.min(usual, sixty()))
  if (asked.window === Infinity) return withWindow(total === undefined && known === Infinity ? Infinity : share('max'))
  if (total !== undefined && asked.window >= total) {
    const sentence = `Expected ${names.window} < ${names.total} (${total}), which counts thinking and answer, but received ${asked.window}`
    throw new RequestError(sentence, names.window)
  }
  return withWindow(asked.window)

  function share(effort: Effort): number {
    if (effort === 'none') return 0
    if (known !== Infinity) return windowOfEffort(effort, Math.max(known, 0))
    throw new RequestError(
      `Expected ${names.total} beside an effort: the model's context, of which it is a share, is not known`,
      names.total,
    )
  }

  function sixty(): number {
    return Math.floor((Math.max(known, 0) * DEFAULT_PERCENT) / 100)
  }

  function withWindow(window: number | null): Pick<ReasonOptions, 'thinkingWindow' | 'maxTokens'> {
    if (window === null) {
      const most = Math.min(total ?? Infinity, left)
      return most === Infinity ? {} : { maxTokens: Math.max(1, most) }
    }
    // What does not fit at all is told by the reasoner, with its numbers.
    return known === Infinity
      ? { thinkingWindow: window }
      : { thinkingWindow: window, maxTokens: Math.max(1, known - window) }
  }
}
