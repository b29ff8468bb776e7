/** Every policy under every window, read off traces, and set against the paper's cut at as many tokens. */

import { group } from 'd3-array'
import { oneLine } from '../../base/one-line.js'
import { atEqualTokens, type EqualTokens } from '../compare-curves.js'
import type { ItemsAt } from '../pair.js'
import { readRun } from '../results.js'
import { bootstrap, type Interval, mean, meanAt, wilson } from '../statistics.js'
import { readWindows } from '../windows.js'
import { CUT, nameOf, readPolicy, type TracePolicy } from './policy.js'
import type { TraceRunOptions } from './records.js'
import { Replay, type Replayed } from './replay.js'
import { readTraces } from './run.js'

/** A policy under a window, over all items. Tokens are averages, intervals 95%. */
export interface PolicyFigures {
  policy: string
  window: string
  accuracy: number
  /** Wilson's. */
  interval: Interval
  thinkingTokens: number
  hintTokens: number
  answerTokens: number
  probeTokens: number
  /** All of them. */
  totalTokens: number
  /** Shares of items by how the thinking ended. */
  ended: Record<string, number>
  /** Against the paper's cut under the same window, over the same items; null: it is that. */
  atSameWindow: { difference: number; interval: Interval; totalTokens: number } | null
  /** Against the line between the paper's cuts of all windows; null: it is one of them, or they do not go as far. */
  atEqualTokens: Omit<EqualTokens, 'window'> | null
}

export interface PolicyTable {
  options: TraceRunOptions
  items: number
  policies: PolicyFigures[]
}

export interface TryOptions {
  /** Tokens, or `'inf'`. Default: 0, the places that the traces have an answer at, by doubling, and the traces' own window. */
  windows?: readonly (string | number)[] | undefined
  /** As `stated+probe=0.9`: see {@link readPolicy}. Default: each policy with some values, and some together. */
  policies?: readonly string[] | undefined
}

/**
 * @param directories Folders of traces: one, or shards of one.
 * @throws {RangeError} for a policy or a window that the traces cannot tell.
 * @throws {Error} for folders that hold no traces of one run.
 */
export async function tryPolicies(directories: readonly string[], given: TryOptions = {}): Promise<PolicyTable> {
  const options = sharedOptions(directories)
  const replays: Replay[] = []
  let longest = 0
  for (const directory of directories) {
    for await (const record of readTraces(directory)) {
      replays.push(new Replay(record))
      longest = Math.max(longest, record.tokens.length)
    }
  }
  if (replays.length === 0) throw new Error(`${directories.join(', ')}: no item is traced yet`)
  const twice = replays.find(({ id }, i) => replays.findIndex((other) => other.id === id) < i)
  if (twice) throw new Error(oneLine(`Two traces of ${twice.id}: the folders are not shards of one run`))
  replays.sort((a, b) => (a.id < b.id ? -1 : 1))

  const names = given.windows ?? defaultWindows(options, longest)
  const windows = readWindows(names).map((window) => checkWindow(window.name, window.tokens, options))
  const policies = given.policies?.map(readPolicy) ?? defaultPolicies(options)
  for (const policy of policies) checkPolicy(policy, options)

  const cuts = windows.map((window) => itemsOf(window.name, runAll(replays, CUT, window.tokens)))
  const rows = policies.flatMap((policy) =>
    windows.map((window, i) =>
      figuresOf(policy, window.name, runAll(replays, policy, window.tokens), cuts[i] as ItemsAt, cuts),
    ),
  )
  return { options, items: replays.length, policies: rows }
}

function runAll(replays: readonly Replay[], policy: TracePolicy, window: number): Replayed[] {
  return replays.map((replay) => replay.run(policy, window))
}

function totalOf({ thinkingTokens, hintTokens, answerTokens, probeTokens }: Replayed): number {
  return thinkingTokens + hintTokens + answerTokens + probeTokens
}

function itemsOf(window: string, responses: readonly Replayed[]): ItemsAt {
  return {
    window,
    samples: 1,
    accuracy: responses.map(({ correct }) => Number(correct)),
    thinkingTokens: responses.map(({ thinkingTokens }) => thinkingTokens),
    totalTokens: responses.map(totalOf),
  }
}

function figuresOf(
  policy: TracePolicy,
  window: string,
  responses: readonly Replayed[],
  cut: ItemsAt,
  cuts: readonly ItemsAt[],
): PolicyFigures {
  const items = itemsOf(window, responses)
  const n = responses.length
  const name = nameOf(policy)
  const differences = items.accuracy.map((accuracy, i) => accuracy - (cut.accuracy[i] as number))
  const equal = name === 'cut' ? null : atEqualTokens(items, cuts)
  const endings = [...group(responses, ({ ended }) => ended)]
  return {
    policy: name,
    window,
    accuracy: mean(items.accuracy),
    interval: wilson(responses.filter(({ correct }) => correct).length, n),
    thinkingTokens: mean(items.thinkingTokens),
    hintTokens: mean(responses.map(({ hintTokens }) => hintTokens)),
    answerTokens: mean(responses.map(({ answerTokens }) => answerTokens)),
    probeTokens: mean(responses.map(({ probeTokens }) => probeTokens)),
    totalTokens: mean(items.totalTokens),
    ended: Object.fromEntries(endings.map(([ended, { length }]) => [ended, length / n])),
    atSameWindow:
      name === 'cut'
        ? null
        : {
            difference: mean(differences),
            interval: bootstrap(n, (indices) => meanAt(differences, indices), { resamples: 2000 }),
            totalTokens: mean(items.totalTokens) - mean(cut.totalTokens),
          },
    atEqualTokens: equal && without(equal),
  }
}

function without({ window: _, ...rest }: EqualTokens): Omit<EqualTokens, 'window'> {
  return rest
}

/** @throws {Error} for folders of other runs than the first one's. */
function sharedOptions(directories: readonly string[]): TraceRunOptions {
  const all = directories.map((directory) => ({ directory, options: readRun(directory).options as TraceRunOptions }))
  const [first, ...others] = all
  if (!first) throw new RangeError('Expected at least one folder')
  if (first.options.trace === undefined) throw new Error(`${first.directory} holds an evaluation, no trace`)
  const { shard: _, ...options } = first.options
  for (const other of others) {
    const { shard: __, ...same } = other.options
    if (JSON.stringify(same) !== JSON.stringify(options)) {
      throw new Error(`${first.directory} and ${other.directory} are not of one run`)
    }
  }
  return first.options
}

/** The window of the traces, in tokens. */
function largestOf({ windows }: TraceRunOptions): number {
  return windows[0] === 'inf' ? Infinity : Number(windows[0])
}

function defaultWindows(options: TraceRunOptions, longest: number): string[] {
  const windows = ['0']
  const largest = largestOf(options)
  for (let window = options.trace.every; window < Math.min(largest, longest); window *= 2) windows.push(String(window))
  if (largest > 0) windows.push(options.windows[0] as string)
  return windows
}

function checkWindow(name: string, tokens: number | null, options: TraceRunOptions): { name: string; tokens: number } {
  const largest = largestOf(options)
  const { every } = options.trace
  if (tokens === null) throw new RangeError(`Expected windows in tokens but received ${name}`)
  if (tokens > largest) throw new RangeError(`The window ${name} is larger than that of the traces, ${largest}`)
  if (tokens !== largest && tokens % every !== 0) {
    throw new RangeError(
      `Expected windows that are multiples of ${every}, as the traces have answers, but received ${name}`,
    )
  }
  return { name, tokens }
}

function defaultPolicies({ trace: { margin, lines } }: TraceRunOptions): TracePolicy[] {
  const margins = [0.5, 1, 2, 5].filter((value) => value <= margin).map((value) => `margin=${value}`)
  const probes = [0.5, 0.7, 0.8, 0.9, 0.95].map((value) => `probe=${value}`)
  const together = [
    'loops+stated',
    'loops+end',
    ...[margins.at(-1), 'probe=0.9'].flatMap((one) => (one ? [`loops+stated+${one}`] : [])),
  ]
  return [
    'cut',
    'loops',
    'stated',
    'end',
    ...(lines ? ['landing'] : []),
    ...margins,
    ...probes,
    ...together,
    'oracle',
  ].map(readPolicy)
}

function checkPolicy(policy: TracePolicy, { trace: { margin, lines } }: TraceRunOptions): void {
  if (policy.margin !== null && policy.margin > margin) {
    throw new RangeError(`The traces have answers up to a margin of ${margin}, not ${policy.margin}`)
  }
  if (policy.landing && !lines)
    throw new RangeError('The traces have no answers at the ends of lines, which landing needs')
}
