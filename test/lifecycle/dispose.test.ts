import { statSync } from 'node:fs'
import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { type ReasonOptions, Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'
import { codeOf } from '../support/rejection.js'
import { node, run } from './process.js'

const model = testModel('qwen2-bytes', { endGain: 0 })
const endless: ReasonOptions = { template: false, thinkingWindow: Infinity }
const brief: ReasonOptions = { template: false, thinkingWindow: 5, maxTokens: 5 }

function load(parallel = 1): Promise<Z1> {
  return Z1.load({ model, threads: 1, contextSize: 8192, parallel })
}

async function readAll(z1: Z1): Promise<void> {
  for await (const _ of z1.stream('Go on', endless));
}

describe('dispose', () => {
  it('gives the same promise each time', async () => {
    const z1 = await load()
    const disposed = z1.dispose()
    expect(z1.dispose()).toBe(disposed)
    await disposed
    expect(z1.dispose()).toBe(disposed)
    expect(z1[Symbol.asyncDispose]()).toBe(disposed)
  })

  it('ends requests that run, wait for their turn or are being tokenized', async () => {
    const z1 = await load(2)
    const running = [z1.reason('Go on', endless), readAll(z1)]
    const waiting = [z1.reason('Go on', endless), readAll(z1)]
    const codes = Promise.all([...running, ...waiting].map(codeOf))
    await sleep(50)
    const beginning = [z1.reason('Go on', endless), readAll(z1), z1.stream('Go on', endless).result].map(codeOf)
    const disposed = z1.dispose()
    expect(await codes).toEqual(Array(4).fill('DISPOSED'))
    expect(await Promise.all(beginning)).toEqual(Array(3).fill('DISPOSED'))
    await disposed
  })

  it.each([
    ['while it goes on', async (_disposed: Promise<void>) => {}],
    ['once it is done', (disposed: Promise<void>) => disposed],
  ])('refuses every call %s', async (_when, wait) => {
    const z1 = await load()
    const tokens = await z1.tokenize('some')
    const disposed = z1.dispose()
    await wait(disposed)
    const stream = z1.stream('some', brief)
    const calls = [
      z1.reason('some', brief),
      z1.reason([{ role: 'user', content: 'some' }]),
      stream.result,
      (async () => {
        for await (const _ of stream);
      })(),
      z1.tokenize('some'),
      z1.detokenize(tokens),
    ]
    expect(await Promise.all(calls.map(codeOf))).toEqual(Array(calls.length).fill('DISPOSED'))
    stream.stop()
    stream.endThinking()
    await disposed
  })

  it('waits for the tokenizing that it ends', async () => {
    // Its context has room for what may have this many tokens, so that it is not refused before.
    const z1 = await load()
    const longest = z1.model.contextSize * '<|endoftext|>'.length
    const prompts = Array.from({ length: 6 }, () => z1.reason('word '.repeat(longest / 5), endless))
    const texts = Array.from({ length: 6 }, () => z1.tokenize('word '.repeat(1e6)))
    const codes = Promise.all([...prompts, ...texts].map(codeOf))
    await z1.dispose()
    const inThisTurn = new Promise((resolve) => setImmediate(resolve, 'no'))
    expect(await Promise.race([codes, inThisTurn])).toEqual(Array(12).fill('DISPOSED'))
  })

  it('lets a stream of a request that has ended be read', async () => {
    const z1 = await load()
    const stream = z1.stream('some', brief)
    const { text } = await stream.result
    await z1.dispose()
    const events = []
    for await (const event of stream) events.push(event)
    expect(events.at(-1)).toMatchObject({ type: 'done', result: { text } })
  })

  it('touches no other model of the process', async () => {
    await using other = await load()
    const alone = await other.reason('some', { ...brief, seed: 1, thinkingWindow: 200 })
    const z1 = await load()
    const going = z1.reason('Go on', endless).catch(() => {})
    const together = other.reason('some', { ...brief, seed: 1, thinkingWindow: 200 })
    await sleep(20)
    await z1.dispose()
    await going
    expect((await together).text).toBe(alone.text)
  })

  it('comes with `await using`', async () => {
    let kept: Z1
    {
      await using z1 = await load()
      kept = z1
      expect((await z1.reason('some', brief)).text).not.toBe('')
    }
    expect(await codeOf(kept.tokenize('some'))).toBe('DISPOSED')
  })

  it('settles when its request is aborted at the same time', async () => {
    const z1 = await load()
    const controller = new AbortController()
    const answering = z1.reason('Go on', { ...endless, signal: controller.signal })
    const reason = vi.fn()
    answering.catch(reason)
    await sleep(20)
    const disposed = z1.dispose()
    controller.abort()
    await disposed
    expect(await codeOf(answering)).toMatch(/AbortError|DISPOSED/)
  })
})

describe.skipIf(platform !== 'linux')('thirty models one after the other', () => {
  // 50 MB: 4 layers of 512.
  const large = testModel('qwen2-bytes', { shape: { layers: 4, width: 512, heads: 8, kvHeads: 2, feedForward: 1536 } })

  it('leave neither memory nor threads behind', async () => {
    const { stdout, ...ending } = await run([...node('cycles.mjs'), large, '30'])
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    const cycles: Record<'loaded' | 'gone', { rss: number; threads: number; mapped: boolean }>[] = JSON.parse(stdout)
    expect(cycles).toHaveLength(30)
    const size = statSync(large).size
    // The first cycles fill caches and start the pool's threads.
    const [, , third] = cycles
    for (const { loaded, gone } of cycles.slice(3)) {
      expect(loaded.rss - gone.rss).toBeGreaterThan(size / 2)
      expect(gone.rss - third!.gone.rss).toBeLessThan(size)
      expect(loaded).toMatchObject({ threads: third!.gone.threads + 1, mapped: true })
      expect(gone).toMatchObject({ threads: third!.gone.threads, mapped: false })
    }
  })
})
