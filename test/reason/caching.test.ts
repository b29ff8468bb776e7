/**
 * The KV cache between requests: a prompt's beginning that is there is not decoded again, and what is sampled is what a
 * fresh context gives. The models here have a token for each byte, so a text has the same tokens when it comes back.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ChatMessage, type ReasonOptions, type ReasonResult, Z1 } from '../../lib/index.js'
import { PLAIN_HINT } from '../../lib/reason/options.js'
import { testModel } from '../support/models.js'
import { reference } from '../support/reference.js'

const batchSize = 32
/** Only bytes that are characters by themselves, so that the text is the tokens, and never an end of its own. */
const ascii: [number, number][] = Array.from({ length: 131 }, (_, i) => [128 + i, -Infinity])
const endless = { logitBias: ascii }
const loaded: Z1[] = []
afterAll(() => Promise.all(loaded.map((z1) => z1.dispose())))

async function load(model: string, parallel = 1): Promise<Z1> {
  const z1 = await Z1.load({ model, contextSize: 1024, parallel, batchSize, threads: 1, engine: 'cpu' })
  loaded.push(z1)
  return z1
}

const user = (content: string): ChatMessage => ({ role: 'user', content })
/** Tokens of a message in the chat template: two control tokens, and bytes. */
const tokensIn = ({ role, content }: ChatMessage) => `X${role}\n${content}X\n`.length
const generationPrompt = 'Xassistant\n'.length
const promptTokens = (messages: ChatMessage[]) => messages.reduce((n, one) => n + tokensIn(one), generationPrompt)
const sampled = ({ tokens }: ReasonResult) => [...tokens.reasoning, ...tokens.hint, ...tokens.answer]

/** Calls of `llama_decode` for a request that `maxTokens` ended: none is spent on a token that is there already. */
function decodes({ usage }: ReasonResult): number {
  const { promptTokens, cachedTokens, thinkingTokens, answerTokens } = usage
  // The last thinking token goes with the hint, and nothing follows the last token of the answer.
  return Math.ceil((promptTokens - cachedTokens) / batchSize) + Math.max(0, thinkingTokens - 1) + 1 + answerTokens - 1
}

describe('a conversation', () => {
  const options: ReasonOptions = { ...endless, thinkingWindow: 20, maxTokens: 10 }
  const first = [user('What is the first of the numbers?')]

  it('goes on where it stands in the cache', async () => {
    const z1 = await load(testModel('qwen2-bytes'))
    let messages = first
    let before = await z1.reason(messages, options)
    expect(before.usage).toMatchObject({ promptTokens: promptTokens(messages), cachedTokens: 0 })
    for (let turn = 0; turn < 4; turn++) {
      messages = [...messages, before.message, user(`And then, in turn ${turn}?`)]
      const result = await z1.reason(messages, options)
      // All but the last token of the answer, after which nothing was decoded.
      expect(result.usage.cachedTokens).toBe(before.usage.promptTokens + sampled(before).length - 1)
      expect(result.usage.promptTokens).toBe(promptTokens(messages))
      expect(result.timings.decodeCalls).toBe(decodes(result))
      expect(result.finishReason).toBe('length')
      before = result
    }
  })

  it('after an end by itself, stop() and endThinking(), too', async () => {
    const z1 = await load(testModel('qwen2-bytes', { endGain: 1.2 }))
    const noEndOfText = ascii.filter(([token]) => token !== 258)
    const free: ReasonOptions = { logitBias: noEndOfText, thinkingWindow: Infinity }
    for (const act of ['self', 'stop', 'endThinking'] as const) {
      const messages = [user(`A question for ${act}, of some length`)]
      const stream = z1.stream(messages, act === 'self' ? free : { ...endless, thinkingWindow: Infinity, maxTokens: 5 })
      for await (const event of stream) {
        if (event.type === 'thinking' && act !== 'self') stream[act]()
      }
      const before = await stream.result
      expect(before.ended).toBe({ self: 'self', stop: 'stop', endThinking: 'request' }[act])
      const next = await z1.reason([...messages, before.message, user('And then?')], options)
      const decoded = before.usage.promptTokens + sampled(before).length - (before.finishReason === 'stop' ? 0 : 1)
      expect(next.usage.cachedTokens, act).toBe(decoded)
    }
  })

  it('is not reused without cachePrompt, nor by default with a seed', async () => {
    const z1 = await load(testModel('qwen2-bytes'))
    const before = await z1.reason(first, options)
    const messages = [...first, before.message, user('And then?')]
    const cached = async (more: ReasonOptions) => {
      const result = await z1.reason(messages, { ...options, ...more })
      expect(result.timings.decodeCalls).toBe(decodes(result))
      return result.usage.cachedTokens
    }
    expect(await cached({ cachePrompt: false })).toBe(0)
    expect(await cached({ seed: 1 })).toBe(0)
    expect(await cached({ seed: 1, temperature: 1 })).toBe(0)
    expect(await cached({ seed: 1, cachePrompt: true })).toBe(promptTokens(messages) - 1)
    expect(await cached({})).toBe(promptTokens(messages) - 1)
  })

  it('the same prompt again: all but its last token, which gives the logits', async () => {
    const z1 = await load(testModel('qwen2-bytes'))
    const [once, again] = [await z1.reason(first, options), await z1.reason(first, options)]
    expect(once.usage.cachedTokens).toBe(0)
    expect(again.usage.cachedTokens).toBe(promptTokens(first) - 1)
    expect(again.timings.decodeCalls).toBe(decodes(again))
  })

  it('a few tokens in common are not worth it', async () => {
    const z1 = await load(testModel('qwen2-bytes'))
    const raw = { ...options, template: false }
    await z1.reason('the same beginning, one end', raw)
    expect((await z1.reason('the same beginning, another', raw)).usage.cachedTokens).toBe('the same beginning, '.length)
    // Less than 16 tokens.
    expect((await z1.reason('the same begin, new', raw)).usage.cachedTokens).toBe(0)
  })
})

describe('what is sampled after a reused prefix', () => {
  /** Prompts that go on from, go back in, and leave what is in the cache. */
  const prompts = [
    'The numbers are 4, 8, 15, 16, 23 and 42. ',
    'The numbers are 4, 8, 15, 16, 23 and 42. Which of them is the largest, and why is it so?',
    'The numbers are 4, 8, 15, 16, 23 and 1. ',
    'The numbers are 4, 8, 15',
    'Something else that has nothing to do with them, but is long enough for a batch or two.',
    'Something else that has nothing to do with them, and ends otherwise.',
    'Something else that has nothing to do with them, and ends otherwise. Or does it? '.repeat(3),
  ]

  it.each(['qwen2-bytes', 'llama-spm', 'mamba'] as const)('on %s is what a fresh context gives', async (name) => {
    const z1 = await load(testModel(name, { endGain: 0 }))
    const cases = await Promise.all(
      [...prompts, ...prompts, ...prompts].map(async (text, i) => {
        const bos = name === 'llama-spm' ? [1] : []
        const prompt = [...bos, ...(await z1.tokenize(text))]
        const window = i % 5
        return { text, contextSize: 1024, parallel: 1, batchSize, window, maxTokens: 4 + (i % 3), prompt, hint: [] }
      }),
    )
    const { tokens } = await z1.reason('x', { template: false, thinkingWindow: 0, maxTokens: 1 })
    const asked = cases.map((one) => ({ ...one, hint: tokens.hint }))
    const expected = reference(z1.model.engine, z1.model.path, asked)
    let compared = 0
    let reused = 0
    for (const [i, { text, window, maxTokens }] of asked.entries()) {
      const result = await z1.reason(text, { template: false, thinkingWindow: window, maxTokens })
      const { reasoning, answer, margin } = expected[i] as (typeof expected)[number]
      reused += Number(result.usage.cachedTokens > 0)
      // A prefix that was decoded in other groups of tokens may turn a narrow choice.
      if (result.usage.cachedTokens > 0 && margin < 0.02) continue
      compared += 1
      expect(result.tokens, text).toEqual({ reasoning, hint: tokens.hint, answer })
    }
    expect(compared).toBeGreaterThan(8)
    expect(reused).toBeGreaterThan(8)
  })

  it('on a recurrent model, which cannot go back but to a checkpoint: from there, or from all there is', async () => {
    const z1 = await load(testModel('mamba'))
    const options: ReasonOptions = { ...endless, template: false, thinkingWindow: 6, maxTokens: 4 }
    const prompt = 'A state is all that is left of a text.'
    const once = await z1.reason(prompt, options)
    const again = await z1.reason(prompt, options)
    expect([once.usage.cachedTokens, again.usage.cachedTokens]).toEqual([0, prompt.length])
    expect(again.tokens).toEqual(once.tokens)
    expect(again.timings.decodeCalls).toBe(decodes(again))

    const on = await z1.reason(prompt + again.text, options)
    expect(on.usage.cachedTokens).toBe(prompt.length + sampled(again).length - 1)
    expect(on.timings.decodeCalls).toBe(decodes(on))
    expect((await z1.reason(prompt, options)).tokens).toEqual(once.tokens)
  })

  it('is right after a request that was aborted half-way through its prompt', async () => {
    const z1 = await load(testModel('qwen2-bytes', { endGain: 0 }))
    const prompt = 'A long prompt, decoded in many steps. '.repeat(15)
    const options = { template: false, thinkingWindow: 3, maxTokens: 3 }
    const whole = await z1.reason(prompt, { ...options, cachePrompt: false })
    for (const delay of [1, 5, 25]) {
      await z1.reason('Another text, that takes the place of the prompt.', { ...options, cachePrompt: false })
      const controller = new AbortController()
      const aborted = z1.reason(prompt, { ...options, signal: controller.signal })
      setTimeout(() => controller.abort(), delay)
      await aborted.catch(() => {})
      const result = await z1.reason(prompt, options)
      // With less delay than the prompt takes, whole batches of it are there, so all is decoded in the same groups.
      if (result.usage.cachedTokens === prompt.length - 1) continue
      expect(result.usage.cachedTokens % batchSize).toBe(0)
      expect(result.tokens).toEqual(whole.tokens)
    }
  })
})

describe('several sequences', () => {
  const options: ReasonOptions = { ...endless, thinkingWindow: 10, maxTokens: 5 }
  let z1: Z1
  beforeAll(async () => {
    z1 = await load(testModel('qwen2-bytes'), 3)
  })

  it('each conversation finds its own, wherever it runs', async () => {
    const topics = ['apples and how they grow', 'bridges over wide rivers', 'clouds in the afternoon']
    let turns = topics.map((topic) => [user(`Tell me of ${topic}, please.`)])
    let results = await Promise.all(turns.map((messages) => z1.reason(messages, options)))
    for (const order of [
      [2, 0, 1],
      [1, 2, 0],
      [0, 1, 2],
    ]) {
      const before = results
      turns = turns.map((messages, i) => [...messages, (before[i] as ReasonResult).message, user('Go on.')])
      const after: ReasonResult[] = []
      for (const i of order) after[i] = await z1.reason(turns[i] as ChatMessage[], options)
      for (const [i, result] of after.entries()) {
        const { usage } = before[i] as ReasonResult
        expect(result.usage.cachedTokens).toBe(usage.promptTokens + sampled(before[i] as ReasonResult).length - 1)
      }
      results = after
    }
  })

  it('a question of another kind takes the place of the shortest', async () => {
    const two = await load(testModel('qwen2-bytes'), 2)
    const long = [user('A very long story, which took a while to read. '.repeat(6))]
    const short = [user('A short one, of which little is lost.')]
    const kept = await two.reason(long, options)
    await two.reason(short, options)
    await two.reason([user('!'.repeat(30))], options)
    const on = await two.reason([...long, kept.message, user('Go on.')], options)
    expect(on.usage.cachedTokens).toBe(kept.usage.promptTokens + sampled(kept).length - 1)
    // What had to leave is not lost.
    expect((await two.reason(short, options)).usage.cachedTokens).toBe(promptTokens(short) - 1)
  })

  it('requests that start together do not share one', async () => {
    const messages = [user('The same question, asked three times at once.')]
    const fresh = await load(testModel('qwen2-bytes'), 3)
    const results = await Promise.all([1, 2, 3].map(() => fresh.reason(messages, options)))
    expect(results.map(({ usage }) => usage.cachedTokens)).toEqual([0, 0, 0])
    const again = await Promise.all([1, 2, 3].map(() => fresh.reason(messages, options)))
    for (const { usage } of again) expect(usage.cachedTokens).toBe(promptTokens(messages) - 1)
  })

  it('the hint is in the cache as well', async () => {
    const fresh = await load(testModel('qwen2-bytes'))
    const result = await fresh.reason('q', { ...options, template: false, thinkingWindow: 0 })
    const prompt = `q${PLAIN_HINT}${result.answer}`
    const next = await fresh.reason(`${prompt}, and on`, { ...options, template: false })
    expect(next.usage.cachedTokens).toBe(prompt.length - 1)
  })
})
