/** Figures as tables of text, for people. */
import { SYMBOLIC_PACKAGE } from '../grading/symbolic.js'
import type { Comparison } from './compare.js'
import type { CurveComparison } from './compare-curves.js'
import { area, performance, scaling } from './curve.js'
import type { Figures, Summary, WindowSummary } from './records.js'
import type { Interval } from './statistics.js'

const UNSAFE =
  'WARNING: the answers of this run were executed without a sandbox (--unsafe-execution): programs that a model had written\n' +
  'ran with all rights of the user, and could change files, use the network, and forge their results.'

const WITHOUT_SYMBOLS =
  `Answers were compared without ${SYMBOLIC_PACKAGE}, which is not installed: sums, integrals, complex numbers and the like ` +
  'count only where they are written alike'

/** All tables of a run. */
export function reportOf({ options, symbolic, done, total, windows, differences }: Summary): string {
  // What no response of the run has is not shown.
  const endings = (['self', 'window', 'length', 'loop', 'early', 'stated'] as const).filter(
    (name, i) => i < 3 || windows.some(({ ended }) => ended[name] > 0),
  )
  const isScored = windows.some(({ score }) => score !== undefined)
  const parts = [
    options.grader?.sandbox === null ? UNSAFE : '',
    `${options.task}, ${options.items} items, method ${options.method}` +
      (done < total ? `: not finished, ${done} of ${total} responses` : ''),
    columns([
      [
        ...['window', 'accuracy, %', '95%'],
        ...(isScored ? ['score, %', '95%'] : []),
        ...['ATT', 'generated', 'hint', 'all'],
        ...endings.map((name) => `${name}, %`),
        ...['unanswered, %', 'in form, %', 'ρ'],
      ],
      ...windows.map((window) => [
        window.window,
        percent(window.accuracy),
        interval(window.interval),
        ...(isScored ? [percent(window.score?.mean ?? 0), interval(window.score?.interval ?? [0, 0])] : []),
        window.att.toFixed(1),
        window.generatedTokens.toFixed(1),
        window.hintTokens === null ? '–' : window.hintTokens.toFixed(1),
        window.totalTokens === null ? '–' : window.totalTokens.toFixed(1),
        ...endings.map((name) => percent(window.ended[name])),
        percent(window.unanswered),
        window.inForm === null ? '–' : percent(window.inForm),
        window.spearman === null ? '–' : window.spearman.toFixed(2),
      ]),
    ]),
    ...namesIn(windows, ({ groups }) => groups).map((name) => groupTable(name, windows)),
    columns([
      ['windows', 'difference, %', '95%'],
      ...differences.map(({ from, to, difference, interval: bounds }) => [
        `${from} → ${to}`,
        signed(difference),
        interval(bounds),
      ]),
    ]),
    curveLine(windows),
    symbolic === null ? WITHOUT_SYMBOLS : '',
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** The windows as one curve; '' where they are not. */
function curveLine(windows: readonly WindowSummary[]): string {
  const points = windows.map(({ att, accuracy }) => [att, accuracy] as const)
  const [slope, best, mean] = [scaling(points), performance(points), area(points)]
  if (slope === null || best === null || mean === null) return ''
  return (
    `best ${percent(best)}%, mean over thinking tokens ${percent(mean)}% (area under the curve), ` +
    `scaling ${signed(100 * slope)} points per 100 tokens`
  )
}

/** Two runs, window by window. */
export function reportOfComparison(comparisons: readonly Comparison[]): string {
  return columns([
    [
      ...['window A', 'window B', 'accuracy A, %', 'accuracy B, %', 'A − B, %', '95%', 'only A', 'only B', 'p'],
      ...['ATT A', 'ATT B', 'A / B', '95%', 'all A', 'all B', 'A / B', '95%'],
    ],
    ...comparisons.map(({ a, b, difference, interval: bounds, mcnemar, ...ratios }) => [
      a.window,
      b.window,
      percent(a.accuracy),
      percent(b.accuracy),
      signed(difference),
      interval(bounds),
      ...(mcnemar ? [String(mcnemar.onlyA), String(mcnemar.onlyB), probability(mcnemar.p)] : ['–', '–', '–']),
      a.att.toFixed(1),
      b.att.toFixed(1),
      ...ratio(ratios.attRatio, ratios.attRatioInterval),
      a.tokens.toFixed(1),
      b.tokens.toFixed(1),
      ...ratio(ratios.tokenRatio, ratios.tokenRatioInterval),
    ]),
  ])
}

/** Two runs as curves, and at equal cost. */
export function reportOfCurves({ a, b, range, areaDifference, areaInterval, atEqualTokens }: CurveComparison): string {
  const share = (value: number | null) => (value === null ? '–' : percent(value))
  const slope = (value: number | null) => (value === null ? '–' : signed(100 * value))
  const shared =
    range && areaDifference !== null && areaInterval
      ? `from ${range.map((end) => end.toFixed(1)).join(' to ')} tokens, mean accuracy A − B: ` +
        `${signed(areaDifference)} points (${interval(areaInterval)})`
      : 'the runs have no range of tokens in common'
  const parts = [
    columns([
      ['run', 'best, %', 'mean over tokens, %', 'points per 100 tokens'],
      ...[a, b].map((each, i) => ['AB'[i] as string, share(each.performance), share(each.area), slope(each.scaling)]),
    ]),
    shared,
    columns([
      ['window A', 'all tokens', 'accuracy A, %', 'B at as many, %', 'A − B, %', '95%'],
      ...atEqualTokens.map(({ window, tokens, accuracyA, accuracyB, difference, interval: bounds }) => [
        window,
        tokens.toFixed(1),
        percent(accuracyA),
        percent(accuracyB),
        signed(difference),
        interval(bounds),
      ]),
    ]),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function ratio(value: number | null, bounds: Interval | null): [string, string] {
  if (value === null || !bounds) return ['–', '–']
  return [value.toFixed(3), bounds.map((bound) => bound.toFixed(3)).join(' … ')]
}

function probability(p: number): string {
  return p < 0.001 ? '< 0.001' : p.toFixed(3)
}

/** Accuracy by value of a group and window. */
function groupTable(name: string, windows: readonly WindowSummary[]): string {
  const figuresOf = ({ groups }: WindowSummary): Record<string, Figures> => groups[name] ?? {}
  return columns([
    [`${name}, %`, ...windows.map(({ window }) => window)],
    ...namesIn(windows, figuresOf).map((value) => [
      value,
      ...windows.map((window) => {
        const figures = new Map(Object.entries(figuresOf(window))).get(value)
        return figures ? `${percent(figures.accuracy)} (${interval(figures.interval)})` : '–'
      }),
    ]),
  ])
}

function namesIn(windows: readonly WindowSummary[], objectOf: (window: WindowSummary) => object): string[] {
  return [...new Set(windows.flatMap((window) => Object.keys(objectOf(window))))]
}

/** Left-aligned names, right-aligned figures. '' for a table without rows. */
export function columns([header, ...rows]: string[][]): string {
  if (rows.length === 0 || !header) return ''
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  return all
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd : cell.padStart).call(cell, widths[i] as number)).join('  '),
    )
    .join('\n')
}

export function percent(share: number): string {
  return (share * 100).toFixed(1)
}

export function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${percent(share)}`
}

export function interval([low, high]: Interval): string {
  return `${percent(low)} … ${percent(high)}`
}
