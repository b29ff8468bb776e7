import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { eventStream, type SseEvent } from '../../lib/server/sse.js'

const decoder = new TextDecoder()

/** Gives the events in turn, then the end. */
function from(...batches: SseEvent[][]): () => Promise<SseEvent[] | null> {
  return async () => batches.shift() ?? null
}

async function textOf(stream: ReadableStream<Uint8Array>): Promise<string> {
  let text = ''
  for await (const chunk of stream) text += decoder.decode(chunk, { stream: true })
  return text
}

it('writes events with and without a name', async () => {
  const next = from([{ data: { a: 'x\ny' } }], [], [{ event: 'e', data: '[DONE]' }, { data: {} }])
  expect(await textOf(eventStream(next, () => {}))).toBe(
    'data: {"a":"x\\ny"}\n\nevent: e\ndata: [DONE]\n\ndata: {}\n\n',
  )
})

it('asks for no more than is read', async () => {
  let asked = 0
  const next = async () => {
    asked++
    return [{ data: 'x' }]
  }
  const reader = eventStream(next, () => {}).getReader()
  for (let read = 1; read <= 3; read++) {
    await reader.read()
    await new Promise(setImmediate)
    // One is held for the next read.
    expect(asked).toBe(read + 1)
  }
  await reader.cancel()
})

describe('with a clock', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it('says something while nothing comes, and stops when nobody reads', async () => {
    let gone = 0
    const stream = eventStream(
      () => new Promise(() => {}),
      () => gone++,
    )
    const reader = stream.getReader()
    const first = reader.read()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(decoder.decode((await first).value)).toBe(':\n\n')
    expect(vi.getTimerCount()).toBe(1)
    await reader.cancel()
    expect([gone, vi.getTimerCount()]).toEqual([1, 0])
  })

  it('leaves no timer behind at its end', async () => {
    const reader = eventStream(from(), () => {}).getReader()
    expect((await reader.read()).done).toBe(true)
    expect(vi.getTimerCount()).toBe(0)
  })
})
