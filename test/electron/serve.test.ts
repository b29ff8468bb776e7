/** Both ends of a real port in one process, on the embedded model. */
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connectPort, type PortReasoner } from '../../lib/electron/client.js'
import { ServedPort } from '../../lib/electron/serve.js'
import { type ReasonEvent, type Reasoner, type ReasonOptions, type ReasonStream, Z1, Z1Error } from '../../lib/index.js'
import { isReasoner } from '../../lib/reason/reasoner.js'
import { rejection } from '../support/rejection.js'

let z1: Z1
let far: PortReasoner
let ports: { port1: MessagePort; port2: MessagePort }
let closed: { count: number }
let served: ServedPort

beforeAll(async () => {
  z1 = await Z1.load({ threads: 1, contextSize: 2048, parallel: 2 })
})
afterAll(() => z1.dispose())

async function open(reasoner: Reasoner = z1): Promise<void> {
  ports = new MessageChannel()
  const own = { count: 0 }
  closed = own
  served = new ServedPort(reasoner, ports.port1, () => own.count++)
  far = await connectPort(ports.port2)
}
afterEach(() => {
  ports.port1.close()
  ports.port2.close()
})

const question = 'What is 12 + 30?'
const windowed = { thinkingWindow: 8, maxTokens: 16 }

async function all(events: AsyncIterable<ReasonEvent>): Promise<ReasonEvent[]> {
  const list = []
  for await (const event of events) list.push(event)
  return list
}

describe('a reasoner over a port', () => {
  it('is one, and says what the near one says', async () => {
    await open()
    expect(isReasoner(far)).toBe(true)
    expect(far.model).toEqual(z1.model)
    const [there, here] = [await far.reason(question, windowed), await z1.reason(question, windowed)]
    const facts = ({ timings, seed, usage, ...rest }: typeof here) => rest
    expect(facts(there)).toEqual(facts(here))
    const tokens = await far.tokenize('one two')
    expect(tokens).toEqual(await z1.tokenize('one two'))
    expect(await far.detokenize(tokens)).toBe('one two')
    expect(await far.countTokens(question)).toBe(here.usage.promptTokens)
    expect(await far.countTokens('one two', { template: false })).toBe(tokens.length)
    await expect(far.countTokens(question, { thinkingWindow: -1 })).rejects.toThrow(RangeError)
    const signal = AbortSignal.abort(new Error('enough'))
    await expect(far.countTokens(question, { signal })).rejects.toThrow('enough')
  })

  it('its stream has the texts of the result, fewer events than tokens, the cut and the end', async () => {
    await open()
    const stream = far.stream(question, { thinkingWindow: 100, maxTokens: 16 })
    const events = await all(stream)
    const result = await stream.result
    const said = (type: string) =>
      events.map((event) => (event.type === type ? (event as { text: string }).text : '')).join('')
    const ids = events.flatMap((event) => (event.type === 'thinking' ? event.tokens : []))
    expect(said('thinking')).toBe(result.reasoning)
    expect(ids).toEqual(result.tokens.reasoning)
    expect(events.at(-1)).toEqual({ type: 'done', result })
    expect(events.length).toBeLessThan(result.usage.thinkingTokens + result.usage.answerTokens)
  })

  it('requests run side by side', async () => {
    await open()
    const results = await Promise.all(['What is 2 + 3?', question].map((text) => far.reason(text, windowed)))
    expect(results.map(({ text }) => text)).toEqual(
      (await Promise.all(['What is 2 + 3?', question].map((text) => z1.reason(text, windowed)))).map(
        ({ text }) => text,
      ),
    )
  })
})

describe('what ends a request crosses the port', () => {
  // Without its two tokens that end a response.
  const endless: ReasonOptions = { thinkingWindow: 1500, maxTokens: 8, logitBias: { 701: -Infinity, 703: -Infinity } }

  it('endThinking() gives the hint', async () => {
    await open()
    const stream = far.stream(question, endless)
    stream.endThinking()
    expect(await stream.result).toMatchObject({ ended: 'request', hint: expect.stringContaining('final answer') })
  })

  it('stop() ends it with what there is', async () => {
    await open()
    const stream = far.stream(question, endless)
    for await (const { type } of stream) if (type === 'thinking') stream.stop()
    expect(await stream.result).toMatchObject({ ended: 'stop', finishReason: 'abort' })
  })

  it('a signal rejects with its reason at once, and the far request ends', async () => {
    await open()
    const abort = new AbortController()
    const reason = new Error('enough')
    const running = far.reason(question, { ...endless, signal: abort.signal })
    setTimeout(() => abort.abort(reason), 50)
    expect(await rejection(running)).toBe(reason)
    // Nothing runs there any more: end() waits for what does.
    await served.end(new Z1Error('DISPOSED', 'over'))
    await expect(far.reason(question)).rejects.toMatchObject({ code: 'DISPOSED', message: 'over' })
  })

  it('a page that has gone ends what it asked', async () => {
    const streams: ReasonStream[] = []
    await open({
      model: z1.model,
      reason: z1.reason.bind(z1),
      stream: (input, options) => {
        const stream = z1.stream(input, options)
        streams.push(stream)
        return stream
      },
      countTokens: z1.countTokens.bind(z1),
      tokenize: z1.tokenize.bind(z1),
      detokenize: z1.detokenize.bind(z1),
      dispose: z1.dispose.bind(z1),
    })
    const running = rejection(far.reason(question, endless))
    await far.tokenize('x')
    await far.dispose()
    expect(await running).toMatchObject({ name: 'Z1Error', code: 'DISPOSED' })
    expect(await rejection(streams[0]?.result as Promise<unknown>)).toMatchObject({ name: 'AbortError' })
    expect(closed.count).toBe(1)
  })

  it('a port that is closed at the far end is HOST_EXITED, also for later calls', async () => {
    await open()
    const running = far.reason(question, endless)
    await far.tokenize('x')
    ports.port1.close()
    expect(await rejection(running)).toMatchObject({ code: 'HOST_EXITED' })
    expect(await rejection(far.tokenize('x'))).toMatchObject({ code: 'HOST_EXITED' })
    expect(await rejection(far.stream(question).result)).toMatchObject({ code: 'HOST_EXITED' })
  })
})

describe('errors', () => {
  it('misuse is what it is near by, with the stack of the call', async () => {
    await open()
    for (const options of [{ thinkingWindow: -1 }, { nope: 1 }, 7, null, new Map()] as ReasonOptions[]) {
      const there = (await rejection(far.reason(question, options))) as Error
      const here = (await rejection(z1.reason(question, options))) as Error
      expect(there).toBeInstanceOf(here.constructor)
      expect(there.message).toBe(here.message)
      expect(there.stack).toContain('serve.test.ts')
    }
    const there = await rejection(far.reason(7 as never))
    expect(there).toEqual(await rejection(z1.reason(7 as never)))
  })

  it('those of the model have their codes', async () => {
    await open()
    const error = (await rejection(far.reason('x '.repeat(5000)))) as Z1Error
    expect(error).toBeInstanceOf(Z1Error)
    expect(error).toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    expect(error.stack).toContain('serve.test.ts')
    await expect(far.detokenize([-1])).rejects.toThrow(RangeError)
  })

  it('what cannot be sent is a TypeError', async () => {
    await open()
    const error = (await rejection(far.reason(question, { system: () => 1 } as never))) as Error
    expect(error).toBeInstanceOf(TypeError)
    expect(error.cause).toMatchObject({ name: 'DataCloneError' })
    expect(() => far.stream(question, { signal: 1 as never })).toThrow(TypeError)
    // The connection is as good as before.
    expect(await far.tokenize('x')).toHaveLength((await z1.tokenize('x')).length)
  })

  it('messages that are none of the protocol do no harm', async () => {
    await open()
    for (const message of [
      null,
      1,
      'x',
      [],
      {},
      { type: 'start' },
      { type: 'call', id: 50 },
      { type: 'stop', id: {} },
    ]) {
      ports.port2.postMessage(message)
    }
    ports.port2.postMessage({ type: 'call', id: 99, method: 'dispose', args: [] })
    expect(await far.detokenize(await far.tokenize('two'))).toBe('two')
  })
})
