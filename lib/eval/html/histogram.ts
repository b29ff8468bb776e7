/** How long the thinking is under the largest window, as an SVG: a row per run, and where the smaller windows cut it. */
import { bin, max } from 'd3-array'
import { scaleLinear } from 'd3-scale'
import { horizontalLines, INK, path, rect, round, svgDocument, text, valuesBelow } from '../../base/svg.js'
import { colorOf } from '../figure.js'

export interface HistogramRun {
  label: string
  /** Under which the lengths were measured. */
  window: string
  lengths: { tokens: number; correct: boolean }[]
  /** Windows in tokens, for a mark each. */
  cuts: number[]
  /** Its color's place. */
  index: number
}

const WIDTH = 720
const ROW = 168
const PLOT = { left: 64, right: WIDTH - 24 }
const BINS = 36
/** Of wrong responses. */
const PALE = 'fill-opacity="0.35"'

/** @param runs One or more, each with a length or more. */
export function histogramOf(runs: readonly HistogramRun[], title: string): string {
  const longest = Math.max(1, ...runs.flatMap(({ lengths }) => lengths.map(({ tokens }) => tokens)))
  const x = scaleLinear([0, longest], [PLOT.left, PLOT.right])
  const top = 44
  const height = top + runs.length * ROW + 30
  return svgDocument({ width: WIDTH, height, title, titleAt: [PLOT.left, 30] }, [
    ...runs.map((run, i) => runRow(run, x, top + i * ROW)),
    text((PLOT.left + PLOT.right) / 2, height - 10, 'thinking tokens of a response', 'text-anchor="middle"'),
  ])
}

type Scale = ReturnType<typeof scaleLinear<number, number>>

function runRow({ label, window, lengths, cuts, index }: HistogramRun, x: Scale, start: number): string {
  const plot = { ...PLOT, top: start + 44, bottom: start + ROW - 26 }
  const [low = 0, high = 1] = x.domain()
  const bins = bin<HistogramRun['lengths'][number], number>()
    .value(({ tokens }) => tokens)
    .domain([low, high])
    .thresholds(x.ticks(BINS))(lengths)
  const most = max(bins, (bin) => bin.length) ?? 1
  const y = scaleLinear([0, most], [plot.bottom, plot.top])
  const color = colorOf(index)
  const bars = bins.map((bin) => {
    const [left, right] = [x(bin.x0 ?? 0) + 0.5, x(bin.x1 ?? 0) - 0.5]
    const correct = bin.filter(({ correct }) => correct).length
    const width = Math.max(1, right - left)
    const onTop = rect(left, y(bin.length), width, y(correct) - y(bin.length), color, PALE)
    const below = rect(left, y(correct), width, plot.bottom - y(correct), color)
    return (correct < bin.length ? onTop : '') + (correct > 0 ? below : '')
  })
  const whole = y.ticks(3).filter(Number.isInteger)
  return [
    ...horizontalLines(whole, y, plot, String),
    ...valuesBelow(x.ticks(8), x, plot, 'marks', String),
    ...bars,
    ...cutMarks(cuts, lengths, x, plot),
    text(plot.left, start + 22, `${label}, window ${window === 'inf' ? '∞' : window}`, 'font-weight="600"'),
    ...legend(color, start + 22),
  ].join('\n')
}

function legend(color: string, y: number): string[] {
  return [
    rect(PLOT.right - 122, y - 10, 11, 11, color),
    text(PLOT.right - 106, y, 'right'),
    rect(PLOT.right - 60, y - 10, 11, 11, color, PALE),
    text(PLOT.right - 44, y, 'wrong'),
  ]
}

/** A line at each window, with the share of responses that go on past it. Names that would meet are left out. */
function cutMarks(cuts: number[], lengths: HistogramRun['lengths'], x: Scale, plot: { top: number; bottom: number }) {
  let last = -Infinity
  const [, high = 1] = x.domain()
  return cuts
    .filter((cut) => cut > 0 && cut <= high)
    .sort((a, b) => a - b)
    .map((cut) => {
      const at = round(x(cut))
      const longer = lengths.filter(({ tokens }) => tokens > cut).length / lengths.length
      const line = path(`M${at} ${plot.top - 4}V${plot.bottom}`, INK.faint, 'stroke-dasharray="3 3"')
      if (at - last < 50) return line
      last = at
      const name = `${cut}: ${Math.round(100 * longer)}%`
      const anchor = at > PLOT.right - 60 ? 'end' : 'start'
      return line + text(at, plot.top - 8, name, `text-anchor="${anchor}" font-size="11" fill="${INK.faint}"`)
    })
}
