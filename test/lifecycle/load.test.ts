import { readFileSync } from 'node:fs'
import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import type { LoadOptions } from '../../lib/index.js'
import { Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'

// 27 MB, and half a second for its vocabulary.
const model = testModel('qwen2-vocab')

async function failure(options: LoadOptions): Promise<unknown> {
  const loading = Z1.load({ model, threads: 1, ...options })
  return loading.then(
    () => undefined,
    (reason: unknown) => reason,
  )
}

/** Whether the process has the model's file in its memory. */
function isMapped(): boolean {
  return readFileSync('/proc/self/maps', 'utf8').includes(model)
}

describe.skipIf(platform !== 'linux')('isMapped', () => {
  it('tells a loaded model', async () => {
    const z1 = await Z1.load({ model, threads: 1 })
    expect(isMapped()).toBe(true)
    await z1.dispose()
    expect(isMapped()).toBe(false)
  })
})

describe('a load with a signal', () => {
  it('that was aborted before rejects with its reason and reads nothing', async () => {
    const onProgress = vi.fn()
    const reason = new Error('not wanted')
    expect(await failure({ signal: AbortSignal.abort(reason), onProgress })).toBe(reason)
    expect(onProgress).not.toHaveBeenCalled()
  })

  it('that is aborted before the file is opened reads nothing', async () => {
    const onProgress = vi.fn()
    const controller = new AbortController()
    const failed = failure({ signal: controller.signal, onProgress })
    controller.abort()
    expect(await failed).toBe(controller.signal.reason)
    expect(onProgress).not.toHaveBeenCalled()
  })

  it.each([0, 0.3, 1])('that is aborted at %d of the load rejects with its reason and keeps nothing', async (from) => {
    const reason = { any: 'value' }
    const controller = new AbortController()
    const onProgress = (progress: number): void => {
      if (progress >= from) controller.abort(reason)
    }
    expect(await failure({ signal: controller.signal, onProgress })).toBe(reason)
    if (platform === 'linux') expect(isMapped()).toBe(false)
  })

  it('that is aborted at any time keeps nothing', async () => {
    for (let delay = 0; delay < 800; delay += 100) {
      const signal = AbortSignal.timeout(delay)
      await Z1.load({ model, threads: 1, signal }).then(
        (z1) => z1.dispose(),
        (reason) => expect(reason).toBe(signal.reason),
      )
      if (platform === 'linux') expect(isMapped()).toBe(false)
    }
  })

  it('that is aborted afterwards stays loaded', async () => {
    const controller = new AbortController()
    await using z1 = await Z1.load({ model, threads: 1, contextSize: 64, signal: controller.signal })
    controller.abort()
    await sleep(10)
    expect(await z1.tokenize('hello')).not.toHaveLength(0)
  })
})

describe('onProgress', () => {
  it('gets numbers from 0 to 1 that never fall, and each once', async () => {
    const told: number[] = []
    const z1 = await Z1.load({ model, threads: 1, onProgress: (progress) => told.push(progress) })
    await z1.dispose()
    expect(told[0]).toBe(0)
    expect(told.at(-1)).toBe(1)
    expect(told).toEqual([...new Set(told)].sort((a, b) => a - b))
    expect(told.length).toBeGreaterThan(3)
  })

  it('is not called after the load has ended', async () => {
    const onProgress = vi.fn()
    const z1 = await Z1.load({ model, threads: 1, onProgress })
    const calls = onProgress.mock.calls.length
    await sleep(50)
    await z1.dispose()
    expect(onProgress).toHaveBeenCalledTimes(calls)
  })

  it.each([0, 0.3, 1])('that throws at %d of the load rejects it and keeps nothing', async (from) => {
    const uncaught = vi.fn()
    process.on('uncaughtException', uncaught)
    const mistake = new Error('in the callback')
    const onProgress = vi.fn((progress: number) => {
      if (progress >= from) throw mistake
    })
    expect(await failure({ onProgress })).toBe(mistake)
    const calls = onProgress.mock.calls.length
    await sleep(20)
    process.off('uncaughtException', uncaught)
    expect(uncaught).not.toHaveBeenCalled()
    // It is not asked again once it has failed.
    expect(onProgress.mock.results.filter(({ type }) => type === 'throw')).toHaveLength(1)
    expect(onProgress).toHaveBeenCalledTimes(calls)
    if (platform === 'linux') expect(isMapped()).toBe(false)
  })
})
