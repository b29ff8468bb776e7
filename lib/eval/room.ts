/** Whether the context has room for every item of a run, asked before the first response: after hours would be late. */
import { Z1Error } from '../base/errors.js'
import type { Reasoner } from '../reason/reasoner.js'
import { LINE_FEEDS } from './methods/hint.js'
import type { ResolvedOptions } from './options.js'
import { failedAt, promptOf } from './response.js'
import type { Item } from './task.js'

type RoomOptions = Pick<ResolvedOptions, 'task' | 'system' | 'method' | 'windows'>

/**
 * A window that is a share takes what there is, but hint and answer after it; one without an end takes what there is.
 * @param slot Runs a call when there is room for one more.
 * @throws {Z1Error} CONTEXT_TOO_SMALL, naming the item with the longest prompt and the context that the run needs.
 */
export async function checkRoom(
  reasoner: Reasoner,
  { task, system, method, windows }: RoomOptions,
  items: readonly Item[],
  slot: <T>(work: () => Promise<T>) => Promise<T>,
): Promise<void> {
  const { contextSize } = reasoner.model
  if (!Number.isFinite(contextSize) || windows.every(({ tokens }) => tokens === Infinity)) return
  const window = Math.max(0, ...windows.map(({ tokens }) => (tokens !== null && tokens < Infinity ? tokens : 0)))
  const counts = await Promise.all(
    items.map((item) =>
      slot(() => reasoner.countTokens(promptOf(task, item, system)).catch(failedAt({ item }, 'counting'))),
    ),
  )
  const longest = Math.max(...counts)
  // What `room` holds back, a request may still have.
  const missing = longest + window - LINE_FEEDS - (await method.room(reasoner, 0))
  if (missing <= 0) return
  const { id } = items[counts.indexOf(longest)] as Item
  const count = counts.filter((tokens) => tokens > longest - missing).length
  throw new Z1Error(
    'CONTEXT_TOO_SMALL',
    `${count} of ${items.length} items do not fit: with ${longest} tokens of prompt, item ${id} needs a context of ` +
      `${contextSize + missing} tokens for the window of ${window}, contextSize is ${contextSize}`,
  )
}
