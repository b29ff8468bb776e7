import { expect, it } from 'vitest'
import { figureOf } from '../../lib/eval/figure.js'
import type { Interval, Summary, WindowSummary } from '../../lib/eval/index.js'

function run(label: string, points: [window: string, att: number, accuracy: number, interval: Interval][]) {
  const windows = points.map(([window, att, accuracy, interval]) => ({ window, att, accuracy, interval }))
  const options = { task: 'heldout', items: 100 } as Summary['options']
  return { label, summary: { options, windows: windows as WindowSummary[] } }
}

const one = run('one <&>', [
  ['0', 0, 0.1, [0.05, 0.2]],
  ['50%', 50, 0.5, [0.4, 0.6]],
  ['inf', 100, 0.9, [0.8, 1]],
])

/** Of vertical interval bars, the place and the ends. */
function bars(svg: string): number[][] {
  return [...svg.matchAll(/d="M([\d.]+) ([\d.]+)V([\d.]+)M/g)].map(([, ...numbers]) => numbers.map(Number))
}

it('draws every window at its place, on linear scales', () => {
  const svg = figureOf([one])
  const [none, half, all] = bars(svg) as [number[], number[], number[]]
  expect(bars(svg)).toHaveLength(3)
  // Along: half-way between. Up: 1 and 0.4 … 0.6 are in proportion.
  expect(half[0]).toBeCloseTo(((none[0] as number) + (all[0] as number)) / 2, 0)
  const height = (share: number) => {
    const perShare = ((all[1] as number) - (all[2] as number)) / 0.2
    return (all[2] as number) + (1 - share) * perShare
  }
  expect(half[1]).toBeCloseTo(height(0.4), 0)
  expect(half[2]).toBeCloseTo(height(0.6), 0)
  // The names of the axis stand at their heights, but for half a line.
  for (const share of [0, 0.4, 1]) {
    const named = new RegExp(` y="([\\d.]+)" text-anchor="end">${100 * share}%`).exec(svg)?.[1]
    expect(Math.abs(Number(named) - height(share))).toBeLessThan(6)
  }
})

it('draws a band from the lower bounds to the upper ones, below all lines', () => {
  const svg = figureOf([one, run('two', [['4', 4, 0.3, [0.2, 0.4]]])])
  const bands = [...svg.matchAll(/<path d="M([^"]*)Z" fill="#0072b2" fill-opacity/g)]
  expect(bands).toHaveLength(1)
  const points = (bands[0]?.[1] as string).split('L').map((point) => point.split(',').map(Number))
  const ends = bars(svg).slice(0, 3) as [number, number, number][]
  // Forth along one side, back along the other; each bar ends on both.
  const [low, high] = [ends.map(([x, from]) => [x, from]), ends.map(([x, , to]) => [x, to])]
  expect(points).toEqual([...high, ...low.reverse()])
  expect(bands[0]?.index).toBeLessThan(svg.indexOf('fill="none"'))
})

it('tells the figures of a point to who points at it', () => {
  expect(figureOf([one])).toContain(
    '<title>one &#60;&#38;&#62;, window 50%: 50.0% (40.0 … 60.0), 50.0 thinking tokens</title>',
  )
})

it('names runs and windows, and escapes them', () => {
  const svg = figureOf([one, run('two', [['4', 4, 0.3, [0.2, 0.4]]])], 'A & B')
  for (const text of ['one &#60;&#38;&#62;', 'two', 'A &#38; B', '∞', '50%', 'heldout, 100 items']) {
    expect(svg).toContain(text)
  }
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
})

it('refuses to draw nothing', () => {
  expect(() => figureOf([])).toThrow(RangeError)
  expect(() => figureOf([run('empty', [])])).toThrow('empty has none')
})
