/**
 * Runs that earlier versions have written, read as if this one had. Format 1, without a number in run.json, had family and
 * difficulty in the place of groups, called the environment facts, gave models no name, and let a response that the method
 * none had ended at its window end with `length`.
 */
import type { Figures, ResultRecord, Run, RunEnvironment, RunOptions, Summary, WindowSummary } from './records.js'
import type { Item } from './task.js'

/** Of what this version writes. */
export const FORMAT = 2

type Options1 = Omit<RunOptions, 'modelName'> & { modelName?: undefined }

interface Run1 {
  format?: undefined
  options: Options1
  facts: RunEnvironment
}

type Record1 = Omit<ResultRecord, 'groups'> & { groups?: undefined; family?: string; difficulty?: number }

/** What format 2 had not from its beginning. */
type Later = 'hintTokens' | 'probeTokens' | 'totalTokens'

const ENDED = { self: 0, window: 0, length: 0, loop: 0, early: 0, stated: 0 }

interface WindowSummary1 extends Omit<WindowSummary, 'groups' | Later> {
  groups?: undefined
  families: Record<string, Figures>
  difficulties: Record<string, Figures>
}

interface Summary1 extends Omit<Summary, 'options' | 'windows'> {
  options: Options1
  windows: WindowSummary1[]
}

/** @throws {Error} for a format that this version does not know. */
export function currentRun(run: Run | Run1, directory: string): Run {
  if (run.format === undefined) return { format: 1, options: currentOptions(run.options), environment: run.facts }
  if (run.format <= FORMAT) return run
  throw new Error(`${directory} holds a run of format ${run.format}, and this version reads formats up to ${FORMAT}`)
}

export function currentRecord(record: ResultRecord | Record1): ResultRecord {
  const { family, difficulty, ...rest } = record as Record1
  const { thinkingWindow, ended, usage } = record
  // With all of its tokens the window is full: nothing else ends there.
  const isFull = ended === 'length' && thinkingWindow === usage.thinkingTokens
  const groups = record.groups ?? groupsOf(family, difficulty)
  return { ...rest, ...(groups && { groups }), ended: isFull ? 'window' : ended }
}

export function currentSummary(summary: Summary | Summary1): Summary {
  const options = currentOptions(summary.options)
  return { ...summary, options, windows: summary.windows.map((window) => currentWindow(window, options)) }
}

/**
 * The items as their hash in run.json sees them: as in format 1 where their groups are no others, so that its runs can be
 * gone on with and compared. Choices are in their question already.
 */
export function hashedItems(items: readonly Item[]): object[] {
  return items.map(({ groups = {}, choices, ...item }) => {
    const { family, difficulty, ...more } = groups
    return { ...item, family, difficulty, groups: Object.keys(more).length > 0 ? more : undefined }
  })
}

function currentOptions(options: RunOptions | Options1): RunOptions {
  return { ...options, modelName: options.modelName ?? null }
}

function currentWindow(window: WindowSummary | WindowSummary1, { method }: RunOptions): WindowSummary {
  const later = { hintTokens: null, probeTokens: null, totalTokens: null }
  if (window.groups) return { ...later, ...window, ended: { ...ENDED, ...window.ended } }
  const { families, difficulties, ended, ...rest } = window
  const groups = { family: families, difficulty: difficulties }
  const used = Object.entries(groups).filter(([, figures]) => Object.keys(figures).length > 0)
  // Only without an end can the context be full before the window is.
  const isBare = method === 'none' && window.window !== 'inf'
  return {
    ...rest,
    ...later,
    ended: { ...ENDED, ...(isBare ? { self: ended.self, window: ended.window + ended.length } : ended) },
    groups: Object.fromEntries(used),
  }
}

function groupsOf(family: string | undefined, difficulty: number | undefined): Item['groups'] {
  if ((family ?? difficulty) === undefined) return undefined
  return { ...(family !== undefined && { family }), ...(difficulty !== undefined && { difficulty }) }
}
