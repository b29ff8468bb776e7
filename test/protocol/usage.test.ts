import { expect, it } from 'vitest'
import { chatUsage, messagesUsage, modelUsage, responsesUsage } from '../../lib/protocol/usage.js'

/** Of the prompt's 11 tokens 4 came from the cache; a hint of 3 is in no protocol's usage. */
const counts = { promptTokens: 11, cachedTokens: 4, thinkingTokens: 20, hintTokens: 3, answerTokens: 5 }

it('is that of chat completions', () => {
  expect(chatUsage(counts)).toEqual({
    prompt_tokens: 11,
    completion_tokens: 25,
    total_tokens: 36,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 20 },
  })
})

it('is that of responses', () => {
  expect(responsesUsage(counts)).toEqual({
    input_tokens: 11,
    input_tokens_details: { cached_tokens: 4, cache_write_tokens: 0 },
    output_tokens: 25,
    output_tokens_details: { reasoning_tokens: 20 },
    total_tokens: 36,
  })
})

it('is that of messages, whose input leaves the cached tokens out', () => {
  expect(messagesUsage(counts)).toEqual({
    input_tokens: 7,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 4,
    output_tokens: 25,
    output_tokens_details: { thinking_tokens: 20 },
  })
})

it('is that of the AI SDK', () => {
  expect(modelUsage(counts)).toEqual({
    inputTokens: { total: 11, noCache: 7, cacheRead: 4, cacheWrite: 0 },
    outputTokens: { total: 25, text: 5, reasoning: 20 },
  })
})
