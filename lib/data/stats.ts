/** `stats`: what a set holds, in numbers. */
import { bin, mean, range, sum, tickIncrement } from 'd3-array'
import { count } from '../base/checks.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { countOf, textOf } from '../base/rows.js'
import { fileNames, JOB_OPTIONS, type JobOptions } from './options.js'
import { rowsOf } from './resumable-run.js'
import { type Trigram, TrigramCounter } from './trigrams.js'

/** Numbers of records and of their tokens. */
export interface Group {
  records: number
  tokens: number
  /** Mean tokens of a record; 0 if there is none. */
  mean: number
}

export interface Bin {
  /** Smallest length in it, in tokens. */
  from: number
  /** Smallest length beyond it. */
  to: number
  records: number
}

export interface Stats extends Group {
  min: number
  max: number
  /** Length under which a share of the records lies (nearest rank): by 0.05, 0.25, 0.5, 0.75, 0.95 and 0.99. */
  quantiles: Record<string, number>
  histogram: Bin[]
  /** In alphabetical order; empty where no record says it. */
  families: Record<string, Group>
  /** In order of difficulty; empty where no record says it. */
  difficulties: Record<string, Group>
  trigrams: Trigram[]
  /** How much the trigrams' counts may be too high; 0: they are exact. */
  trigramError: number
}

export interface StatsOptions extends Pick<JobOptions, 'signal' | 'onProgress'> {
  inputs: readonly string[]
  /** Trigrams to list, ≥ 0. Default 15. */
  trigrams?: number | undefined
}

const STATS_OPTIONS = {
  inputs: required(fileNames),
  trigrams: option(count(0), 15),
  signal: JOB_OPTIONS.signal,
  onProgress: JOB_OPTIONS.onProgress,
} satisfies Record<keyof StatsOptions, Option<unknown>>

const QUANTILES = [0.05, 0.25, 0.5, 0.75, 0.95, 0.99]
const BINS = 40

/**
 * @throws {TypeError|RangeError} for invalid options.
 * @throws {Error} naming file and line of a row without `token_num_qwen` or `response`.
 */
export async function stats(options: StatsOptions): Promise<Stats> {
  const { inputs, trigrams, signal, onProgress } = readOptions(STATS_OPTIONS, options)
  const lengths: number[] = []
  const families = new Map<string, Group>()
  const difficulties = new Map<string, Group>()
  const counter = new TrigramCounter()
  for await (const { value: row, fraction } of rowsOf(inputs, null)) {
    signal?.throwIfAborted()
    const { family, difficulty } = row.columns
    const tokens = countOf(row, 'token_num_qwen')
    lengths.push(tokens)
    if (typeof family === 'string') tally(families, family, tokens)
    if (typeof difficulty === 'number') tally(difficulties, String(difficulty), tokens)
    if (trigrams !== 0) counter.add(textOf(row, 'response'))
    onProgress?.({ fraction, read: lengths.length, kept: lengths.length })
  }

  const sorted = Float64Array.from(lengths).sort()
  return {
    records: sorted.length,
    tokens: sum(sorted),
    mean: mean(sorted) ?? 0,
    min: sorted[0] ?? 0,
    max: sorted.at(-1) ?? 0,
    quantiles: Object.fromEntries(QUANTILES.map((share) => [share, quantileOf(sorted, share)])),
    histogram: histogramOf(sorted),
    families: grouped(families, (a, b) => (a < b ? -1 : 1)),
    difficulties: grouped(difficulties, (a, b) => Number(a) - Number(b)),
    trigrams: counter.top(trigrams),
    trigramError: counter.error,
  }
}

function tally(groups: Map<string, Group>, name: string, tokens: number): void {
  const group = groups.get(name) ?? { records: 0, tokens: 0, mean: 0 }
  group.records += 1
  group.tokens += tokens
  group.mean = group.tokens / group.records
  groups.set(name, group)
}

/** Properties that look like integers come in their own order, whatever the order here; difficulties are such. */
function grouped(groups: Map<string, Group>, order: (a: string, b: string) => number): Record<string, Group> {
  return Object.fromEntries([...groups].sort(([a], [b]) => order(a, b)))
}

function quantileOf(sorted: Float64Array, share: number): number {
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0
}

/** Bins of equal, round width from 0 to beyond the longest. */
function histogramOf(sorted: Float64Array): Bin[] {
  const longest = sorted.at(-1)
  if (longest === undefined) return []
  const step = Math.max(1, tickIncrement(0, longest, BINS))
  const end = (Math.floor(longest / step) + 1) * step
  const bins = bin()
    .domain([0, end])
    .thresholds(range(step, end, step))(sorted)
  return bins.map(({ x0, x1, length }) => ({ from: x0 as number, to: x1 as number, records: length }))
}
