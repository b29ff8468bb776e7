/** Two finished runs over the same items, window by window. */
import { type ItemsAt, itemsAt, readPair } from './pair.js'
import { bootstrap, type Interval, mcnemar, mean, meanAt } from './statistics.js'

/** What a run has come to at a window. */
export interface Side {
  window: string
  accuracy: number
  att: number
  /** Average of all tokens after the prompt: thinking, hint, probes and answer. */
  tokens: number
}

/** One window of run A against one of run B. */
export interface Comparison {
  a: Side
  b: Side
  /** Accuracy of A less that of B, with a paired bootstrap interval over items. */
  difference: number
  interval: Interval
  /**
   * Items that only one of them has right, and the probability of so uneven a split by chance (McNemar's test, exact, two-sided);
   * null with several samples of an item, which are not independent.
   */
  mcnemar: { onlyA: number; onlyB: number; p: number } | null
  /** Average thinking tokens of A over those of B, with a paired bootstrap interval; null where B has none. */
  attRatio: number | null
  attRatioInterval: Interval | null
  /** The same for all tokens. */
  tokenRatio: number | null
  tokenRatioInterval: Interval | null
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
  const [a, b] = await readPair(directoryA, directoryB)
  const shared = a.options.windows.filter((window) => b.options.windows.includes(window))
  return (pairs ?? shared.map((window) => [window, window] as const)).map(([windowA, windowB]) => {
    return compareWindows(itemsAt(a, windowA), itemsAt(b, windowB))
  })
}

function compareWindows(a: ItemsAt, b: ItemsAt): Comparison {
  const differences = a.accuracy.map((accuracy, i) => accuracy - (b.accuracy[i] as number))
  const [att, tokens] = [ratioOf(a.thinkingTokens, b.thinkingTokens), ratioOf(a.totalTokens, b.totalTokens)]
  return {
    a: sideOf(a),
    b: sideOf(b),
    difference: mean(differences),
    interval: bootstrap(differences.length, (indices) => meanAt(differences, indices)),
    mcnemar: a.samples === 1 && b.samples === 1 ? splitOf(differences) : null,
    attRatio: att.ratio,
    attRatioInterval: att.interval,
    tokenRatio: tokens.ratio,
    tokenRatioInterval: tokens.interval,
  }
}

function sideOf({ window, accuracy, thinkingTokens, totalTokens }: ItemsAt): Side {
  return { window, accuracy: mean(accuracy), att: mean(thinkingTokens), tokens: mean(totalTokens) }
}

function splitOf(differences: number[]): Comparison['mcnemar'] {
  const onlyA = differences.filter((difference) => difference > 0).length
  const onlyB = differences.filter((difference) => difference < 0).length
  return { onlyA, onlyB, p: mcnemar(onlyA, onlyB) }
}

/** Null where the second has no tokens. */
function ratioOf(a: number[], b: number[]): { ratio: number | null; interval: Interval | null } {
  if (!(mean(b) > 0)) return { ratio: null, interval: null }
  const interval = bootstrap(a.length, (indices) => meanAt(a, indices) / meanAt(b, indices))
  return { ratio: mean(a) / mean(b), interval }
}
