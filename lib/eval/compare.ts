/** Two finished runs over the same items, window by window. */

import type { RunOptions, ScoredResponse } from './records.js'
import { readOutcomes, readRun } from './results.js'
import { totalOf } from './shard.js'
import { bootstrap, type Interval, mean, meanAt } from './statistics.js'
import { itemMeans } from './summary.js'

/** One window of run A against one of run B. */
export interface Comparison {
  a: { window: string; accuracy: number; att: number }
  b: { window: string; accuracy: number; att: number }
  /** Accuracy of A less that of B, with a paired bootstrap interval over items. */
  difference: number
  interval: Interval
  /** Average thinking tokens of A over those of B, with a paired bootstrap interval; null where B has none. */
  attRatio: number | null
  attRatioInterval: Interval | null
}

/**
 * @param pairs Windows of A and of B to set against each other. Default: those that both have.
 * @throws {RangeError} for a window missing from a run.
 * @throws {Error} for runs that are not finished, or were run on different items.
 */
export async function compareRuns(
  directoryA: string,
  directoryB: string,
  pairs?: readonly (readonly [a: string, b: string])[],
): Promise<Comparison[]> {
  const [a, b] = [await readFinished(directoryA), await readFinished(directoryB)]
  if (a.options.itemsSha256 !== b.options.itemsSha256) {
    throw new Error(
      `${directoryA} and ${directoryB} were run on different items: only the same ones can be compared in pairs`,
    )
  }
  const shared = a.options.windows.filter((window) => b.options.windows.includes(window))
  return (pairs ?? shared.map((window) => [window, window] as const)).map(([windowA, windowB]) => {
    return compareWindows(meansAt(a, windowA), meansAt(b, windowB))
  })
}

interface Finished {
  directory: string
  options: RunOptions
  responses: ScoredResponse[]
}

async function readFinished(directory: string): Promise<Finished> {
  const { options } = readRun(directory)
  const responses = await readOutcomes(directory)
  const total = totalOf(options)
  if (responses.length < total) {
    throw new Error(`${directory} is not finished: ${responses.length} of ${total} responses are there`)
  }
  return { directory, options, responses }
}

interface Means {
  window: string
  accuracy: number[]
  thinkingTokens: number[]
}

/** In the order of the items' ids. */
function meansAt({ directory, options, responses }: Finished, window: string): Means {
  if (!options.windows.includes(window)) {
    throw new RangeError(`${directory} has no window ${window}, but ${options.windows.join(', ')}`)
  }
  const items = [...itemMeans(responses.filter((response) => response.window === window)).values()]
  return {
    window,
    accuracy: items.map(({ accuracy }) => accuracy),
    thinkingTokens: items.map(({ thinkingTokens }) => thinkingTokens),
  }
}

function compareWindows(a: Means, b: Means): Comparison {
  const differences = a.accuracy.map((accuracy, i) => accuracy - (b.accuracy[i] as number))
  const ratio = (indices: Int32Array) => meanAt(a.thinkingTokens, indices) / meanAt(b.thinkingTokens, indices)
  const hasRatio = mean(b.thinkingTokens) > 0
  return {
    a: { window: a.window, accuracy: mean(a.accuracy), att: mean(a.thinkingTokens) },
    b: { window: b.window, accuracy: mean(b.accuracy), att: mean(b.thinkingTokens) },
    difference: mean(differences),
    interval: bootstrap(differences.length, (indices) => meanAt(differences, indices)),
    attRatio: hasRatio ? mean(a.thinkingTokens) / mean(b.thinkingTokens) : null,
    attRatioInterval: hasRatio ? bootstrap(a.thinkingTokens.length, ratio) : null,
  }
}
