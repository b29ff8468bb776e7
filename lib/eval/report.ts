/** Figures as tables of text, for people. */
import type { Comparison } from './compare.js'
import { area, performance, scaling } from './curve.js'
import type { Figures, Summary, WindowSummary } from './records.js'
import type { Interval } from './statistics.js'

const UNSAFE =
  'WARNING: the answers of this run were executed without a sandbox (--unsafe-execution): programs that a model had written\n' +
  'ran with all rights of the user, and could change files, use the network, and forge their results.'

/** All tables of a run. */
export function reportOf({ options, done, total, windows, differences }: Summary): string {
  const parts = [
    options.grader?.sandbox === null ? UNSAFE : '',
    `${options.task}, ${options.items} items, method ${options.method}` +
      (done < total ? `: not finished, ${done} of ${total} responses` : ''),
    columns([
      [
        ...['window', 'accuracy, %', '95%', 'ATT', 'generated', 'hint'],
        ...['self, %', 'window, %', 'length, %', 'unanswered, %', 'in form, %', 'ρ'],
      ],
      ...windows.map((window) => [
        window.window,
        percent(window.accuracy),
        interval(window.interval),
        window.att.toFixed(1),
        window.generatedTokens.toFixed(1),
        window.hintTokens === null ? '–' : window.hintTokens.toFixed(1),
        percent(window.ended.self),
        percent(window.ended.window),
        percent(window.ended.length),
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
    ['window A', 'window B', 'accuracy A, %', 'accuracy B, %', 'A − B, %', '95%', 'ATT A', 'ATT B', 'A / B', '95%'],
    ...comparisons.map(({ a, b, difference, interval: bounds, attRatio, attRatioInterval }) => [
      a.window,
      b.window,
      percent(a.accuracy),
      percent(b.accuracy),
      signed(difference),
      interval(bounds),
      a.att.toFixed(1),
      b.att.toFixed(1),
      attRatio === null ? '–' : attRatio.toFixed(3),
      attRatioInterval === null ? '–' : attRatioInterval.map((bound) => bound.toFixed(3)).join(' … '),
    ]),
  ])
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
function columns([header, ...rows]: string[][]): string {
  if (rows.length === 0 || !header) return ''
  const all = [header, ...rows]
  const widths = header.map((_, column) => Math.max(...all.map((row) => (row[column] as string).length)))
  return all
    .map((row) =>
      row.map((cell, i) => (i === 0 ? cell.padEnd : cell.padStart).call(cell, widths[i] as number)).join('  '),
    )
    .join('\n')
}

function percent(share: number): string {
  return (share * 100).toFixed(1)
}

function signed(share: number): string {
  return `${share > 0 ? '+' : ''}${percent(share)}`
}

function interval([low, high]: Interval): string {
  return `${percent(low)} … ${percent(high)}`
}
