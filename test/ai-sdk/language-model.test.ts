/** The language model as the AI SDK uses it, over the embedded model. */
import type { JSONObject, LanguageModelV3CallOptions, LanguageModelV3StreamPart } from '@ai-sdk/provider'
import { generateText, type ModelMessage, streamText } from 'ai'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { languageModel } from '../../lib/ai-sdk/index.js'
import { type ReasonOptions, Z1 } from '../../lib/index.js'
import { PLAIN_HINT, REASON_OPTIONS } from '../../lib/reason/options.js'
import { Random } from '../support/random.js'

let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({ threads: 1, engine: 'cpu' })
})
afterAll(() => z1.dispose())

const prompt = 'What is 2 + 3?'
const call = (more: Partial<LanguageModelV3CallOptions> & { reasoning?: string } = {}) => ({
  prompt: [{ role: 'user' as const, content: [{ type: 'text' as const, text: prompt }] }],
  ...more,
})
const own = (z1: ReasonOptions) => ({ providerOptions: { z1: { cachePrompt: false, ...z1 } as unknown as JSONObject } })

async function partsOf(stream: ReadableStream<LanguageModelV3StreamPart>): Promise<LanguageModelV3StreamPart[]> {
  const parts: LanguageModelV3StreamPart[] = []
  for await (const part of stream) parts.push(part)
  return parts
}

describe('generateText() and streamText()', () => {
  it.each([
    ['without thinking', 0],
    ['one token', 1],
    ['cut', 8],
    ['ended by itself', 500],
  ])('%s', async (_, thinkingWindow) => {
    const expected = await z1.reason(prompt, { thinkingWindow, maxTokens: 600 - thinkingWindow, cachePrompt: false })
    const options = { model: languageModel(z1), prompt, maxOutputTokens: 600, ...own({ thinkingWindow }) }
    const whole = await generateText(options)
    expect([whole.reasoningText ?? '', whole.text]).toEqual([expected.reasoning, expected.answer])
    expect(whole.warnings).toEqual([])
    const { promptTokens, thinkingTokens, answerTokens } = expected.usage
    expect(whole.usage).toMatchObject({
      inputTokens: promptTokens,
      outputTokens: thinkingTokens + answerTokens,
      totalTokens: promptTokens + thinkingTokens + answerTokens,
      outputTokenDetails: { textTokens: answerTokens, reasoningTokens: thinkingTokens },
    })
    expect(whole.providerMetadata?.z1).toMatchObject({
      ended: expected.ended,
      hint: expected.hint,
      thinkingTokens,
      answerRepeats: thinkingWindow === 500,
    })
    const stream = streamText(options)
    let text = ''
    for await (const delta of stream.textStream) text += delta
    expect([text, await stream.text, (await stream.reasoningText) ?? '']).toEqual([
      expected.answer,
      expected.answer,
      expected.reasoning,
    ])
    expect((await stream.usage).outputTokens).toBe(thinkingTokens + answerTokens)
    expect(await stream.finishReason).toBe('stop')
  })

  it('the next turn continues what is in the KV cache', async () => {
    const model = languageModel(z1)
    const first: ModelMessage[] = [{ role: 'user', content: prompt }]
    const turn = await generateText({ model, messages: first, ...own({ thinkingWindow: 8, cachePrompt: true }) })
    const messages: ModelMessage[] = [...first, ...turn.response.messages, { role: 'user', content: prompt }]
    const next = await generateText({ model, messages, maxOutputTokens: 50 })
    const { inputTokens = 0, outputTokens = 0 } = turn.usage
    // The hint too, which came back as metadata of the reasoning.
    expect(next.usage.inputTokenDetails.cacheReadTokens).toBeGreaterThanOrEqual(inputTokens + outputTokens + 28 - 1)
  })

  it('an abort', async () => {
    const controller = new AbortController()
    const stream = streamText({ model: languageModel(z1), prompt, abortSignal: controller.signal })
    for await (const _ of stream.fullStream) controller.abort()
    expect((await generateText({ model: languageModel(z1), prompt, maxOutputTokens: 40 })).text).not.toBe('')
    const aborted = generateText({ model: languageModel(z1), prompt, abortSignal: AbortSignal.abort(new Error('no')) })
    await expect(aborted).rejects.toThrow('no')
  })

  it('for any window and limit there is a text, and no more tokens than the limit', async () => {
    const random = new Random(5)
    for (let i = 0; i < 30; i++) {
      const maxOutputTokens = 2 + random.below(100)
      const thinkingWindow = random.below(maxOutputTokens)
      const asked = `What is ${random.below(50)} + ${random.below(50)}?`
      const { text, usage } = await generateText({
        model: languageModel(z1),
        prompt: asked,
        maxOutputTokens,
        ...own({ thinkingWindow }),
      })
      expect(text, `window ${thinkingWindow} of ${maxOutputTokens}: ${asked}`).not.toBe('')
      expect(usage.outputTokens).toBeLessThanOrEqual(maxOutputTokens)
    }
  })
})

describe('a stream', () => {
  it('begins with warnings and ends with a finish, its blocks whole', async () => {
    const model = languageModel(z1)
    const { stream } = await model.doStream(call({ maxOutputTokens: 100, ...own({ thinkingWindow: 4 }) }))
    const parts = await partsOf(stream)
    const types = parts.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1])
    expect(types).toEqual([
      'stream-start',
      'response-metadata',
      'reasoning-start',
      'reasoning-delta',
      'reasoning-end',
      'text-start',
      'text-delta',
      'text-end',
      'finish',
    ])
    expect(parts.find(({ type }) => type === 'reasoning-end')).toMatchObject({
      providerMetadata: { z1: { ended: 'window', hint: PLAIN_HINT, thinkingTokens: 4 } },
    })
    expect(parts.at(-1)).toMatchObject({
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: { inputTokens: { total: 27 }, outputTokens: { reasoning: 4 } },
    })
  })

  it('marks an answer that repeats a part of the reasoning', async () => {
    const { stream } = await languageModel(z1).doStream(call())
    const start = (await partsOf(stream)).find(({ type }) => type === 'text-start')
    expect(start).toMatchObject({ providerMetadata: { z1: { answerRepeats: true } } })
  })

  it('that is left frees its sequence', async () => {
    const { stream } = await languageModel(z1).doStream(call())
    await stream.cancel()
    expect((await languageModel(z1).doGenerate(call({ maxOutputTokens: 40 }))).content).not.toEqual([])
  })
})

describe('reasoning', () => {
  it.each([
    ['none', 0],
    ['minimal', 2],
    ['low', 10],
    ['max', 95],
  ])('%s is a share of the limit', async (reasoning, most) => {
    const { usage } = await languageModel(z1).doGenerate(call({ maxOutputTokens: 100, reasoning }))
    expect(usage.outputTokens.reasoning).toBeLessThanOrEqual(most)
    if (most <= 10) expect(usage.outputTokens.reasoning).toBe(most)
  })

  it('is the default of the model, unless our own option says otherwise', async () => {
    const model = languageModel(z1)
    const byDefault = await model.doGenerate(call({ maxOutputTokens: 10, reasoning: 'provider-default' }))
    expect(byDefault.usage.outputTokens.reasoning).toBe(6)
    const ours = call({ maxOutputTokens: 100, reasoning: 'high', ...own({ thinkingWindow: 3 }) })
    expect((await model.doGenerate(ours)).usage.outputTokens.reasoning).toBe(3)
    await expect(model.doGenerate(call({ reasoning: 'huge' }))).rejects.toThrow(
      /^Expected one of provider-default, none/,
    )
  })

  it('is the default of the provider', async () => {
    const model = languageModel(z1, { defaults: { thinkingWindow: 2, hint: 'boxed' } })
    const { usage, providerMetadata } = await model.doGenerate(call({ maxOutputTokens: 50 }))
    expect(usage.outputTokens.reasoning).toBe(2)
    expect(providerMetadata?.z1?.hint).toContain('boxed')
  })
})

describe('providerOptions.z1', () => {
  it('takes every option of a request', async () => {
    const given = {
      thinkingWindow: 2,
      maxTokens: 3,
      hint: 'boxed',
      loops: true,
      tags: 'ban',
      system: 'Be brief.',
      template: true,
      chatTemplate: z1.model.chatTemplate as string,
      templateVariables: {},
      temperature: 0,
      topK: 5,
      topP: 0.9,
      minP: 0.1,
      typicalP: 1,
      repeatPenalty: 1,
      frequencyPenalty: 0,
      presencePenalty: 0,
      penaltyLastN: 5,
      dryMultiplier: 0,
      dryBase: 1.75,
      dryAllowedLength: 2,
      dryPenaltyLastN: 4,
      drySequenceBreakers: ['x'],
      xtcProbability: 0,
      xtcThreshold: 0.1,
      logitBias: { 5: 1 },
      seed: 1,
      stop: ['never'],
      stopInThinking: false,
      cachePrompt: false,
    } satisfies ReasonOptions
    const others = Object.keys(REASON_OPTIONS).filter((name) => !(name in given))
    // `signal` is the call's; what is new here has its test where it is built.
    expect(others).toContain('signal')
    const expected = await z1.reason(prompt, given)
    const { content, usage } = await languageModel(z1).doGenerate(call(own(given)))
    expect(content.map((part) => ('text' in part ? part.text : ''))).toEqual([expected.reasoning, expected.answer])
    expect(usage.outputTokens).toMatchObject({ reasoning: 2, text: 3 })
  })

  it('wins over what is portable', async () => {
    const options = call({
      temperature: 2,
      seed: 4,
      stopSequences: ['b'],
      ...own({ temperature: 0, seed: 9, thinkingWindow: 1 }),
    })
    const { providerMetadata } = await languageModel(z1).doGenerate(options)
    expect(providerMetadata?.z1?.seed).toBe(9)
  })

  it.each([
    [{ thinkingWindw: 5 }, /Unknown option thinkingWindw: did you mean thinkingWindow\?/],
    [{ thinkingWindow: -1 }, /^Expected integer ≥ 0 for thinkingWindow/],
    [{ signal: AbortSignal.abort() }, /^Expected nothing for signal in providerOptions.z1/],
  ])('%j is refused', async (z1Options, message) => {
    const options = call({ providerOptions: { z1: z1Options as unknown as JSONObject } })
    await expect(languageModel(z1).doGenerate(options)).rejects.toThrow(message)
    await expect(languageModel(z1).doStream(options)).rejects.toThrow(message)
  })
})

describe('what is not supported', () => {
  it('becomes a warning', async () => {
    const { warnings } = await languageModel(z1).doGenerate(call({ maxOutputTokens: 20, includeRawChunks: true }))
    expect(warnings).toEqual([{ type: 'unsupported', feature: 'includeRawChunks' }])
    const none = call({ maxOutputTokens: 20, tools: [], toolChoice: { type: 'auto' }, includeRawChunks: false })
    expect((await languageModel(z1).doGenerate(none)).warnings).toEqual([])
  })

  it('is an error where leaving it out would change the question', async () => {
    const image = { type: 'file' as const, mediaType: 'image/png', data: '' }
    const options = { prompt: [{ role: 'user' as const, content: [image] }] }
    await expect(languageModel(z1).doGenerate(options)).rejects.toThrow(
      'prompt[0].content[0] of the type file is not supported: messages are text',
    )
    await expect(languageModel(z1).doGenerate(call({ maxOutputTokens: 0 }))).rejects.toThrow('maxOutputTokens')
    const full = call({ maxOutputTokens: 5, ...own({ thinkingWindow: 5 }) })
    await expect(languageModel(z1).doGenerate(full)).rejects.toThrow('Expected thinkingWindow < maxOutputTokens (5)')
  })
})

describe('languageModel()', () => {
  it('is of the specification that was asked for', () => {
    expect(languageModel(z1)).toMatchObject({ specificationVersion: 'v3', provider: 'z1', modelId: 'z1-mini' })
    const v4 = languageModel(z1, { specification: 'v4', modelId: 'mine' })
    expect(v4).toMatchObject({ specificationVersion: 'v4', modelId: 'mine', supportedUrls: {} })
  })

  it('refuses other options', () => {
    expect(() => languageModel({} as Z1)).toThrow('Expected a reasoner')
    expect(() => languageModel(z1, { specification: 'v2' } as object)).toThrow('Expected v3 or v4 for specification')
    expect(() => languageModel(z1, { specifcation: 'v3' } as object)).toThrow('did you mean specification?')
    expect(() => languageModel(z1, { defaults: { topp: 1 } } as object)).toThrow('did you mean topP?')
  })
})
