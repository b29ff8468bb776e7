/**
 * The order of a run: item by item, of each the natural length first where shares need it, then all windows together.
 * Knows neither models nor files.
 */
import type { ScoredResponse } from './records.js'
import type { Item } from './task.js'
import { type EvalWindow, windowTokens } from './windows.js'

/** One response that a run shall have. */
export interface Cell {
  item: Item
  sample: number
  /** Name of the window. */
  window: string
  /** Tokens; Infinity: no end. */
  thinkingWindow: number
  /** Of all cells that are asked for together with it. */
  windows: readonly number[]
}

export interface Schedule {
  items: readonly Item[]
  samples: number
  windows: readonly EvalWindow[]
  /** Items that are at work at the same time. */
  parallel: number
  /** Its abort ends the run. */
  signal: AbortSignal | undefined
  /** Gives the response that is there already, or gets it. Ends when the signal aborts. */
  respond(cell: Cell, signal: AbortSignal): Promise<ScoredResponse>
  /** Tokens of thinking that leave room for an answer, after so many tokens of prompt. */
  room(promptTokens: number): Promise<number>
}

/** The first failure ends the run; when this rejects, nothing runs any more. */
export async function runSchedule(schedule: Schedule): Promise<void> {
  const { signal } = schedule
  const abort = new AbortController()
  const stop = () => abort.abort(signal?.reason)
  signal?.addEventListener('abort', stop)
  try {
    signal?.throwIfAborted()
    const work = itemsAndSamples(schedule)
    const worker = async () => {
      for (const [item, sample] of work) await answer(schedule, item, sample, abort)
    }
    await together(abort, Array.from({ length: schedule.parallel }, worker))
  } finally {
    signal?.removeEventListener('abort', stop)
  }
}

function* itemsAndSamples({ items, samples }: Schedule): Generator<[Item, number]> {
  for (const item of items) {
    for (let sample = 0; sample < samples; sample++) yield [item, sample]
  }
}

/** All windows of one item and sample. */
async function answer(schedule: Schedule, item: Item, sample: number, abort: AbortController): Promise<void> {
  const { windows, respond, room } = schedule
  const natural = windows.find(({ tokens }) => tokens === Infinity)
  let length = 0
  let limit = Infinity
  if (natural && windows.some(({ percent }) => percent !== null)) {
    const cell = { item, sample, window: natural.name, thinkingWindow: Infinity, windows: [Infinity] }
    const { ended, usage } = await respond(cell, abort.signal)
    length = usage.thinkingTokens
    // What filled the context has no natural length: its shares are limited to what leaves room for an answer.
    if (ended === 'length') limit = await room(usage.promptTokens)
  }
  const tokens = windows.map((window) => {
    const tokens = windowTokens(window, length)
    return window.percent === null ? tokens : Math.min(tokens, limit)
  })
  await together(
    abort,
    windows.map(({ name }, i) => {
      const thinkingWindow = tokens[i] as number
      return respond({ item, sample, window: name, thinkingWindow, windows: tokens }, abort.signal)
    }),
  )
}

/** Waits for all of them to end. The first that fails ends the others. */
async function together(abort: AbortController, promises: Promise<unknown>[]): Promise<void> {
  await Promise.all(promises.map((promise) => promise.catch((error) => abort.abort(error))))
  abort.signal.throwIfAborted()
}
