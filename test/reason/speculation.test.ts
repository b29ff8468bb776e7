/**
 * Drafts by prompt lookup: the tokens are those of a plain loop on llama.cpp's C API that drafts the same (test/native/reference.cpp),
 * and what ends a response ends it within a draft. What a draft is, and that nothing else changes, test/native/speculation-test.cpp shows.
 */
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { type ReasonOptions, Z1 } from '../../lib/index.js'
import { generate } from '../../lib/problems/generate.js'
import { temporaryFolder } from '../support/folder.js'
import { testModel } from '../support/models.js'
import { Random } from '../support/random.js'
import { type ReferenceCase, reference } from '../support/reference.js'
import { tableModel } from '../support/table-model.js'

const chainFolder = temporaryFolder()

test('greedy ids, and how many tokens were drafted, are those of a plain loop', async () => {
  // Small random models seldom repeat themselves; the embedded one does.
  const contextSize = 512
  const problems = [...generate({ seed: 21, count: 24, difficulty: [2, 5] })]
  let accepted = 0
  let wrong = 0
  for (const batchSize of [5, 512]) {
    await using z1 = await Z1.load({ contextSize, batchSize, threads: 1, engine: 'cpu' })
    const random = new Random(7, String(batchSize))
    const { tokens } = await z1.reason('a', { thinkingWindow: 0, maxTokens: 1 })
    const cases: ReferenceCase[] = []
    for (const { question } of problems) {
      const { tokens: prompt } = await z1.renderPrompt(question)
      const [window, maxTokens] = [random.below(150), 1 + random.below(60)]
      cases.push({ contextSize, parallel: 1, batchSize, window, maxTokens, prompt, hint: tokens.hint })
    }
    const expected = reference(z1.model.engine, z1.model.path, cases, { speculation: true })
    for (const [i, { question }] of problems.entries()) {
      const { window: thinkingWindow, maxTokens } = cases[i] as ReferenceCase
      const asked = { thinkingWindow, maxTokens, cachePrompt: false, speculation: true }
      const { tokens, usage, ended } = await z1.reason(question, asked)
      const { margin: _, ...want } = expected[i] as (typeof expected)[0]
      const { reasoning, answer } = tokens
      const counts = { drafted: usage.draftedTokens, accepted: usage.acceptedTokens }
      expect({ ended, reasoning, answer, ...counts }, `batches of ${batchSize}, ${question}`).toEqual(want)
      accepted += counts.accepted
      wrong += counts.drafted - counts.accepted
    }
  }
  console.log(`${accepted} drafted tokens were accepted, ${wrong} were not`)
  expect(accepted).toBeGreaterThan(50)
  expect(wrong).toBeGreaterThan(50)
})

describe('a response that repeats itself', () => {
  const folder = temporaryFolder()
  let z1: Z1
  beforeAll(async () => {
    // a b c d e f go round; after the hint's dot z y x w do.
    const rows = { a: 'b', b: 'c', c: 'd', d: 'e', e: 'f', f: 'a', '.': 'z', z: 'y', y: 'x', x: 'w', w: 'z' }
    const model = tableModel(folder(), 'rounds', { rows })
    z1 = await Z1.load({ model, contextSize: 256, parallel: 2, branches: 2, threads: 1, engine: 'cpu' })
  })
  afterAll(() => z1.dispose())

  const raw = { template: false, cachePrompt: false, hint: '.', thinkingWindow: 50, maxTokens: 30, seed: 3 } as const

  it.each<[string, ReasonOptions]>([
    ['the window and the limit of the answer', {}],
    ['a smaller window', { cuts: [0, 17, 31] }],
    ['a stop string in the thinking', { stop: 'fabcdefabcdefab', stopInThinking: true }],
    ['a stop string in the answer', { stop: 'wzyxwzy' }],
    ['a loop', { loops: true }],
    ['a grammar', { grammar: 'root ::= [w-z] [w-z]{1,19}', temperature: 1 }],
    ['a penalty', { repeatPenalty: 1.2 }],
    ['log-probabilities', { logprobs: { top: 2, thinking: true }, confidence: true }],
    ['a draw', { temperature: 40, topK: 2, minP: 0 }],
    ['samples', { samples: 3, temperature: 40, topK: 2, minP: 0 }],
    ['the end of the context', { thinkingWindow: Infinity }],
  ])('is the same with drafts: %s', async (_name, options) => {
    const strip = <T extends object>(result: T) =>
      JSON.parse(JSON.stringify(result), (key, value) => {
        // Which of three samples on two sequences finds the prompt decoded depends on when each begins.
        const isOfRun = ['timings', 'cachedTokens', 'draftedTokens', 'acceptedTokens', 'cost', 'logprob']
        return isOfRun.includes(key) ? undefined : value
      })
    const without = await z1.reason('abcdefabcdef', { ...raw, ...options })
    const result = await z1.reason('abcdefabcdef', { ...raw, ...options, speculation: true })
    expect(strip(result)).toEqual(strip(without))
    expect(without.usage).toMatchObject({ draftedTokens: 0, acceptedTokens: 0 })
    expect(result.usage.draftedTokens).toBeGreaterThanOrEqual(result.usage.acceptedTokens)
    if (options.samples) {
      const sum = result.samples?.reduce((n, { usage }) => n + usage.acceptedTokens, 0)
      expect(result.cost?.acceptedTokens).toBe(sum)
      return
    }
    expect(result.usage.acceptedTokens).toBeGreaterThan(options.temperature ? 0 : 8)
    expect(result.timings.decodeCalls).toBeLessThan(without.timings.decodeCalls)
  })
})

it('draws from the distribution that the model gives, whatever was drafted', async () => {
  // What follows a letter, and how likely at temperature 1; known before the model runs.
  const chances: Record<string, Record<string, number>> = {
    a: { b: 0.96, c: 0.03, d: 0.01 },
    b: { c: 0.97, a: 0.02, d: 0.01 },
    c: { d: 0.94, a: 0.04, b: 0.02 },
    d: { a: 0.95, b: 0.03, c: 0.02 },
  }
  const temperature = 1.5
  const logits = Object.entries(chances).map(([after, row]) => [
    after,
    Object.fromEntries(Object.entries(row).map(([next, chance]) => [next, temperature * Math.log(chance)])),
  ])
  const model = tableModel(chainFolder(), 'chain', { rows: Object.fromEntries(logits) })
  await using z1 = await Z1.load({ model, contextSize: 512, threads: 1, engine: 'cpu' })

  const seen: Record<string, Record<string, number>> = { a: {}, b: {}, c: {}, d: {} }
  const options = {
    template: false,
    hint: '.',
    thinkingWindow: 400,
    maxTokens: 1,
    temperature,
    topK: 0,
    topP: 1,
    minP: 0,
    speculation: true,
  }
  let [total, drafted, accepted] = [0, 0, 0]
  for (let seed = 0; seed < 100; seed++) {
    const { reasoning, usage } = await z1.reason('abcdabcd', { ...options, seed })
    drafted += usage.draftedTokens
    accepted += usage.acceptedTokens
    for (const [i, next] of [...reasoning].entries()) {
      const row = seen[i === 0 ? 'd' : (reasoning[i - 1] as string)] as Record<string, number>
      row[next] = (row[next] ?? 0) + 1
      total++
    }
  }
  // Drafts are common, and so are drafts that the draw goes against.
  expect(accepted).toBeGreaterThan(total / 4)
  expect(drafted - accepted).toBeGreaterThan(500)
  // Pearson's chi-square test: four rows of three give eight degrees of freedom, whose 99.9th percentile is 26.1.
  let statistic = 0
  for (const [after, row] of Object.entries(chances)) {
    const counts = seen[after] as Record<string, number>
    const drawn = Object.values(counts).reduce((sum, n) => sum + n, 0)
    expect(Object.keys(counts).sort()).toEqual(Object.keys(row).sort())
    for (const [next, chance] of Object.entries(row)) {
      statistic += ((counts[next] as number) - drawn * chance) ** 2 / (drawn * chance)
    }
  }
  console.log(
    `${accepted} of ${total} tokens had been drafted; chi-square ${statistic.toFixed(1)} with 8 degrees of freedom`,
  )
  expect(statistic).toBeLessThan(26.1)
})

it('is refused where a state takes nothing back', async () => {
  await using z1 = await Z1.load({ model: testModel('mamba'), contextSize: 64, threads: 1, engine: 'cpu' })
  const options = { template: false, thinkingWindow: 4, maxTokens: 4, speculation: true }
  await expect(z1.reason('a', options)).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: 'Expected no speculation: the recurrent state of this model takes nothing back',
  })
  expect((await z1.reason('a', { ...options, speculation: false })).usage.draftedTokens).toBe(0)
})
