/** A trace of a task: one greedy trajectory for each item, with what policies see of it, kept at once. */
import { join } from 'node:path'
import { inOrder, limiter } from '../../base/concurrency.js'
import { readLog } from '../../base/jsonl.js'
import { oneLine } from '../../base/one-line.js'
import { readOptions } from '../../base/options.js'
import { TRACE_OPTIONS, type TraceOptions } from '../../reason/trace-options.js'
import { Z1 } from '../../reason/z1.js'
import type { EvaluateOptions } from '../options.js'
import { resolveOptions } from '../options.js'
import { environmentOf, pinnedOptions } from '../pinned.js'
import { readRun } from '../results.js'
import { checkRoom } from '../room.js'
import { checkSymbolic, readItems, symbolicOf, withPath } from '../run.js'
import { RunFolder } from '../run-folder.js'
import { ofShard } from '../shard.js'
import type { Item } from '../task.js'
import { type Asking, traceItem } from './record.js'
import type { TraceRecord, TraceRunOptions } from './records.js'

/** Options of an evaluation that a trace has not. */
const NOT_TRACED = [
  ...(['windows', 'method', 'temperature', 'samples', 'speculation'] as const),
  ...(['loops', 'landing', 'stated', 'earlyExit', 'confidence', 'wait'] as const),
]

/** As those of `evaluate()`. */
type SharedOptions = Omit<EvaluateOptions, (typeof NOT_TRACED)[number] | 'onProgress'>

export interface TraceTaskOptions extends SharedOptions, TraceOptions {
  /** The largest window that can be tried: tokens, or `'inf'`. Default `'inf'`: each item ends by itself. */
  window?: number | string | undefined
  /** Called after every item. */
  onProgress?: ((progress: TraceProgress) => void) | undefined
}

export interface TraceProgress {
  /** Items that are there, earlier ones included. */
  done: number
  total: number
  /** Of them, those that this call has traced. */
  computed: number
}

export const TRACE_FILE = 'trace.jsonl'

/**
 * Traces a task, or goes on with that, for {@link tryPolicies}. The thinking is that of the method `window`, greedy, without
 * any policy.
 * @returns How many items are there.
 * @throws as `evaluate()` does.
 */
export async function traceTask(options: TraceTaskOptions): Promise<TraceProgress> {
  const given = options as unknown as Record<string, unknown>
  const foreign = NOT_TRACED.find((name) => given[name] !== undefined)
  if (foreign) throw new TypeError(`Expected no ${foreign}: a trace is greedy, under one window, without policies`)
  const { window = 'inf', every, margin, lines, onProgress, ...shared } = options
  const trace = readOptions(TRACE_OPTIONS, { every, margin, lines })
  const resolved = await withPath(resolveOptions({ ...shared, windows: [window] }))
  const { task, output, shard, signal, system } = resolved
  const [{ tokens: thinkingWindow }] = resolved.windows as [(typeof resolved.windows)[0]]
  if (thinkingWindow === null) throw new RangeError(`Expected tokens or inf for window but received ${window}`)
  const all = await readItems(task)
  const pinned: TraceRunOptions = { ...(await pinnedOptions(resolved, all)), trace }
  const items = ofShard(all, shard)
  if (items.length === 0) throw new RangeError(`The shard ${shard} of the task ${task.name} has no items`)
  const folder = await RunFolder.open(output, {
    log: TRACE_FILE,
    options: pinned,
    readOptions: () => readRun(output).options as TraceRunOptions,
    readLines: () => idsIn(output),
  })
  try {
    const left = itemsLeft(output, items, folder.lines)
    const progress = { done: items.length - left.length, total: items.length, computed: 0 }
    if (left.length === 0) return progress
    signal?.throwIfAborted()
    const branches = resolved.branches ?? Math.max(2, resolved.load.parallel ?? 1)
    await using loaded = resolved.reasoner ? undefined : await Z1.load({ ...resolved.load, branches, signal })
    const reasoner = resolved.reasoner ?? (loaded as Z1)
    await checkRoom(reasoner, resolved, left, limiter(reasoner.model.parallel))
    const symbolic = await symbolicOf(resolved)
    await folder.begin({ ...(await environmentOf(reasoner.model)), ...(symbolic !== undefined && { symbolic }) })
    checkSymbolic(output, symbolic)
    const asking: Asking = { reasoner, task, system, pinned, thinkingWindow }
    const work = (item: Item, signal: AbortSignal) => traceItem(asking, item, signal)
    for await (const { result } of inOrder(stream(left), reasoner.model.parallel, work, signal)) {
      await folder.append(result, result.id)
      progress.done++
      progress.computed++
      onProgress?.({ ...progress })
    }
    return progress
  } finally {
    await folder.close()
  }
}

/** The traces in a folder, one after the other. @throws {Error} naming the line that is none. */
export async function* readTraces(directory: string): AsyncGenerator<TraceRecord> {
  const ids = new Set<string>()
  for await (const { columns, location } of readLog(join(directory, TRACE_FILE))) {
    const record = columns as unknown as TraceRecord
    if (typeof record.id !== 'string' || !Array.isArray(record.answers) || !Array.isArray(record.margin)) {
      throw new Error(`${location}: Expected a trace`)
    }
    if (ids.has(record.id)) throw new Error(oneLine(`${location}: Duplicate trace of ${record.id}`))
    ids.add(record.id)
    yield record
  }
}

async function idsIn(directory: string): Promise<string[]> {
  const ids: string[] = []
  for await (const { id } of readTraces(directory)) ids.push(id)
  return ids
}

function itemsLeft(output: string, items: readonly Item[], ids: readonly string[]): Item[] {
  const known = new Set(items.map(({ id }) => id))
  const foreign = ids.find((id) => !known.has(id))
  if (foreign !== undefined) {
    throw new Error(
      oneLine(`${join(output, TRACE_FILE)} has a trace of ${foreign}, which is not of this run: remove its line`),
    )
  }
  const there = new Set(ids)
  return items.filter(({ id }) => !there.has(id))
}

async function* stream<T>(values: readonly T[]): AsyncGenerator<T> {
  yield* values
}
