/** Statistics as one SVG: the histogram of lengths, and under it the most frequent trigrams. */
import { max } from 'd3-array'
import { scaleBand, scaleLinear } from 'd3-scale'
import {
  horizontalLines,
  INK,
  PALETTE,
  path,
  rect,
  round,
  svgDocument,
  text,
  upwardText,
  valuesBelow,
} from '../base/svg.js'
import type { Stats } from './stats.js'

const WIDTH = 760
const LEFT = 72
const RIGHT = WIDTH - 28
const HISTOGRAM = { left: LEFT, right: RIGHT, top: 84, bottom: 344 }
const BAR_HEIGHT = 22
/** Trigrams stand left of their bars, shortened to this many characters. */
const LABEL = { width: 240, length: 36 }
const [BAR, MEDIAN] = PALETTE

/** @param title Default: `Trajectories`. */
export function chartOf(stats: Stats, title = 'Trajectories'): string {
  const trigramsTop = HISTOGRAM.bottom + 104
  const height =
    stats.trigrams.length > 0 ? trigramsTop + stats.trigrams.length * BAR_HEIGHT + 24 : HISTOGRAM.bottom + 64
  return svgDocument({ width: WIDTH, height, title, titleAt: [LEFT, 32] }, [
    text(LEFT, 54, summaryOf(stats), `fill="${INK.faint}"`),
    ...histogram(stats),
    ...(stats.trigrams.length > 0 ? trigrams(stats, trigramsTop) : []),
  ])
}

function summaryOf({ records, tokens, mean, quantiles, max }: Stats): string {
  const median = quantiles[0.5] ?? 0
  return (
    `${grouped(records)} records, ${grouped(tokens)} tokens; ` +
    `mean ${grouped(mean)}, median ${grouped(median)}, longest ${grouped(max)}`
  )
}

function histogram({ histogram: bins, quantiles, records }: Stats): string[] {
  const { top, bottom } = HISTOGRAM
  const x = scaleLinear([0, bins.at(-1)?.to ?? 1], [LEFT, RIGHT])
  const y = scaleLinear([0, max(bins, (bin) => bin.records) ?? 1], [bottom, top]).nice(5)
  const bars = bins
    .filter((bin) => bin.records > 0)
    .map((bin) => {
      const [left, right, level] = [x(bin.from), x(bin.to), y(bin.records)]
      const gap = right - left > 3 ? 1 : 0
      return rect(left, level, right - left - gap, bottom - level, BAR)
    })
  return [
    ...horizontalLines(y.ticks(5), y, HISTOGRAM, grouped),
    ...valuesBelow(x.ticks(8), x, HISTOGRAM, 'marks', grouped),
    ...bars,
    ...(records > 0 ? medianLine(x(quantiles[0.5] ?? 0)) : []),
    text((LEFT + RIGHT) / 2, bottom + 44, 'tokens of a response', 'text-anchor="middle"'),
    upwardText(18, (top + bottom) / 2, 'records'),
  ]
}

function medianLine(x: number): string[] {
  const { top, bottom } = HISTOGRAM
  return [
    path(`M${round(x)} ${top - 6}V${bottom}`, MEDIAN, 'stroke-width="2" stroke-dasharray="5 3"'),
    text(x + 5, top - 2, 'median', `fill="${MEDIAN}" font-size="11"`),
  ]
}

function trigrams({ trigrams: list, trigramError }: Stats, top: number): string[] {
  const left = LEFT + LABEL.width - 40
  const x = scaleLinear([0, max(list, ({ count }) => count) ?? 1], [left, RIGHT - 64])
  const y = scaleBand(
    list.map((_, i) => i),
    [top, top + list.length * BAR_HEIGHT],
  ).padding(0.25)
  const note = trigramError > 0 ? `, counts at most ${grouped(trigramError)} too high` : ''
  return [
    text(LEFT, top - 14, `Most frequent runs of three words${note}`, 'font-weight="600"'),
    ...list.map(({ text: words, count }, i) => {
      const at = y(i) as number
      const middle = at + y.bandwidth() / 2 + 4.5
      return (
        text(left - 8, middle, shortened(words), 'text-anchor="end"') +
        rect(left, at, x(count) - left, y.bandwidth(), BAR) +
        text(x(count) + 6, middle, grouped(count), `font-size="12" fill="${INK.faint}"`)
      )
    }),
  ]
}

function shortened(words: string): string {
  const characters = Array.from(words)
  return characters.length > LABEL.length ? `${characters.slice(0, LABEL.length - 1).join('')}…` : words
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
