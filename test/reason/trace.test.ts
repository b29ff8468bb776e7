/** What a trace records; that its answers are those of requests which end there, test/native/trace-test.cpp shows. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { END, tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
const box = '\\boxed{4}'
let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({
    model: tableModel(folder(), 'traced', {
      extraTokens: [box],
      rows: {
        // x a . c \boxed{4} d, and then the end; at the dot the end is 0.5 nats less likely than c.
        x: 'a',
        a: '.',
        '.': { c: 2, [END]: 1.5 },
        c: box,
        [box]: 'd',
        // After the hint y, and e with a probability of e / (e + 1).
        '!': 'y',
        y: { e: 1, k: 0 },
        e: END,
      },
    }),
    contextSize: 128,
    branches: 2,
    threads: 1,
    engine: 'cpu',
  })
})
afterAll(async () => {
  await z1.dispose()
})

const raw = { template: false, cachePrompt: false, hint: '!', thinkingWindow: 40 } as const

it('has what the policies see, and what would be answered', async () => {
  const result = await z1.reason('x', { ...raw, trace: { every: 3, margin: 0.6 } })
  expect(result).toMatchObject({ text: `a.c${box}d`, ended: 'self', hint: '' })
  const { trace } = result
  expect(trace).toMatchObject({ sentences: [2, 4], stated: [4], settled: [], probes: [4], lines: [], loops: [] })
  expect(trace?.margin).toHaveLength(6)
  expect(trace?.margin[2]).toBeCloseTo(0.5, 4)
  expect(trace?.margin[5]).toBe(0)
  expect(trace?.endProbability[2]).toBeCloseTo(1 / (1 + Math.exp(0.5)), 4)
  expect(trace?.endProbability[0]).toBeLessThan(1e-9)
  // 2: the end is near; 4: an answer was stated.
  expect(trace?.answers.map(({ thinkingTokens }) => thinkingTokens)).toEqual([0, 2, 3, 4])
  for (const { thinkingTokens, ...answer } of trace?.answers ?? []) {
    expect(answer).toMatchObject({ text: 'ye', hintTokens: 1, probeTokens: 2, ended: 'window', finishReason: 'stop' })
    expect(answer.probabilities[1]).toBeCloseTo(Math.E / (Math.E + 1), 4)
    const separate = await z1.reason('x', { ...raw, thinkingWindow: thinkingTokens })
    expect(separate.tokens.answer).toEqual(answer.tokens)
  }
})

it('is there only where it was asked for', async () => {
  expect(await z1.reason('x', raw)).not.toHaveProperty('trace')
})

it.each([
  [{ loops: true }, 'Expected no loops beside trace'],
  [{ stated: 'keep' }, 'Expected no stated beside trace'],
  [{ landing: 'line' }, 'Expected no landing beside trace'],
  [{ earlyExit: { margin: 1 } }, 'Expected no earlyExit beside trace'],
  [{ wait: {} }, 'Expected no wait beside trace'],
  [{ cuts: [3] }, 'Expected no cuts beside trace'],
  [{ stop: 'a' }, 'Expected no stop beside trace'],
  [{ grammar: 'root ::= "a"' }, 'Expected no grammar beside trace'],
  [{ hint: null }, 'Expected text for hint with trace but received null'],
  [{ trace: { every: 0 } }, 'Expected integer ≥ 1 for trace.every but received 0'],
  [{ trace: { margin: -1 } }, 'Expected number between 0 and 100 for trace.margin but received -1'],
  [{ trace: { evry: 1 } }, 'Unknown key evry of trace: did you mean every?'],
])('%j is refused', async (options, message) => {
  await expect(z1.reason('x', { ...raw, trace: {}, ...options } as object)).rejects.toThrow(message)
})

it('needs a branch', async () => {
  const without = await Z1.load({ contextSize: 128, threads: 1, engine: 'cpu' })
  await expect(without.reason('x', { ...raw, trace: {} })).rejects.toThrow(
    'Expected at least 1 for branches, an option of load, with trace but received 0',
  )
  await without.dispose()
})
