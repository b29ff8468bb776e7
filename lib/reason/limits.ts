/**
 * What a request may generate: its window, the limit of its answer, and the same for each of its cuts. Everything that a request may hold
 * is known before it starts, so that it never runs out half-way: what was asked for must fit, what was not adapts.
 */
import { misuse } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import type { Hint } from './hint.js'
import type { ResolvedReasonOptions } from './options.js'

/** Tokens of an answer, when no limit is given. */
export const DEFAULT_MAX_TOKENS = 1024

/** Of the room that both must share when neither was given, the part that a window takes at least. */
const WINDOW_SHARE = 0.4

/** What of a request is known before its limits are. */
interface Made {
  prompt: Int32Array
  hint: Hint | null
  nudge: Hint | null
  /** The window where none is asked for; null: none. */
  window: number | null
}

type Asked = Pick<ResolvedReasonOptions, 'thinkingWindow' | 'maxTokens' | 'policies'>

/** Tokens; a window that never closes is Infinity, and null where the whole response is the answer. */
export interface Limits {
  thinkingWindow: number | null
  maxTokens: number
}

/**
 * @param size Tokens of the context.
 * @param comfortable Whether what adapts must have half of the context at least.
 * @throws {Z1Error} CONTEXT_TOO_SMALL.
 */
export function resolveLimits(size: number, made: Made, asked: Asked, comfortable: boolean): Limits {
  const { prompt, window: defaultWindow } = made
  const { thinkingWindow, maxTokens } = asked
  const window = thinkingWindow ?? defaultWindow
  const adapts = maxTokens === undefined || window === Infinity || (thinkingWindow === undefined && window !== null)
  if (comfortable && adapts && prompt.length > size / 2) {
    tooSmall(size, `a prompt of ${prompt.length} tokens and as much room`, 2 * prompt.length)
  }
  return limitsFor(size, prompt.length, made, asked)
}

function limitsFor(
  size: number,
  prompt: number,
  { hint, nudge, window: defaultWindow }: Omit<Made, 'prompt'>,
  { thinkingWindow: asked, maxTokens: limit, policies: { earlyExit, wait } }: Asked,
): Limits {
  const usual = asked ?? defaultWindow
  if (usual === Infinity) {
    if (prompt >= size) tooSmall(size, `a prompt of ${prompt} tokens and at least one of thinking`, prompt + 1)
    return { thinkingWindow: Infinity, maxTokens: limit ?? DEFAULT_MAX_TOKENS }
  }
  if (usual === null) {
    const [name] = Object.entries({ earlyExit, wait }).find(([, value]) => value) ?? []
    if (name) throw new TypeError(`Expected a thinkingWindow beside ${name}: the model does not think by itself`)
    const maxTokens = limit ?? Math.max(1, Math.min(DEFAULT_MAX_TOKENS, size - prompt))
    if (prompt + maxTokens > size) {
      tooSmall(size, `${prompt} tokens of prompt and an answer of up to ${maxTokens}`, prompt + maxTokens)
    }
    return { thinkingWindow: null, maxTokens }
  }
  // Without a hint nothing follows the window.
  const nudges = nudge ? nudge.tokens.length * (wait?.times ?? 0) : 0
  const room = size - prompt - nudges - (hint?.tokens.length ?? 0)
  const least = hint ? (limit ?? 1) : 0
  const shared = limit === undefined ? Math.max(room - DEFAULT_MAX_TOKENS, Math.floor(room * WINDOW_SHARE)) : room
  const thinkingWindow = asked ?? Math.max(0, Math.min(usual, hint ? shared : room, room - least))
  if (thinkingWindow + least > room) {
    const between = nudges > 0 ? `, ${nudges} of wait` : ''
    const after = hint ? `, a hint of ${hint.tokens.length} and an answer of up to ${least}` : ''
    tooSmall(
      size,
      `${prompt} tokens of prompt, a window of ${thinkingWindow}${between}${after}`,
      size - room + thinkingWindow + least,
    )
  }
  return { thinkingWindow, maxTokens: limit ?? Math.max(1, Math.min(DEFAULT_MAX_TOKENS, room - thinkingWindow)) }
}

/** Each cut with the limits that a request with that window has, so that it fits where that does. */
export function cutLimits(
  size: number,
  prompt: number,
  hint: Hint | null,
  window: number | null,
  options: Asked & Pick<ResolvedReasonOptions, 'cuts'>,
): { thinkingWindow: number; maxTokens: number }[] {
  const { cuts } = options
  if (cuts.length > 0 && window === null) {
    throw new RangeError('Expected a thinkingWindow with cuts: without one, this model has none')
  }
  const tooLarge = cuts.find((cut) => cut >= (window as number))
  if (tooLarge !== undefined) throw misuse(RangeError, `windows < thinkingWindow (here ${window})`, 'cuts', tooLarge)
  return cuts
    .toSorted((a, b) => a - b)
    .map((thinkingWindow) => {
      const made = { hint, nudge: null, window: null }
      return { thinkingWindow, maxTokens: limitsFor(size, prompt, made, { ...options, thinkingWindow }).maxTokens }
    })
}

function tooSmall(size: number, what: string, needed: number): never {
  throw new Z1Error(
    'CONTEXT_TOO_SMALL',
    `The context is too small: ${what} need ${needed} tokens, contextSize is ${size}`,
  )
}
