/**
 * What a host has to say over one port, in batches: at most one a frame, and only a few that the other side has not taken yet. What
 * comes meanwhile is merged: texts of one part of a response become one. So a page that is busy is sent no more messages than it
 * can take, and what waits here is never more than the texts of its responses.
 */
import type { ReasonEvent } from '../reason/result.js'
import type { Item } from './protocol.js'

/** Milliseconds between batches: the frame of a display with 60 of them a second. */
const FRAME = 16
/** Batches that were sent and not taken. One alone would have the host wait for each answer. */
const MAX_UNDER_WAY = 3

type TextEvent = Extract<ReasonEvent, { type: 'thinking' | 'answer' }>

export class Outbox {
  readonly #send: (items: Item[]) => void
  #items: Item[] = []
  /** The last item of a request, where that is a text of ours. */
  readonly #texts = new Map<number, TextEvent>()
  #underWay = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #last = -Infinity
  #closed = false

  constructor(send: (items: Item[]) => void) {
    this.#send = send
  }

  push(item: Item): void {
    if (this.#closed) return
    if (!this.#merge(item)) this.#items.push(item)
    this.#schedule()
  }

  /** The other side has taken a batch. */
  taken(): void {
    if (this.#underWay > 0) this.#underWay--
    this.#schedule()
  }

  /** Sends what waits, whether it is time or not. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#items.length === 0) return
    this.#last = performance.now()
    this.#underWay++
    this.#texts.clear()
    this.#send(this.#items.splice(0))
  }

  /** Nothing is sent any more. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#closed = true
    this.#items = []
    this.#texts.clear()
  }

  #schedule(): void {
    if (this.#timer !== undefined || this.#items.length === 0 || this.#underWay >= MAX_UNDER_WAY) return
    const rest = this.#last + FRAME - performance.now()
    // Also the first text of a response comes with what the same step has for others.
    this.#timer = setTimeout(() => this.flush(), Math.max(rest, 0))
  }

  /** Requests are independent: only the order within each counts. */
  #merge(item: Item): boolean {
    const event = 'event' in item ? item.event : null
    if (event?.type !== 'thinking' && event?.type !== 'answer') {
      this.#texts.delete(item.id)
      return false
    }
    const text = this.#texts.get(item.id)
    if (text?.type === event.type) {
      text.text += event.text
      for (const token of event.tokens) text.tokens.push(token)
      for (const one of event.logprobs ?? []) text.logprobs?.push(one)
      return true
    }
    const own: TextEvent = {
      ...event,
      tokens: [...event.tokens],
      ...(event.logprobs && { logprobs: [...event.logprobs] }),
    }
    this.#texts.set(item.id, own)
    this.#items.push({ id: item.id, event: own })
    return true
  }
}
