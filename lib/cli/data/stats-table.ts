/** The statistics of a set as text. */
import type { Bin, Group, Stats } from '../../data/stats.js'
import { table } from '../table.js'

/** Columns of the longest bar. */
const BAR = 40

export function statsTable(stats: Stats): string {
  const { records, tokens, mean, min, max, quantiles, histogram, families, difficulties, trigrams, trigramError } =
    stats
  const shares = Object.entries(quantiles).map(([share, length]) => `${Number(share) * 100}% ${grouped(length)}`)
  const parts = [
    table([
      ['records', grouped(records)],
      ['tokens', grouped(tokens)],
      ['length', `mean ${grouped(mean)}, from ${grouped(min)} to ${grouped(max)}`],
      ['quantiles', shares.join('  ')],
    ]),
    titled('length in tokens', histogram.length > 0 ? bars(histogram) : ''),
    titled('families', groups(families)),
    titled('difficulty', groups(difficulties)),
    titled(
      trigramError > 0 ? `frequent trigrams (counts at most ${grouped(trigramError)} too high)` : 'frequent trigrams',
      trigrams.length > 0 ? table(trigrams.map(({ text, count }) => [text, grouped(count)])) : '',
    ),
  ]
  return parts.filter(Boolean).join('\n')
}

function titled(title: string, body: string): string {
  return body && `${title}\n${body.replace(/^/gm, '  ').trimEnd()}\n`
}

/** Half as many bars as bins: a terminal is no taller. */
function bars(histogram: Bin[]): string {
  const rows: Bin[] = []
  for (let i = 0; i < histogram.length; i += 2) {
    const [a, b] = [histogram[i] as Bin, histogram[i + 1]]
    rows.push({ from: a.from, to: b?.to ?? a.to, records: a.records + (b?.records ?? 0) })
  }
  const most = Math.max(1, ...rows.map((bin) => bin.records))
  const name = ({ from, to }: Bin) => `${grouped(from)}–${grouped(to - 1)}`
  return table(
    rows.map((bin) => [
      name(bin),
      `${'█'.repeat(Math.round((bin.records / most) * BAR))} ${grouped(bin.records)}`.trim(),
    ]),
  )
}

function groups(found: Record<string, Group>): string {
  const rows = Object.entries(found)
  if (rows.length === 0) return ''
  return table(
    rows.map(([name, { records, mean }]) => [name, `${grouped(records)} records, mean length ${grouped(mean)}`]),
  )
}

function grouped(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}
