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

it('is refused where a state takes nothing back', async () => {
  await using z1 = await Z1.load({ model: testModel('mamba'), contextSize: 64, threads: 1, engine: 'cpu' })
  const options = { template: false, thinkingWindow: 4, maxTokens: 4, speculation: true }
  await expect(z1.reason('a', options)).rejects.toMatchObject({
    code: 'MODEL_UNSUPPORTED',
    message: 'Expected no speculation: the recurrent state of this model takes nothing back',
  })
  expect((await z1.reason('a', { ...options, speculation: false })).usage.draftedTokens).toBe(0)
})
