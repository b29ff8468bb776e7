/** The option to report the log-probabilities of tokens. */
import { boolean, integer, isPlainObject, kind } from '../base/checks.js'
import { type Option, option, type Read, readOptions } from '../base/options.js'

export interface LogprobsOptions {
  /** How many of the likeliest tokens are told beside each sampled one, 0 … 20. Default 0. */
  top?: number | undefined
  /** Tell of the tokens of the thinking, too. Default false. */
  thinking?: boolean | undefined
}

const LOGPROBS_OPTIONS = {
  top: option(integer(0, 20), 0),
  thinking: option(boolean, false),
} satisfies Record<keyof LogprobsOptions, Option<unknown>>

export const logprobsKind = kind('plain object', isPlainObject, {
  convert: (value, name): Read<typeof LOGPROBS_OPTIONS> => readOptions(LOGPROBS_OPTIONS, value, name),
})
