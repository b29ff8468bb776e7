/** The options of a trace, and what they cannot be beside. */
import { boolean, count, misuse, number } from '../base/checks.js'
import { type Option, option } from '../base/options.js'

export interface TraceOptions {
  /** Tokens of thinking, ≥ 1, after each of which an answer is recorded, the first before any. Default 32. */
  every?: number | undefined
  /** 0 … 100, in nats: an answer at each end of a sentence where `earlyExit.margin` of this would end the thinking. Default 2. */
  margin?: number | undefined
  /** An answer at each end of a line, where `landing: 'line'` may close the window. Default false. */
  lines?: boolean | undefined
}

export const TRACE_OPTIONS = {
  every: option(count(1), 32),
  margin: option(number(0, 100), 2),
  lines: option(boolean, false),
} satisfies Record<keyof TraceOptions, Option<unknown>>

/** Options that a trace depends on, as they are read. */
interface Others {
  policies: { landing: string; stated: string; earlyExit?: object | undefined; wait?: object | undefined }
  cuts: unknown[]
  stop: unknown[]
  schema?: unknown
  grammar?: unknown
  calls: { tools: readonly unknown[] }
  samples: object | null
  loops: boolean
  hint: string | null
}

/** @throws {TypeError|RangeError} for what a trace cannot be beside. @param branches Of the model. */
export function checkTrace(
  { policies, cuts, stop, schema, grammar, calls, samples, loops, hint }: Others,
  branches: number,
): void {
  const { landing, stated, earlyExit, wait } = policies
  const others = {
    ...{ cuts: cuts.length > 0, stop: stop.length > 0, schema: schema !== undefined, grammar: grammar !== undefined },
    ...{ loops, landing: landing !== 'token', stated: stated !== 'ask', earlyExit: earlyExit !== undefined },
    ...{ wait: wait !== undefined, samples: samples !== null, tools: calls.tools.length > 0 },
  }
  const other = Object.entries(others).find(([, given]) => given)
  if (other) throw new TypeError(`Expected no ${other[0]} beside trace`)
  if (hint === null) throw misuse(TypeError, 'text', 'hint with trace', null)
  if (branches === 0) throw misuse(RangeError, 'at least 1', 'branches, an option of load, with trace', 0)
}
