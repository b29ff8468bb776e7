import { getEventListeners } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonEvent, type ReasonOptions, type ReasonStream, Z1 } from '../../lib/index.js'
import { PLAIN_HINT } from '../../lib/reason/options.js'
import { ReasonStream as Stream } from '../../lib/reason/stream.js'
import { temporaryFolder } from '../support/folder.js'
import { testModel } from '../support/models.js'
import { Random } from '../support/random.js'
import { tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
/** Says ` hm so` for minutes, `Four!` after the plain hint, and takes milliseconds for a token; one request at a time. */
let slow: Z1
const words = [' hm', ' so', 'Four']
const rows = { L: ' hm', ' hm': ' so', ' so': ' hm', '\n': 'Four', Four: '!' }
const contextSize = 2 ** 17
const endless: ReasonOptions = { template: false, thinkingWindow: Infinity, cachePrompt: false }
const loop = (n: number) => ' hm so'.repeat(n / 2) + (n % 2 === 1 ? ' hm' : '')

beforeAll(async () => {
  const model = tableModel(folder(), 'slow', { extraTokens: words, rows, slow: true })
  slow = await Z1.load({ model, contextSize, batchSize: 2, threads: 1, engine: 'cpu' })
})
afterAll(async () => {
  await slow.dispose()
})

async function eventsOf(stream: ReasonStream, at: (event: ReasonEvent) => void = () => {}): Promise<ReasonEvent[]> {
  const events: ReasonEvent[] = []
  for await (const event of stream) {
    events.push(event)
    at(event)
  }
  return events
}

/** Calls `act` at the first event of a type. */
function once(type: ReasonEvent['type'], act: () => void): (event: ReasonEvent) => void {
  let acted = false
  return (event) => {
    if (event.type !== type || acted) return
    acted = true
    act()
  }
}

/** Whether the context is free for another request: behind an endless one this would wait beyond the test's time. */
async function expectFree(): Promise<void> {
  await slow.reason('L', { template: false, thinkingWindow: 1, hint: 'L', maxTokens: 1 })
}

describe('the laws of events', () => {
  it('hold for any request', async () => {
    const model = testModel('qwen2-bytes', { endGain: 1 })
    const z1 = await Z1.load({ model, contextSize: 384, parallel: 3, threads: 1, engine: 'cpu' })
    const random = new Random(3)
    const letters = [...'abcdefghijklmnopqrst']
    // What runs together changes a step's arithmetic, so whether a sampled response ends is not always the same. Some never do.
    const [z] = (await z1.tokenize('z')) as [number]
    const requests = Array.from({ length: 60 }, (_, i): ReasonOptions => {
      return {
        template: false,
        thinkingWindow: ([0, 1, 20, 150, Infinity] as const)[i % 5],
        maxTokens: 1 + random.below(30),
        temperature: i % 2,
        stop: i % 3 === 0 ? letters : undefined,
        logitBias: i % 10 === 9 ? [[z, 1000]] : undefined,
        seed: i,
      }
    })
    const kinds = new Set<string>()
    await Promise.all(
      requests.map(async (options, i) => {
        const stream = z1.stream('a'.repeat(1 + (i % 50)), options)
        const events = await eventsOf(stream)
        const result = await stream.result
        const order = events.map(({ type }) => type).join(' ')
        expect(order).toMatch(/^(thinking )*(cut (answer )*)?done$/)
        kinds.add(`${result.ended} ${result.finishReason}`)

        const texts = { thinking: '', answer: '' }
        const tokens = { thinking: [] as number[], answer: [] as number[] }
        let cut: Extract<ReasonEvent, { type: 'cut' }> | undefined
        for (const event of events) {
          if (event.type === 'thinking' || event.type === 'answer') {
            texts[event.type] += event.text
            tokens[event.type].push(...event.tokens)
            expect(event.text !== '' || event.tokens.length > 0).toBe(true)
          } else if (event.type === 'cut') {
            cut = event
          } else if (event.type === 'done') {
            expect(event.result).toBe(result)
          }
        }
        expect(texts.thinking).toBe(result.reasoning)
        expect(tokens.thinking).toEqual(result.tokens.reasoning)
        expect(tokens.answer).toEqual(result.tokens.answer)
        expect(texts.thinking + (cut?.hint ?? '') + texts.answer).toBe(result.text)
        if (cut) {
          expect(texts.answer).toBe(result.answer)
          const { ended, hint, usage } = result
          expect(cut).toEqual({ type: 'cut', ended, hint, thinkingTokens: usage.thinkingTokens })
        } else {
          expect(['self', 'stop', 'length']).toContain(result.ended)
        }
      }),
    )
    await z1.dispose()
    expect([...kinds]).toEqual(
      expect.arrayContaining(['self stop', 'window stop', 'window length', 'stop stop', 'length length']),
    )
  })

  it('a reader that is late gets several tokens in one event, and misses none', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 60, maxTokens: 1 })
    const events = await eventsOf(stream, () => {
      const until = performance.now() + 30
      while (performance.now() < until);
    })
    const thinking = events.filter((event) => event.type === 'thinking')
    expect(thinking.length).toBeLessThan(60)
    expect(thinking.map((event) => event.text).join('')).toBe(loop(60))
    expect(thinking.flatMap((event) => event.tokens)).toHaveLength(60)
  })

  it('a reader that does other things between events misses none, not even the last', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 10, maxTokens: 2 })
    const events: ReasonEvent[] = []
    for await (const event of stream) {
      events.push(event)
      await stream.result
      await sleep(5)
    }
    const result = await stream.result
    expect(events.map((event) => ('text' in event ? event.text : '')).join('')).toBe(`${loop(10)}Four!`)
    expect(events.at(-1)).toEqual({ type: 'done', result })
  })

  it('can be read after the result is there', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 4, maxTokens: 2 })
    const result = await stream.result
    expect(result).toMatchObject({ reasoning: loop(4), answer: 'Four!' })
    const events = await eventsOf(stream)
    expect(events.at(-1)).toEqual({ type: 'done', result })
    expect(events.filter(({ type }) => type === 'cut')).toHaveLength(1)
  })

  it('a stream is iterated once', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 4, maxTokens: 2 })
    const first = eventsOf(stream)
    const error = await eventsOf(stream).catch((error) => error)
    expect(error).toBeInstanceOf(TypeError)
    expect(error.message).toBe('A stream can be iterated only once')
    // The first reader is not disturbed.
    expect((await first).at(-1)).toMatchObject({ type: 'done', result: { reasoning: loop(4), answer: 'Four!' } })
    await expect(eventsOf(stream)).rejects.toBeInstanceOf(TypeError)
  })

  it('two readers of one stream do not share its events', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 4, maxTokens: 2 })
    const iterators = [stream[Symbol.asyncIterator](), stream[Symbol.asyncIterator]()] as const
    expect((await iterators[0].next()).value).toMatchObject({ type: 'thinking' })
    await expect(iterators[1].next()).rejects.toBeInstanceOf(TypeError)
    await stream.result
  })

  it('who asks ahead gets the events in order, then the end', async () => {
    const options = { template: false, thinkingWindow: 4, maxTokens: 2 }
    const iterator = slow.stream('L', options)[Symbol.asyncIterator]()
    const results = await Promise.all(Array.from({ length: 40 }, () => iterator.next()))
    const events = results.flatMap(({ value }) => (value ? [value] : []))
    expect(events.flatMap((event) => (event.type === 'thinking' ? event.text : [])).join('')).toBe(loop(4))
    expect(results[events.length - 1]).toMatchObject({ value: { type: 'done' } })
    expect(results.slice(events.length)).toEqual(results.slice(events.length).map(() => ({ done: true })))
  })
})

describe('failure', () => {
  it('rejects the iteration and the result alike, and is no unhandled rejection', async () => {
    const unhandled: unknown[] = []
    const note = (reason: unknown) => unhandled.push(reason)
    process.on('unhandledRejection', note)
    const never = slow.stream('L', { template: false, thinkingWindow: contextSize })
    const iterated = slow.stream('L', { template: false, thinkingWindow: contextSize })
    const reason = await eventsOf(iterated).catch((error) => error)
    await sleep(20)
    process.off('unhandledRejection', note)

    expect(unhandled).toEqual([])
    expect(reason).toMatchObject({ name: 'Z1Error', code: 'CONTEXT_TOO_SMALL' })
    await expect(iterated.result).rejects.toBe(reason)
    await expect(never.result).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    await expect(eventsOf(never)).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
  })

  it('misuse throws at once', () => {
    expect(() => slow.stream('L', { thinkingWindow: -1 })).toThrow(RangeError)
    expect(() => slow.stream('L', { logitBias: { 99999: 1 } })).toThrow(RangeError)
    expect(() => slow.stream(7 as never)).toThrow(TypeError)
    const messages = [
      { role: 'system', content: 'a' },
      { role: 'user', content: 'b' },
    ]
    expect(() => slow.stream(messages, { system: 'c' })).toThrow('Expected no system option beside a system message')
  })
})

/** Takes a request to a point of its life, and acts there. The prompt takes long enough to be met in. */
type Reach = (options: ReasonOptions, act: (stream: ReasonStream) => void) => Promise<ReasonStream>
const longPrompt = 'L'.repeat(1500)
const phases: Record<string, Reach> = {
  async 'before it starts'(options, act) {
    const stream = slow.stream(longPrompt, options)
    act(stream)
    return stream
  },
  async 'while it waits for another'(options, act) {
    const other = slow.stream('L', endless)
    const stream = slow.stream(longPrompt, options)
    await sleep(50)
    act(stream)
    other.stop()
    await other.result
    return stream
  },
  async 'in its prompt'(options, act) {
    const stream = slow.stream(longPrompt, options)
    await sleep(10)
    act(stream)
    return stream
  },
  async 'while it thinks'(options, act) {
    const stream = slow.stream('L', options)
    await eventsOf(
      stream,
      once('thinking', () => act(stream)),
    ).catch(() => {})
    return stream
  },
}
const inAnswer: Reach = async (options, act) => {
  const stream = slow.stream('L', { ...options, thinkingWindow: 3, hint: ' L', maxTokens: 2000 })
  await eventsOf(
    stream,
    once('answer', () => act(stream)),
  ).catch(() => {})
  return stream
}

describe('endThinking()', () => {
  it.each([
    'before it starts',
    'while it waits for another',
    'in its prompt',
  ])('%s: the hint comes first', async (name) => {
    const reach = phases[name] as Reach
    const stream = await reach({ ...endless, maxTokens: 2 }, (stream) => stream.endThinking())
    const result = await stream.result
    expect(result).toMatchObject({ ended: 'request', finishReason: 'length', reasoning: '', answer: 'Four!' })
    expect(result.text).toBe(`${PLAIN_HINT}Four!`)
    expect(result.usage.thinkingTokens).toBe(0)
    const events = await eventsOf(stream)
    expect(events[0]).toEqual({ type: 'cut', ended: 'request', thinkingTokens: 0, hint: PLAIN_HINT })
  })

  it('while it thinks, twice: one cut, where it stood', async () => {
    const events: ReasonEvent[] = []
    const stream = slow.stream('L', { ...endless, maxTokens: 2 })
    for await (const event of stream) {
      events.push(event)
      if (event.type === 'thinking') {
        stream.endThinking()
        stream.endThinking()
      }
    }
    const { reasoning, ended, answer, usage } = await stream.result
    expect({ ended, answer }).toEqual({ ended: 'request', answer: 'Four!' })
    expect(usage.thinkingTokens).toBeGreaterThan(0)
    expect(reasoning).toBe(loop(usage.thinkingTokens))
    expect(events.filter(({ type }) => type === 'cut')).toHaveLength(1)
  })

  it('gives what a window of that many tokens gives', async () => {
    const model = testModel('qwen2-bytes', { endGain: 0 })
    const z1 = await Z1.load({ model, contextSize: 2048, threads: 1, engine: 'cpu' })
    const options = { maxTokens: 12, cachePrompt: false }
    for (let i = 0; i < 5; i++) {
      const stream = z1.stream(`question ${i}`, { ...options, thinkingWindow: Infinity })
      await eventsOf(stream, () => stream.endThinking())
      const { usage, tokens, ended } = await stream.result
      const window = await z1.reason(`question ${i}`, { ...options, thinkingWindow: usage.thinkingTokens })
      expect(ended).toBe('request')
      expect(window.ended).toBe('window')
      expect(tokens).toEqual(window.tokens)
    }
    await z1.dispose()
  })

  it('in the answer: no effect', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 3, hint: ' L', maxTokens: 40 })
    const events = await eventsOf(stream, ({ type }) => type !== 'thinking' && stream.endThinking())
    expect(await stream.result).toMatchObject({ ended: 'window', reasoning: loop(3), answer: loop(40) })
    expect(events.filter(({ type }) => type === 'cut')).toHaveLength(1)
  })

  it('after the end: no effect', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 3, maxTokens: 2 })
    const result = await stream.result
    stream.endThinking()
    await sleep(20)
    expect(await stream.result).toBe(result)
    expect((await eventsOf(stream)).at(-1)).toEqual({ type: 'done', result })
  })

  it('without room for the hint: the context is full', async () => {
    const model = tableModel(folder(), 'small', { rows: { L: 'L' } })
    // A prompt token at a time, so that the order comes before the first sampled one.
    const z1 = await Z1.load({ model, contextSize: 300, batchSize: 1, threads: 1, engine: 'cpu' })
    // After 251 tokens there is room for thinking, but not for a hint of 49 and one of an answer.
    const last = z1.stream('L'.repeat(250), { ...endless, hint: ` ${'L'.repeat(48)}` })
    last.endThinking()
    await expect(last.result).resolves.toMatchObject({ ended: 'request', finishReason: 'length', answer: 'L' })
    const none = z1.stream('L'.repeat(251), endless)
    none.endThinking()
    await expect(none.result).resolves.toMatchObject({ ended: 'length', finishReason: 'length', text: '', hint: '' })
    await z1.dispose()
  })
})

describe('stop()', () => {
  it.each(Object.keys(phases))('%s: what there is', async (name) => {
    const reach = phases[name] as Reach
    const stream = await reach(endless, (stream) => {
      stream.stop()
      stream.stop()
    })
    const result = await stream.result
    const { usage, reasoning, text } = result
    expect(result).toMatchObject({ ended: 'stop', finishReason: 'abort', hint: '', stopString: null })
    expect(usage.thinkingTokens > 0).toBe(name === 'while it thinks')
    expect(usage.promptTokens).toBe(name === 'while it thinks' ? 1 : longPrompt.length)
    expect([reasoning, text]).toEqual([loop(usage.thinkingTokens), loop(usage.thinkingTokens)])
    await expectFree()
  })

  it('in the answer: what there is', async () => {
    const stream = await inAnswer({ template: false }, (stream) => stream.stop())
    const { ended, finishReason, answer, usage, text } = await stream.result
    expect({ ended, finishReason }).toEqual({ ended: 'window', finishReason: 'abort' })
    expect(usage.answerTokens).toBeGreaterThan(0)
    expect(answer).toBe(loop(usage.answerTokens))
    expect(text).toBe(`${loop(3)} L${answer}`)
    await expectFree()
  })

  it('after the end: no effect', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 3, maxTokens: 2 })
    const result = await stream.result
    stream.stop()
    await sleep(20)
    expect(await stream.result).toBe(result)
    expect(result.finishReason).toBe('length')
  })
})

describe('an aborted request', () => {
  const reasons: [string, () => AbortController, unknown?][] = [
    ['the default reason', () => new AbortController()],
    ['an own error', () => new AbortController(), new Error('enough')],
    ['an error with a code of ours', () => new AbortController(), Object.assign(new Error('no'), { code: 'ABORTED' })],
    ['any value', () => new AbortController(), 'just because'],
  ]

  it.each([
    ...Object.keys(phases),
    'in its answer',
  ])('%s: rejects with the reason, and leaves the context', async (name) => {
    const reach = phases[name] ?? inAnswer
    for (const [, make, reason] of reasons) {
      const controller = make()
      const stream = await reach({ ...endless, signal: controller.signal }, () => controller.abort(reason))
      const rejected = await stream.result.catch((error) => error)
      expect(rejected).toBe(controller.signal.reason)
      if (reason === undefined) expect(rejected).toMatchObject({ name: 'AbortError' })
      else expect(rejected).toBe(reason)
      expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
      await expectFree()
    }
  })

  it('throws the same in the iteration, after the events that there were', async () => {
    const controller = new AbortController()
    const stream = slow.stream('L', { ...endless, signal: controller.signal })
    const seen: string[] = []
    const iteration = eventsOf(stream, (event) => {
      seen.push(event.type)
      if (seen.length === 3) controller.abort()
    })
    const reason = await iteration.catch((error) => error)
    expect(reason).toBe(controller.signal.reason)
    expect(new Set(seen)).toEqual(new Set(['thinking']))
  })

  it('before the call: nothing runs', async () => {
    for (const reason of [undefined, new Error('early'), 0]) {
      const signal = AbortSignal.abort(reason)
      await expect(slow.reason('L', { ...endless, signal })).rejects.toBe(signal.reason)
      const stream = slow.stream('L', { ...endless, signal })
      await expect(eventsOf(stream)).rejects.toBe(signal.reason)
      expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    }
    const start = () => Promise.reject(new Error('started'))
    const stream = new Stream(start, {}, AbortSignal.abort('early'))
    await expect(stream.result).rejects.toBe('early')
  })

  it('ends what still prepares the request, as leaving the iteration does', async () => {
    const signals: AbortSignal[] = []
    const start = (_listener: unknown, signal: AbortSignal) => {
      signals.push(signal)
      return new Promise<never>(() => {})
    }
    const controller = new AbortController()
    const aborted = new Stream(start, {}, controller.signal)
    const left = new Stream(start, {}, undefined)[Symbol.asyncIterator]()
    void left.next()
    expect(signals.map((signal) => signal.aborted)).toEqual([false, false])
    controller.abort()
    await left.return?.()
    expect(signals.map((signal) => signal.aborted)).toEqual([true, true])
    await expect(aborted.result).rejects.toBe(controller.signal.reason)
  })

  it('by a timeout: a TimeoutError', async () => {
    const signal = AbortSignal.timeout(50)
    const rejected = await slow.reason('L', { ...endless, signal }).catch((error) => error)
    expect(rejected).toBe(signal.reason)
    expect(rejected).toMatchObject({ name: 'TimeoutError' })
    await expectFree()
  })

  it('after its end: no effect, and nothing listens any more', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const done = await slow.reason('L', { template: false, thinkingWindow: 2, maxTokens: 2, signal })
    expect(getEventListeners(signal, 'abort')).toHaveLength(0)
    controller.abort()
    expect(done).toMatchObject({ reasoning: loop(2), answer: 'Four!' })

    const failed = new AbortController()
    const tooLarge = slow.reason('L', { template: false, thinkingWindow: contextSize, signal: failed.signal })
    await expect(tooLarge).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    expect(getEventListeners(failed.signal, 'abort')).toHaveLength(0)
  })

  it('one signal ends several requests', async () => {
    const controller = new AbortController()
    const requests = [1, 2, 3].map(() => slow.reason('L', { ...endless, signal: controller.signal }))
    await sleep(30)
    controller.abort()
    const settled = await Promise.allSettled(requests)
    const { reason } = controller.signal
    expect(settled).toEqual([1, 2, 3].map(() => ({ status: 'rejected', reason })))
    await expectFree()
  })
})

describe('leaving the iteration', () => {
  it.each([
    ['by break', 'break'],
    ['by a throw', 'throw'],
  ])('%s aborts the request', async (_name, how) => {
    const stream = slow.stream('L', endless)
    const leave = async () => {
      for await (const event of stream) {
        expect(event.type).toBe('thinking')
        if (how === 'throw') throw new Error('mine')
        break
      }
    }
    if (how === 'throw') await expect(leave()).rejects.toThrow('mine')
    else await leave()
    await expect(stream.result).rejects.toMatchObject({ name: 'AbortError', message: 'The iteration was left' })
    await expectFree()
  })

  it('ends it for those who had asked ahead', async () => {
    const stream = slow.stream('L', endless)
    const iterator = stream[Symbol.asyncIterator]()
    await iterator.next()
    const asked = [iterator.next(), iterator.next()]
    expect(await iterator.return?.()).toEqual({ done: true })
    expect((await Promise.all(asked)).at(-1)).toEqual({ done: true })
    expect(await iterator.next()).toEqual({ done: true })
    await expect(stream.result).rejects.toMatchObject({ name: 'AbortError' })
    await expectFree()
  })

  it('at the last event is no abort', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 2, maxTokens: 2 })
    for await (const event of stream) {
      if (event.type === 'done') break
    }
    await expect(stream.result).resolves.toMatchObject({ answer: 'Four!' })
  })

  it('with the end already there, but unread, is no abort', async () => {
    const stream = slow.stream('L', { template: false, thinkingWindow: 2, maxTokens: 2 })
    await stream.result
    for await (const _ of stream) break
    await expect(stream.result).resolves.toMatchObject({ answer: 'Four!' })
  })
})
