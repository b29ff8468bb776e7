/** Two finished runs over the same items, item by item, for what compares them in pairs. */
import type { RunOptions, ScoredResponse } from './records.js'
import { readOutcomes, readRun } from './results.js'
import { totalOf } from './shard.js'
import { itemMeans } from './summary.js'

export interface FinishedRun {
  directory: string
  options: RunOptions
  responses: ScoredResponse[]
}

/** The items of a run at a window, in the order of their ids; of several samples the mean. */
export interface ItemsAt {
  window: string
  samples: number
  accuracy: number[]
  thinkingTokens: number[]
  totalTokens: number[]
}

/** @throws {Error} for runs that are not finished, or were run on different items. */
export async function readPair(directoryA: string, directoryB: string): Promise<[FinishedRun, FinishedRun]> {
  const [a, b] = [await readFinished(directoryA), await readFinished(directoryB)]
  if (a.options.itemsSha256 !== b.options.itemsSha256) {
    throw new Error(
      `${directoryA} and ${directoryB} were run on different items: only the same ones can be compared in pairs`,
    )
  }
  return [a, b]
}

async function readFinished(directory: string): Promise<FinishedRun> {
  const { options } = readRun(directory)
  const responses = await readOutcomes(directory)
  const total = totalOf(options)
  if (responses.length < total) {
    throw new Error(`${directory} is not finished: ${responses.length} of ${total} responses are there`)
  }
  return { directory, options, responses }
}

/** @throws {RangeError} for a window missing from the run. */
export function itemsAt({ directory, options, responses }: FinishedRun, window: string): ItemsAt {
  if (!options.windows.includes(window)) {
    throw new RangeError(`${directory} has no window ${window}, but ${options.windows.join(', ')}`)
  }
  const items = [...itemMeans(responses.filter((response) => response.window === window)).values()]
  return {
    window,
    samples: options.samples,
    accuracy: items.map(({ accuracy }) => accuracy),
    thinkingTokens: items.map(({ thinkingTokens }) => thinkingTokens),
    totalTokens: items.map(({ totalTokens }) => totalTokens),
  }
}
