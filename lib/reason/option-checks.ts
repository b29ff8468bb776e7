/** What options of a request cannot be beside one another. */
import { misuse } from '../base/checks.js'
import type { NamedTags } from './kinds.js'
import type { Policies } from './policies.js'
import { callsAllowed, callsForced, type ResolvedTools } from './tools.js'

/** What of the resolved options is looked at. */
interface Resolved {
  thinkingWindow: number | undefined
  cuts: number[]
  hint: string | null
  policies: Policies
  tags: 'ban' | 'keep' | NamedTags
  schema: unknown
  grammar: string | undefined
  calls: ResolvedTools
  template: boolean
  templateVariables: object | undefined
  stop: string[]
  stopInThinking: boolean
  logprobs: object | undefined
}

/** @throws {TypeError} for what cannot stand beside an answer that is bound, or beside calls of tools. */
export function checkBound(options: Resolved): void {
  const { schema, grammar, calls, hint, policies, template, templateVariables, cuts, logprobs } = options
  if (schema !== undefined && grammar !== undefined) throw misuse(TypeError, 'nothing', 'grammar with schema', grammar)
  const mayCall = callsAllowed(calls)
  const [bound] = [
    grammar !== undefined && 'grammar',
    schema !== undefined && 'schema',
    callsForced(calls) && 'toolChoice',
  ].filter((name) => name !== false)
  // Without a hint nothing follows the thinking, and so there is no answer that could be bound.
  if (bound && hint === null) throw misuse(TypeError, 'text', `hint with ${bound}`, hint)
  // What a response states in prose is no value of a schema, and no call.
  const policy =
    policies.stated !== 'ask'
      ? `stated '${policies.stated}'`
      : policies.earlyExit?.probe === undefined
        ? null
        : 'earlyExit.probe'
  if (policy !== null && (bound ?? mayCall)) throw new TypeError(`Expected no ${policy} beside ${bound ?? 'tools'}`)
  if (calls.tools.length === 0) return
  if (!template) throw misuse(TypeError, 'true', 'template with tools', template)
  if (templateVariables && 'tools' in templateVariables)
    throw new TypeError('Expected no tools in templateVariables beside tools')
  if (mayCall && grammar !== undefined) throw misuse(TypeError, 'nothing', 'grammar with tools', grammar)
  if (mayCall && logprobs) throw new TypeError('Expected no logprobs beside tools')
  if (mayCall && cuts.length > 0) throw new TypeError('Expected no cuts beside tools')
}

/** Each has to give what a request with that window gives. */
export function checkCuts({
  cuts,
  thinkingWindow,
  policies: { landing, earlyExit, wait },
  stop,
  stopInThinking,
  tags,
}: Resolved): void {
  // They change where a smaller window closes, or what it counts.
  const [policy] =
    Object.entries({ landing: landing === 'line', 'earlyExit.probe': earlyExit?.probe, wait }).find(
      ([, value]) => value !== undefined && value !== false,
    ) ?? []
  if (cuts.length > 0 && policy) throw new TypeError(`Expected no ${policy} beside cuts`)
  const tooLarge = cuts.find((cut) => thinkingWindow !== undefined && cut >= thinkingWindow)
  if (tooLarge !== undefined) throw misuse(RangeError, `windows < thinkingWindow (${thinkingWindow})`, 'cuts', tooLarge)
  const kept = tags === 'keep' || (typeof tags === 'object' && tags.mode === 'keep')
  if (cuts.length > 0 && thinkingWindow === Infinity && stop.length > 0 && !stopInThinking && !kept) {
    // Without an end the thinking is searched for them, under a smaller window it would not be.
    throw misuse(TypeError, 'true', 'stopInThinking with cuts, stop and thinkingWindow Infinity', stopInThinking)
  }
}
