/**
 * What a curve of accuracy over thinking tokens comes to, in single figures: those of s1 (arXiv 2501.19393, section 3.1), the
 * area under it, and pass@k (arXiv 2107.03374). Knows numbers only. Shares are 0 … 1.
 */
import { max, mean, pairs } from 'd3-array'

/** Average thinking tokens, and the accuracy that they gave. */
export type CurvePoint = readonly [tokens: number, accuracy: number]

/** s1's Scaling: the mean slope between all pairs of points, in accuracy per token. Null for less than two lengths. */
export function scaling(points: readonly CurvePoint[]): number | null {
  const sorted = byTokens(points)
  const slopes = sorted.flatMap(([from, low], i) =>
    sorted.slice(i + 1).flatMap(([to, high]) => (to > from ? [(high - low) / (to - from)] : [])),
  )
  return mean(slopes) ?? null
}

/** s1's Performance: the best accuracy. Null without a point. */
export function performance(points: readonly CurvePoint[]): number | null {
  return max(points, ([, accuracy]) => accuracy) ?? null
}

/** s1's Control: the share of responses whose thinking kept within bounds, both included. Null without a response. */
export function control(tokens: readonly number[], bounds: readonly [min: number, max: number]): number | null {
  return mean(tokens, (count) => (count >= bounds[0] && count <= bounds[1] ? 1 : 0)) ?? null
}

/**
 * The area under the curve between its shortest and its longest thinking, by trapezoids, over their distance: the mean accuracy of
 * one who cannot choose the length. Null for less than two lengths.
 */
export function area(points: readonly CurvePoint[]): number | null {
  const sorted = byTokens(points)
  const [first, last] = [sorted[0], sorted.at(-1)]
  if (!first || !last || first[0] === last[0]) return null
  const total = pairs(sorted).reduce((sum, [[from, low], [to, high]]) => sum + ((to - from) * (low + high)) / 2, 0)
  return total / (last[0] - first[0])
}

/** The accuracy of a curve at so many tokens, on the line between its points; beyond its ends that of the end. NaN without a point. */
export function accuracyAt(points: readonly CurvePoint[], tokens: number): number {
  const sorted = byTokens(points)
  const at = sorted.filter(([each]) => each === tokens)
  if (at.length > 0) return mean(at, ([, accuracy]) => accuracy) as number
  const next = sorted.findIndex(([each]) => each > tokens)
  if (next <= 0) return (next === 0 ? sorted[0] : sorted.at(-1))?.[1] ?? Number.NaN
  const [[from, low], [to, high]] = [sorted[next - 1] as CurvePoint, sorted[next] as CurvePoint]
  return low + ((tokens - from) / (to - from)) * (high - low)
}

/** As `area`, but between bounds, so that curves of different lengths can be compared: over what both have. */
export function areaWithin(points: readonly CurvePoint[], [from, to]: readonly [number, number]): number | null {
  const inside = points.filter(([tokens]) => tokens > from && tokens < to)
  return area([[from, accuracyAt(points, from)], ...inside, [to, accuracyAt(points, to)]])
}

/**
 * The unbiased estimate of pass@k: that at least one of k samples is right, where `correct` of `samples` were.
 * @throws {RangeError} for more than there are.
 */
export function passAtK(samples: number, correct: number, k: number): number {
  const counts = [samples, correct, k]
  if (!counts.every(Number.isInteger) || correct < 0 || correct > samples || k < 1 || k > samples) {
    throw new RangeError(`Expected 0 ≤ correct ≤ samples and 1 ≤ k ≤ samples but received ${counts.join(', ')}`)
  }
  // 1 − C(samples − correct, k) / C(samples, k), without the large numbers.
  let none = 1
  for (let i = 0; i < k; i++) none *= Math.max(0, samples - correct - i) / (samples - i)
  return 1 - none
}

function byTokens(points: readonly CurvePoint[]): CurvePoint[] {
  return [...points].sort(([a], [b]) => a - b)
}
