import { beforeEach, expect, it, vi } from 'vitest'
import { Outbox } from '../../lib/electron/outbox.js'
import type { Item } from '../../lib/electron/protocol.js'

const text = (id: number, text: string, ...tokens: number[]): Item => ({
  id,
  event: { type: 'thinking', text, tokens },
})
const answer = (id: number, text: string): Item => ({ id, event: { type: 'answer', text, tokens: [] } })
const cut: Item = { id: 1, event: { type: 'cut', ended: 'window', thinkingTokens: 3, hint: '' } }

let batches: Item[][]
let box: Outbox

beforeEach(() => {
  vi.useFakeTimers()
  batches = []
  box = new Outbox((items) => batches.push(items))
  return () => vi.useRealTimers()
})

it('texts of a frame are one, of each request and part for itself, in their order', () => {
  for (const item of [
    text(1, 'a', 1),
    text(2, 'x', 9),
    text(1, 'b', 2),
    cut,
    answer(1, 'c'),
    text(2, 'y', 8),
    answer(1, 'd'),
  ]) {
    box.push(item)
  }
  vi.advanceTimersByTime(16)
  expect(batches).toEqual([[text(1, 'ab', 1, 2), text(2, 'xy', 9, 8), cut, answer(1, 'cd')]])
})

it('log-probabilities are merged with the tokens that they belong to', () => {
  const sampled = (token: number) => ({ token, logprob: -token, text: 'a', bytes: [97], top: [] })
  const told = (...tokens: number[]): Item => {
    return { id: 1, event: { type: 'answer', text: 'a'.repeat(tokens.length), tokens, logprobs: tokens.map(sampled) } }
  }
  const first = told(1)
  for (const item of [first, told(2, 3)]) box.push(item)
  vi.advanceTimersByTime(16)
  expect(batches).toEqual([[told(1, 2, 3)]])
  // What was pushed is its owner's.
  expect(first).toEqual(told(1))
})

it('there is at most one batch a frame', () => {
  for (let ms = 0; ms < 160; ms++) {
    box.push(text(1, 'a', ms))
    vi.advanceTimersByTime(1)
    box.taken()
  }
  expect(batches.length).toBeGreaterThan(5)
  expect(batches.length).toBeLessThanOrEqual(11)
})

it('a side that takes nothing gets few batches, and later all that came meanwhile as one', () => {
  for (let i = 0; i < 1000; i++) {
    box.push(text(1, 'a', i))
    vi.advanceTimersByTime(16)
  }
  expect(batches.length).toBe(3)
  box.taken()
  vi.advanceTimersByTime(16)
  expect(batches.length).toBe(4)
  expect(batches[3]?.length).toBe(1)
  const tokens = batches
    .flat()
    .flatMap((item) => ('event' in item && item.event.type === 'thinking' ? item.event.tokens : []))
  expect(tokens).toEqual(Array.from({ length: 1000 }, (_, i) => i))
})

it('more batches are not earned by saying that none is under way', () => {
  for (let i = 0; i < 100; i++) box.taken()
  for (let i = 0; i < 100; i++) {
    box.push(text(1, 'a', i))
    vi.advanceTimersByTime(16)
  }
  expect(batches.length).toBe(3)
})

it('an event that was given stays as it was', () => {
  const first = text(1, 'a', 1)
  box.push(first)
  box.push(text(1, 'b', 2))
  expect(first).toEqual(text(1, 'a', 1))
})

it('a closed one sends nothing', () => {
  box.push(text(1, 'a', 1))
  box.close()
  box.push(text(1, 'b', 1))
  box.flush()
  vi.advanceTimersByTime(100)
  expect(batches).toEqual([])
})
