/** Intervals and correlation. Knows numbers only. */
import { uniformInt } from 'pure-rand/distribution/uniformInt'
import { xoroshiro128plus } from 'pure-rand/generator/xoroshiro128plus'

/** Lower and upper bound. */
export type Interval = [low: number, high: number]

/** The 97.5% quantile of the standard normal distribution. */
const Z = 1.959963984540054

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
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
  }).sort()
  return [quantile(values, 0.025), quantile(values, 0.975)]
}

/** Spearman's rank correlation, −1 … 1; ties share their mean rank. Null where a side does not vary. */
export function spearman(x: readonly number[], y: readonly number[]): number | null {
  const [a, b] = [ranks(x), ranks(y)]
  const [meanA, meanB] = [mean(a), mean(b)]
  let [product, squareA, squareB] = [0, 0, 0]
  for (const [i, rank] of a.entries()) {
    const [da, db] = [rank - meanA, (b[i] as number) - meanB]
    product += da * db
    squareA += da ** 2
    squareB += db ** 2
  }
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

/** Of sorted values, interpolated linearly between neighbours. */
function quantile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1)
  const below = sorted[Math.floor(at)] as number
  return below + ((sorted[Math.ceil(at)] as number) - below) * (at % 1)
}
