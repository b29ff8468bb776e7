/**
 * Token counts of a result in the words of each protocol. Input is the prompt, cached tokens among it; output is thinking and
 * answer, reasoning is thinking. A hint was neither asked nor generated: it is counted in no protocol's usage, only in the
 * metadata (lib/protocol/outcome.ts).
 */
import type { ReasonResult } from '../reason/result.js'

type Counts = Pick<ReasonResult['usage'], 'promptTokens' | 'cachedTokens' | 'thinkingTokens' | 'answerTokens'>

/** Of `/v1/chat/completions` and `/v1/completions`. */
export function chatUsage({ promptTokens, cachedTokens, thinkingTokens, answerTokens }: Counts) {
  const completionTokens = thinkingTokens + answerTokens
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: promptTokens + completionTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
    completion_tokens_details: { reasoning_tokens: thinkingTokens },
  }
}

/** Of `/v1/responses`. */
export function responsesUsage({ promptTokens, cachedTokens, thinkingTokens, answerTokens }: Counts) {
  const outputTokens = thinkingTokens + answerTokens
  return {
    input_tokens: promptTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: 0 },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: thinkingTokens },
    total_tokens: promptTokens + outputTokens,
  }
}

/** Of `/v1/messages`, where the input leaves out what came from the cache. */
export function messagesUsage({ promptTokens, cachedTokens, thinkingTokens, answerTokens }: Counts) {
  return {
    input_tokens: promptTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: thinkingTokens + answerTokens,
    output_tokens_details: { thinking_tokens: thinkingTokens },
  }
}

/** Of the AI SDK's language models. */
export function modelUsage({ promptTokens, cachedTokens, thinkingTokens, answerTokens }: Counts) {
  return {
    inputTokens: {
      total: promptTokens,
      noCache: promptTokens - cachedTokens,
      cacheRead: cachedTokens,
      cacheWrite: 0,
    },
    outputTokens: {
      total: thinkingTokens + answerTokens,
      text: answerTokens,
      reasoning: thinkingTokens,
    },
  }
}
