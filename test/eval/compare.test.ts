/** Runs in pairs: four items whose figures are worked out by hand. */
import { beforeAll, describe, expect, it } from 'vitest'
import { bootstrap, compareCurves, compareRuns, reportOfComparison, reportOfCurves } from '../../lib/eval/index.js'
import type { ResultRecord, RunEnvironment, RunOptions } from '../../lib/eval/records.js'
import { ResultsFolder } from '../../lib/eval/results.js'
import { meanAt } from '../../lib/eval/statistics.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()

interface Usage {
  thinkingTokens: number
  hintTokens: number
  answerTokens: number
  probeTokens?: number
}

/** At each window the items that are right, and what each item costs. */
async function write(name: string, windows: Record<string, [right: string, usage: Usage]>, samples = 1) {
  const options = { task: 'hand', items: 4, itemsSha256: 'same', windows: Object.keys(windows), samples } as RunOptions
  const results = await ResultsFolder.open(folder(name), options)
  await results.begin({} as RunEnvironment)
  for (const [window, [right, usage]] of Object.entries(windows)) {
    for (const id of ['d', 'a', 'c', 'b']) {
      for (let sample = 0; sample < samples; sample++) {
        await results.append({ id, window, sample, correct: right.includes(id), usage } as ResultRecord)
      }
    }
  }
  await results.close()
}

beforeAll(async () => {
  await write('a', {
    0: ['a', { thinkingTokens: 0, hintTokens: 1, answerTokens: 1 }],
    8: ['abc', { thinkingTokens: 5, hintTokens: 2, answerTokens: 1, probeTokens: 2 }],
  })
  await write('b', {
    2: ['ab', { thinkingTokens: 2, hintTokens: 1, answerTokens: 1 }],
    inf: ['ad', { thinkingTokens: 12, hintTokens: 0, answerTokens: 0 }],
  })
  await write('far', {
    2: ['a', { thinkingTokens: 40, hintTokens: 0, answerTokens: 0 }],
    inf: ['ad', { thinkingTokens: 50, hintTokens: 0, answerTokens: 0 }],
  })
  await write('twice', { 8: ['ab', { thinkingTokens: 5, hintTokens: 0, answerTokens: 0 }] }, 2)
})

describe('compareRuns', () => {
  it('sets a window against a window, item by item', async () => {
    const [pair] = await compareRuns(folder('a'), folder('b'), [['8', 'inf']])
    expect(pair).toMatchObject({
      a: { window: '8', accuracy: 0.75, att: 5, tokens: 10 },
      b: { window: 'inf', accuracy: 0.5, att: 12, tokens: 12 },
      difference: 0.25,
      // b and c against d: by a fair coin as uneven as that or more always.
      mcnemar: { onlyA: 2, onlyB: 1, p: 1 },
      attRatio: 5 / 12,
      tokenRatio: 10 / 12,
      tokenRatioInterval: [10 / 12, 10 / 12],
    })
    const text = reportOfComparison(pair ? [pair] : [])
    expect(text.split('\n')[1]?.split(/ {2,}/).slice(0, 9).join('|')).toBe(
      '8|inf|75.0|50.0|+25.0|-50.0 … 100.0|2|1|1.000',
    )
  })

  it('has no test of pairs where items have several samples', async () => {
    const [pair] = await compareRuns(folder('a'), folder('twice'))
    expect(pair).toMatchObject({ difference: 0.25, mcnemar: null })
  })
})

describe('compareCurves', () => {
  it('compares where both have tokens, and at equal cost', async () => {
    const curves = await compareCurves(folder('a'), folder('b'))
    // A goes from (2, 1/4) to (10, 3/4), B from (4, 1/2) to (12, 1/2): from 4 to 10, A is 3/8 to 3/4.
    expect(curves).toMatchObject({
      a: { performance: 0.75, scaling: 0.0625, area: 0.5 },
      b: { performance: 0.5, scaling: 0, area: 0.5 },
      range: [4, 10],
      areaDifference: 9 / 16 - 1 / 2,
    })
    expect(curves.atEqualTokens).toMatchObject([
      { window: '8', tokens: 10, accuracyA: 0.75, accuracyB: 0.5, difference: 0.25 },
    ])
    // Costs do not vary here: A's items less a quarter of B's at 4 tokens and three quarters of those at 12.
    const differences = [0, 0.75, 1, -0.75]
    const [low, high] = bootstrap(4, (indices) => meanAt(differences, indices), { resamples: 2000 })
    expect(curves.atEqualTokens[0]?.interval[0]).toBeCloseTo(low, 12)
    expect(curves.atEqualTokens[0]?.interval[1]).toBeCloseTo(high, 12)
    const text = reportOfCurves(curves)
    expect(text).toContain('from 4.0 to 10.0 tokens, mean accuracy A − B: +6.3 points')
    expect(text).toMatch(/\n8 +10\.0 +75\.0 +50\.0 +\+25\.0 /)
  })

  it('says that runs of different lengths cannot be compared', async () => {
    const curves = await compareCurves(folder('a'), folder('far'))
    expect(curves).toMatchObject({ range: null, areaDifference: null, areaInterval: null, atEqualTokens: [] })
    expect(reportOfCurves(curves)).toContain('no range of tokens in common')
  })

  it('takes a run of one window for a point', async () => {
    const curves = await compareCurves(folder('twice'), folder('b'))
    expect(curves).toMatchObject({ a: { performance: 0.5, scaling: null, area: null }, range: null })
    expect(curves.atEqualTokens).toMatchObject([{ window: '8', tokens: 5, accuracyA: 0.5, accuracyB: 0.5 }])
  })
})
