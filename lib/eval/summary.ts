/** The figures of a run, from its outcomes. Shares are 0 … 1, intervals are 95%. */
import { join } from 'node:path'
import { group, rollup } from 'd3-array'
import { currentSummary } from './formats.js'
import type { Difference, Figures, Outcome, RunOptions, Summary, WindowSummary } from './records.js'
import { readJson } from './results.js'
import { bootstrap, mean, meanAt, spearman, wilson } from './statistics.js'

/** @param outcomes In any order: the figures do not depend on it. */
export function summarize(options: RunOptions, outcomes: readonly Outcome[]): Summary {
  const groups = group(outcomes, ({ window }) => window)
  const byWindow = options.windows.flatMap((window) => {
    const outcomes = groups.get(window)
    return outcomes ? [{ window, outcomes }] : []
  })
  return {
    options,
    done: outcomes.length,
    total: options.items * options.windows.length * options.samples,
    windows: byWindow.map((each) => summarizeWindow(each.window, each.outcomes)),
    differences: differencesOf(byWindow),
  }
}

/** The figures that a run has left in its folder. @throws {Error} where there are none, or not all. */
export function readSummary(directory: string): Summary {
  const file = join(directory, 'summary.json')
  const summary = currentSummary(readJson(file, `${directory} holds no finished run`) as Summary)
  if (summary.done < summary.total) {
    throw new Error(`${directory} is not finished: ${summary.done} of ${summary.total} responses are there`)
  }
  return summary
}

/** Tokens that count as thinking. */
export function thinkingTokens({ usage }: Outcome): number {
  return usage.hintTokens > 0 ? usage.thinkingTokens : usage.thinkingTokens + usage.answerTokens
}

/** The means over samples of each item, in the order of their ids. */
export function itemMeans(outcomes: readonly Outcome[]): Map<string, { accuracy: number; att: number }> {
  const means = rollup(
    outcomes,
    (samples) => ({
      accuracy: mean(samples.map(({ correct }) => Number(correct))),
      att: mean(samples.map(thinkingTokens)),
    }),
    ({ id }) => id,
  )
  return new Map([...means].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function summarizeWindow(window: string, outcomes: readonly Outcome[]): WindowSummary {
  const share = (isCounted: (outcome: Outcome) => boolean) => outcomes.filter(isCounted).length / outcomes.length
  const cuts = outcomes.filter(({ inForm }) => inForm !== null)
  return {
    window,
    ...figuresOf(outcomes),
    generatedTokens: mean(outcomes.map(({ usage }) => usage.thinkingTokens + usage.answerTokens)),
    ended: {
      self: share(({ ended }) => ended === 'self'),
      window: share(({ ended }) => ended === 'window'),
      length: share(({ ended }) => ended === 'length'),
    },
    unanswered: share(({ extracted }) => extracted === null),
    cuts: cuts.length,
    inForm: cuts.length > 0 ? cuts.filter(({ inForm }) => inForm).length / cuts.length : null,
    groups: figuresByGroup(outcomes),
  }
}

/** Names in the order in which the items have them, values in their own. */
function figuresByGroup(outcomes: readonly Outcome[]): WindowSummary['groups'] {
  const inOrder = [...outcomes].sort((a, b) => (a.id < b.id ? -1 : 1))
  const names = new Set(inOrder.flatMap(({ groups = {} }) => Object.keys(groups)))
  return Object.fromEntries(
    [...names].map((name) => {
      const members = outcomes.filter(({ groups = {} }) => Object.hasOwn(groups, name))
      const valueIn = ({ groups }: Outcome) => groups?.[name] as string | number
      const parts = [...group(members, (outcome) => String(valueIn(outcome)))]
      parts.sort(([, [a]], [, [b]]) => compareValues(valueIn(a as Outcome), valueIn(b as Outcome)))
      return [name, Object.fromEntries(parts.map(([value, part]) => [value, figuresOf(part)]))]
    }),
  )
}

/** Numbers before texts. */
function compareValues(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : 1
}

function figuresOf(outcomes: readonly Outcome[]): Figures {
  const items = [...itemMeans(outcomes).values()]
  const shares = items.map(({ accuracy }) => accuracy)
  const graded = outcomes.filter(({ groups }) => typeof groups?.difficulty === 'number')
  return {
    items: items.length,
    accuracy: mean(shares),
    interval:
      outcomes.length === items.length
        ? wilson(outcomes.filter(({ correct }) => correct).length, outcomes.length)
        : bootstrap(items.length, (sample) => meanAt(shares, sample)),
    att: mean(items.map(({ att }) => att)),
    spearman: spearman(
      graded.map(({ groups }) => groups?.difficulty as number),
      graded.map(thinkingTokens),
    ),
  }
}

interface Means {
  window: string
  items: ReturnType<typeof itemMeans>
}

function differencesOf(windows: { window: string; outcomes: Outcome[] }[]): Difference[] {
  const means: Means[] = windows.map(({ window, outcomes }) => ({ window, items: itemMeans(outcomes) }))
  return means.flatMap((from, i) => {
    const others = [...new Set([means[i + 1], means.at(-1)])].filter((to) => to && to !== from)
    return others.flatMap((to) => differenceOf(from, to as Means))
  })
}

/** None while no item has been through both. */
function differenceOf(from: Means, to: Means): Difference[] {
  const differences = [...from.items]
    .filter(([id]) => to.items.has(id))
    .map(([id, { accuracy }]) => (to.items.get(id)?.accuracy as number) - accuracy)
  if (differences.length === 0) return []
  const interval = bootstrap(differences.length, (sample) => meanAt(differences, sample))
  return [{ from: from.window, to: to.window, difference: mean(differences), interval }]
}
