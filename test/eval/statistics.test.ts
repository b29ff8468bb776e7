import { describe, expect, it } from 'vitest'
import { bootstrap, mcnemar, meanAt, spearman, wilson } from '../../lib/eval/statistics.js'

describe('wilson', () => {
  // Newcombe, Statistics in Medicine 17 (1998), table I, method 3.
  it.each([
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
    [0, 20, 0, 0.1611],
    [1, 29, 0.0061, 0.1718],
  ])('gives the published interval of %i of %i', (successes, n, low, high) => {
    const [from, to] = wilson(successes, n)
    expect(from).toBeCloseTo(low, 4)
    expect(to).toBeCloseTo(high, 4)
  })

  it('has the ends of the scale for none and for all', () => {
    expect(wilson(0, 20)[0]).toBe(0)
    expect(wilson(20, 20)[1]).toBe(1)
    expect(wilson(20, 20)[0]).toBeCloseTo(1 - wilson(0, 20)[1], 12)
  })
})

describe('bootstrap', () => {
  const share = (ones: number, zeros: number) => [...Array(ones).fill(1), ...Array(zeros).fill(0)]

  // Sums of resampled ones and zeros are binomial; quantiles by scipy.stats.binom.ppf, to within one resampled unit.
  it.each([
    [30, 70, 0.21, 0.39],
    [36, 4, 0.8, 0.975],
  ])('has the binomial quantiles for %i ones and %i zeros', (ones, zeros, low, high) => {
    const values = share(ones, zeros)
    const [from, to] = bootstrap(values.length, (indices) => meanAt(values, indices))
    expect(Math.abs(from - low)).toBeLessThan(1.01 / values.length)
    expect(Math.abs(to - high)).toBeLessThan(1.01 / values.length)
  })

  it('keeps pairs together', () => {
    // Better in 30 of 100 and worse in 10. NumPy's bootstrap of the differences gives 0.08 … 0.32. Unpaired, the two
    // shares of 0.7 and 0.5 would vary independently, and their difference from 0.07 to 0.33.
    const before = [...Array(30).fill(0), ...Array(10).fill(1), ...share(40, 20)]
    const after = [...Array(30).fill(1), ...Array(10).fill(0), ...share(40, 20)]
    const [from, to] = bootstrap(100, (indices) => meanAt(after, indices) - meanAt(before, indices))
    expect(Math.abs(from - 0.08)).toBeLessThan(0.005)
    expect(Math.abs(to - 0.32)).toBeLessThan(0.005)
  })

  it('is the same for the same seed, and not for another', () => {
    const values = Array.from({ length: 50 }, (_, i) => Math.sin(i))
    const at = (seed: number) => bootstrap(50, (indices) => meanAt(values, indices), { seed })
    expect(at(1)).toEqual(at(1))
    expect(at(2)).not.toEqual(at(1))
  })

  it('is a point where nothing varies', () => {
    expect(bootstrap(7, (indices) => meanAt(Array(7).fill(3), indices))).toEqual([3, 3])
  })
})

describe('mcnemar', () => {
  // scipy.stats.binomtest(onlyA, onlyA + onlyB, 0.5).pvalue
  it.each([
    [1, 9, 0.021484375],
    [10, 10, 1],
    [0, 5, 0.0625],
    [3, 7, 0.34375],
    [30, 10, 0.0022214337732293643],
    [121, 59, 4.4344492637551645e-6],
    [1000, 1200, 2.1817026407914194e-5],
  ])('of %i against %i', (onlyA, onlyB, p) => {
    expect(mcnemar(onlyA, onlyB) / p).toBeCloseTo(1, 9)
    expect(mcnemar(onlyB, onlyA)).toBe(mcnemar(onlyA, onlyB))
  })

  it('says nothing where nothing differs', () => {
    expect(mcnemar(0, 0)).toBe(1)
  })
})

describe('spearman', () => {
  // scipy.stats.spearmanr
  it.each([
    ['without ties', [106, 100, 86, 101, 99, 103, 97, 113, 112, 110], [7, 27, 2, 50, 28, 29, 20, 12, 6, 17], -29 / 165],
    ['with ties', [1, 1, 2, 2, 3, 3, 4, 4, 5, 5], [12, 15, 14, 14, 30, 22, 40, 22, 39, 60], 0.8792948931970741],
    ['with ties in a few', [1, 2, 3, 4], [9, 7, 7, 1], -0.9486832980505139],
    ['of equal order', [1, 2, 3], [10, 20, 30], 1],
  ])('%s', (_name, x, y, rho) => {
    expect(spearman(x, y)).toBeCloseTo(rho, 12)
  })

  it('is null where one side does not vary', () => {
    expect(spearman([1, 1, 1], [1, 2, 3])).toBeNull()
    expect(spearman([1, 2, 3], [4, 4, 4])).toBeNull()
    expect(spearman([1], [1])).toBeNull()
    expect(spearman([], [])).toBeNull()
  })
})
