/** A response that waits for its first event: with a clock that the test turns. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Z1Error } from '../../lib/index.js'
import type { Reasoner } from '../../lib/reason/reasoner.js'
import { createApp } from '../../lib/server/index.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A reasoner whose streams fail, when they are told to, before their first event. */
function failing(): { reasoner: Reasoner; fail: (error: Error) => void } {
  let fail: (error: Error) => void = () => {}
  const first = new Promise<never>((_, reject) => {
    fail = reject
  })
  first.catch(() => {})
  const stream = { result: first, [Symbol.asyncIterator]: () => ({ next: () => first }), stop() {}, endThinking() {} }
  const reasoner = {
    model: { path: 'far-away', contextSize: Infinity, parallel: 1, tags: null },
    reason: () => first,
    stream: () => stream,
  }
  return { reasoner: reasoner as unknown as Reasoner, fail }
}

function ask(reasoner: Reasoner): Promise<Response> {
  const body = JSON.stringify({ messages: [{ role: 'user', content: 'q' }], max_tokens: 9, stream: true })
  const headers = { 'content-type': 'application/json' }
  const request = new Request('http://localhost/v1/chat/completions', { method: 'POST', headers, body })
  return Promise.resolve(createApp(reasoner).fetch(request))
}

it('what fails before it is a response of its own', async () => {
  const { reasoner, fail } = failing()
  const asked = ask(reasoner)
  await vi.advanceTimersByTimeAsync(9000)
  fail(new Z1Error('OUT_OF_MEMORY', 'There is no memory'))
  const response = await asked
  expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5'])
  expect(await response.json()).toEqual({
    error: { message: 'There is no memory', type: 'unavailable_error', param: null, code: 'OUT_OF_MEMORY' },
  })
  expect(vi.getTimerCount()).toBe(0)
})

it('after ten seconds its headers are sent, and what fails then is an event', async () => {
  const { reasoner, fail } = failing()
  const asked = ask(reasoner)
  await vi.advanceTimersByTimeAsync(10_000)
  const response = await asked
  expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream; charset=utf-8'])
  fail(new Z1Error('OUT_OF_MEMORY', 'There is no memory'))
  const text = await response.text()
  expect(text).toMatch(
    /^data: \{.*"role":"assistant".*\}\n\ndata: \{"error":\{"message":"There is no memory".*\}\}\n\n$/,
  )
  expect(vi.getTimerCount()).toBe(0)
})
