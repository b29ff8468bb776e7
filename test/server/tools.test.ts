/** Calls of tools by the clients that people have, against a server behind a socket. */
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import Anthropic from '@anthropic-ai/sdk'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Z1 } from '../../lib/index.js'
import { serve, type Z1Server } from '../../lib/server/index.js'
import { temporaryFolder } from '../support/folder.js'
import { loadCaller } from '../support/tool-model.js'

const folder = temporaryFolder()
let z1: Z1
let server: Z1Server
beforeAll(async () => {
  z1 = await loadCaller(folder(), 'served')
  server = await serve(z1, { port: 0 })
})
afterAll(async () => {
  await server.close({ timeout: 0 })
  await z1.dispose()
})

const model = 'served'
const parameters = { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] }
const id = expect.stringMatching(/^call_[0-9a-f]{24}$/)
const given = (text: unknown) => JSON.parse(text as string)

describe('openai', () => {
  const client = () => new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 })
  const tools = [{ type: 'function' as const, function: { name: 'get_weather', description: 'Of a city', parameters } }]
  const body = { model, tools, messages: [{ role: 'user' as const, content: 'Rain?' }], max_tokens: 200 }

  it('chat.completions, whole and streamed', async () => {
    const whole = await client().chat.completions.create(body)
    const choice = whole.choices[0]
    expect(choice).toMatchObject({ finish_reason: 'tool_calls', message: { content: ' so' } })
    const [call] = choice?.message.tool_calls ?? []
    expect(call).toMatchObject({ id, type: 'function', function: { name: 'get_weather' } })
    expect(given(call?.type === 'function' && call.function.arguments)).toEqual({ city: 'P' })

    const final = await client().chat.completions.stream(body).finalChatCompletion()
    expect(final.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: ' so' } })
    const [streamed] = final.choices[0]?.message.tool_calls ?? []
    expect(streamed).toMatchObject({ id, type: 'function', function: { name: 'get_weather' } })
    expect(given(streamed?.type === 'function' && streamed.function.arguments)).toEqual({ city: 'P' })
  })

  it('tool_choice', async () => {
    const required = await client().chat.completions.create({ ...body, tool_choice: 'required' })
    expect(required.choices[0]?.message).toMatchObject({ content: null, tool_calls: [{ id }] })
    const choice = { type: 'function' as const, function: { name: 'get_weather' } }
    const named = await client().chat.completions.create({ ...body, tool_choice: choice, parallel_tool_calls: false })
    expect(named.choices[0]?.message.tool_calls).toHaveLength(1)
    const none = await client().chat.completions.create({ ...body, tool_choice: 'none' })
    expect(none.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: ' so' } })
    expect(none.choices[0]?.message.tool_calls).toBeUndefined()
    const wrong = client().chat.completions.create({ ...body, tools: [], tool_choice: 'required' })
    await expect(wrong).rejects.toMatchObject({ status: 400, message: expect.stringContaining('Expected tools') })
  })

  it('a call in the thinking ends it, and what the tool gave is shown', async () => {
    const first = await client().chat.completions.create({ ...body, thinking_window: 50 } as typeof body)
    const message = first.choices[0]?.message as OpenAI.ChatCompletionMessage
    expect(message).toMatchObject({
      content: null,
      reasoning_content: ' so',
      tool_calls: [{ id }],
      z1: { ended: 'self' },
    })
    const result = { role: 'tool' as const, tool_call_id: message.tool_calls?.[0]?.id as string, content: 'rain' }
    const next = { ...body, messages: [...body.messages, message, result], tool_choice: 'none' as const }
    expect((await client().chat.completions.create(next)).choices[0]?.message.content).toBe(' so')
  })

  it('runTools', async () => {
    const asked: unknown[] = []
    const getWeather = {
      type: 'function' as const,
      function: {
        name: 'get_weather',
        description: 'Of a city',
        parameters,
        parse: JSON.parse,
        function: (args: unknown) => {
          asked.push(args)
          return 'rain'
        },
      },
    }
    const runner = client().chat.completions.runTools({ ...body, tools: [getWeather] }, { maxChatCompletions: 2 })
    await runner.done().catch(() => {})
    expect(asked[0]).toEqual({ city: 'P' })
    expect(runner.messages.map(({ role }) => role).slice(0, 4)).toEqual(['user', 'assistant', 'tool', 'assistant'])
  })

  it('responses, whole, streamed, and with what the tool gave', async () => {
    const functions = [{ type: 'function' as const, name: 'get_weather', parameters, strict: null }]
    const asked = { model, input: 'Rain?', tools: functions, thinking_window: 50, max_output_tokens: 200 }
    const whole = await client().responses.create(asked)
    const types = ['reasoning', 'function_call']
    expect(whole.output.map(({ type }) => type)).toEqual(types)
    expect(whole).toMatchObject({ status: 'completed', tools: functions })
    const stream = client().responses.stream(asked)
    let deltas = ''
    stream.on('response.function_call_arguments.delta', ({ delta }) => {
      deltas += delta
    })
    const final = await stream.finalResponse()
    expect(final.output.map(({ type }) => type)).toEqual(types)
    const call = final.output[1] as OpenAI.Responses.ResponseFunctionToolCall
    expect(call).toMatchObject({ call_id: id, name: 'get_weather', status: 'completed', arguments: deltas })
    expect(given(call.arguments)).toEqual({ city: 'P' })
    const output = { type: 'function_call_output' as const, call_id: call.call_id, output: 'rain' }
    const user = { role: 'user' as const, content: 'Rain?' }
    const input = [user, ...(final.output as never[]), output]
    const next: OpenAI.Responses.Response = await client().responses.create({
      ...asked,
      thinking_window: 0,
      hint: '.',
      input,
      tool_choice: 'none',
    } as never)
    expect(next.output.map(({ type }) => type)).toEqual(['message'])
  })
})

it('@anthropic-ai/sdk: messages, whole, streamed, and with what the tool gave', async () => {
  const client = new Anthropic({ baseURL: server.url, apiKey: 'none', maxRetries: 0 })
  const tools = [{ name: 'get_weather', description: 'Of a city', input_schema: parameters }]
  const user = { role: 'user' as const, content: 'Rain?' }
  const body = { model, tools, messages: [user], max_tokens: 1000 }
  const whole = await client.messages.create(body)
  const call = { type: 'tool_use', id, name: 'get_weather', input: { city: 'P' } }
  expect(whole).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'text', text: ' so' }, call] })
  const final = await client.messages.stream({ ...body, tool_choice: { type: 'any' } }).finalMessage()
  expect(final).toMatchObject({ stop_reason: 'tool_use', content: [call] })
  const thinking = { type: 'enabled' as const, budget_tokens: 50 }
  const thought = await client.messages.stream({ ...body, thinking }).finalMessage()
  expect(thought.content).toMatchObject([{ type: 'thinking', thinking: ' so' }, call])

  const used = thought.content[1] as Anthropic.ToolUseBlock
  const result = {
    type: 'tool_result' as const,
    tool_use_id: used.id,
    content: [{ type: 'text' as const, text: 'rain' }],
  }
  const messages = [
    user,
    { role: 'assistant' as const, content: thought.content },
    { role: 'user' as const, content: [result] },
  ]
  const next = await client.messages.create({ ...body, messages, tool_choice: { type: 'none' } })
  expect(next).toMatchObject({ stop_reason: 'end_turn', content: [{ type: 'text', text: ' so' }] })
})

describe('the AI SDK', () => {
  const tools = {
    get_weather: tool({
      description: 'Of a city',
      inputSchema: jsonSchema<{ city: string }>(parameters as never),
      execute: async ({ city }) => `rain in ${city}`,
    }),
  }
  const models = () => ({
    '@ai-sdk/openai': createOpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none' })(model),
    '@ai-sdk/openai-compatible': createOpenAICompatible({ baseURL: `${server.url}/v1`, name: 'z1' })(model),
  })

  it.each(['@ai-sdk/openai', '@ai-sdk/openai-compatible'] as const)('%s', async (name) => {
    // Nothing is stored: what came before is sent again.
    const providerOptions = { openai: { store: false } }
    const limits = { maxOutputTokens: 200, stopWhen: stepCountIs(2) }
    const options = { model: models()[name], prompt: 'Rain?', tools, providerOptions, ...limits }
    const { steps } = await generateText(options)
    expect(steps[0]?.toolResults).toMatchObject([
      { toolName: 'get_weather', input: { city: 'P' }, output: 'rain in P' },
    ])
    const stream = streamText(options)
    await stream.consumeStream()
    expect((await stream.steps)[1]?.toolCalls).toMatchObject([{ toolName: 'get_weather', input: { city: 'P' } }])
  })
})

it('a template without tools is a 400 with the reason', async () => {
  const tools = [{ type: 'function', function: { name: 'f' } }]
  const body = { messages: [{ role: 'user', content: 'x' }], tools, chat_template_kwargs: {} }
  const plain = await loadCaller(folder(), 'plain', { template: '{{ messages[-1].content }}' })
  const other = await serve(plain, { port: 0 })
  const response = await fetch(`${other.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  })
  expect([response.status, await response.json()]).toMatchObject([400, { error: { code: 'TOOLS_UNSUPPORTED' } }])
  await other.close({ timeout: 0 })
  await plain.dispose()
})
