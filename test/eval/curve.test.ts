/** Figures of curves: by hand on small ones, and on the paper's (arXiv 2504.00810, table 6). */
import { describe, expect, it } from 'vitest'
import {
  accuracyAt,
  area,
  areaWithin,
  type CurvePoint,
  control,
  passAtK,
  performance,
  scaling,
} from '../../lib/eval/index.js'

const line: CurvePoint[] = [
  [300, 0.5],
  [100, 0.1],
  [200, 0.3],
]

describe('on a straight line', () => {
  it('scaling is its slope, the area its middle, performance its end', () => {
    expect(scaling(line)).toBeCloseTo(0.002, 12)
    expect(area(line)).toBeCloseTo(0.3, 12)
    expect(performance(line)).toBe(0.5)
  })
})

describe('on the paper’s', () => {
  // By hand with fractions: each of the ten (six) slopes, and each trapezoid.
  it.each<[string, CurvePoint[], number, number, number]>([
    [
      'MATH500',
      [
        [255, 0.372],
        [471, 0.558],
        [707, 0.712],
        [823, 0.742],
        [1185, 0.764],
      ],
      0.00045782032,
      0.764,
      0.65292258,
    ],
    [
      'GPQA Diamond',
      [
        [256, 0.253],
        [510, 0.288],
        [946, 0.333],
        [1548, 0.419],
        [2470, 0.475],
      ],
      0.00011040852,
      0.475,
      0.38056504,
    ],
    [
      'LiveCodeBench',
      [
        [256, 0.303],
        [502, 0.319],
        [732, 0.35],
        [866, 0.353],
      ],
      0.00008272077,
      0.353,
      0.32875738,
    ],
  ])('%s', (_, points, slope, best, mean) => {
    expect(scaling(points)).toBeCloseTo(slope, 10)
    expect(performance(points)).toBe(best)
    expect(area(points)).toBeCloseTo(mean, 7)
  })
})

it('two lengths at least make a slope and an area', () => {
  const same: CurvePoint[] = [
    [100, 0.2],
    [100, 0.4],
  ]
  expect([scaling([]), scaling(same), area([]), area(same), performance([])]).toEqual([null, null, null, null, null])
  expect(performance(same)).toBe(0.4)
  // Points of one length count once each, with all of other lengths.
  expect(scaling([...same, [200, 0.5]])).toBeCloseTo((0.003 + 0.001) / 2, 12)
})

it('control counts the bounds in', () => {
  expect(control([99, 100, 150, 200, 201], [100, 200])).toBe(0.6)
  expect(control([], [0, 1])).toBeNull()
})

describe('passAtK', () => {
  it.each([
    [5, 0, 3, 0],
    [5, 5, 1, 1],
    [4, 1, 1, 0.25],
    // 1 − C(3, 2) / C(5, 2)
    [5, 2, 2, 0.7],
    // 1 − C(7, 5) / C(10, 5) = 1 − 21 / 252
    [10, 3, 5, 1 - 21 / 252],
    [10, 6, 5, 1],
  ])('%i samples, %i right, k = %i: %f', (samples, correct, k, expected) => {
    expect(passAtK(samples, correct, k)).toBeCloseTo(expected, 12)
  })

  it('is what drawing gives', () => {
    // Every choice of 3 of 6 samples of which the first two are right.
    let hits = 0
    let draws = 0
    for (let a = 0; a < 6; a++)
      for (let b = a + 1; b < 6; b++)
        for (let c = b + 1; c < 6; c++) {
          draws++
          if (a < 2) hits++
        }
    expect(passAtK(6, 2, 3)).toBeCloseTo(hits / draws, 12)
  })

  it.each([
    [3, 4, 1],
    [3, -1, 1],
    [3, 1, 0],
    [3, 1, 4],
    [2.5, 1, 1],
  ])('refuses %d, %d, %d', (samples, correct, k) => {
    expect(() => passAtK(samples, correct, k)).toThrow(RangeError)
  })
})

describe('between the points', () => {
  const bent: CurvePoint[] = [
    [400, 0.4],
    [100, 0.1],
    [200, 0.3],
  ]

  // numpy.interp, and numpy.trapezoid of it on a fine grid.
  it.each([
    [50, 0.1],
    [100, 0.1],
    [150, 0.2],
    [300, 0.35],
    [333, 0.3665],
    [400, 0.4],
    [500, 0.4],
  ])('at %i tokens', (tokens, accuracy) => {
    expect(accuracyAt(bent, tokens)).toBeCloseTo(accuracy, 12)
  })

  it('the area has bounds', () => {
    expect(areaWithin(bent, [150, 350])).toBeCloseTo(0.315625, 12)
    expect(areaWithin(bent, [50, 500])).toBeCloseTo(0.3, 12)
    expect(areaWithin(bent, [100, 400])).toBeCloseTo(area(bent) as number, 12)
    expect(areaWithin(bent, [200, 200])).toBeNull()
  })

  it('is the point where there is one, and nothing where there is none', () => {
    expect(accuracyAt([[5, 0.5]], 1)).toBe(0.5)
    expect(accuracyAt([[5, 0.5]], 9)).toBe(0.5)
    expect(accuracyAt([], 9)).toBeNaN()
  })
})
