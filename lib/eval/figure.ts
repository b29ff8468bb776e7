/** Accuracy over average thinking tokens as an SVG: one line per run, an interval bar at each window. */
import { scaleLinear } from 'd3-scale'
import { line, symbol, symbolCircle, symbolDiamond, symbolSquare, symbolTriangle } from 'd3-shape'
import type { Summary, WindowSummary } from './records.js'

export interface FigureRun {
  /** Stands in the legend. */
  label: string
  summary: Pick<Summary, 'options' | 'windows'>
}

const WIDTH = 720
const PLOT = { left: 64, right: WIDTH - 24, height: 340 }
/** Okabe and Ito's: told apart by colour-blind readers too, as are the symbols in print. */
const COLORS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9']
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

  const { task, items } = (runs[0] as FigureRun).summary.options
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    ' font-family="system-ui, -apple-system, \'Segoe UI\', Helvetica, Arial, sans-serif" font-size="13" fill="#222">',
    `<title>${escapeXml(title)}</title>`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    `<text x="${PLOT.left}" y="30" font-size="17" font-weight="600">${escapeXml(title)}</text>`,
    ...x
      .ticks(8)
      .filter((tick) => tick >= 0)
      .map((tick) => verticalTick(x(tick), tick, top, bottom)),
    ...y.ticks(5).map((tick) => horizontalTick(y(tick), tick)),
    `<text x="${(PLOT.left + PLOT.right) / 2}" y="${bottom + 42}" text-anchor="middle">average thinking tokens</text>`,
    `<text transform="translate(18 ${(top + bottom) / 2}) rotate(-90)" text-anchor="middle">accuracy</text>`,
    `<text x="${PLOT.right}" y="${bottom + 62}" text-anchor="end" font-size="11" fill="#666">` +
      `${escapeXml(task)}, ${items} items; bars: 95% intervals; beside each point its window</text>`,
    ...runs.map((run, i) => legendLine(run.label, i)),
    ...runs.map((run, i) => runLine(run, i, x, y)),
    '</svg>\n',
  ].join('\n')
}

function verticalTick(at: number, value: number, top: number, bottom: number): string {
  return (
    `<path d="M${round(at)} ${top}V${bottom}" stroke="#e4e4e4"/>` +
    `<text x="${round(at)}" y="${bottom + 20}" text-anchor="middle">${value}</text>`
  )
}

function horizontalTick(at: number, value: number): string {
  return (
    `<path d="M${PLOT.left} ${round(at)}H${PLOT.right}" stroke="${value === 0 ? '#888' : '#e4e4e4'}"/>` +
    `<text x="${PLOT.left - 8}" y="${round(at + 4.5)}" text-anchor="end">${Math.round(value * 100)}%</text>`
  )
}

function legendLine(label: string, index: number): string {
  const y = 54 + index * LEGEND_LINE
  return (
    `<path d="M${PLOT.left} ${y - 4}h28" stroke="${colorOf(index)}" stroke-width="2"/>` +
    `<path transform="translate(${PLOT.left + 14} ${y - 4})" d="${markOf(index)}" fill="${colorOf(index)}"/>` +
    `<text x="${PLOT.left + 38}" y="${y}">${escapeXml(label)}</text>`
  )
}

type Scale = (value: number) => number

function runLine({ summary }: FigureRun, index: number, x: Scale, y: Scale): string {
  const points = [...summary.windows].sort((a, b) => a.att - b.att)
  const path = line<WindowSummary>(
    ({ att }) => round(x(att)),
    ({ accuracy }) => round(y(accuracy)),
  )(points)
  const color = colorOf(index)
  const bars = points.map(({ att, interval: [low, high] }) => {
    const [at, from, to] = [x(att), y(low), y(high)].map(round) as [number, number, number]
    return `<path d="M${at} ${from}V${to}M${at - 4} ${from}h8M${at - 4} ${to}h8" stroke="${color}"/>`
  })
  const marks = points.map(({ att, accuracy }) => {
    return `<path transform="translate(${round(x(att))} ${round(y(accuracy))})" d="${markOf(index)}" fill="${color}"/>`
  })
  const curve = `<path d="${path}" fill="none" stroke="${color}" stroke-width="2"/>`
  return [curve, ...bars, ...marks, ...windowNames(points, index, x, y)].join('\n')
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
    const name = escapeXml(window === 'inf' ? '∞' : window)
    const text = (paint: string) =>
      `<text x="${left}" y="${top}" text-anchor="${anchor}" font-size="11" ${paint}>${name}</text>`
    // A white rim, as an element of its own: not every program knows paint-order.
    return text('fill="#fff" stroke="#fff" stroke-width="3"') + text(`fill="${colorOf(index)}"`)
  })
}

function colorOf(index: number): string {
  return COLORS[index % COLORS.length] as string
}

function markOf(index: number): string {
  return symbol(SYMBOLS[index % SYMBOLS.length], 64)() as string
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
