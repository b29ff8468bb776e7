/**
 * Each sampling option has its effect, and those that are not given leave llama.cpp's defaults. Most models here are
 * tables, so what is drawn can be compared with probabilities and penalties worked out from the definitions.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonOptions, Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import type { Metadata } from '../support/gguf.js'
import { testModel } from '../support/models.js'
import { END, type Row, tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
const loaded: Z1[] = []
afterAll(async () => {
  await Promise.all(loaded.map((z1) => z1.dispose()))
})

async function load(model: string, parallel = 1): Promise<Z1> {
  const z1 = await Z1.load({ model, contextSize: 2048, parallel, threads: 1, engine: 'cpu' })
  loaded.push(z1)
  return z1
}

type Probabilities = Record<string, number>

/** A model that draws each token by the same probabilities, whatever came before. */
function dice(name: string, probabilities: Probabilities, metadata: Metadata = new Map()): Promise<Z1> {
  const logits = Object.fromEntries(Object.entries(probabilities).map(([token, p]) => [token, Math.log(p)]))
  return load(tableModel(folder(), name, { rows: {}, otherwise: logits, metadata }))
}

const raw: ReasonOptions = { template: false, maxTokens: 1 }
/** No sampler but the draw itself. */
const neutral: ReasonOptions = { ...raw, temperature: 1, topK: 0, topP: 1, minP: 0 }

async function shares(z1: Z1, options: ReasonOptions, draws = 600): Promise<Probabilities> {
  const { reasoning } = await z1.reason('a', { ...neutral, seed: 11, thinkingWindow: draws, ...options })
  expect(reasoning).toHaveLength(draws)
  const counts: Record<string, number> = {}
  for (const character of reasoning) counts[character] = (counts[character] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).map(([token, count]) => [token, count / draws]))
}

function normalized(weights: Probabilities): Probabilities {
  const sum = Object.values(weights).reduce((a, b) => a + b, 0)
  return Object.fromEntries(Object.entries(weights).map(([token, weight]) => [token, weight / sum]))
}

/** None but these tokens, each within five standard errors: what is likely is there. */
function expectShares(actual: Probabilities, expected: Probabilities, draws = 600): void {
  expect(Object.keys(expected)).toEqual(expect.arrayContaining(Object.keys(actual)))
  for (const [token, p] of Object.entries(expected)) {
    expect(Math.abs((actual[token] ?? 0) - p), token).toBeLessThanOrEqual(5 * Math.sqrt((p * (1 - p)) / draws))
  }
}

describe('of known probabilities', () => {
  const all = { a: 0.4, b: 0.3, c: 0.14, d: 0.1, e: 0.045, f: 0.015 }
  const only = (tokens: string) => normalized(Object.fromEntries([...tokens].map((t) => [t, all[t as 'a']])))
  const power = (exponent: number) =>
    normalized(Object.fromEntries(Object.entries(all).map(([t, p]) => [t, p ** exponent])))
  let z1: Z1
  beforeAll(async () => {
    z1 = await dice('six', all)
  })

  it.each([0, 1])('a bias that bans all is an error, at temperature %s', async (temperature) => {
    const logitBias = Array.from({ length: z1.model.vocabularySize }, (_, token) => [token, -Infinity] as const)
    const refused = z1.reason('a', { ...neutral, temperature, logitBias, thinkingWindow: 5 })
    await expect(refused).rejects.toThrow('The logit bias leaves no token to choose')
  })

  it.each<[string, ReasonOptions, Probabilities]>([
    ['no sampler: as the model says', {}, all],
    ['topK', { topK: 3 }, only('abc')],
    ['topK 1', { topK: 1 }, only('a')],
    ['topK beyond the vocabulary', { topK: 100_000 }, all],
    ['topP, up to the token that completes it', { topP: 0.75 }, only('abc')],
    ['topP under the first token', { topP: 0.001 }, only('a')],
    ['topP 0', { topP: 0 }, only('a')],
    // 0.3 × 0.4 = 0.12.
    ['minP', { minP: 0.3 }, only('abc')],
    ['minP 1', { minP: 1 }, only('a')],
    // Entropy 1.41; surprisals 0.92, 1.20, 1.97, …: b is the most typical, then a and c.
    ['typicalP', { typicalP: 0.2 }, only('b')],
    ['typicalP, more', { typicalP: 0.6 }, only('ab')],
    ['temperature under 1', { temperature: 0.5 }, power(2)],
    ['temperature over 1', { temperature: 2 }, power(0.5)],
    ['temperature after topP', { temperature: 100, topP: 0.65 }, { a: 0.5, b: 0.5 }],
    ['temperature after minP', { temperature: 100, minP: 0.3 }, { a: 1 / 3, b: 1 / 3, c: 1 / 3 }],
    // a, b and c reach the threshold: but for the last one they go.
    ['xtc, always', { xtcProbability: 1, xtcThreshold: 0.12 }, only('cdef')],
    ['xtc, with the default threshold', { xtcProbability: 1, topK: 3 }, only('c')],
    ['xtc, never', { xtcProbability: 0, xtcThreshold: 0.12 }, all],
    ['xtc, a threshold that none but one reaches', { xtcProbability: 1, xtcThreshold: 0.35 }, all],
    ['a bias', { logitBias: { 102: Math.log(40) } }, normalized({ ...all, f: 0.6 })],
    ['a bias before topK', { topK: 2, logitBias: { 102: Math.log(40) } }, normalized({ f: 0.6, a: 0.4 })],
    ['a bias before topP', { topP: 0.4, logitBias: { 97: -Infinity } }, only('b')],
    ['a bias before minP', { minP: 0.3, logitBias: { 102: Math.log(40) } }, normalized({ f: 0.6, a: 0.4, b: 0.3 })],
    ['a bias of a greedy draw', { temperature: 0, logitBias: { 102: Math.log(40) } }, { f: 1 }],
    [
      'a bias that bans',
      {
        logitBias: [
          [97, -Infinity],
          [99, -Infinity],
        ],
      },
      only('bdef'),
    ],
    ['a bias that forces', { logitBias: new Map([[122, 100]]) }, { z: 1 }],
    [
      'biases of one token add up',
      {
        logitBias: [
          [102, Math.log(8)],
          [102, Math.log(5)],
        ],
      },
      normalized({ ...all, f: 0.6 }),
    ],
  ])('%s', async (_name, options, expected) => {
    expectShares(await shares(z1, options), expected)
  })

  it('xtc, half the time', async () => {
    const removed = only('cdef')
    const expected = Object.fromEntries(
      Object.entries(all).map(([token, p]) => [token, p / 2 + (removed[token] ?? 0) / 2]),
    )
    expectShares(await shares(z1, { xtcProbability: 0.5, xtcThreshold: 0.12 }), expected)
  })

  it('greedy takes the most likely, whatever cuts off others', async () => {
    for (const options of [{}, { topK: 3 }, { xtcProbability: 1 }, { minP: 0.1, topP: 0.5, typicalP: 0.2 }]) {
      expectShares(await shares(z1, { temperature: 0, ...options }, 50), { a: 1 })
    }
    expectShares(await shares(z1, { temperature: 0, logitBias: { 97: -Infinity } }, 50), { b: 1 })
  })

  it('what is not given is what llama.cpp has', async () => {
    // Sixty tokens of almost the same probability: topK 40 keeps forty, topP 0.95 all but two of these.
    const tokens = Array.from({ length: 60 }, (_, i) => String.fromCharCode(48 + i))
    const even = await dice('sixty', normalized(Object.fromEntries(tokens.map((token, i) => [token, 0.999 ** i]))))
    const kept = async (options: ReasonOptions) => {
      return Object.keys(await shares(even, { topK: undefined, topP: undefined, minP: undefined, ...options }))
        .sort()
        .join('')
    }
    expect(await kept({})).toBe(tokens.slice(0, 38).sort().join(''))
    expect(await kept({ topP: 1 })).toBe(tokens.slice(0, 40).sort().join(''))
    expect(await kept({ topP: 1, topK: 0 })).toBe([...tokens].sort().join(''))

    // topP 0.95 would keep three of these; minP 0.05 keeps what has 0.045 at least.
    const steep = await dice('steep', { a: 0.9, b: 0.042, c: 0.04, d: 0.018 })
    const options = { topK: undefined, topP: undefined }
    expectShares(await shares(steep, { ...options, minP: undefined }), { a: 1 })
    expectShares(await shares(steep, options), normalized({ a: 0.9, b: 0.042, c: 0.04 }))
  })
})

describe('penalties', () => {
  const logits: Record<string, number> = { a: 3.1, b: 2.3, c: 1.7, d: -0.45, e: -0.83, f: -1.37 }
  let z1: Z1
  beforeAll(async () => {
    z1 = await load(tableModel(folder(), 'penalties', { rows: {}, otherwise: logits }))
  })

  interface Penalties {
    repeatPenalty?: number
    frequencyPenalty?: number
    presencePenalty?: number
    penaltyLastN?: number
  }

  /** Greedy, by the definition: llama.cpp multiplies logits below 0, where a division would favour the token. */
  function expected(before: string, n: number, penalties: Penalties): string {
    const { repeatPenalty = 1, frequencyPenalty = 0, presencePenalty = 0, penaltyLastN = 64 } = penalties
    const history = [...before]
    for (let i = 0; i < n; i++) {
      const recent = history.slice(Math.max(0, history.length - penaltyLastN))
      let best = ''
      let most = -Infinity
      for (const [token, plain] of Object.entries(logits)) {
        const count = recent.filter((one) => one === token).length
        let logit = plain
        if (count > 0) {
          logit =
            (logit > 0 ? logit / repeatPenalty : logit * repeatPenalty) - count * frequencyPenalty - presencePenalty
        }
        if (logit > most) {
          best = token
          most = logit
        }
      }
      history.push(best)
    }
    return history.slice(before.length).join('')
  }

  const cases: [string, Penalties][] = [
    ['repeatPenalty', { repeatPenalty: 1.6 }],
    ['repeatPenalty, strong', { repeatPenalty: 30 }],
    ['repeatPenalty under 1, which rewards', { repeatPenalty: 0.5 }],
    ['repeatPenalty, looking back 2', { repeatPenalty: 2, penaltyLastN: 2 }],
    ['frequencyPenalty', { frequencyPenalty: 0.23 }],
    ['frequencyPenalty, looking back 5', { frequencyPenalty: 0.71, penaltyLastN: 5 }],
    ['frequencyPenalty under 0', { frequencyPenalty: -0.5 }],
    ['presencePenalty', { presencePenalty: 1.13 }],
    ['presencePenalty, looking back 3', { presencePenalty: 100, penaltyLastN: 3 }],
    ['all of them', { repeatPenalty: 1.21, frequencyPenalty: 0.31, presencePenalty: 0.43, penaltyLastN: 20 }],
    ['looking back 0: none', { repeatPenalty: 3, frequencyPenalty: 3, presencePenalty: 3, penaltyLastN: 0 }],
  ]

  it.each(cases)('%s', async (_name, penalties) => {
    const { reasoning } = await z1.reason('a', { ...raw, ...penalties, thinkingWindow: 40 })
    expect(reasoning).toBe(expected('a', 40, penalties))
  })

  it('look at the prompt and at the hint too', async () => {
    const penalties = { repeatPenalty: 2.5, frequencyPenalty: 0.3 }
    const hint = 'ccccab'
    const result = await z1.reason('bacab', { ...raw, ...penalties, thinkingWindow: 9, hint, maxTokens: 12 })
    const reasoning = expected('bacab', 9, penalties)
    expect(result.reasoning).toBe(reasoning)
    expect(result.answer).toBe(expected(`bacab${reasoning}${hint}`, 12, penalties))
    expect(result.answer).not.toBe(expected(`bacab${reasoning}`, 12, penalties))
    expect(result.reasoning).not.toBe(expected('', 9, penalties))
  })

  it('look at a prompt that is in the KV cache already', async () => {
    const prompt = 'abcdef'.repeat(10)
    const penalties = { frequencyPenalty: 0.3, penaltyLastN: 64 }
    const options = { ...raw, ...penalties, thinkingWindow: 10 }
    await z1.reason(prompt, options)
    const { reasoning, usage } = await z1.reason(prompt, options)
    expect(usage.cachedTokens).toBe(prompt.length - 1)
    expect(reasoning).toBe(expected(prompt, 10, penalties))
  })

  it('before the draw, at any temperature', async () => {
    // The token before is out of the question, the others are as likely as they are.
    const options = { ...neutral, temperature: 1, presencePenalty: 100, penaltyLastN: 1, seed: 4, thinkingWindow: 300 }
    const { reasoning } = await z1.reason('a', options)
    expect(reasoning).not.toMatch(/(.)\1/)
    expect(new Set(reasoning)).toEqual(new Set('abcdef'))
  })
})

describe('DRY', () => {
  // Left alone, the model repeats `abc` for ever; a token that costs 5 or more gives way to x, which ends it.
  const loopOf = (third: string): Record<string, Row> => ({
    a: { b: 5, x: 0 },
    b: { [third]: 5, x: 0 },
    [third]: { a: 5, x: 0 },
    x: END,
  })
  let abc: Z1
  let colon: Z1
  beforeAll(async () => {
    abc = await load(tableModel(folder(), 'abc', { rows: loopOf('c') }))
    colon = await load(tableModel(folder(), 'colon', { rows: loopOf(':') }))
  })
  const loop = (third: string, n: number) => `b${third}a`.repeat(n).slice(0, n)

  /**
   * Tokens until x. After the prompt `a` and n tokens, the last n - 2 tokens were there before: continuing them costs
   * multiplier × base^(n - 2 - allowed) if that is no less than the allowed length.
   */
  function tokensUntilBroken(multiplier: number, base: number, allowed: number): number {
    for (let n = 0; ; n++) {
      const repeated = n - 2
      if (repeated >= allowed && multiplier * base ** (repeated - allowed) > 5) return n
    }
  }

  it.each([
    ['as llama.cpp has it', { dryMultiplier: 0.8 }, tokensUntilBroken(0.8, 1.75, 2)],
    ['dryMultiplier', { dryMultiplier: 10 }, tokensUntilBroken(10, 1.75, 2)],
    ['dryBase', { dryMultiplier: 0.8, dryBase: 4 }, tokensUntilBroken(0.8, 4, 2)],
    ['dryAllowedLength', { dryMultiplier: 0.8, dryAllowedLength: 9 }, tokensUntilBroken(0.8, 1.75, 9)],
  ])('%s', async (_name, options, n) => {
    const { reasoning } = await abc.reason('a', { ...raw, ...options, thinkingWindow: 40 })
    expect(reasoning).toBe(`${loop('c', n)}x`)
  })

  it.each([
    ['off', {}],
    ['off by multiplier 0', { dryMultiplier: 0, dryBase: 4 }],
    ['looking back 0', { dryMultiplier: 10, dryPenaltyLastN: 0 }],
    ['looking back too little to see a repetition', { dryMultiplier: 10, dryPenaltyLastN: 4 }],
    ['with a breaker in the loop', { dryMultiplier: 10, dryAllowedLength: 3, drySequenceBreakers: ['c'] }],
  ])('%s: the loop goes on', async (_name, options) => {
    const { reasoning } = await abc.reason('a', { ...raw, ...options, thinkingWindow: 40 })
    expect(reasoning).toBe(loop('c', 40))
  })

  it('a colon is a breaker, unless others are given', async () => {
    const options = { ...raw, dryMultiplier: 10, dryAllowedLength: 3, thinkingWindow: 40 }
    expect((await colon.reason('a', options)).reasoning).toBe(loop(':', 40))
    const n = tokensUntilBroken(10, 1.75, 3)
    for (const drySequenceBreakers of [[], ['\n', '*']]) {
      const { reasoning } = await colon.reason('a', { ...options, drySequenceBreakers })
      expect(reasoning).toBe(`${loop(':', n)}x`)
    }
  })

  it('looks at the prompt', async () => {
    const { reasoning } = await abc.reason('abcabca', { ...raw, dryMultiplier: 10, thinkingWindow: 5 })
    expect(reasoning).toBe('x')
  })
})

describe('samplers that leave one token', () => {
  let z1: Z1
  beforeAll(async () => {
    z1 = await load(testModel('qwen2-bytes'))
  })

  it.each<[string, ReasonOptions]>([
    ['topK 1', { temperature: 1.5, topK: 1 }],
    ['topP tiny', { temperature: 1.5, topP: 1e-6 }],
    ['minP 1', { temperature: 1.5, minP: 1 }],
    ['a temperature near 0', { temperature: 1e-5 }],
    ['a temperature that is as good as 0', { temperature: 1e-30 }],
  ])('%s gives what greedy gives', async (_name, options) => {
    for (const question of ['first', 'second', 'third']) {
      const common = { thinkingWindow: 40, maxTokens: 20, seed: 1 }
      const greedy = await z1.reason(question, common)
      const sampled = await z1.reason(question, { ...common, ...options })
      expect(sampled.tokens).toEqual(greedy.tokens)
      const free = await z1.reason(question, { ...common, temperature: 1.5 })
      expect(free.tokens).not.toEqual(greedy.tokens)
    }
  })
})

describe('seeds', () => {
  const flips = normalized(Object.fromEntries([...'abcdefgh'].map((token) => [token, 1])))
  const common = { ...neutral, thinkingWindow: 60 }
  let table: Z1
  let real: Z1
  beforeAll(async () => {
    const logits = Object.fromEntries(Object.keys(flips).map((token) => [token, 0]))
    table = await load(tableModel(folder(), 'flips', { rows: {}, otherwise: logits }), 4)
    real = await load(testModel('qwen2-bytes', { seed: 2 }))
  })

  it('that are not given are drawn, reported, and give the same again', async () => {
    const results = await Promise.all([1, 2, 3, 4].map(() => table.reason('a', common)))
    expect(new Set(results.map(({ text }) => text)).size).toBe(4)
    expect(new Set(results.map(({ seed }) => seed)).size).toBe(4)
    for (const { seed, text } of results) {
      expect(Number.isInteger(seed) && seed >= 0 && seed <= 2 ** 32 - 2).toBe(true)
      expect((await table.reason('a', { ...common, seed })).text).toBe(text)
    }
  })

  it('from 0 to 2³² − 2 give each its own text, and are reported', async () => {
    const seeds = [0, 1, 2 ** 31, 2 ** 32 - 2]
    const texts = new Set<string>()
    for (const seed of seeds) {
      const result = await table.reason('a', { ...common, seed })
      expect(result.seed).toBe(seed)
      expect((await table.reason('a', { ...common, seed })).text).toBe(result.text)
      texts.add(result.text)
    }
    expect(texts.size).toBe(seeds.length)
  })

  it('are drawn from all of 32 bits', async () => {
    const one = { ...raw, thinkingWindow: 0 }
    const results = await Promise.all(Array.from({ length: 64 }, () => table.reason('a', one)))
    const seeds = results.map(({ seed }) => seed)
    expect(Math.max(...seeds)).toBeGreaterThan(2 ** 31)
    expect(Math.min(...seeds)).toBeLessThan(2 ** 31)
    expect(new Set(seeds).size).toBe(64)
  })

  it('give the same whatever ran before, between and around', async () => {
    const ask = (seed: number) =>
      real.reason('What is it?', { temperature: 1, thinkingWindow: 50, maxTokens: 20, seed })
    const others = (n: number) => real.reason(`Other ${n}`, { temperature: 1, thinkingWindow: 7 * n, maxTokens: 5 })
    const first = [await ask(5), await ask(6)]
    expect(first[0]?.tokens).not.toEqual(first[1]?.tokens)

    await others(1)
    expect((await ask(6)).tokens).toEqual(first[1]?.tokens)
    await others(2)
    await others(3)
    expect((await ask(5)).tokens).toEqual(first[0]?.tokens)

    const together = await Promise.all([others(1), ask(5), ask(5), others(2), ask(6), others(3), ask(5)])
    const seeded = [1, 2, 6].map((i) => together[i]?.tokens)
    expect(seeded).toEqual([first[0]?.tokens, first[0]?.tokens, first[0]?.tokens])
    expect(together[4]?.tokens).toEqual(first[1]?.tokens)
  })

  it('drive XTC as well', async () => {
    const options = { ...common, xtcProbability: 0.5, xtcThreshold: 0.1 }
    const ask = async (seed: number) => (await table.reason('a', { ...options, seed })).text
    expect(await ask(3)).toBe(await ask(3))
    expect(await ask(3)).not.toBe(await ask(4))
  })
})

describe("temperature: 'model'", () => {
  const all = { a: 0.4, b: 0.3, c: 0.2, d: 0.1 }
  const recommends = (name: string, keys: Record<string, number>) => {
    return dice(
      name,
      all,
      new Map(Object.entries(keys).map(([key, value]) => [`general.sampling.${key}`, { type: 'float32', value }])),
    )
  }
  const drawn = async (z1: Z1, options: ReasonOptions = {}) => {
    const { reasoning } = await z1.reason('a', {
      ...raw,
      seed: 11,
      thinkingWindow: 600,
      temperature: 'model',
      ...options,
    })
    const counts: Probabilities = {}
    for (const token of reasoning) counts[token] = (counts[token] ?? 0) + 1 / 600
    return counts
  }

  it('draws as the file recommends', async () => {
    const z1 = await recommends('warm', { temp: 0.5, top_k: 3 })
    // Squares of the probabilities of the first three, all of which top-p 0.95 keeps: 16, 9 and 4 of 29.
    expectShares(await drawn(z1), normalized({ a: 0.16, b: 0.09, c: 0.04 }))
  })

  it('draws as is given beside it', async () => {
    const z1 = await recommends('narrow', { temp: 1, top_k: 1, top_p: 1, min_p: 0 })
    expect(Object.keys(await drawn(z1))).toEqual(['a'])
    expectShares(await drawn(z1, { topK: 40 }), all)
  })
})
