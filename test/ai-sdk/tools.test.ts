/** Calls of tools through the AI SDK. */
import type { LanguageModelV3Prompt, LanguageModelV3StreamPart } from '@ai-sdk/provider'
import { generateText, jsonSchema, stepCountIs, streamText, tool } from 'ai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { languageModel } from '../../lib/ai-sdk/index.js'
import { messagesOf } from '../../lib/ai-sdk/prompt.js'
import type { Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { loadCaller } from '../support/tool-model.js'

const folder = temporaryFolder()
let z1: Z1
beforeAll(async () => {
  z1 = await loadCaller(folder(), 'ai-sdk')
})
afterAll(() => z1.dispose())

const parameters = { type: 'object' as const, properties: { city: { type: 'string' as const } }, required: ['city'] }
const getWeather = (execute?: (input: { city: string }) => Promise<string>) => ({
  get_weather: tool({
    inputSchema: jsonSchema<{ city: string }>(parameters),
    ...(execute ? { execute } : {}),
  } as never),
})
const call = { toolName: 'get_weather', input: { city: 'P' } }

describe('generateText() and streamText()', () => {
  it.each([undefined, 50])('call tools and go on with what they gave, with a window of %s', async (thinkingWindow) => {
    const asked: unknown[] = []
    const tools = getWeather(async (input) => {
      asked.push(input)
      return 'rain'
    })
    const options = {
      model: languageModel(z1),
      prompt: 'Rain?',
      tools,
      maxOutputTokens: 200,
      stopWhen: stepCountIs(2),
      ...(thinkingWindow === undefined ? {} : { providerOptions: { z1: { thinkingWindow } } }),
    }
    const { steps } = await generateText(options)
    expect(steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'tool-calls'])
    expect(steps[0]).toMatchObject({ toolCalls: [call], text: thinkingWindow ? '' : ' so' })
    const stream = streamText(options)
    await stream.consumeStream()
    expect((await stream.steps).map(({ toolCalls }) => toolCalls)).toMatchObject([[call], [call]])
    expect(asked).toEqual(Array(4).fill({ city: 'P' }))
  })

  it('toolChoice', async () => {
    const options = { model: languageModel(z1), prompt: 'Rain?', tools: getWeather(), maxOutputTokens: 200 }
    const none = await generateText({ ...options, toolChoice: 'none' })
    expect(none).toMatchObject({ text: ' so', toolCalls: [], finishReason: 'stop' })
    for (const toolChoice of ['required', { type: 'tool', toolName: 'get_weather' }] as const) {
      expect(await generateText({ ...options, toolChoice })).toMatchObject({ text: '', toolCalls: [call] })
    }
  })
})

const prompt: LanguageModelV3Prompt = [{ role: 'user', content: [{ type: 'text', text: 'Rain?' }] }]
const tools = [{ type: 'function' as const, name: 'get_weather', inputSchema: parameters }]

it.each([
  200, 40,
])('a stream has whole blocks, and a call only where it is whole (%i tokens)', async (maxOutputTokens) => {
  const { stream } = await languageModel(z1).doStream({ prompt, tools, maxOutputTokens })
  const parts: LanguageModelV3StreamPart[] = []
  for await (const part of stream) parts.push(part)
  const types = parts.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])
  const opened = ['stream-start', 'response-metadata', 'text-start', 'text-delta', 'text-end']
  const isWhole = maxOutputTokens === 200
  const called = isWhole ? ['tool-input-start', 'tool-input-delta', 'tool-input-end', 'tool-call'] : types.slice(5, -1)
  expect(types).toEqual([...opened, ...called, 'finish'])
  expect(types.includes('tool-call')).toBe(isWhole)
  const inputs = parts.flatMap((part) => (part.type === 'tool-input-delta' ? part.delta : []))
  const last = parts.find((part) => part.type === 'tool-call')
  if (last) expect(last).toMatchObject({ input: inputs.join(''), toolName: 'get_weather' })
})

it('a tool that a provider runs is a warning', async () => {
  const search = { type: 'provider' as const, id: 'x.search' as const, name: 'search', args: {} }
  const { warnings } = await languageModel(z1).doGenerate({ prompt, tools: [search], maxOutputTokens: 5 })
  expect(warnings).toMatchObject([{ type: 'unsupported', feature: 'tool search' }])
})

it('calls and what tools gave become messages', () => {
  const result = (output: unknown) => ({ type: 'tool-result', toolCallId: '1', toolName: 'f', output }) as never
  const given: LanguageModelV3Prompt = [
    { role: 'assistant', content: [{ type: 'tool-call', toolCallId: '1', toolName: 'f', input: { a: 1 } }] },
    {
      role: 'tool',
      content: [
        result({ type: 'text', value: 'a' }),
        result({ type: 'json', value: { b: [1] } }),
        result({ type: 'error-json', value: null }),
        result({ type: 'content', value: [{ type: 'text', text: 'c' }] }),
        result({ type: 'execution-denied' }),
      ],
    },
  ]
  const contents = ['a', '{"b":[1]}', 'null', 'c', 'The call was denied']
  expect(messagesOf(given)).toEqual([
    { role: 'assistant', content: '', toolCalls: [{ id: '1', name: 'f', arguments: { a: 1 } }] },
    ...contents.map((content) => ({ role: 'tool', content, toolCallId: '1' })),
  ])
  const image = result({ type: 'content', value: [{ type: 'media', data: '', mediaType: 'image/png' }] })
  expect(() => messagesOf([{ role: 'tool', content: [image] }])).toThrow('of the type media is not supported')
})
