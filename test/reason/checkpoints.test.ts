/**
 * What a prompt spares on every kind of memory: the next turn without its reasoning, a retry, samples that waited, and conversations
 * that take turns on one sequence decode only what is new. Tokens are compared where each is decoded alone (batchSize 1): then the
 * grouping is that of a fresh context, and so is what is sampled.
 */
import { describe, expect, it } from 'vitest'
import type { ChatMessage, ReasonOptions, ReasonResult } from '../../lib/index.js'
import { type Memory, memories, memoryLoader } from '../support/memories.js'

/** Their states cannot go back without a checkpoint. */
const hasState = (name: Memory) => name === 'mamba' || name === 'lfm2'

const load = memoryLoader()

const user = (content: string): ChatMessage => ({ role: 'user', content })
const options: ReasonOptions = { thinkingWindow: 20, maxTokens: 6 }
const topics = {
  apples: [user('Tell me of apples and how they grow.')],
  bridges: [user('What do bridges over wide rivers rest on, and for how long?')],
}
/** The next turn: the answer alone, without the reasoning before it. */
const next = (messages: ChatMessage[], turn: number): ChatMessage[] => [
  ...messages,
  { role: 'assistant', content: `#${turn} is the answer.` },
  user(`And in turn ${turn}?`),
]
const sampled = ({ tokens }: Pick<ReasonResult, 'tokens'>) => tokens

describe.each(memories)('%s', (name) => {
  it('decodes what is new in a turn whose reasoning was dropped, and answers as a fresh context does', async () => {
    const [z1, fresh] = [await load(name), await load(name)]
    let messages = topics.apples
    let before = await z1.reason(messages, options)
    expect(before.usage.cachedTokens).toBe(0)
    for (let turn = 1; turn <= 3; turn++) {
      messages = next(messages, turn)
      const result = await z1.reason(messages, options)
      expect(result.usage.cachedTokens).toBe(before.usage.promptTokens)
      expect(sampled(result)).toEqual(sampled(await fresh.reason(messages, { ...options, cachePrompt: false })))
      before = result
    }
  })

  it('lets two conversations take turns on one sequence', async () => {
    const [z1, fresh] = [await load(name), await load(name)]
    const talks = { ...topics }
    const tokens: Record<string, number> = {}
    for (let turn = 1; turn <= 3; turn++) {
      for (const topic of ['apples', 'bridges'] as const) {
        const result = await z1.reason(talks[topic], options)
        const { cachedTokens, promptTokens } = result.usage
        // With a window, what was saved ends one token before the prompt does.
        const end = tokens[topic]! - (name === 'olmo2' ? 1 : 0)
        expect(cachedTokens).toBe(turn === 1 ? 0 : end)
        expect(sampled(result)).toEqual(sampled(await fresh.reason(talks[topic], { ...options, cachePrompt: false })))
        tokens[topic] = promptTokens
        talks[topic] = next(talks[topic], turn)
      }
    }
  })

  it('reads nothing twice for a retry', async () => {
    const z1 = await load(name)
    const once = await z1.reason(topics.apples, options)
    const { promptTokens } = once.usage
    for (const more of [{}, { thinkingWindow: 3 }, { temperature: 1, seed: 4, cachePrompt: true }]) {
      const again = await z1.reason(topics.apples, { ...options, ...more })
      expect(again.usage.cachedTokens).toBe(hasState(name) ? promptTokens : promptTokens - 1)
      const fresh = await z1.reason(topics.apples, { ...options, ...more, cachePrompt: false })
      expect(sampled(again)).toEqual(sampled(fresh))
    }
  })

  it('answers cuts from where the prompt ends', async () => {
    const z1 = await load(name, { branches: 2 })
    const asked = { ...options, cuts: [0, 5] }
    const once = await z1.reason(topics.apples, { ...asked, cachePrompt: true })
    const again = await z1.reason(topics.apples, asked)
    expect(again.usage.cachedTokens).toBeGreaterThanOrEqual(once.usage.promptTokens - 1)
    expect([again, ...(again.cuts ?? [])].map(sampled)).toEqual([once, ...(once.cuts ?? [])].map(sampled))
    expect(again.cuts).toHaveLength(2)
  })

  it.each([
    ['separate', 1],
    ['separate', 2],
    ['shared', 2],
  ] as const)('decodes the prompt of samples once (%s, %i at once)', async (kvCache, parallel) => {
    const z1 = await load(name, { kvCache, parallel })
    const asked: ReasonOptions = { ...options, temperature: 1, seed: 7 }
    const { samples = [], cost } = await z1.reason(topics.bridges, { ...asked, samples: 5 })
    expect(cost?.cachedTokens).toBe(4 * samples[0]!.usage.promptTokens)
    for (const sample of samples) {
      const alone = await z1.reason(topics.bridges, { ...asked, seed: sample.seed })
      expect(alone.usage.cachedTokens).toBe(0)
      expect(sampled(sample)).toEqual(sampled(alone))
    }
  })

  it('keeps no more than cacheRam allows', async () => {
    const z1 = await load(name, { cacheRam: 0 })
    await z1.reason(topics.apples, options)
    const { usage } = await z1.reason(topics.bridges, options)
    const dropped = await z1.reason(next(topics.apples, 1), options)
    expect(dropped.usage.cachedTokens).toBeLessThan(20)
    const again = await z1.reason(next(topics.apples, 1), options)
    expect(again.usage.cachedTokens).toBe(hasState(name) ? 0 : again.usage.promptTokens - 1)
    expect(usage.cachedTokens).toBeLessThan(20)
  })
})

it('a window that layers attend over is no reason to decode a long conversation again', async () => {
  const [z1, fresh] = [await load('olmo2'), await load('olmo2')]
  const messages = [user('A story that is longer than the window of the layers. '.repeat(4))]
  const before = await z1.reason(messages, { ...options, thinkingWindow: 200 })
  const result = await z1.reason(next(messages, 1), options)
  expect(result.usage.cachedTokens).toBe(before.usage.promptTokens)
  expect(sampled(result)).toEqual(sampled(await fresh.reason(next(messages, 1), { ...options, cachePrompt: false })))
})
