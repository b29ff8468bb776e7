/**
 * How the thinking ends: the options of the policies, beside the window itself. Each is off by default, each can be combined
 * with the others, and the window closes whatever they say.
 */
import {
  boolean,
  integer,
  isPlainObject,
  isString,
  type Kind,
  kind,
  number,
  numeric,
  oneOf,
  wellFormed,
} from '../base/checks.js'
import { type Option, option, type Read, readOptions } from '../base/options.js'
import { TRACE_OPTIONS, type TraceOptions } from './trace-options.js'

/** Budget forcing, as s1 calls it (arXiv 2501.19393). */
export interface WaitOptions {
  /** Ends that are replaced, at most, 1 … 1000. Default 1. What s1 calls `thinking_n_ignore`. */
  times?: number | undefined
  /** What is fed in the place of an end, at least one token. Default `Wait`. What s1 calls `thinking_n_ignore_str`. */
  text?: string | undefined
  /** Tokens of thinking, ≥ 1, from which on the model may end. Default Infinity: all of `times` are used. */
  until?: number | undefined
}

/** When to end the thinking early: one of them, or both. */
interface EarlyExitOptions {
  /**
   * 0 … 100, in nats: at the end of a sentence, or of a stated answer, the thinking ends if the log-probability of the end
   * of generation (between tags: of the closing tag) is at most so much below that of the likeliest token.
   */
  margin?: number | undefined
  /**
   * 0 … 1: where an answer is stated, or the model writes `Wait`, the hint is tried out beside the thinking, which waits for it; it ends if the least
   * probability of the tokens of the answer there (16, at most) is at least this. Needs `branches` of {@link LoadOptions}.
   */
  probe?: number | undefined
}

export interface PolicyOptions {
  /**
   * Where the window closes. `token`: after exactly its tokens; `line`: at the first end of a line in its last tenth, if there
   * is one. Default `token`.
   */
  landing?: 'token' | 'line' | undefined
  /**
   * Where the thinking is closed right after it has stated a final answer. `ask`: the hint follows, as always; `keep`: the
   * answer stands, and the response ends there (`ended` is `stated`). Where reasoning went on after the statement, the hint
   * follows in any case. `end`: as `keep`, and the first answer that is stated ends the thinking, at the end of its sentence or line:
   * for models that go on to check what they have, or say it again. Default `ask`.
   */
  stated?: 'ask' | 'keep' | 'end' | undefined
  /** End the thinking before its window closes; the hint follows. Default: never. */
  earlyExit?: EarlyExitOptions | undefined
  /** Report the least probability of the answer's tokens. Takes a pass over the vocabulary for each of them. Default false. */
  confidence?: boolean | undefined
  /**
   * Where the model would end its thinking by itself (between tags: by the closing tag), feed a text in the place of the
   * end, and let it think on. Default: it ends.
   */
  wait?: WaitOptions | undefined
  /**
   * Record in `trace` of the result what the policies would see of the thinking, and what would be answered where they ended
   * it. Beside none of them, nor `cuts`, `stop`, `schema`, `grammar`; needs `branches` of {@link LoadOptions}. Default: nothing is.
   */
  trace?: TraceOptions | undefined
}

const WAIT_OPTIONS = {
  times: option(integer(1, 1000), 1),
  text: option(kind('non-empty string', isString, { isValid: (value) => value !== '', convert: wellFormed }), 'Wait'),
  until: option(
    numeric('integer ≥ 1 or Infinity', (value) => value === Infinity || (Number.isInteger(value) && value >= 1)),
    Infinity,
  ),
} satisfies Record<keyof WaitOptions, Option<unknown>>

const EARLY_EXIT_OPTIONS = {
  margin: option(number(0, 100)),
  probe: option(number(0, 1)),
} satisfies Record<keyof EarlyExitOptions, Option<unknown>>

/** A value that is a table of options itself. */
function table<Table extends Record<string, Option<unknown>>>(options: Table): Kind<Read<Table>> {
  return kind('plain object', isPlainObject, { convert: (value, name) => readOptions(options, value, name) })
}

export const POLICY_OPTIONS = {
  landing: option(oneOf(['token', 'line']), 'token'),
  stated: option(oneOf(['ask', 'keep', 'end']), 'ask'),
  earlyExit: option(
    kind('plain object', isPlainObject, {
      convert: (value, name) => {
        const { margin, probe } = readOptions(EARLY_EXIT_OPTIONS, value, name)
        if ((margin ?? probe) === undefined) throw new TypeError(`Expected margin or probe in ${name}`)
        return { margin, probe }
      },
    }),
  ),
  confidence: option(boolean, false),
  wait: option(table(WAIT_OPTIONS)),
  trace: option(table(TRACE_OPTIONS)),
} satisfies Record<keyof PolicyOptions, Option<unknown>>

export type Policies = Read<typeof POLICY_OPTIONS>

/** The policies, apart from the other options. */
export function withoutPolicies<T extends Policies>(values: T): { policies: Policies; rest: Omit<T, keyof Policies> } {
  const { landing, stated, earlyExit, confidence, wait, trace, ...rest } = values
  return { policies: { landing, stated, earlyExit, confidence, wait, trace }, rest }
}
