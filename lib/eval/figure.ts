/** Accuracy over average thinking tokens as an SVG: one line per run, in its band of intervals. */
import { scaleLinear } from 'd3-scale'
import { area, line, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape'
import {
  escapeXml,
  horizontalLines,
  INK,
  PALETTE,
  path,
  round,
  svgDocument,
  text,
  upwardText,
  valuesBelow,
} from '../base/svg.js'
import type { Summary, WindowSummary } from './records.js'

export interface FigureRun {
  /** Stands in the legend. */
  label: string
  summary: Pick<Summary, 'options' | 'windows'>
}

const WIDTH = 720
const PLOT = { left: 64, right: WIDTH - 24, height: 340 }
/** Told apart in print too. */
const SYMBOLS = [symbolCircle, symbolSquare, symbolTriangle, symbolDiamond]
const LEGEND_LINE = 20

/** @throws {RangeError} for no runs, or a run without windows. */
export function figureOf(runs: readonly FigureRun[], title = 'Accuracy over thinking tokens'): string {
  if (runs.length === 0) throw new RangeError('Expected at least one run')
  const empty = runs.find(({ summary }) => summary.windows.length === 0)
  if (empty) throw new RangeError(`Expected a run with results but ${empty.label} has none`)

  const top = 56 + runs.length * LEGEND_LINE
  const bottom = top + PLOT.height
  const height = bottom + 72
  const longest = Math.max(1, ...runs.flatMap(({ summary }) => summary.windows.map(({ att }) => att)))
  // Room for marks and names at both ends.
  const x = scaleLinear([-0.04 * longest, 1.04 * longest], [PLOT.left, PLOT.right])
  const y = scaleLinear([0, 1], [bottom, top])

  const { task } = (runs[0] as FigureRun).summary.options
  const items = [...new Set(runs.map(({ summary }) => summary.options.items))].join(' and ')
  const plot = { ...PLOT, top, bottom }
  const ticks = x.ticks(8).filter((tick) => tick >= 0)
  const note = `${task}, ${items} items; bands and bars: 95% intervals; beside each point its window`
  return svgDocument({ width: WIDTH, height, title, titleAt: [PLOT.left, 30] }, [
    ...valuesBelow(ticks, x, plot, 'lines', String),
    ...horizontalLines(y.ticks(5), y, plot, (share) => `${Math.round(share * 100)}%`),
    text((PLOT.left + PLOT.right) / 2, bottom + 42, 'average thinking tokens', 'text-anchor="middle"'),
    upwardText(18, (top + bottom) / 2, 'accuracy'),
    text(PLOT.right, bottom + 62, note, `text-anchor="end" font-size="11" fill="${INK.faint}"`),
    ...runs.map((run, i) => legendLine(run.label, i)),
    ...runs.map((run, i) => runBand(run, i, x, y)),
    ...runs.map((run, i) => runLine(run, i, x, y)),
  ])
}

function legendLine(label: string, index: number): string {
  const y = 54 + index * LEGEND_LINE
  return (
    path(`M${PLOT.left} ${y - 4}h28`, colorOf(index), 'stroke-width="2"') +
    mark(PLOT.left + 14, y - 4, index) +
    text(PLOT.left + 38, y, label)
  )
}

type Scale = (value: number) => number

function pointsOf({ summary }: FigureRun): WindowSummary[] {
  return [...summary.windows].sort((a, b) => a.att - b.att)
}

/** Below all lines. */
function runBand(run: FigureRun, index: number, x: Scale, y: Scale): string {
  const band = area<WindowSummary>(
    ({ att }) => round(x(att)),
    ({ interval: [low] }) => round(y(low)),
    ({ interval: [, high] }) => round(y(high)),
  )(pointsOf(run)) as string
  return `<path d="${band}" fill="${colorOf(index)}" fill-opacity="0.12"/>`
}

function runLine(run: FigureRun, index: number, x: Scale, y: Scale): string {
  const points = pointsOf(run)
  const curve = line<WindowSummary>(
    ({ att }) => round(x(att)),
    ({ accuracy }) => round(y(accuracy)),
  )(points) as string
  const color = colorOf(index)
  const bars = points.map(({ att, interval: [low, high] }) => {
    const [at, from, to] = [x(att), y(low), y(high)].map(round) as [number, number, number]
    return path(`M${at} ${from}V${to}M${at - 4} ${from}h8M${at - 4} ${to}h8`, color, 'stroke-opacity="0.5"')
  })
  const marks = points.map((point) => mark(x(point.att), y(point.accuracy), index, toldOf(point, run.label)))
  const names = windowNames(points, index, x, y)
  return [path(curve, color, 'fill="none" stroke-width="2"'), ...bars, ...marks, ...names].join('\n')
}

/** Names of even lines stand to the left above their points, those of odd lines to the right below. */
function windowNames(points: readonly WindowSummary[], index: number, x: Scale, y: Scale): string[] {
  const [dx, dy, anchor, away] = index % 2 === 0 ? [-8, -6, 'end', -1] : [8, 15, 'start', 1]
  let previous: { left: number; top: number } | undefined
  // Away from the line, so that a name that must make room for another moves into the open.
  const order = [...points].sort((a, b) => away * (b.accuracy - a.accuracy))
  return order.map(({ att, accuracy, window }) => {
    const left = round(x(att)) + dx
    const level = round(y(accuracy))
    // Below the axis stand its own numbers.
    let top = level + dy > y(0) ? level - 7 : level + dy
    if (previous && Math.abs(left - previous.left) < 36 && away * (top - previous.top) < 13) {
      top = previous.top + away * 13
    }
    previous = { left, top }
    const name = (paint: string) => {
      return text(left, top, window === 'inf' ? '∞' : window, `text-anchor="${anchor}" font-size="11" ${paint}`)
    }
    // A white rim, as an element of its own: not every program knows paint-order.
    return name('fill="#fff" stroke="#fff" stroke-width="3"') + name(`fill="${colorOf(index)}"`)
  })
}

/** What a browser tells of a point under the pointer. */
function toldOf({ window, accuracy, interval: [low, high], att }: WindowSummary, label: string): string {
  const [share, from, to] = [accuracy, low, high].map((share) => (100 * share).toFixed(1))
  return `${label}, window ${window}: ${share}% (${from} … ${to}), ${att.toFixed(1)} thinking tokens`
}

function mark(x: number, y: number, index: number, told = ''): string {
  const shape = symbol(SYMBOLS[index % SYMBOLS.length], 64)() as string
  const place = `transform="translate(${round(x)} ${round(y)})" d="${shape}" fill="${colorOf(index)}"`
  return told === '' ? `<path ${place}/>` : `<path ${place}><title>${escapeXml(told)}</title></path>`
}

/** Of a run, in all drawings of a report. */
export function colorOf(index: number): string {
  return PALETTE[index % PALETTE.length] as string
}
