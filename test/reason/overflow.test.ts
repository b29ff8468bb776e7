/**
 * A conversation that has outgrown the context (`overflow: 'shift'`). The model has a token for each byte, so the oracle counts: the least
 * number of turns without which the prompt fits, rendered here by hand.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1Error } from '../../lib/base/errors.js'
import { type ChatMessage, type ReasonOptions, Z1 } from '../../lib/index.js'
import { withoutOldest } from '../../lib/reason/overflow.js'
import { testModel } from '../support/models.js'
import { Random } from '../support/random.js'

const contextSize = 512
const ascii: [number, number][] = Array.from({ length: 131 }, (_, i) => [128 + i, -Infinity])
/** Both are given: 112 tokens of the context with a hint of 2. */
const options: ReasonOptions = {
  logitBias: ascii,
  thinkingWindow: 60,
  maxTokens: 50,
  hint: '=>',
  overflow: 'shift',
}
const most = contextSize - 112
let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({ model: testModel('qwen2-bytes'), contextSize, threads: 1, engine: 'cpu' })
})
afterAll(() => z1.dispose())

const user = (content: string): ChatMessage => ({ role: 'user', content })
const assistant = (content: string): ChatMessage => ({ role: 'assistant', content })
const tokensIn = ({ role, content }: ChatMessage) => `X${role}\n${content}X\n`.length
const promptTokens = (messages: readonly ChatMessage[]) =>
  messages.reduce((n, one) => n + tokensIn(one), 'Xassistant\n'.length)
/** So many turns, each of about 100 tokens. */
const conversation = (turns: number) =>
  Array.from({ length: turns }, (_, i) => [user(`Question ${i} ${'?'.repeat(25)}`), assistant('a'.repeat(25))])
    .flat()
    .slice(0, -1)

describe("overflow: 'shift'", () => {
  it('leaves out whole turns until what was asked for fits, and says how many messages', async () => {
    for (const turns of [2, 4, 5, 9, 20]) {
      const messages = conversation(turns)
      const { droppedMessages, usage } = await z1.reason(messages, options)
      expect(droppedMessages % 2).toBe(0)
      expect(usage.promptTokens).toBe(promptTokens(messages.slice(droppedMessages)))
      expect(usage.promptTokens).toBeLessThanOrEqual(most)
      const fits = promptTokens(messages) <= most
      expect(droppedMessages === 0).toBe(fits)
    }
  })

  it('is not the default', async () => {
    const { overflow: _, ...others } = options
    await expect(z1.reason(conversation(9), others)).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    await expect(z1.reason(conversation(9), { ...others, overflow: 'error' })).rejects.toThrow(/need \d+ tokens/)
    const fitting = await z1.reason(conversation(2), others)
    expect(fitting.droppedMessages).toBe(0)
  })

  it("keeps the system's messages wherever they stand, and the whole last turn", async () => {
    const system: ChatMessage = { role: 'system', content: 'Be brief.' }
    const later: ChatMessage = { role: 'system', content: 'Be kind.' }
    const messages = [
      system,
      ...conversation(5),
      assistant('a'),
      later,
      ...conversation(3),
      assistant('b'),
      user('Last?'),
    ]
    const { text, droppedMessages } = await z1.renderPrompt(messages, options)
    expect(text).toContain(system.content)
    expect(text).toContain(later.content)
    expect(text).toContain('Last?')
    expect(droppedMessages).toBeGreaterThan(0)
    const own = messages.filter(({ role }) => role !== 'system')
    const asked = await z1.renderPrompt(own, { ...options, system: system.content })
    expect(asked.text.startsWith(`<|im_start|>system\n${system.content}<|im_end|>\n`)).toBe(true)
    expect(asked.droppedMessages).toBeGreaterThan(0)
  })

  it('what does not fit without any old turn is an error, with the numbers of the last one', async () => {
    const long = user('?'.repeat(420))
    const needed = promptTokens([long]) + 112
    const expected = { code: 'CONTEXT_TOO_SMALL', message: expect.stringContaining(`need ${needed} tokens`) }
    for (const before of [[], [...conversation(1), assistant('a')], [...conversation(20), assistant('a')]]) {
      await expect(z1.reason([...before, long], options)).rejects.toMatchObject(expected)
    }
    await expect(z1.reason('?'.repeat(500), options)).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
  })

  it('leaves half of the context to what was not asked for, where that can be', async () => {
    const { thinkingWindow: _, maxTokens: __, ...adapting } = options
    for (const given of [adapting, { ...adapting, thinkingWindow: 60 }, { ...adapting, thinkingWindow: Infinity }]) {
      for (const turns of [4, 5, 6, 7]) {
        const { tokens, droppedMessages } = await z1.renderPrompt(conversation(turns), given)
        expect(droppedMessages).toBeGreaterThan(0)
        expect(tokens.length).toBeLessThanOrEqual(contextSize / 2)
      }
    }
    const long = user('?'.repeat(300))
    const { usage } = await z1.reason([...conversation(7), assistant('a'), long], { ...adapting, thinkingWindow: 4 })
    expect(usage.promptTokens).toBeGreaterThan(contextSize / 2)
  })

  it('the rest is found in the KV cache from request to request', async () => {
    let [total, cached, changes] = [0, 0, 0]
    let before = 0
    for (let turns = 6; turns <= 30; turns++) {
      const { usage, droppedMessages } = await z1.reason(conversation(turns), {
        ...options,
        thinkingWindow: 4,
        maxTokens: 2,
      })
      total += usage.promptTokens
      cached += usage.cachedTokens
      changes += Number(droppedMessages !== before)
      before = droppedMessages
    }
    expect(changes).toBeLessThan(9)
    expect(cached / total).toBeGreaterThan(0.5)
  })

  it('renders and counts what is sent', async () => {
    const { tokens, droppedMessages } = await z1.renderPrompt(conversation(12), options)
    const result = await z1.reason(conversation(12), options)
    expect({ length: tokens.length, droppedMessages }).toEqual({
      length: result.usage.promptTokens,
      droppedMessages: result.droppedMessages,
    })
    expect(await z1.countTokens(conversation(12), options)).toBe(tokens.length)
    expect(await z1.countTokens(conversation(12), {})).toBe(promptTokens(conversation(12)))
  })

  it('with cuts and samples, each result says it', async () => {
    const sampled = await z1.reason(conversation(12), { ...options, samples: 2 })
    expect(sampled.samples?.map(({ droppedMessages }) => droppedMessages)).toEqual([
      sampled.droppedMessages,
      sampled.droppedMessages,
    ])
    expect(sampled.droppedMessages).toBeGreaterThan(0)
    const cut = await z1.reason(conversation(12), { ...options, hint: null, cuts: [5] })
    expect(cut.cuts?.[0]?.droppedMessages).toBe(cut.droppedMessages)
  })
})

describe('withoutOldest', () => {
  /** Room for so many characters: with comfort, half of them. */
  const room = (most: number) => async (messages: readonly ChatMessage[], comfortable: boolean) => {
    const size = messages.reduce((sum, { content }) => sum + content.length, 0)
    if (size > (comfortable ? most / 2 : most)) throw new Z1Error('CONTEXT_TOO_SMALL', `${size}`)
    return size
  }

  it('drops as little as fits, up to the end of a block', async () => {
    const random = new Random(7)
    for (let i = 0; i < 300; i++) {
      const messages = Array.from({ length: 1 + random.below(12) }, () => {
        const role = ['user', 'assistant', 'tool', 'system'][random.below(4)] as string
        return { role, content: 'x'.repeat(random.below(20)) }
      })
      const [most, block] = [20 + random.below(150), 1 + random.below(40)]
      const kept = (start: number) => messages.filter(({ role }, i) => i >= start || role === 'system')
      const starts = [0, ...messages.flatMap(({ role }, i) => (role === 'user' ? [i] : [])).slice(1)]
      const size = (start: number) => kept(start).reduce((sum, { content }) => sum + content.length, 0)
      const last = starts.at(-1) as number
      const limit = size(last) <= most / 2 ? most / 2 : most
      const exact = starts.find((start) => size(start) <= limit)
      const answer = withoutOldest(messages, block, room(most))
      if (exact === undefined) {
        await expect(answer).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL', message: `${size(last)}` })
        continue
      }
      const { value, droppedMessages } = await answer
      const start = starts.find((one) => messages.length - kept(one).length === droppedMessages) as number
      expect(value).toBe(size(start))
      expect(start).toBeGreaterThanOrEqual(exact)
      // No more than what a block holds, and a turn.
      const before = starts[Math.max(0, starts.indexOf(start) - 1)] as number
      if (start > exact) {
        const between = messages.slice(exact, before).reduce((sum, { content }) => sum + content.length, 0)
        expect(between).toBeLessThan(block)
      }
    }
  })

  it('passes on what fails otherwise', async () => {
    const failing = async () => {
      throw new Z1Error('TEMPLATE_FAILED', 'no')
    }
    await expect(withoutOldest(conversation(3), 10, failing)).rejects.toMatchObject({ code: 'TEMPLATE_FAILED' })
  })
})
