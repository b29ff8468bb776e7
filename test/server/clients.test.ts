/** The clients that people have, as they are, against a server behind a socket. */

import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { generateText, streamText } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { serve, type Z1Server } from '../../lib/server/index.js'
import { Random } from '../support/random.js'

/** The embedded model: it thinks, ends by itself when it may, and answers with a box. */
let z1: Z1
let server: Z1Server
const apiKey = 'sk-local'
const model = 'z1-mini'
beforeAll(async () => {
  z1 = await Z1.load({ threads: 1, engine: 'cpu', parallel: 2 })
  server = await serve(z1, { port: 0, apiKey })
})
afterAll(async () => {
  await server.close({ timeout: 0 })
  await z1.dispose()
})

const question = 'What is 2 + 3?'
const messages = [{ role: 'user' as const, content: question }]

/** What the addon itself says, greedy and with nothing from the cache. */
async function direct(thinkingWindow: number, maxTokens: number) {
  return z1.reason(question, { thinkingWindow, maxTokens, cachePrompt: false })
}

/** Windows 0 and 1, cut, and ended by itself; all with a limit of everything. */
const windows = [0, 1, 8, 500]

describe('openai', () => {
  const client = () => new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 })

  it.each(windows)('chat.completions, whole and streamed, with a window of %i', async (window) => {
    const body = { model, messages, max_completion_tokens: 600, thinking_window: window, cache_prompt: false }
    const expected = await direct(window, 600 - window)
    const whole = await client().chat.completions.create(body)
    const message = whole.choices[0]?.message as unknown as {
      content: string
      reasoning_content?: string
      z1: { answerRepeats: boolean }
    }
    expect(message.reasoning_content ?? '').toBe(expected.reasoning)
    expect(message.content).toBe(expected.answer)
    expect(message.z1.answerRepeats).toBe(window === 500)
    expect(whole.usage?.total_tokens).toBe((whole.usage?.prompt_tokens ?? 0) + (whole.usage?.completion_tokens ?? 0))

    const stream = client().chat.completions.stream({ ...body, stream_options: { include_usage: true } })
    let content = ''
    stream.on('content', (delta) => {
      content += delta
    })
    const final = await stream.finalChatCompletion()
    expect(final.choices[0]?.message).toMatchObject({ content: message.content, z1: { answerRepeats: window === 500 } })
    expect(content).toBe(message.content)
    expect(final.usage).toMatchObject({ completion_tokens: whole.usage?.completion_tokens })
  })

  it.each(windows)('responses, whole and streamed, with a window of %i', async (window) => {
    const body = { model, input: question, max_output_tokens: 600, thinking_window: window, cache_prompt: false }
    const expected = await direct(window, 600 - window)
    const whole = await client().responses.create(body)
    expect(whole.output_text).toBe(expected.answer)
    const stream = client().responses.stream(body)
    let text = ''
    stream.on('response.output_text.delta', ({ delta }) => {
      text += delta
    })
    const final = await stream.finalResponse()
    expect([text, final.output_text]).toEqual([expected.answer, expected.answer])
    expect(final.output.map(({ type }) => type)).toEqual(window === 0 ? ['message'] : ['reasoning', 'message'])
    expect(final.status).toBe('completed')
    const { input_tokens = 0, output_tokens = 0, total_tokens } = final.usage ?? {}
    expect(total_tokens).toBe(input_tokens + output_tokens)
    // The next turn takes the items as they came.
    const before = final.output as OpenAI.Responses.ResponseInputItem[]
    const next = await client().responses.create({
      model,
      input: [{ role: 'user', content: question }, ...before, { role: 'user', content: question }],
      max_output_tokens: 60,
    })
    expect(next.output_text).not.toBe('')
    expect(next.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(0)
  })

  it('completions', async () => {
    const body = { model, prompt: '2 + 3', max_tokens: 8 }
    const whole = await client().completions.create(body)
    let text = ''
    for await (const chunk of await client().completions.create({ ...body, stream: true }))
      text += chunk.choices[0]?.text
    expect(text).toBe(whole.choices[0]?.text)
    expect(text).not.toBe('')
  })

  it('models', async () => {
    const { data } = await client().models.list()
    expect(data.map(({ id }) => id)).toEqual([model])
    expect(await client().models.retrieve(model)).toMatchObject({ id: model })
  })

  it('errors of its own classes', async () => {
    const body = { model, messages }
    await expect(
      new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'x' }).chat.completions.create(body),
    ).rejects.toThrow(OpenAI.AuthenticationError)
    const wrong = client().chat.completions.create({ ...body, temperature: -1 })
    await expect(wrong).rejects.toThrow(OpenAI.BadRequestError)
    await expect(wrong).rejects.toMatchObject({ param: 'temperature', type: 'invalid_request_error' })
    const long = client().chat.completions.create({ model, messages: [{ role: 'user', content: 'x '.repeat(5000) }] })
    await expect(long).rejects.toMatchObject({ code: 'context_length_exceeded' })
  })

  it('an abort', async () => {
    const stream = await client().chat.completions.create({ model, messages, stream: true })
    for await (const _ of stream) break
    stream.controller.abort()
    expect((await client().chat.completions.create({ model, messages, max_tokens: 40 })).choices).toHaveLength(1)
  })
})

describe('@anthropic-ai/sdk', () => {
  const client = () => new Anthropic({ baseURL: server.url, apiKey, maxRetries: 0 })
  const thinking = (budget_tokens: number) => ({ type: 'enabled' as const, budget_tokens })

  it.each(windows)('messages, whole and streamed, with a budget of %i', async (window) => {
    const body = { model, messages, max_tokens: 600, thinking: thinking(window), cache_prompt: false }
    const expected = await direct(window, 600 - window)
    const whole = await client().messages.create(body)
    const blocks = whole.content.map((block) =>
      block.type === 'thinking' ? block.thinking : block.type === 'text' ? block.text : null,
    )
    expect(blocks).toEqual([...(window === 0 ? [] : [expected.reasoning]), expected.answer])
    const stream = client().messages.stream(body)
    let text = ''
    stream.on('text', (delta) => {
      text += delta
    })
    const final = await stream.finalMessage()
    expect(text).toBe(expected.answer)
    expect(final.content).toEqual(whole.content)
    expect(final.stop_reason).toBe('end_turn')
    expect(final.usage.output_tokens).toBe(whole.usage.output_tokens)
    // The next turn takes the blocks as they came, and continues what is in the KV cache. Without thinking no block carries the hint.
    const turns = [...messages, { role: 'assistant' as const, content: final.content }, ...messages]
    const next = await client().messages.create({ model, max_tokens: 60, messages: turns })
    const { promptTokens, thinkingTokens, hintTokens } = expected.usage
    const cached = window === 0 ? promptTokens : promptTokens + thinkingTokens + hintTokens
    expect(next.usage.cache_read_input_tokens).toBeGreaterThanOrEqual(cached)
  })

  it('errors of its own classes', async () => {
    const other = new Anthropic({ baseURL: server.url, apiKey: 'x', maxRetries: 0 })
    await expect(other.messages.create({ model, messages, max_tokens: 10 })).rejects.toThrow(
      Anthropic.AuthenticationError,
    )
    const wrong = client().messages.create({ model, messages, max_tokens: 10, thinking: thinking(10) })
    await expect(wrong).rejects.toThrow(Anthropic.BadRequestError)
  })
})

describe('the AI SDK', () => {
  const models = () => ({
    'openai-compatible': createOpenAICompatible({
      name: 'z1',
      baseURL: `${server.url}/v1`,
      apiKey,
      includeUsage: true,
    })(model),
    'openai, responses': createOpenAI({ baseURL: `${server.url}/v1`, apiKey })(model),
  })

  it.each(['openai-compatible', 'openai, responses'] as const)('%s', async (name) => {
    const options = { model: models()[name], prompt: question, maxOutputTokens: 200, temperature: 0, maxRetries: 0 }
    const whole = await generateText(options)
    expect(whole.text).not.toBe('')
    const stream = streamText(options)
    let text = ''
    for await (const delta of stream.textStream) text += delta
    expect(text).toBe(await stream.text)
    expect(text).not.toBe('')
    const { outputTokens = 0 } = await stream.usage
    expect(outputTokens).toBeGreaterThan(0)
    expect(outputTokens).toBeLessThanOrEqual(200)
    if (name === 'openai-compatible') expect(await stream.reasoningText).not.toBe('')
  })
})

it('for any window, limit and protocol there is a text, and no more tokens than the limit', async () => {
  const random = new Random(11)
  const openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey, maxRetries: 0 })
  for (let i = 0; i < 40; i++) {
    const total = 2 + random.below(120)
    const thinking_window = random.below(total)
    const asked = `What is ${random.below(50)} + ${random.below(50)}?`
    const body = { model, messages: [{ role: 'user' as const, content: asked }], max_tokens: total, thinking_window }
    const stream = openai.chat.completions.stream({ ...body, stream_options: { include_usage: true } })
    let deltas = ''
    stream.on('content', (delta) => {
      deltas += delta
    })
    const { choices, usage } = await stream.finalChatCompletion()
    const text = choices[0]?.message.content
    expect([text, deltas], `window ${thinking_window} of ${total}: ${asked}`).toEqual([deltas, text])
    expect(text, `window ${thinking_window} of ${total}: ${asked}`).not.toBe('')
    expect(usage?.completion_tokens).toBeLessThanOrEqual(total)
    expect(usage?.completion_tokens_details?.reasoning_tokens).toBeLessThanOrEqual(thinking_window)
  }
})
