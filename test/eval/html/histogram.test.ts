import { expect, it } from 'vitest'
import { histogramOf } from '../../../lib/eval/html/histogram.js'

const lengths = [
  ...Array.from({ length: 6 }, () => ({ tokens: 10, correct: true })),
  ...Array.from({ length: 3 }, () => ({ tokens: 10, correct: false })),
  { tokens: 100, correct: true },
]

function bars(svg: string) {
  return Array.from(
    svg.matchAll(/<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" fill="#0072b2"( fill-op)?/g),
    (match) => {
      const [x, y, width, height] = match.slice(1, 5).map(Number) as [number, number, number, number]
      return { x, y, width, height, isPale: match[5] !== undefined }
    },
  ).filter(({ width }) => width !== 11)
}

it('stacks wrong responses on right ones, in proportion', () => {
  const svg = histogramOf([{ label: 'one', window: 'inf', lengths, cuts: [], index: 0 }], 'Lengths')
  const [wrong, right, far] = bars(svg) as [Bar, Bar, Bar]
  type Bar = ReturnType<typeof bars>[number]
  expect(bars(svg)).toHaveLength(3)
  expect([wrong, right, far].map(({ isPale }) => isPale)).toEqual([true, false, false])
  expect(wrong.height / right.height).toBeCloseTo(0.5, 1)
  expect(right.height / far.height).toBeCloseTo(6, 0)
  expect(wrong.x).toBe(right.x)
  expect(wrong.y + wrong.height).toBeCloseTo(right.y, 0)
  expect(far.x).toBeGreaterThan(right.x)
})

it('says how many responses are longer than a window', () => {
  const svg = histogramOf([{ label: '<one>', window: 'inf', lengths, cuts: [0, 50, 1000], index: 0 }], 'A & B')
  expect(svg).toContain('50: 10%')
  expect(svg).not.toMatch(/>0: |1000: |<one>|NaN|undefined/)
})
