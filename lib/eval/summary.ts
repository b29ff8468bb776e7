/** The figures of a run, from its responses. Shares are 0 … 1, intervals are 95%. */
import { join } from 'node:path'
import { group, rollup } from 'd3-array'
import { currentSummary } from './formats.js'
import type { Difference, Figures, RunOptions, ScoredResponse, Summary, WindowSummary } from './records.js'
import { readJson } from './results.js'
import { totalOf } from './shard.js'
import { bootstrap, mean, meanAt, spearman, wilson } from './statistics.js'

/** @param responses In any order: the figures do not depend on it. */
export function summarize(options: RunOptions, responses: readonly ScoredResponse[]): Summary {
  const groups = group(responses, ({ window }) => window)
  const byWindow = options.windows.flatMap((window) => {
    const responses = groups.get(window)
    return responses ? [{ window, responses }] : []
  })
  return {
    options,
    done: responses.length,
    total: totalOf(options),
    windows: byWindow.map((each) => summarizeWindow(each.window, each.responses)),
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
export function thinkingTokens({ usage }: Pick<ScoredResponse, 'usage'>): number {
  return usage.hintTokens > 0 ? usage.thinkingTokens : usage.thinkingTokens + usage.answerTokens
}

/** Tokens that policies spent on looking ahead; none where the result does not know of them. */
function probeTokens({ usage }: ScoredResponse): number {
  return usage.probeTokens ?? 0
}

/** Tokens that were fed in the place of ends. */
function nudgeTokens({ usage }: ScoredResponse): number {
  return usage.nudgeTokens ?? 0
}

/** All that was decoded after the prompt. */
function totalTokens(response: ScoredResponse): number {
  const { thinkingTokens, hintTokens, answerTokens } = response.usage
  return thinkingTokens + hintTokens + answerTokens + nudgeTokens(response) + probeTokens(response)
}

interface ItemMeans {
  accuracy: number
  /** Where nothing tells how near an answer is, that it is right. */
  score: number
  thinkingTokens: number
  totalTokens: number
}

/** The means over samples of each item, in the order of their ids. */
export function itemMeans(responses: readonly ScoredResponse[]): Map<string, ItemMeans> {
  const means = rollup(
    responses,
    (samples) => ({
      accuracy: mean(samples.map(({ correct }) => Number(correct))),
      score: mean(samples.map(({ score, correct }) => score ?? Number(correct))),
      thinkingTokens: mean(samples.map(thinkingTokens)),
      totalTokens: mean(samples.map(totalTokens)),
    }),
    ({ id }) => id,
  )
  return new Map([...means].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function summarizeWindow(window: string, responses: readonly ScoredResponse[]): WindowSummary {
  const share = (isCounted: (response: ScoredResponse) => boolean) =>
    responses.filter(isCounted).length / responses.length
  const cuts = responses.filter(({ inForm }) => inForm !== null)
  return {
    window,
    ...figuresOf(responses),
    generatedTokens: mean(responses.map(({ usage }) => usage.thinkingTokens + usage.answerTokens)),
    hintTokens: mean(responses.map(({ usage }) => usage.hintTokens)),
    nudgeTokens: mean(responses.map(nudgeTokens)),
    probeTokens: mean(responses.map(probeTokens)),
    totalTokens: mean(responses.map(totalTokens)),
    ended: {
      self: share(({ ended }) => ended === 'self'),
      window: share(({ ended }) => ended === 'window'),
      length: share(({ ended }) => ended === 'length'),
      loop: share(({ ended }) => ended === 'loop'),
      early: share(({ ended }) => ended === 'early'),
      stated: share(({ ended }) => ended === 'stated'),
    },
    unanswered: share(({ extracted }) => extracted === null),
    cuts: cuts.length,
    inForm: cuts.length > 0 ? cuts.filter(({ inForm }) => inForm).length / cuts.length : null,
    groups: figuresByGroup(responses),
  }
}

/** Names in the order in which the items have them, values in their own. */
function figuresByGroup(responses: readonly ScoredResponse[]): WindowSummary['groups'] {
  const inOrder = [...responses].sort((a, b) => (a.id < b.id ? -1 : 1))
  const names = new Set(inOrder.flatMap(({ groups = {} }) => Object.keys(groups)))
  return Object.fromEntries(
    [...names].map((name) => {
      const members = responses.filter(({ groups = {} }) => Object.hasOwn(groups, name))
      const valueIn = ({ groups }: ScoredResponse) => groups?.[name] as string | number
      const parts = [...group(members, (response) => String(valueIn(response)))]
      parts.sort(([, [a]], [, [b]]) => compareValues(valueIn(a as ScoredResponse), valueIn(b as ScoredResponse)))
      return [name, Object.fromEntries(parts.map(([value, part]) => [value, figuresOf(part)]))]
    }),
  )
}

/** Numbers before texts. */
function compareValues(a: string | number, b: string | number): number {
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return a < b ? -1 : 1
}

function figuresOf(responses: readonly ScoredResponse[]): Figures {
  const items = [...itemMeans(responses).values()]
  const shares = items.map(({ accuracy }) => accuracy)
  const scores = items.map(({ score }) => score)
  const isScored = responses.some(({ score }) => score !== undefined)
  const overItems = (values: number[]) => bootstrap(values.length, (sample) => meanAt(values, sample))
  const graded = responses.filter(({ groups }) => typeof groups?.difficulty === 'number')
  return {
    items: items.length,
    accuracy: mean(shares),
    interval:
      responses.length === items.length
        ? wilson(responses.filter(({ correct }) => correct).length, responses.length)
        : overItems(shares),
    ...(isScored && { score: { mean: mean(scores), interval: overItems(scores) } }),
    att: mean(items.map(({ thinkingTokens }) => thinkingTokens)),
    spearman: spearman(
      graded.map(({ groups }) => groups?.difficulty as number),
      graded.map(thinkingTokens),
    ),
  }
}

interface WindowMeans {
  window: string
  items: Map<string, ItemMeans>
}

function differencesOf(windows: { window: string; responses: ScoredResponse[] }[]): Difference[] {
  const means: WindowMeans[] = windows.map(({ window, responses }) => ({ window, items: itemMeans(responses) }))
  return means.flatMap((from, i) => {
    const others = [...new Set([means[i + 1], means.at(-1)])].filter((to) => to && to !== from)
    return others.flatMap((to) => differenceOf(from, to as WindowMeans))
  })
}

/** None while no item has been through both. */
function differenceOf(from: WindowMeans, to: WindowMeans): Difference[] {
  const differences = [...from.items]
    .filter(([id]) => to.items.has(id))
    .map(([id, { accuracy }]) => (to.items.get(id)?.accuracy as number) - accuracy)
  if (differences.length === 0) return []
  const interval = bootstrap(differences.length, (sample) => meanAt(differences, sample))
  return [{ from: from.window, to: to.window, difference: mean(differences), interval }]
}
