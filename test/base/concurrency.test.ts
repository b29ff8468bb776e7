/** At most so many at once, and in the order of the items, whatever the order in which they end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { inOrder, limiter } from '../../lib/base/concurrency.js'
import { collect } from '../support/lines.js'

async function* numbers(count: number): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) yield i
}

/** Work that ends in another order than it begins, and how many of it ran at once. */
function counted() {
  let running = 0
  const seen = { most: 0 }
  const work = async (i: number) => {
    seen.most = Math.max(seen.most, ++running)
    await sleep((i * 7) % 5)
    running -= 1
    return i * i
  }
  return { seen, work }
}

describe('limiter', () => {
  it.each([1, 3])('runs %i at once, the first come first', async (parallel) => {
    const { seen, work } = counted()
    const limit = limiter(parallel)
    const begun: number[] = []
    const all = Array.from({ length: 20 }, (_, i) =>
      limit(() => {
        begun.push(i)
        return work(i)
      }),
    )
    expect(await Promise.all(all)).toEqual(Array.from({ length: 20 }, (_, i) => i * i))
    expect(begun).toEqual(Array.from({ length: 20 }, (_, i) => i))
    expect(seen.most).toBe(parallel)
  })

  it('goes on after what fails', async () => {
    const limit = limiter(1)
    const failed = limit(() => Promise.reject(new Error('no')))
    const next = limit(async () => 'yes')
    await expect(failed).rejects.toThrow('no')
    expect(await next).toBe('yes')
  })
})

describe('inOrder', () => {
  it.each([1, 4])('gives the results of %i at once in the order of the items', async (parallel) => {
    const { seen, work } = counted()
    const found = await collect(inOrder(numbers(30), parallel, work))
    expect(found).toEqual(Array.from({ length: 30 }, (_, i) => ({ item: i, result: i * i })))
    expect(seen.most).toBe(parallel)
  })

  it('ends with the first failure, after the results before it', async () => {
    const found: number[] = []
    const run = async () => {
      for await (const { item } of inOrder(numbers(30), 3, (i) => (i === 5 ? Promise.reject(new Error('five')) : i))) {
        found.push(item)
      }
    }
    await expect(run()).rejects.toThrow('five')
    expect(found).toEqual([0, 1, 2, 3, 4])
  })

  it('ends with the reason of its signal, and tells the work', async () => {
    const abort = new AbortController()
    const told: unknown[] = []
    const work = async (i: number, signal: AbortSignal) => {
      if (i === 2) abort.abort(new Error('enough'))
      await sleep(5)
      if (signal.aborted) told.push(signal.reason)
    }
    await expect(collect(inOrder(numbers(30), 3, work, abort.signal))).rejects.toThrow('enough')
    expect(told).toHaveLength(3)
    expect(told[0]).toBe(abort.signal.reason)
  })

  it('waits for what is under way when it is left', async () => {
    let ended = 0
    for await (const { item } of inOrder(numbers(30), 3, async (i) => {
      await sleep(i)
      ended += 1
    })) {
      if (item === 1) break
    }
    const then = ended
    await sleep(60)
    expect(ended).toBe(then)
  })
})
