/** Figures against counts by hand. */
import { describe, expect, it } from 'vitest'
import type { RunOptions, ScoredResponse } from '../../lib/eval/records.js'
import { reportOf } from '../../lib/eval/report.js'
import { wilson } from '../../lib/eval/statistics.js'
import { summarize } from '../../lib/eval/summary.js'

const options: RunOptions = {
  task: 'hand',
  items: 4,
  itemsSha256: '',
  modelSha256: '',
  modelName: null,
  method: 'window',
  windows: ['4', 'inf'],
  hint: 'so:',
  maxTokens: 8,
  system: null,
  temperature: 0,
  samples: 1,
  seed: 0,
  contextSize: null,
}

type Row = [id: string, window: string, correct: boolean, thinking: number, more?: Partial<ScoredResponse>]

function response([id, window, correct, thinkingTokens, more]: Row): ScoredResponse {
  return {
    id,
    groups: { family: id < 'c' ? 'early' : 'late', difficulty: id.charCodeAt(0) - 96 },
    window,
    sample: 0,
    extracted: correct ? '1' : '2',
    answer: '1',
    correct,
    inForm: null,
    ended: 'self',
    finishReason: 'stop',
    usage: { promptTokens: 5, cachedTokens: 0, thinkingTokens, hintTokens: 0, answerTokens: 0 },
    ...more,
  }
}

function cut(thinkingTokens: number, answerTokens: number, inForm: boolean): Partial<ScoredResponse> {
  const usage = { promptTokens: 5, cachedTokens: 0, thinkingTokens, hintTokens: 3, answerTokens }
  return { ended: 'window', inForm, usage }
}

const rows: Row[] = [
  ['a', '4', true, 2],
  ['b', '4', false, 4, cut(4, 2, true)],
  ['c', '4', false, 4, { ...cut(4, 8, false), extracted: null }],
  ['d', '4', true, 4, cut(4, 2, true)],
  ['a', 'inf', true, 2],
  ['b', 'inf', true, 9],
  ['c', 'inf', true, 7],
  ['d', 'inf', false, 30, { ended: 'length', extracted: null }],
]

it('counts probes, and how policies ended the thinking', () => {
  const usage = { promptTokens: 5, cachedTokens: 0, thinkingTokens: 4, hintTokens: 3, answerTokens: 2, probeTokens: 6 }
  const ended = (ended: ScoredResponse['ended']) => ({ ended, usage })
  const policies: Row[] = [
    ['a', '4', true, 4, ended('early')],
    ['b', '4', true, 4, ended('stated')],
    ['c', '4', true, 4, ended('loop')],
    ['d', '4', true, 4, ended('early')],
  ]
  const summary = summarize({ ...options, windows: ['4'] }, policies.map(response))
  expect(summary.windows[0]).toMatchObject({
    att: 4,
    generatedTokens: 6,
    probeTokens: 6,
    totalTokens: 15,
    ended: { self: 0, window: 0, length: 0, loop: 0.25, early: 0.5, stated: 0.25 },
  })
  const header = reportOf(summary).split('\n')[2]
  expect(header).toContain('length, %  loop, %  early, %  stated, %  unanswered, %')
})

describe('summarize', () => {
  const summary = summarize(options, rows.map(response))
  const [at4, atInf] = summary.windows

  it('counts by hand', () => {
    expect(summary).toMatchObject({ done: 8, total: 8 })
    expect(at4).toMatchObject({
      window: '4',
      items: 4,
      accuracy: 0.5,
      interval: wilson(2, 4),
      att: 14 / 4,
      generatedTokens: 26 / 4,
      hintTokens: 9 / 4,
      probeTokens: 0,
      totalTokens: 35 / 4,
      ended: { self: 0.25, window: 0.75, length: 0, loop: 0, early: 0, stated: 0 },
      unanswered: 0.25,
      cuts: 3,
      inForm: 2 / 3,
    })
    expect(atInf).toMatchObject({
      accuracy: 0.75,
      att: 12,
      generatedTokens: 12,
      hintTokens: 0,
      ended: { self: 0.75, window: 0, length: 0.25 },
      unanswered: 0.25,
      cuts: 0,
      inForm: null,
    })
  })

  it('gives each value of each group for itself', () => {
    expect(Object.keys(at4?.groups.family ?? {})).toEqual(['early', 'late'])
    expect(at4?.groups.family?.late).toMatchObject({ items: 2, accuracy: 0.5, interval: wilson(1, 2), att: 4 })
    expect(Object.keys(atInf?.groups.difficulty ?? {})).toEqual(['1', '2', '3', '4'])
    expect(atInf?.groups.difficulty?.[4]).toMatchObject({ items: 1, accuracy: 0, att: 30 })
  })

  it('correlates difficulty with thinking', () => {
    // Ranks 1 2 3 4 against 1 3 2 4: 1 − 6·2 / (4·15).
    expect(atInf?.spearman).toBeCloseTo(0.8, 12)
    // Against 1 3 3 3, the tied ones sharing their rank: 3 / √(5 · 3).
    expect(at4?.spearman).toBeCloseTo(3 / Math.sqrt(15), 12)
    expect(at4?.groups.family?.late?.spearman).toBeNull()
  })

  it('takes groups of any name, with texts and numbers, and those that only some items have', () => {
    const grouped = (groups: ScoredResponse['groups'], i: number) => response([`${i}`, '4', i % 2 === 0, i, { groups }])
    const { windows } = summarize(options, [
      grouped({ source: 'web', level: 10 }, 0),
      grouped({ source: 'book', level: 9 }, 1),
      grouped({ source: 'web', level: 'none', constructor: 'yes' }, 2),
      grouped(undefined, 3),
      grouped({ source: 'web', level: 2, difficulty: 'hard' }, 4),
    ])
    const [at4] = windows
    expect(Object.keys(at4?.groups ?? {})).toEqual(['source', 'level', 'constructor', 'difficulty'])
    const counts = Object.entries(at4?.groups ?? {}).map(([name, values]) => {
      return [name, ...Object.entries(values).map(([value, { items, accuracy }]) => [value, items, accuracy])]
    })
    expect(counts).toEqual([
      ['source', ['book', 1, 0], ['web', 3, 1]],
      ['level', ['2', 1, 1], ['9', 1, 0], ['10', 1, 1], ['none', 1, 1]],
      ['constructor', ['yes', 1, 1]],
      ['difficulty', ['hard', 1, 1]],
    ])
    expect(at4?.groups.source?.web?.att).toBe(2)
  })

  it('sets a difficulty that is no number against nothing', () => {
    const graded = (difficulty: string | number, i: number) =>
      response([`${i}`, '4', true, i, { groups: { difficulty } }])
    expect(summarize(options, [graded('1', 1), graded('2', 2)]).windows[0]?.spearman).toBeNull()
    expect(summarize(options, [graded(1, 1), graded(2, 2), graded('3', 0)]).windows[0]?.spearman).toBe(1)
  })

  it('sets generated tokens and those of hints beside ATT', () => {
    const rowsOf = (given: typeof summary) => {
      return reportOf(given)
        .split('\n\n')[1]
        ?.split('\n')
        .map((line) => line.split(/ {2,}/).slice(3, 6))
    }
    expect(rowsOf(summary)).toEqual([
      ['ATT', 'generated', 'hint'],
      ['3.5', '6.5', '2.3'],
      ['12.0', '12.0', '0.0'],
    ])
    const before = { ...summary, windows: summary.windows.map((window) => ({ ...window, hintTokens: null })) }
    expect(rowsOf(before)?.map(([, , hint]) => hint)).toEqual(['hint', '–', '–'])
  })

  it('has a table for each group', () => {
    const tables = reportOf(summary).split('\n\n').slice(2, 4)
    // Wilson's intervals of 1 of 2, 2 of 2, 0 of 1 and 1 of 1.
    const [half, both, none, one] = [
      '50.0 (9.5 … 90.5)',
      '100.0 (34.2 … 100.0)',
      '0.0 (0.0 … 79.3)',
      '100.0 (20.7 … 100.0)',
    ]
    expect(tables.map((table) => table.split('\n').map((line) => line.split(/ {2,}/)))).toEqual([
      [
        ['family, %', '4', 'inf'],
        ['early', half, both],
        ['late', half, half],
      ],
      [
        ['difficulty, %', '4', 'inf'],
        ['1', one, one],
        ['2', none, one],
        ['3', none, one],
        ['4', one, none],
      ],
    ])
  })

  it('pairs the windows by item', () => {
    // Better in b and c, worse in d: the mean of 0, 1, 1, −1.
    expect(summary.differences).toMatchObject([{ from: '4', to: 'inf', difference: 0.25 }])
    const [low, high] = summary.differences[0]?.interval ?? []
    expect([low, high]).toEqual([-0.5, 1])
  })

  it('does not depend on the order of the responses', () => {
    expect(summarize(options, rows.toReversed().map(response))).toEqual(summary)
  })

  it('sets each window against the next and the last', () => {
    const three = summarize(
      { ...options, windows: ['0', '4', 'inf'] },
      [...rows, ['a', '0', false, 0] as Row, ['b', '0', false, 0] as Row].map(response),
    )
    expect(three.differences.map(({ from, to }) => [from, to])).toEqual([
      ['0', '4'],
      ['0', 'inf'],
      ['4', 'inf'],
    ])
    // Only a and b have been through the first window.
    expect(three.differences.map(({ difference }) => difference)).toEqual([0.5, 1, 0.25])
    expect(three).toMatchObject({ done: 10, total: 12 })
  })

  it('pairs only what has been through both windows', () => {
    const { differences } = summarize(options, rows.slice(1, 6).map(response))
    // b alone: wrong, then right.
    expect(differences).toMatchObject([{ difference: 1, interval: [1, 1] }])
  })

  it('leaves out a window of which nothing is there', () => {
    const { windows, differences } = summarize(options, rows.slice(0, 3).map(response))
    expect(windows.map(({ window, items }) => [window, items])).toEqual([['4', 3]])
    expect(differences).toEqual([])
  })

  it('counts the answer of a response without a hint as thinking: the answer after a close tag', () => {
    const usage = { promptTokens: 5, cachedTokens: 0, thinkingTokens: 6, hintTokens: 0, answerTokens: 3 }
    const { windows } = summarize(options, [response(['a', '4', true, 6, { usage }])])
    expect(windows[0]?.att).toBe(9)
  })

  it('takes the mean of the samples of an item, and draws items, not samples', () => {
    const samples = ['a', 'b'].flatMap((id) => [0, 1, 2].map((sample) => [id, '4', id === 'a', 1, { sample }] as Row))
    const { windows } = summarize({ ...options, samples: 3 }, samples.map(response))
    // With all samples of an item alike, there are two observations, not six: both items may be drawn twice.
    expect(windows[0]).toMatchObject({ items: 2, accuracy: 0.5, interval: [0, 1] })
  })
})
