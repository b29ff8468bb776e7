/** Log-probabilities as OpenAI's protocols have them, and what asks for them there. */
import type { SampledLogprob, TokenLogprob } from '../native/binding.js'
import type { LogprobsOptions } from '../reason/logprobs.js'
import { RequestError } from './error.js'

/** What stands for a token that is ruled out: JSON has no -Infinity. */
const LEAST = -9999

/** `content` of a choice's `logprobs`; null where nothing was asked for. */
export function chatLogprobs(logprobs: readonly SampledLogprob[] | undefined) {
  return logprobs ? { content: partLogprobs(logprobs), refusal: null } : null
}

/** `logprobs` of a text part of `/v1/responses`, and of its deltas. */
export function partLogprobs(logprobs: readonly SampledLogprob[] = []) {
  return logprobs.map((one) => ({ ...tokenOf(one), top_logprobs: one.top.map(tokenOf) }))
}

/**
 * `logprobs` of a choice of text completions; null where nothing was asked for.
 * @param offset Characters of the text before these tokens.
 */
export function textLogprobs(logprobs: readonly SampledLogprob[] | undefined, offset = 0) {
  if (!logprobs) return null
  let end = offset
  return {
    tokens: logprobs.map(({ text }) => text),
    token_logprobs: logprobs.map(({ logprob }) => Math.max(logprob, LEAST)),
    top_logprobs: logprobs.map(({ top }) =>
      Object.fromEntries(top.map(({ text, logprob }) => [text, Math.max(logprob, LEAST)])),
    ),
    text_offset: logprobs.map(({ text }) => {
      const start = end
      end += text.length
      return start
    }),
  }
}

function tokenOf({ text, logprob, bytes }: TokenLogprob) {
  return { token: text, logprob: Math.max(logprob, LEAST), bytes }
}

/** @throws {RequestError} for alternatives without `logprobs`. */
export function logprobsOf(asked: boolean | undefined, top: number | undefined): { logprobs?: LogprobsOptions } {
  if (asked) return { logprobs: { top: top ?? 0 } }
  if (top) throw new RequestError('top_logprobs needs logprobs: true', 'top_logprobs')
  return {}
}
