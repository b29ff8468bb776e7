/** How the thinking ends: the options of the policies, and what the library calls them together. */
import type { PolicyOptions } from '../reason/policies.js'
import { flag, integer, number, oneOf, type Table, text, type Values } from './args.js'

export const policyOptions = {
  landing: oneOf(['token', 'line'], {
    value: 'WHERE',
    help: 'where the window closes; line: at the first end of a line in its last tenth',
    default: 'token',
  }),
  stated: oneOf(['ask', 'keep', 'end'], {
    value: 'WHAT',
    help: 'keep: no hint follows where the thinking has just stated an answer; end: the first stated answer ends it too',
    default: 'ask',
  }),
  earlyMargin: number({
    value: 'NATS',
    help: 'end the thinking at a sentence where the end is so nearly the likeliest token',
    default: 'never',
  }),
  earlyProbe: number({
    value: 'P',
    help: 'try out each stated answer, and at Wait, beside the thinking, and end it where every token there is so probable',
    default: 'never',
  }),
  wait: integer(1, { value: 'N', help: 'times that an end of the thinking is replaced by a text', default: 'none' }),
  waitText: text({ value: 'TEXT', help: 'that text', default: 'Wait' }),
  waitUntil: integer(1, { value: 'N', help: 'tokens of thinking from which on it may end', default: 'no limit' }),
  confidence: flag({ help: "report the least probability of the answer's tokens" }),
} satisfies Table

type Given = Values<typeof policyOptions>

/** The policies under the library's names, and the other values. */
export function policiesOf<T extends Given>(values: T): { policies: PolicyOptions; rest: Omit<T, keyof Given> } {
  const { landing, stated, earlyMargin, earlyProbe, wait, waitText, waitUntil, confidence, ...rest } = values
  const asksToWait = wait !== undefined || waitText !== undefined || waitUntil !== undefined
  const policies = {
    landing,
    stated,
    earlyExit: (earlyMargin ?? earlyProbe) === undefined ? undefined : { margin: earlyMargin, probe: earlyProbe },
    wait: asksToWait ? { times: wait, text: waitText, until: waitUntil } : undefined,
    confidence,
  }
  return { policies, rest }
}
