/**
 * Cuts: each gives what a request with that window gives, token for token. Tokens are grouped alike where a step decodes one
 * of them (batchSize 1), or one hint; one thread.
 */
import { isDeepStrictEqual } from 'node:util'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { type LoadOptions, type ReasonEvent, type ReasonOptions, type ReasonResult, Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'
import { Random } from '../support/random.js'

let opened: Z1[] = []
async function open(options: LoadOptions): Promise<Z1> {
  const z1 = await Z1.load({ contextSize: 512, threads: 1, engine: 'cpu', ...options })
  opened.push(z1)
  return z1
}
async function close() {
  await Promise.all(opened.map((z1) => z1.dispose()))
  opened = []
}
afterEach(close)
afterAll(close)

/** What two runs of the same request have in common. */
function comparable({ timings, cuts, ...result }: ReasonResult) {
  return { ...result, decodeCalls: timings.decodeCalls }
}

const models = [
  ['qwen2-bytes', testModel('qwen2-bytes')],
  ['llama-spm', testModel('llama-spm')],
  ['mamba', testModel('mamba')],
  ['the embedded model', undefined],
] as const

describe.each(models)('%s', (name, model) => {
  test.each(['shared', 'separate'] as const)('%s cells: each cut is a request of that window', async (kvCache) => {
    const z1 = await open({ model, branches: 2, kvCache, batchSize: 1 })
    const random = new Random(1, kvCache)
    const same: boolean[] = []
    let natural = 0
    for (let i = 0; i < 6; i++) {
      const question = `What is ${random.below(100)} + ${random.below(100)}, and is it larger than ${random.below(200)}?`
      const options: ReasonOptions = {
        template: i % 2 === 0,
        maxTokens: 1 + random.below(12),
        cachePrompt: false,
        seed: 1,
      }
      // In any order, with 0, 1, and some that most thinking does not reach.
      const cuts = [30, 0, 1, 5 + random.below(20), 60, 90]
      const thinkingWindow = i % 4 === 0 ? Infinity : 95
      const all = await z1.reason(question, { ...options, thinkingWindow, cuts })
      expect(all.cuts).toHaveLength(6)
      for (const [k, window] of [...cuts, thinkingWindow].entries()) {
        const separate = comparable(await z1.reason(question, { ...options, thinkingWindow: window }))
        const cut = comparable(all.cuts?.[k] ?? all)
        // Where cells are shared, it depends on what else is in the cache in which order attention adds up.
        if (kvCache === 'separate' || name === 'mamba') expect(cut, `${question} at ${window}`).toEqual(separate)
        expect(cut.tokens.reasoning).toEqual(all.tokens.reasoning.slice(0, window))
        expect(cut.usage.thinkingTokens).toBe(Math.min(window, all.usage.thinkingTokens))
        same.push(isDeepStrictEqual(cut, separate))
        if (cut.ended !== 'window') natural++
      }
    }
    expect(natural).toBeGreaterThan(0)
    expect(natural).toBeLessThan(same.length)
    expect(same.filter(Boolean).length).toBeGreaterThan(same.length / 2)
  })
})

test('with a temperature the branches draw what a request with the seed draws', async () => {
  const z1 = await open({ branches: 1, kvCache: 'separate', batchSize: 1 })
  const options: ReasonOptions = { temperature: 1.2, seed: 5, maxTokens: 10, repeatPenalty: 1.2 }
  const all = await z1.reason('How many?', { ...options, thinkingWindow: 30, cuts: [4, 12] })
  for (const [k, thinkingWindow] of [4, 12].entries()) {
    const separate = await z1.reason('How many?', { ...options, thinkingWindow })
    expect(comparable(all.cuts?.[k] as ReasonResult)).toEqual(comparable(separate))
  }
})

test('several requests at once, and branches for some of them at a time', async () => {
  const model = testModel('qwen2-bytes', { endGain: 0 })
  const z1 = await open({ model, parallel: 3, branches: 2, kvCache: 'separate', batchSize: 1 })
  const questions = ['a', 'bb', 'ccc', 'dddd', 'eeeee']
  const options: ReasonOptions = { maxTokens: 6, thinkingWindow: 40, seed: 1 }
  const cuts = [0, 7, 8, 30]
  const together = await Promise.all(questions.map((question) => z1.reason(question, { ...options, cuts })))
  for (const [i, question] of questions.entries()) {
    for (const [k, cut] of cuts.entries()) {
      const separate = await z1.reason(question, { ...options, thinkingWindow: cut })
      expect(comparable(together[i]?.cuts?.[k] as ReasonResult)).toEqual(comparable(separate))
    }
  }
})

test('without a hint each cut is a beginning of the thinking, and needs no branches', async () => {
  const z1 = await open({ model: testModel('qwen2-bytes', { endGain: 0 }) })
  const { cuts = [], tokens } = await z1.reason('Why?', { thinkingWindow: 20, cuts: [0, 9], hint: null })
  expect(cuts.map((cut) => cut.tokens.reasoning)).toEqual([[], tokens.reasoning.slice(0, 9)])
  expect(cuts.map(({ ended, finishReason, answer }) => [ended, finishReason, answer === ''])).toEqual([
    ['window', 'length', true],
    ['window', 'length', false],
  ])
})

test('a response that ends before a cut stands there itself', async () => {
  const z1 = await open({ branches: 1 })
  const { cuts = [], ...result } = await z1.reason('What is 2 + 3?', { thinkingWindow: Infinity, cuts: [400, 3] })
  expect(result.ended).toBe('self')
  expect(cuts[0]).toEqual(result)
  expect(cuts[1]?.ended).toBe('window')
})

test('a stream tells of each branch before its end', async () => {
  const z1 = await open({ branches: 1, model: testModel('qwen2-bytes', { endGain: 0 }) })
  const events: ReasonEvent[] = []
  for await (const event of z1.stream('Why?', { thinkingWindow: 20, cuts: [2, 9], maxTokens: 3 })) events.push(event)
  const branches = events.filter((event) => event.type === 'branch')
  expect(branches.map(({ result }) => result.usage.thinkingTokens)).toEqual([2, 9])
  const done = events.at(-1)
  expect(done?.type === 'done' && done.result.cuts).toEqual(branches.map(({ result }) => result))
  // The texts are those of the request itself.
  const shown = events.map((event) => ('text' in event ? event.text : event.type === 'cut' ? event.hint : ''))
  expect(done?.type === 'done' && done.result.text).toBe(shown.join(''))
})

test('an abort ends the branches, and the next request works', async () => {
  const z1 = await open({ branches: 1, model: testModel('qwen2-bytes', { endGain: 0 }) })
  const stream = z1.stream('Why?', { thinkingWindow: 100, cuts: [2, 4, 8], maxTokens: 300 })
  for await (const event of stream) if (event.type === 'thinking') break
  await expect(stream.result).rejects.toThrow('The iteration was left')
  const { cuts = [] } = await z1.reason('Why?', { thinkingWindow: 10, cuts: [2, 4], maxTokens: 3 })
  expect(cuts.map(({ usage }) => usage.answerTokens)).toEqual([3, 3])
})

test('dispose ends them with one error', async () => {
  const z1 = await open({ branches: 1, model: testModel('qwen2-bytes', { endGain: 0 }) })
  const running = z1.reason('Why?', { thinkingWindow: 100, cuts: [2, 4, 8], maxTokens: 300 })
  const failed = expect(running).rejects.toMatchObject({ code: 'DISPOSED' })
  await new Promise((resolve) => setTimeout(resolve, 20))
  await z1.dispose()
  await failed
})

describe('misuse', () => {
  test('cuts without branches name the option', async () => {
    const z1 = await open({ model: testModel('qwen2-bytes') })
    const sentence = 'Expected at least 1 for branches, an option of load, with cuts but received 0'
    await expect(z1.reason('a', { thinkingWindow: 9, cuts: [3] })).rejects.toThrow(new RangeError(sentence))
    expect(() => z1.stream('a', { thinkingWindow: 9, cuts: [3] })).toThrow(new RangeError(sentence))
  })

  test('cuts need a window, which is larger, and their answers must fit', async () => {
    const z1 = await open({ model: testModel('qwen2-bytes'), branches: 1, contextSize: 128 })
    await expect(z1.reason('a', { cuts: [3] })).rejects.toThrow('Expected a thinkingWindow with cuts')
    const asked = { thinkingWindow: Infinity, cuts: [60], maxTokens: 100 }
    await expect(z1.reason('a', asked)).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    const thinks = await open({ model: testModel('qwen2-bytes', { thinkingWindow: 16 }), branches: 1 })
    const sentence = 'Expected windows < thinkingWindow (here 16) for cuts but received 20'
    await expect(thinks.reason('a', { cuts: [3, 20] })).rejects.toThrow(new RangeError(sentence))
  })
})
