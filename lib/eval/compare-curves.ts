/** Two finished runs over the same items as curves of accuracy over all tokens, whatever their windows and methods. */
import { accuracyAt, area, areaWithin, type CurvePoint, performance, scaling } from './curve.js'
import { type FinishedRun, type ItemsAt, itemsAt, readPair } from './pair.js'
import { bootstrap, type Interval, mean, meanAt } from './statistics.js'

/** A run as one curve; null where it has less than two lengths. */
export interface CurveFigures {
  /** The best accuracy: s1's Performance. */
  performance: number | null
  /** s1's Scaling, in accuracy per token. */
  scaling: number | null
  /** Mean accuracy over its own lengths. */
  area: number | null
}

/** A window of run A, and run B at the same cost. */
export interface EqualTokens {
  /** Of run A. */
  window: string
  /** Average of all tokens after the prompt that run A takes there. */
  tokens: number
  accuracyA: number
  /** On the line between the windows of run B. */
  accuracyB: number
  /** Accuracy of A less that of B, with a paired bootstrap interval over items in which both costs vary, too. */
  difference: number
  interval: Interval
}

export interface CurveComparison {
  a: CurveFigures
  b: CurveFigures
  /** Tokens that both curves have, and A less B there in mean accuracy, with a paired bootstrap interval; null: they have none. */
  range: [from: number, to: number] | null
  areaDifference: number | null
  areaInterval: Interval | null
  /** The windows of run A whose cost lies between those of run B. */
  atEqualTokens: EqualTokens[]
}

/**
 * Compares runs at equal cost: tokens are all that was decoded after the prompt, with hints and probes.
 * @throws {Error} for runs that are not finished, or were run on different items.
 */
export async function compareCurves(directoryA: string, directoryB: string): Promise<CurveComparison> {
  const [a, b] = (await readPair(directoryA, directoryB)).map(windowsOf) as [ItemsAt[], ItemsAt[]]
  const n = (a[0] as ItemsAt).accuracy.length
  const all = Int32Array.from({ length: n }, (_, i) => i)
  const [curveA, curveB] = [curveOf(a, all), curveOf(b, all)]
  const range = sharedRange(curveA, curveB)
  const difference = (indices: Int32Array) => {
    const [x, y] = [curveOf(a, indices), curveOf(b, indices)].map((curve) => areaWithin(curve, range ?? [0, 1]))
    return (x as number) - (y as number)
  }
  return {
    a: figuresOf(curveA),
    b: figuresOf(curveB),
    range,
    areaDifference: range && difference(all),
    areaInterval: range && bootstrap(n, difference, { resamples: RESAMPLES }),
    atEqualTokens: a.flatMap((items) => atEqualTokens(items, b) ?? []),
  }
}

/** Each draws the items of all windows. */
const RESAMPLES = 2000

function windowsOf(run: FinishedRun): ItemsAt[] {
  return run.options.windows.map((window) => itemsAt(run, window))
}

function curveOf(windows: readonly ItemsAt[], indices: Int32Array): CurvePoint[] {
  return windows.map(({ totalTokens, accuracy }) => [meanAt(totalTokens, indices), meanAt(accuracy, indices)])
}

function figuresOf(curve: CurvePoint[]): CurveFigures {
  return { performance: performance(curve), scaling: scaling(curve), area: area(curve) }
}

function sharedRange(a: CurvePoint[], b: CurvePoint[]): [number, number] | null {
  const [x, y] = [a, b].map((curve) => curve.map(([tokens]) => tokens)) as [number[], number[]]
  const [from, to] = [Math.max(Math.min(...x), Math.min(...y)), Math.min(Math.max(...x), Math.max(...y))]
  return from < to ? [from, to] : null
}

/** Null where the curve does not go as far. @param b The windows of a curve, with the same items. */
export function atEqualTokens({ window, totalTokens, accuracy }: ItemsAt, b: readonly ItemsAt[]): EqualTokens | null {
  const curve = curveOf(
    b,
    Int32Array.from(accuracy, (_, i) => i),
  )
  const tokens = mean(totalTokens)
  const costs = curve.map(([cost]) => cost)
  if (tokens < Math.min(...costs) || tokens > Math.max(...costs)) return null
  const difference = (indices: Int32Array) =>
    meanAt(accuracy, indices) - accuracyAt(curveOf(b, indices), meanAt(totalTokens, indices))
  const [accuracyA, accuracyB] = [mean(accuracy), accuracyAt(curve, tokens)]
  const interval = bootstrap(accuracy.length, difference, { resamples: RESAMPLES })
  return { window, tokens, accuracyA, accuracyB, difference: accuracyA - accuracyB, interval }
}
