/** Log-probabilities of tokens, on models whose logits are known before they run; and the tokens that a prompt takes. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonOptions, type SampledLogprob, Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { END, tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({
    model: tableModel(folder(), 'logprobs', {
      rows: {
        // x a b c, and then the end.
        x: { a: 2, b: 1 },
        a: 'b',
        b: { c: 0.5, '<': 0.25, d: 0 },
        c: END,
        // After the hint: y, then e against k and m, then the end.
        '!': 'y',
        y: { e: 1, k: 0, m: 0 },
        e: END,
        // The second byte of é after the first.
        '?': { '\\': 0, q: -1 },
      },
      // é is C3 A9: two tokens, one character.
      byteRows: { 92: { 195: 3 }, 195: { 169: 3, 170: 2 } },
      template: '{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}!',
    }),
    contextSize: 128,
    branches: 1,
    threads: 1,
    engine: 'cpu',
  })
})
afterAll(async () => {
  await z1.dispose()
})

const raw = { template: false, cachePrompt: false, hint: '!', thinkingWindow: 2 } as const

/** ln of a token's share, its logit among these; all others have -40 and add nothing that a float shows. */
const share = (logit: number, ...logits: number[]) =>
  logit - Math.log(logits.reduce((sum, one) => sum + Math.exp(one), 0))
const code = (text: string) => text.charCodeAt(0)
const candidate = (text: string, logprob: number) => {
  return { token: code(text), text, bytes: [code(text)], logprob: expect.closeTo(logprob, 4) }
}

describe('logprobs', () => {
  it('are those of the answer, with the likeliest tokens beside them', async () => {
    const { answer, logprobs, tokens } = await z1.reason('x', { ...raw, logprobs: { top: 3 } })
    expect(answer).toBe('ye')
    expect(logprobs?.reasoning).toEqual([])
    expect(logprobs?.answer.map(({ token }) => token)).toEqual(tokens.answer)
    const [y, e] = logprobs?.answer as [SampledLogprob, SampledLogprob]
    expect(y).toMatchObject({ token: code('y'), text: 'y', logprob: expect.closeTo(0, 4) })
    expect(e).toEqual({
      ...candidate('e', share(1, 1, 0, 0)),
      top: [candidate('e', share(1, 1, 0, 0)), candidate('k', share(0, 1, 0, 0)), candidate('m', share(0, 1, 0, 0))],
    })
  })

  it('are those of the thinking where that is asked for', async () => {
    const { reasoning, logprobs } = await z1.reason('x', { ...raw, logprobs: { thinking: true } })
    expect(reasoning).toBe('ab')
    expect(logprobs?.reasoning).toEqual([
      { ...candidate('a', share(2, 2, 1)), top: [] },
      { ...candidate('b', 0), top: [] },
    ])
    expect(logprobs?.answer).toHaveLength(2)
  })

  it('are not there where they are not asked for', async () => {
    const stream = z1.stream('x', raw)
    for await (const event of stream) expect(event).not.toHaveProperty('logprobs')
    expect((await stream.result).logprobs).toBeNull()
  })

  it('are told before anything is banned, biased or sampled', async () => {
    const b = code('b')
    const options: ReasonOptions = { ...raw, thinkingWindow: 1, logprobs: { top: 1, thinking: true } }
    // a is banned, b sampled: it is as likely as it was.
    const biased = await z1.reason('x', { ...options, logitBias: { [code('a')]: -Infinity } })
    expect(biased.tokens.reasoning).toEqual([b])
    expect(biased.logprobs?.reasoning).toEqual([
      { ...candidate('b', share(1, 2, 1)), top: [candidate('a', share(2, 2, 1))] },
    ])
    const hot = await z1.reason('x', { ...options, temperature: 3, seed: 1 })
    const [sampled] = hot.logprobs?.reasoning as [SampledLogprob]
    expect(sampled.logprob).toBeCloseTo(sampled.token === b ? share(1, 2, 1) : share(2, 2, 1), 4)
  })

  it('come with the tokens of the events that they belong to', async () => {
    const stream = z1.stream('x', { ...raw, logprobs: { thinking: true } })
    for await (const event of stream) {
      if (event.type !== 'thinking' && event.type !== 'answer') continue
      expect(event.logprobs?.map(({ token }) => token)).toEqual(event.tokens)
    }
  })

  it('give the bytes of a token that is half a character', async () => {
    const { answer, logprobs } = await z1.reason('?', { ...raw, thinkingWindow: 0, hint: '\\', logprobs: { top: 2 } })
    expect(answer.startsWith('é')).toBe(true)
    expect(logprobs?.answer.slice(0, 2)).toMatchObject([
      { token: 0xc3, text: '\uFFFD', bytes: [0xc3] },
      {
        token: 0xa9,
        bytes: [0xa9],
        logprob: expect.closeTo(share(3, 3, 2), 4),
        top: [{ bytes: [0xa9] }, { bytes: [0xaa] }],
      },
    ])
  })

  it('are those of each cut', async () => {
    const { cuts } = await z1.reason('x', {
      ...raw,
      thinkingWindow: 3,
      cuts: [1],
      logprobs: { top: 1, thinking: true },
    })
    expect(cuts?.[0]).toMatchObject({
      reasoning: 'a',
      answer: 'ye',
      logprobs: { reasoning: [{ text: 'a' }], answer: [{ text: 'y' }, { text: 'e' }] },
    })
  })

  it('are checked', async () => {
    await expect(z1.reason('x', { ...raw, logprobs: { top: 21 } })).rejects.toThrow(
      new RangeError('Expected integer between 0 and 20 for logprobs.top but received 21'),
    )
    await expect(z1.reason('x', { ...raw, logprobs: 5 as never })).rejects.toThrow(TypeError)
    await expect(z1.reason('x', { ...raw, logprobs: { topp: 1 } as never })).rejects.toThrow(/topp/)
  })
})

describe('countTokens()', () => {
  it('counts what the rendered conversation takes, a byte a token here', async () => {
    expect(await z1.countTokens('abc')).toBe('[user]abc!'.length)
    const messages = [
      { role: 'user', content: 'abc' },
      { role: 'assistant', content: 'de' },
      { role: 'user', content: 'f' },
    ] as const
    expect(await z1.countTokens(messages, { system: 'g' })).toBe('[system]g[user]abc[assistant]de[user]f!'.length)
    expect(await z1.countTokens('abc', { template: false })).toBe(3)
  })

  it('is what a request says that it took', async () => {
    const { usage } = await z1.reason('abc', { thinkingWindow: 0, hint: '!' })
    expect(await z1.countTokens('abc')).toBe(usage.promptTokens)
  })

  it('counts more than the context holds, and checks its options', async () => {
    expect(await z1.countTokens('a'.repeat(500))).toBe(507)
    await expect(z1.countTokens('a', { thinkingWindow: -1 })).rejects.toThrow(RangeError)
  })
})
