/** A conversation that has outgrown the context: which of its oldest turns a request leaves out. Knows no templates and no tokens. */
import { Z1Error } from '../base/errors.js'
import type { ChatMessage } from './messages.js'

/** Roles whose messages stay, wherever they stand. */
const INSTRUCTIONS = ['system', 'developer']

/** What fits, and how many messages it is without. */
export interface Shifted<T> {
  value: T
  droppedMessages: number
}

/**
 * Leaves out the oldest turns, whole, until the rest fits. What instructs stays, and so does the last turn. A turn is a message of the user
 * and what follows it.
 *
 * Turns go in blocks, which depend only on the turns before them: while a conversation grows, the same ones are left out for
 * several requests, whose prompts begin alike and are found in the KV cache.
 * @param blockSize Characters of a block, ≥ 1.
 * @param make What is made of messages that fit. `comfortable`: with room for what was not asked for, too.
 * @throws {Z1Error} CONTEXT_TOO_SMALL where the last turn alone does not fit; and what else `make` throws.
 */
export async function withoutOldest<T>(
  messages: readonly ChatMessage[],
  blockSize: number,
  make: (messages: ChatMessage[], comfortable: boolean) => Promise<T>,
): Promise<Shifted<T>> {
  const starts = turnStarts(messages)
  const last = starts.length - 1
  const tried = new Map<number, T>()
  const fits = async (turns: number, comfortable: boolean): Promise<boolean> => {
    try {
      tried.set(turns, await make(without(messages, starts[turns] as number), comfortable))
      return true
    } catch (error) {
      if (isTooSmall(error)) return false
      throw error
    }
  }
  const comfortable = (await fits(0, true)) || (await fits(last, true))
  let turns = await least(last, (count) => tried.has(count) || fits(count, comfortable))
  if (turns > 0 && turns < last) turns = blockEnd(messages, starts, turns, blockSize)
  const kept = without(messages, starts[turns] as number)
  const value = tried.get(turns) ?? (await make(kept, comfortable))
  return { value, droppedMessages: messages.length - kept.length }
}

/** Where each turn begins; what the assistant says first belongs to the first one. */
function turnStarts(messages: readonly ChatMessage[]): number[] {
  const starts = messages.flatMap(({ role }, i) => (role === 'user' ? [i] : []))
  return [0, ...starts.slice(1)]
}

function without(messages: readonly ChatMessage[], start: number): ChatMessage[] {
  return messages.filter(({ role }, i) => i >= start || INSTRUCTIONS.includes(role))
}

/** The least number of turns, up to `last`, for which `fits` holds; `last` if for none. */
async function least(last: number, fits: (turns: number) => boolean | Promise<boolean>): Promise<number> {
  let [low, high] = [0, last]
  while (low < high) {
    const middle = (low + high) >> 1
    if (await fits(middle)) high = middle
    else low = middle + 1
  }
  return low
}

/** The first end of a block at or after so many turns; where no block ends before the last turn, so many. */
function blockEnd(
  messages: readonly ChatMessage[],
  starts: readonly number[],
  turns: number,
  blockSize: number,
): number {
  let size = 0
  for (let turn = 1; turn < starts.length; turn++) {
    const block = Math.floor(size / blockSize)
    for (const { content } of messages.slice(starts[turn - 1], starts[turn])) size += content.length
    if (turn >= turns && Math.floor(size / blockSize) > block) return turn
  }
  return turns
}

function isTooSmall(error: unknown): boolean {
  return error instanceof Z1Error && error.code === 'CONTEXT_TOO_SMALL'
}
