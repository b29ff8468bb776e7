/** Intervals and correlation. Knows numbers only. */
import { mean as meanOf, quantileSorted, sum } from 'd3-array'
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Lower and upper bound. */
export type Interval = [low: number, high: number]

/** The 97.5% quantile of the standard normal distribution. */
const Z = 1.959963984540054

export function mean(values: readonly number[]): number {
  return meanOf(values) ?? NaN
}

/** The mean of the values at some indices. */
export function meanAt(values: readonly number[], indices: Int32Array): number {
  return meanOf(indices, (index) => values[index]) ?? NaN
}

/** Wilson's score interval of a share, 95%, without continuity correction (Wilson 1927; Newcombe 1998, method 3). */
export function wilson(successes: number, n: number): Interval {
  const share = successes / n
  const center = share + Z ** 2 / (2 * n)
  const spread = Z * Math.sqrt((share * (1 - share)) / n + Z ** 2 / (4 * n ** 2))
  const scale = 1 + Z ** 2 / n
  // At the ends the bounds are exact, but for rounding.
  return [successes === 0 ? 0 : (center - spread) / scale, successes === n ? 1 : (center + spread) / scale]
}

/**
 * Percentile bootstrap, 95%, of a statistic of n things. Paired data stay paired: the statistic gets the indices that
 * were drawn, and reads at each what belongs together. The same seed gives the same interval.
 */
export function bootstrap(
  n: number,
  statistic: (indices: Int32Array) => number,
  { resamples = 10_000, seed = 0 }: { resamples?: number; seed?: number } = {},
): Interval {
  const random = xoroshiro128plus(seed)
  const indices = new Int32Array(n)
  const values = Float64Array.from({ length: resamples }, () => {
    for (let i = 0; i < n; i++) indices[i] = uniformInt(random, 0, n - 1)
    return statistic(indices)
  })
  const sorted = Array.from(values.sort())
  return [quantileSorted(sorted, 0.025) as number, quantileSorted(sorted, 0.975) as number]
}

/**
 * McNemar's test of paired shares, exact and two-sided: the probability of a split as uneven as this one, or more so, of what
 * only one of the two has got, where a fair coin splits it.
 * @param onlyA Pairs in which A alone succeeded; `onlyB` likewise.
 */
export function mcnemar(onlyA: number, onlyB: number): number {
  const n = onlyA + onlyB
  // C(n, i) / 2ⁿ by its logarithm: neither number fits for long.
  let log = -n * Math.LN2
  let tail = 0
  for (let i = 0; i <= Math.min(onlyA, onlyB); i++) {
    tail += Math.exp(log)
    log += Math.log(n - i) - Math.log(i + 1)
  }
  return Math.min(1, 2 * tail)
}

/** Spearman's rank correlation, −1 … 1; ties share their mean rank. Null where a side does not vary. */
export function spearman(x: readonly number[], y: readonly number[]): number | null {
  const [a, b] = [ranks(x), ranks(y)]
  const [meanA, meanB] = [mean(a), mean(b)]
  const product = sum(a, (rank, i) => (rank - meanA) * ((b[i] as number) - meanB))
  const squareA = sum(a, (rank) => (rank - meanA) ** 2)
  const squareB = sum(b, (rank) => (rank - meanB) ** 2)
  return squareA > 0 && squareB > 0 ? product / Math.sqrt(squareA * squareB) : null
}

function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((i, j) => (values[i] as number) - (values[j] as number))
  const ranks = new Array<number>(values.length)
  for (let start = 0; start < order.length; ) {
    let end = start + 1
    while (end < order.length && values[order[end] as number] === values[order[start] as number]) end++
    for (const index of order.slice(start, end)) ranks[index] = (start + end + 1) / 2
    start = end
  }
  return ranks
}
