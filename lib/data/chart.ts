/** Statistics as one SVG: the histogram of lengths, and under it the most frequent trigrams. */
import { scaleBand, scaleLinear } from 'd3-scale'
import type { Stats } from './stats.js'

const WIDTH = 760
const LEFT = 72
const RIGHT = WIDTH - 28
const HISTOGRAM = { top: 84, height: 260 }
const BAR_HEIGHT = 22
/** Trigrams stand left of their bars, shortened to this many characters. */
const LABEL = { width: 240, length: 36 }
const COLORS = { bar: '#0072b2', median: '#d55e00', grid: '#e4e4e4', axis: '#888', text: '#222', faint: '#666' }

/** @param title Default: `Trajectories`. */
export function chartOf(stats: Stats, title = 'Trajectories'): string {
  const bottom = HISTOGRAM.top + HISTOGRAM.height
  const trigramsTop = bottom + 104
  const height = stats.trigrams.length > 0 ? trigramsTop + stats.trigrams.length * BAR_HEIGHT + 24 : bottom + 64
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}"`,
    ` font-family="system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif" font-size="13" fill="${COLORS.text}">`,
    `<title>${escapeXml(title)}</title>`,
    '<rect width="100%" height="100%" fill="#fff"/>',
    text(LEFT, 32, title, 'font-size="17" font-weight="600"'),
    text(LEFT, 54, summaryOf(stats), `fill="${COLORS.faint}"`),
    ...histogram(stats, bottom),
    ...(stats.trigrams.length > 0 ? trigrams(stats, trigramsTop) : []),
    '</svg>\n',
  ].join('\n')
}

function summaryOf({ records, tokens, mean, quantiles, max }: Stats): string {
  const median = quantiles[0.5] ?? 0
  return (
    `${grouped(records)} records, ${grouped(tokens)} tokens; ` +
    `mean ${grouped(mean)}, median ${grouped(median)}, longest ${grouped(max)}`
  )
}

function histogram({ histogram: bins, quantiles, records }: Stats, bottom: number): string[] {
  const x = scaleLinear([0, bins.at(-1)?.to ?? 1], [LEFT, RIGHT])
  const y = scaleLinear([0, Math.max(1, ...bins.map((bin) => bin.records))], [bottom, HISTOGRAM.top]).nice(5)
  const bars = bins
    .filter((bin) => bin.records > 0)
    .map((bin) => {
      const [left, right, top] = [x(bin.from), x(bin.to), y(bin.records)]
      const gap = right - left > 3 ? 1 : 0
      return (
        `<rect x="${round(left)}" y="${round(top)}" width="${round(right - left - gap)}" ` +
        `height="${round(bottom - top)}" fill="${COLORS.bar}"/>`
      )
    })
  const median = x(quantiles[0.5] ?? 0)
  return [
    ...y.ticks(5).map((tick) => {
      const at = round(y(tick))
      const color = tick === 0 ? COLORS.axis : COLORS.grid
      return `${path(`M${LEFT} ${at}H${RIGHT}`, color)}${text(LEFT - 8, at + 4.5, grouped(tick), 'text-anchor="end"')}`
    }),
    ...x.ticks(8).map((tick) => {
      const at = round(x(tick))
      return `${path(`M${at} ${bottom}v5`, COLORS.axis)}${text(at, bottom + 20, grouped(tick), 'text-anchor="middle"')}`
    }),
    ...bars,
    ...(records > 0
      ? [
          path(
            `M${round(median)} ${HISTOGRAM.top - 6}V${bottom}`,
            COLORS.median,
            'stroke-width="2" stroke-dasharray="5 3"',
          ),
          text(median + 5, HISTOGRAM.top - 2, 'median', `fill="${COLORS.median}" font-size="11"`),
        ]
      : []),
    text((LEFT + RIGHT) / 2, bottom + 44, 'tokens of a response', 'text-anchor="middle"'),
    `<text transform="translate(18 ${(HISTOGRAM.top + bottom) / 2}) rotate(-90)" text-anchor="middle">records</text>`,
  ]
}

function trigrams({ trigrams: list, trigramError }: Stats, top: number): string[] {
  const left = LEFT + LABEL.width - 40
  const x = scaleLinear([0, Math.max(...list.map(({ count }) => count))], [left, RIGHT - 64])
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
        `<rect x="${left}" y="${round(at)}" width="${round(x(count) - left)}" height="${round(y.bandwidth())}" ` +
        `fill="${COLORS.bar}"/>` +
        text(x(count) + 6, middle, grouped(count), `font-size="12" fill="${COLORS.faint}"`)
      )
    }),
  ]
}

function shortened(words: string): string {
  const characters = Array.from(words)
  return characters.length > LABEL.length ? `${characters.slice(0, LABEL.length - 1).join('')}…` : words
}

function path(d: string, stroke: string, more = ''): string {
  return `<path d="${d}" stroke="${stroke}"${more && ` ${more}`}/>`
}

function text(x: number, y: number, content: string, attributes = ''): string {
  return `<text x="${round(x)}" y="${round(y)}"${attributes && ` ${attributes}`}>${escapeXml(content)}</text>`
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}

/** Control characters, which XML cannot hold, become spaces. */
function escapeXml(content: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  const printable = content.replace(/[\u0000-\u001f\ufffe\uffff]|\p{Surrogate}/gu, ' ')
  return printable.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
