/** A run: every item of a task under every window, each response graded and kept at once. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { limiter } from '../base/concurrency.js'
import { writeWhole } from '../base/files.js'
import { oneLine } from '../base/one-line.js'
import { loadSymbolic, SYMBOLIC_PACKAGE } from '../grading/symbolic.js'
import { defaultThreads } from '../native/threads.js'
import { modelPath } from '../reason/model-name.js'
import type { LoadOptions } from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import { Z1 } from '../reason/z1.js'
import { type EvaluateOptions, type ResolvedOptions, resolveOptions, usesCuts } from './options.js'
import { environmentOf, pinnedOptions } from './pinned.js'
import { countComputed, type Progress, startProgress } from './progress.js'
import type { ResultRecord, Summary } from './records.js'
import { respond, respondToAll } from './response.js'
import { keyOf, ResultsFolder, readRun } from './results.js'
import { checkRoom } from './room.js'
import { type Cell, runSchedule } from './schedule.js'
import { ofShard } from './shard.js'
import { summarize } from './summary.js'
import type { Item, Task } from './task.js'

export type { Progress }

/**
 * Runs an evaluation, or goes on with one. Each request has a seed and reuses no prefix, so with `parallel: 1` the same
 * options give the same results to the token.
 * @throws {TypeError|RangeError} for options that are invalid.
 * @throws {Error} for a folder that holds another run, and when results cannot be written.
 * @throws {Z1Error} as `Z1.load()` and `z1.reason()` do.
 */
export async function evaluate(options: EvaluateOptions): Promise<Summary> {
  const resolved = await withPath(resolveOptions(options))
  const { task, windows, samples, output, shard, signal } = resolved
  const all = await readItems(task)
  const pinned = await pinnedOptions(resolved, all)
  const items = ofShard(all, shard)
  if (items.length === 0) throw new RangeError(`The shard ${shard} of the task ${task.name} has no items`)
  const folder = await ResultsFolder.open(output, pinned)
  try {
    signal?.throwIfAborted()
    checkBelongs(folder, items, resolved)
    if (folder.responses.length < items.length * windows.length * samples) await compute(resolved, items, folder)
    const { symbolic } = readRun(output).environment
    const summary = { ...summarize(pinned, folder.responses), ...(symbolic !== undefined && { symbolic }) }
    await writeWhole(join(output, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    return summary
  } finally {
    await folder.close()
  }
}

/** Of a model that is named, the file: a run is known by its content. */
export async function withPath(options: ResolvedOptions): Promise<ResolvedOptions> {
  const { load, reasoner, signal } = options
  return reasoner ? options : { ...options, load: { ...load, model: await modelPath(load.model, { signal }) } }
}

/** With it, and since no key is there twice, the number of results says whether one is missing. */
function checkBelongs(
  { responses }: ResultsFolder,
  items: Item[],
  { windows, samples, output }: ResolvedOptions,
): void {
  const ids = new Set(items.map(({ id }) => id))
  const names = new Set(windows.map(({ name }) => name))
  const foreign = responses.find(
    ({ id, window, sample }) =>
      !ids.has(id) || !names.has(window) || !Number.isInteger(sample) || sample < 0 || sample >= samples,
  )
  if (!foreign) return
  throw new Error(
    `${join(output, 'results.jsonl')} has a result of ${oneLine(foreign.id, 200)} at window ${foreign.window}, sample ${foreign.sample}, ` +
      'which is not of this run: remove its line',
  )
}

export async function readItems(task: Task): Promise<Item[]> {
  const items = new Map<string, Item>()
  for await (const item of task.items()) {
    if (items.has(item.id)) throw new Error(oneLine(`The task ${task.name} has two items with the id ${item.id}`))
    items.set(item.id, item)
  }
  if (items.size === 0) throw new Error(`The task ${task.name} has no items`)
  return [...items.values()]
}

type Slot = ReturnType<typeof limiter>

/**
 * Gets the response of a cell in a slot. Where all windows of an item come from one request, each of its cells waits for that
 * one: also a cell that is left of an item when a run goes on, so that it gets what it would have got.
 */
function responder(reasoner: Reasoner, options: ResolvedOptions) {
  const { windows, method } = options
  const names = windows.map(({ name }) => name)
  const { branches = -1 } = reasoner.model // of one that runs elsewhere, nothing is known of any
  if (!usesCuts(options) || !method.askAll || branches < (method.pinned.hint === null ? 0 : 1)) {
    return (cell: Cell, slot: Slot, signal: AbortSignal) =>
      slot(async () => {
        signal.throwIfAborted()
        return respond(reasoner, options, cell, signal)
      })
  }
  const asking = { ...options, method: { ...method, askAll: method.askAll } }
  const requests = new Map<string, Promise<ResultRecord[]>>()
  return async (cell: Cell, slot: Slot, signal: AbortSignal) => {
    const key = JSON.stringify([cell.item.id, cell.sample])
    let request = requests.get(key)
    if (!request) {
      request = slot(async () => {
        signal.throwIfAborted()
        return respondToAll(reasoner, asking, cell, names, signal)
      })
      requests.set(key, request)
    }
    const records = await request
    requests.delete(key)
    return records[names.indexOf(cell.window)] as ResultRecord
  }
}

/** Loads the symbolic engine for a task that needs it; a run that was begun without goes on without. */
export async function symbolicOf({ task, output }: ResolvedOptions): Promise<string | null | undefined> {
  if (!task.symbolic) return undefined
  const isResumed = existsSync(join(output, 'run.json'))
  return isResumed && readRun(output).environment.symbolic === null ? null : loadSymbolic()
}

/** All answers of a run are compared in the same way. */
export function checkSymbolic(output: string, now: string | null | undefined): void {
  const { symbolic } = readRun(output).environment
  if (!symbolic || now !== null) return
  throw new Error(
    `${output} holds a run that compares answers by ${SYMBOLIC_PACKAGE}, which is not installed: npm install ${SYMBOLIC_PACKAGE}@${symbolic}`,
  )
}

/** On one number of threads: one that follows what other programs leave of the cores would change logits in their last bits. */
function loadFor(load: LoadOptions, branches: number, signal: AbortSignal | undefined): Promise<Z1> {
  return Z1.load({ ...load, threads: load.threads ?? defaultThreads(), branches, signal })
}

/** Gets what a folder lacks. */
async function compute(options: ResolvedOptions, items: Item[], folder: ResultsFolder): Promise<void> {
  const { windows, samples, method, signal, onProgress } = options
  const probes = method.pinned.policies?.earlyExit?.probe !== undefined
  const needed = probes || (usesCuts(options) && method.askAll && method.pinned.hint !== null)
  const branches = needed ? (options.branches ?? Math.max(2, options.load.parallel ?? 1)) : 0
  await using loaded = options.reasoner ? undefined : await loadFor(options.load, branches, signal)
  const reasoner = options.reasoner ?? (loaded as Z1)
  const { parallel } = reasoner.model
  const slot = limiter(parallel)
  await checkRoom(reasoner, options, items, slot)
  const symbolic = await symbolicOf(options)
  await folder.begin({ ...(await environmentOf(reasoner.model)), ...(symbolic !== undefined && { symbolic }) })
  checkSymbolic(options.output, symbolic)

  const total = items.length * windows.length * samples
  const names = windows.map(({ name }) => name)
  const progress = startProgress(total, names, folder.responses)
  const known = new Map(folder.responses.map((response) => [keyOf(response), response]))
  const get = responder(reasoner, options)
  await runSchedule({
    items,
    samples,
    windows,
    parallel,
    signal,
    respond: async (cell, signal) => {
      const key = keyOf({ id: cell.item.id, window: cell.window, sample: cell.sample })
      const there = known.get(key)
      if (there) return there
      const response = await folder.append(await get(cell, slot, signal))
      known.set(key, response)
      countComputed(progress, response)
      onProgress?.(structuredClone(progress))
      return response
    },
    room: (promptTokens) => method.room(reasoner, promptTokens),
  })
}
