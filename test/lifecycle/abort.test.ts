import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonOptions, Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'

// A long prompt takes it seconds, in many small operations: between two of them a decode can be ended.
const slow = testModel('qwen2-bytes', { endGain: 0, shape: { layers: 8, width: 64, heads: 2, kvHeads: 1 } })
// One layer: what a token leaves in the KV cache does not depend on how those before it were grouped into batches, so texts
// can be compared although their batches differ.
const shallow = testModel('qwen2-bytes', { endGain: 0, shape: { layers: 1 } })

const PROMPT = 8000
const prompt = Array.from({ length: PROMPT }, (_, i) => String.fromCharCode(97 + ((i * i) % 26))).join('')

const brief: ReasonOptions = { template: false, thinkingWindow: 3, maxTokens: 3, cachePrompt: false }
const endless: ReasonOptions = { template: false, thinkingWindow: Infinity, cachePrompt: false }

let z1: Z1
let two: Z1
/** Milliseconds that `z1` needs for the long prompt when nothing ends it. */
let prefill: number

beforeAll(async () => {
  z1 = await Z1.load({ model: slow, threads: 1, contextSize: 8300, batchSize: 512 })
  two = await Z1.load({ model: shallow, threads: 1, contextSize: 8300, batchSize: 512, parallel: 2 })
  const { timings, usage } = await z1.reason(prompt, { ...brief, thinkingWindow: 0, maxTokens: 1 })
  expect(usage.promptTokens).toBe(PROMPT)
  prefill = timings.promptMs
})

afterAll(async () => {
  await z1.dispose()
  await two.dispose()
})

/** What a promise rejected with, and after how many milliseconds. */
async function rejection(promise: Promise<unknown>): Promise<{ reason: unknown; after: number }> {
  const began = performance.now()
  const reason = await promise.then(
    () => 'fulfilled',
    (why: unknown) => why,
  )
  return { reason, after: performance.now() - began }
}

/** Milliseconds until a short request on a context with one sequence has ended. */
async function waiting(one = z1): Promise<number> {
  const began = performance.now()
  await one.reason('Next', brief)
  return performance.now() - began
}

async function abortedInPrompt(one: Z1): Promise<void> {
  const controller = new AbortController()
  const answering = one.reason(prompt, { ...brief, signal: controller.signal })
  await sleep(prefill / 10)
  controller.abort(new Error('enough'))
  const { reason, after } = await rejection(answering)
  expect(reason).toBe(controller.signal.reason)
  expect(after).toBeLessThan(prefill / 10)
  expect(await waiting(one)).toBeLessThan(prefill / 2)
}

describe('abort', () => {
  it('before the start rejects with the reason, and starts nothing', async () => {
    const reason = { any: 'value' }
    const { reason: why } = await rejection(z1.reason(prompt, { ...brief, signal: AbortSignal.abort(reason) }))
    expect(why).toBe(reason)
    expect(await waiting()).toBeLessThan(prefill / 2)
  })

  it('while the prompt is tokenized', async () => {
    const controller = new AbortController()
    const answering = z1.reason(prompt, { ...brief, signal: controller.signal })
    controller.abort()
    const { reason, after } = await rejection(answering)
    expect(reason).toBe(controller.signal.reason)
    expect(after).toBeLessThan(prefill / 10)
    expect(await waiting()).toBeLessThan(prefill / 2)
  })

  it('while the prompt is read settles at once, and the context is free soon', async () => {
    await abortedInPrompt(z1)
  })

  it('within a batch that is the whole prompt', async () => {
    await using whole = await Z1.load({ model: slow, threads: 1, contextSize: 8300, batchSize: 8192 })
    await abortedInPrompt(whole)
  })

  it('while the prompt is read leaves a request beside it alone', async () => {
    const options = { ...endless, thinkingWindow: 60, maxTokens: 10 }
    const alone = await two.reason('Alone', options)
    const controller = new AbortController()
    const order: string[] = []
    const beside = two.reason('Alone', options).finally(() => order.push('beside'))
    const reading = two.reason(prompt, { ...brief, signal: controller.signal }).finally(() => order.push('aborted'))
    // Both run by now, and the prompt is read in chunks of which each is a step of the other.
    await two.tokenize('')
    await sleep(10)
    controller.abort()
    expect((await rejection(reading)).reason).toBe(controller.signal.reason)
    expect(await beside).toMatchObject({ text: alone.text, tokens: alone.tokens, finishReason: alone.finishReason })
    expect(order).toEqual(['aborted', 'beside'])
    // The sequence whose prompt was left half-way is in order.
    const [again, other] = await Promise.all([two.reason('Alone', options), two.reason('Alone', options)])
    expect([again.text, other.text]).toEqual([alone.text, alone.text])
  })

  it('between two tokens rejects at once, and the context is free', async () => {
    const controller = new AbortController()
    const stream = z1.stream('Go on', { ...endless, signal: controller.signal })
    let seen = 0
    const reading = (async () => {
      for await (const _ of stream) if (++seen === 5) controller.abort()
    })()
    expect((await rejection(reading)).reason).toBe(controller.signal.reason)
    expect((await rejection(stream.result)).reason).toBe(controller.signal.reason)
    expect(await waiting()).toBeLessThan(prefill / 2)
  })

  it('of a request that waits for its turn keeps it from running', async () => {
    const first = new AbortController()
    const running = z1.reason('Go on', { ...endless, signal: first.signal })
    const second = new AbortController()
    const queued = z1.reason(prompt, { ...brief, signal: second.signal })
    const third = z1.reason('Next', brief)
    await sleep(20)
    second.abort()
    expect((await rejection(queued)).reason).toBe(second.signal.reason)
    first.abort()
    expect((await rejection(running)).reason).toBe(first.signal.reason)
    const { timings } = await third
    expect(timings.promptMs + timings.thinkingMs + timings.answerMs).toBeLessThan(prefill / 2)
  })

  it('after the end has no effect', async () => {
    const controller = new AbortController()
    const stream = z1.stream('Once', { ...brief, signal: controller.signal })
    const result = await stream.result
    controller.abort()
    expect(await stream.result).toBe(result)
    const types = []
    for await (const { type } of stream) types.push(type)
    expect(types.at(-1)).toBe('done')
  })

  it('of one signal ends every request that has it', async () => {
    const controller = new AbortController()
    const answers = Array.from({ length: 5 }, () => two.reason('Go on', { ...endless, signal: controller.signal }))
    await sleep(20)
    controller.abort()
    const reasons = (await Promise.all(answers.map(rejection))).map(({ reason }) => reason)
    expect(reasons).toEqual(Array(5).fill(controller.signal.reason))
  })

  it('at any moment leaves the next answer as it was', async () => {
    const options = { ...brief, thinkingWindow: 30 }
    const { text } = await two.reason('Next', options)
    for (let i = 0; i < 40; i++) {
      const controller = new AbortController()
      const answering = two.reason('Go on', { ...endless, signal: controller.signal })
      await sleep(i / 4)
      controller.abort()
      expect((await rejection(answering)).reason).toBe(controller.signal.reason)
      if (i % 4 === 0) expect((await two.reason('Next', options)).text).toBe(text)
    }
  })
})

describe('leaving the iteration', () => {
  it.each([
    [
      'by break',
      async (stream: AsyncIterable<unknown>) => {
        for await (const _ of stream) break
      },
    ],
    [
      'by an error',
      async (stream: AsyncIterable<unknown>) => {
        const reading = async () => {
          for await (const _ of stream) throw new Error('in the loop')
        }
        await expect(reading()).rejects.toThrow('in the loop')
      },
    ],
    [
      'by return()',
      async (stream: AsyncIterable<unknown>) => {
        const iterator = stream[Symbol.asyncIterator]()
        await iterator.next()
        await iterator.return?.()
      },
    ],
  ])('%s ends the generation', async (_how, leave) => {
    const stream = z1.stream('Go on', endless)
    await leave(stream)
    expect((await rejection(stream.result)).reason).toMatchObject({ name: 'AbortError' })
    expect(await waiting()).toBeLessThan(prefill / 2)
  })
})
