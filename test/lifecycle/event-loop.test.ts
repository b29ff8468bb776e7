import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonEvent, type ReasonOptions, Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'

const model = testModel('qwen2-bytes', { endGain: 0, shape: { layers: 2 } })
const long: ReasonOptions = { template: false, thinkingWindow: 1000, maxTokens: 50, cachePrompt: false }

/** Stops the JavaScript thread. */
function block(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds)
}

let z1: Z1

beforeAll(async () => {
  z1 = await Z1.load({ model, threads: 1, contextSize: 2048 })
})

afterAll(() => z1.dispose())

describe('while a thousand tokens are generated', () => {
  it('timers go off in time', async () => {
    const late: number[] = []
    let due = performance.now() + 10
    const timer = setInterval(() => {
      const now = performance.now()
      late.push(now - due)
      due = now + 10
    }, 10)
    const { usage, timings } = await z1.reason('Go on', long)
    clearInterval(timer)
    expect(usage.thinkingTokens).toBe(1000)
    // Were the loop held for the length of the generation, no timer would go off at all.
    expect(late.length).toBeGreaterThan(timings.totalMs / 10 / 4)
    expect(Math.max(...late)).toBeLessThan(timings.totalMs / 4)
  })

  it("the thread pool is free: five contexts run, and libuv's pool has four threads", async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => Z1.load({ model, threads: 1, contextSize: 2048 })))
    const controller = new AbortController()
    const options = { ...long, signal: controller.signal }
    let ended = 0
    const answers = [z1, ...others].map((one) => one.reason('Go on', options).finally(() => ended++))
    // Until all of them are past what does use the pool, the tokenizing.
    await z1.tokenize('Go on')
    await sleep(50)
    for (let i = 0; i < 20; i++) await stat(model)
    // Generations in the pool would have kept these calls waiting for one of them to end.
    expect(ended).toBe(0)
    controller.abort()
    await Promise.allSettled(answers)
    await Promise.all(others.map((one) => one.dispose()))
  })
})

describe('when JavaScript stands still', () => {
  it('the generation goes on, and its events are merged without loss', async () => {
    const undisturbed = await z1.reason('Go on', long)

    const events: ReasonEvent[] = []
    let blocked = 0
    for await (const event of z1.stream('Go on', long)) {
      events.push(event)
      if (event.type === 'thinking' && blocked === 0) {
        block(500)
        blocked = events.length
      }
    }
    const done = events.at(-1)
    if (done?.type !== 'done') throw new Error('Expected the last event to be done')
    const { text, hint, tokens, timings } = done.result
    expect(text).toBe(undisturbed.text)
    expect(tokens).toEqual(undisturbed.tokens)
    expect(timings.decodeCalls).toBe(undisturbed.timings.decodeCalls)

    const shown = events.filter((event) => event.type === 'thinking' || event.type === 'answer')
    expect(shown.flatMap((event) => event.tokens)).toEqual([...tokens.reasoning, ...tokens.answer])
    const told = events.map((event) => (event.type === 'cut' ? event.hint : 'text' in event ? event.text : '')).join('')
    expect(told).toBe(text)
    expect(told).toContain(hint)
    // What was generated meanwhile came in one event.
    const next = events[blocked]
    expect(next?.type === 'thinking' && next.tokens.length).toBeGreaterThan(20)
    expect(shown.length).toBeLessThan(1000)
  })

  it('to the end of the generation, all of the rest comes at once', async () => {
    const options = { ...long, thinkingWindow: 40, maxTokens: 10 }
    const undisturbed = await z1.reason('Go on', options)
    const stream = z1.stream('Go on', options)
    const types: string[] = []
    for await (const { type } of stream) {
      types.push(type)
      if (types.length === 1) block(1000)
    }
    expect(types.filter((type, i) => i === 0 || type !== types[i - 1])).toEqual(['thinking', 'cut', 'answer', 'done'])
    expect(types.length).toBeLessThanOrEqual(5)
    expect((await stream.result).text).toBe(undisturbed.text)
  })
})
