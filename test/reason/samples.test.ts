/**
 * Samples: each is what a request with its seed gives, the prompt is decoded once, and the vote chooses. One thread, and tokens
 * grouped alike (batchSize 1) where they are compared.
 */
import { afterEach, describe, expect, it } from 'vitest'
import { type LoadOptions, type ReasonOptions, type ReasonResult, type SampleResult, Z1 } from '../../lib/index.js'
import { sampleSeed } from '../../lib/reason/sample-options.js'
import { candidatesOf, isDecided } from '../../lib/reason/vote.js'
import { testModel } from '../support/models.js'

let opened: Z1[] = []
async function open(options: LoadOptions = {}): Promise<Z1> {
  const z1 = await Z1.load({
    model: testModel('qwen2-bytes'),
    contextSize: 512,
    threads: 1,
    engine: 'cpu',
    ...options,
  })
  opened.push(z1)
  return z1
}
afterEach(async () => {
  await Promise.all(opened.map((z1) => z1.dispose()))
  opened = []
})

const question = 'Which of the numbers 4, 8, 15, 16, 23 and 42 is the largest?'
const sampled: ReasonOptions = { temperature: 1, thinkingWindow: 12, maxTokens: 6, seed: 7 }
const comparable = ({ timings: _, usage: { cachedTokens: __, ...usage }, ...result }: SampleResult) => ({
  ...result,
  usage,
})

describe('each sample', () => {
  it.each([
    ['qwen2-bytes', 'separate', 4],
    ['qwen2-bytes', 'separate', 2],
    ['qwen2-bytes', 'separate', 1],
    ['mamba', 'separate', 3],
    ['mamba', 'separate', 1],
  ] as const)('of %s (%s, %i at once) is what a request with its seed gives', async (name, kvCache, parallel) => {
    const z1 = await open({ model: testModel(name), kvCache, parallel, batchSize: 1 })
    const { samples = [], vote, cost } = await z1.reason(question, { ...sampled, samples: 5 })
    expect(samples).toHaveLength(5)
    expect(new Set(samples.map(({ text }) => text)).size).toBeGreaterThan(1)
    expect(samples.map(({ seed }) => seed)).toEqual([0, 1, 2, 3, 4].map((i) => sampleSeed(7, i)))
    for (const sample of samples) {
      const { samples: none, ...alone } = await z1.reason(question, { ...sampled, seed: sample.seed })
      expect(none).toBeUndefined()
      expect(comparable(sample)).toEqual(comparable(alone))
    }
    expect(vote?.winner).toBeGreaterThanOrEqual(0)
    const prompt = samples[0]?.usage.promptTokens ?? 0
    expect(cost?.promptTokens).toBe(5 * prompt)
    expect((cost?.promptTokens ?? 0) - (cost?.cachedTokens ?? 0)).toBe(prompt)
    expect(cost?.thinkingTokens).toBe(samples.reduce((sum, { usage }) => sum + usage.thinkingTokens, 0))
  })

  it('is the same whatever else runs', async () => {
    const z1 = await open({ parallel: 3, batchSize: 1 })
    const alone = await z1.reason(question, { ...sampled, samples: 4 })
    const [beside] = await Promise.all([
      z1.reason(question, { ...sampled, samples: 4 }),
      z1.reason('Something else', { ...sampled, seed: 1 }),
      z1.reason('Another one', { ...sampled, samples: 3, seed: 2 }),
    ])
    expect(beside.samples?.map(comparable)).toEqual(alone.samples?.map(comparable))
    expect(beside.vote).toEqual(alone.vote)
  })

  it('shares its cells where all do', async () => {
    const z1 = await open({ parallel: 4, kvCache: 'shared', model: testModel('qwen2-bytes', { endGain: 0 }) })
    const { samples = [], cost } = await z1.reason(question, { ...sampled, samples: 4 })
    expect(samples.map(({ tokens }) => tokens.reasoning.length)).toEqual([12, 12, 12, 12])
    expect((cost?.promptTokens ?? 0) - (cost?.cachedTokens ?? 0)).toBe(samples[0]?.usage.promptTokens)
  })

  it('with a window of 0 has the hint after the shared prompt', async () => {
    const z1 = await open({ parallel: 2, batchSize: 1 })
    const { samples = [] } = await z1.reason(question, { ...sampled, thinkingWindow: 0, samples: 3 })
    for (const sample of samples) {
      const alone = await z1.reason(question, { ...sampled, thinkingWindow: 0, seed: sample.seed })
      expect(comparable(sample)).toEqual(comparable(alone))
    }
  })

  it('without a temperature is drawn at that of the model, or at 0.8', async () => {
    const z1 = await open({ parallel: 2, batchSize: 1 })
    const { temperature: _, ...unsaid } = sampled
    const { samples } = await z1.reason(question, { ...unsaid, samples: 2 })
    const said = await z1.reason(question, { ...sampled, temperature: 0.8, samples: 2 })
    expect(samples?.map(comparable)).toEqual(said.samples?.map(comparable))
    const greedy = await z1.reason(question, { ...sampled, temperature: 0, samples: 2 })
    expect(greedy.samples?.[0]?.text).toBe(greedy.samples?.[1]?.text)
  })
})

describe('the vote', () => {
  const same = (a: string, b: string) => a === b
  const ended = (finalAnswer: string | null, more: Partial<SampleResult> = {}) =>
    ({ finalAnswer, object: null, finishReason: 'stop', ...more }) as SampleResult
  const of = (...answers: (string | null | undefined)[]) =>
    answers.map((answer) => (answer === undefined ? undefined : ended(answer)))

  it('counts the answers that are the same, most votes first, then the earliest sample', () => {
    expect(candidatesOf(of('1', '2', null, '2', '3', undefined), same)).toEqual([
      { answer: '2', samples: [1, 3] },
      { answer: '1', samples: [0] },
      { answer: '3', samples: [4] },
    ])
    const rounded = (a: string, b: string) => Math.round(Number(a)) === Math.round(Number(b))
    expect(candidatesOf(of('1.2', '2', '1'), rounded)[0]).toEqual({ answer: '1.2', samples: [0, 2] })
  })

  it('counts no sample that was ended, and compares the values of a schema', () => {
    const samples = [
      ended('1', { finishReason: 'abort' }),
      ended('x', { object: { a: 1, b: [2] } }),
      ended('y', { object: { b: [2], a: 1 } }),
    ]
    expect(candidatesOf(samples, same)).toEqual([{ answer: { a: 1, b: [2] }, samples: [1, 2] }])
  })

  it.each([
    [[undefined, undefined], false],
    [['1', undefined], true],
    [[undefined, '1'], false],
    [['1', '1', undefined], true],
    [['1', '1', '2', undefined], true],
    // A tie is the earlier one's.
    [['1', '2', '2', undefined], false],
    [[undefined, '1', '1', undefined], false],
    [['1', '1', undefined, undefined], true],
    [[undefined, '1', '1', undefined, '1'], true],
    [['1', '1', '2', '2', undefined], false],
    [['1', '2', undefined], false],
    [[null, null, undefined], false],
    [['1', null], true],
  ] as const)('%j is decided: %s', (answers, expected) => {
    const samples = of(...answers)
    expect(isDecided(candidatesOf(samples, same), samples)).toBe(expected)
  })

  it('is never decided before all continuations have the same winner, and then always', () => {
    const values = ['a', 'b', 'c']
    const winner = (answers: (string | undefined)[]) => candidatesOf(of(...answers), same)[0]?.answer
    for (let code = 0; code < 4 ** 5; code++) {
      const answers = Array.from({ length: 5 }, (_, i) => values[Math.floor(code / 4 ** i) % 4])
      const running = answers.flatMap((answer, i) => (answer === undefined ? [i] : []))
      const known = winner(answers)
      let isSame = known !== undefined
      for (let rest = 0; rest < 4 ** running.length; rest++) {
        const all: (string | undefined)[] = [...answers]
        for (const [k, i] of running.entries()) all[i] = [...values, 'd'][Math.floor(rest / 4 ** k) % 4]
        if (winner(all) !== known) isSame = false
      }
      expect(isDecided(candidatesOf(of(...answers), same), of(...answers)), answers.join()).toBe(isSame)
    }
  })

  it('chooses the result', async () => {
    const z1 = await open({ parallel: 4 })
    const result = await z1.reason(question, { ...sampled, samples: 6 })
    const { samples = [], vote, cost: _, ...chosen } = result
    expect(chosen).toEqual(samples[vote?.winner ?? -1])
    expect(vote?.answers[0]?.samples[0] ?? 0).toBe(vote?.winner)
    const voters = samples.flatMap(({ finalAnswer }, i) => (finalAnswer === null ? [] : [i]))
    expect(vote?.answers.flatMap(({ samples }) => samples).toSorted((a, b) => a - b)).toEqual(voters)
  })

  it.each([
    ['an index', (samples: readonly SampleResult[]) => samples.length - 1],
    ['a sample', (samples: readonly SampleResult[]) => samples[2] as SampleResult],
    ['a promise', async () => 2],
  ])('of a function gives %s', async (_, vote) => {
    const z1 = await open({ parallel: 3 })
    const result = await z1.reason(question, { ...sampled, samples: 3, vote })
    expect(result.vote).toEqual({ winner: 2, answers: [] })
    expect(result.text).toBe(result.samples?.[2]?.text)
  })

  it('of a function that gives something else, or throws, is an error', async () => {
    const z1 = await open({ parallel: 2 })
    const ask = (vote: () => never) => z1.reason(question, { ...sampled, samples: 2, vote })
    const sentence = 'Expected a sample or its index for what vote returns but received'
    await expect(ask(() => 2 as never)).rejects.toThrow(new TypeError(`${sentence} 2`))
    await expect(ask(() => null as never)).rejects.toThrow(new TypeError(`${sentence} null`))
    await expect(
      ask(() => {
        throw new Error('no vote')
      }),
    ).rejects.toThrow('no vote')
  })
})

describe('an early stop', () => {
  const model = () => testModel('qwen2-bytes', { endGain: 0 })

  it('after the first m ends the others with what they have', async () => {
    const z1 = await open({ model: model(), parallel: 2 })
    const options = { ...sampled, thinkingWindow: 30, hint: null }
    const { samples = [], cost } = await z1.reason(question, { ...options, samples: 6, stopEarly: { first: 2 } })
    expect(samples.map(({ finishReason }) => finishReason)).toEqual([
      'length',
      'length',
      ...Array.from({ length: 4 }, () => 'abort'),
    ])
    expect(cost?.thinkingTokens).toBeLessThan(6 * 30)
    // What it has cost is over: the next request has all sequences.
    expect((await z1.reason('b', { thinkingWindow: 3, maxTokens: 2 })).usage.answerTokens).toBe(2)
  })

  it('when the vote can no longer change', async () => {
    // All answers are the same where only one token can follow.
    const z1 = await open({ model: model(), parallel: 1 })
    const options: ReasonOptions = { ...sampled, hint: 'The answer is ', grammar: 'root ::= "7"', samples: 5 }
    const whole = await z1.reason(question, options)
    expect(whole.vote).toEqual({ winner: 0, answers: [{ answer: '7', samples: [0, 1, 2, 3, 4] }] })
    const early = await z1.reason(question, { ...options, stopEarly: true })
    expect(early.vote).toEqual({ winner: 0, answers: [{ answer: '7', samples: [0, 1, 2] }] })
    expect(early.samples?.map(({ finishReason }) => finishReason)).toEqual(['stop', 'stop', 'stop', 'abort', 'abort'])
    expect(early.samples?.[4]?.usage.thinkingTokens).toBe(0)
  })
})

describe('an abort', () => {
  it('ends all samples with the reason, and the next request works', async () => {
    const z1 = await open({ model: testModel('qwen2-bytes', { endGain: 0 }), parallel: 2 })
    const controller = new AbortController()
    const running = z1.reason(question, {
      ...sampled,
      thinkingWindow: 300,
      samples: 8,
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(new Error('enough')), 20)
    await expect(running).rejects.toThrow('enough')
    expect((await z1.reason('b', { thinkingWindow: 3, maxTokens: 2 })).usage.answerTokens).toBe(2)
    await expect(z1.reason(question, { ...sampled, samples: 2, signal: controller.signal })).rejects.toThrow('enough')
  })

  it('dispose() rejects with DISPOSED', async () => {
    const z1 = await open({ model: testModel('qwen2-bytes', { endGain: 0 }), parallel: 2 })
    const running = z1.reason(question, { ...sampled, thinkingWindow: 300, samples: 8 })
    const failed = expect(running).rejects.toMatchObject({ code: 'DISPOSED' })
    await new Promise((resolve) => setTimeout(resolve, 20))
    await z1.dispose()
    await failed
  })
})

describe('misuse', () => {
  it.each([
    [{ samples: 0 }, 'Expected integer between 1 and 256 for samples but received 0'],
    [{ samples: 257 }, 'Expected integer between 1 and 256 for samples but received 257'],
    [{ samples: 2, vote: 'all' }, 'Expected \'majority\' or function for vote but received "all"'],
    [{ vote: 'majority' }, 'Expected samples beside vote'],
    [{ stopEarly: true }, 'Expected samples beside stopEarly'],
    [{ samples: 2, thinkingWindow: 9, cuts: [3] }, 'Expected no cuts beside samples'],
    [{ samples: 2, stopEarly: { first: 3 } }, 'Expected integer ≤ samples (2) for stopEarly.first but received 3'],
    [{ samples: 2, stopEarly: {} }, 'Expected first for stopEarly but received an object'],
    [{ samples: 2, stopEarly: { last: 1 } }, 'Unknown key last of stopEarly: expected one of first'],
    [{ samples: 2, stopEarly: true, vote: () => 0 }, 'Expected { first } for stopEarly beside a function that votes'],
  ])('%j', async (options, sentence) => {
    const z1 = await open()
    await expect(z1.reason('a', options as ReasonOptions)).rejects.toThrow(sentence)
  })

  it('a stream has no samples', async () => {
    const z1 = await open()
    expect(() => z1.stream('a', { samples: 2 })).toThrow(
      new TypeError('Expected no samples with stream(): reason() takes them'),
    )
  })

  it('what fails before it starts fails once', async () => {
    const z1 = await open({ contextSize: 64 })
    const asked: Promise<ReasonResult> = z1.reason('a', { ...sampled, thinkingWindow: 100, samples: 3 })
    await expect(asked).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
  })
})

it('seeds are far from each other, and within the range', () => {
  const seeds = [0, 1, 2, 2 ** 32 - 2].flatMap((seed) => Array.from({ length: 256 }, (_, i) => sampleSeed(seed, i)))
  expect(new Set(seeds).size).toBe(seeds.length)
  expect(Math.max(...seeds)).toBeLessThanOrEqual(2 ** 32 - 2)
  expect(sampleSeed(5, 0)).toBe(5)
})
