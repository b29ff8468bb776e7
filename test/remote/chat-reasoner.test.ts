/** A reasoner behind a server: what one pass keeps, and what it refuses. What failures mean is in test/data/distill.test.ts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { Reasoner } from '../../lib/index.js'
import { chatReasoner } from '../../lib/remote/chat-reasoner.js'
import { RemoteError } from '../../lib/remote/http.js'
import { chunk, ScriptedServer, said, status, stream } from '../support/openai-server.js'

let server: ScriptedServer
let reasoner: Reasoner
beforeAll(async () => {
  server = await ScriptedServer.open()
})
beforeEach(() => {
  server.reset()
  reasoner = chatReasoner({ server: server.url, model: 'm' })
})
afterAll(() => server.close())

/** Says the beginning of something and then nothing more. */
const hanging = stream([chunk({ content: 'So' }), chunk({ content: ' far' })], '')
const unfinished: typeof hanging = (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  response.write(`data: ${JSON.stringify(chunk({ content: 'So far' }))}\n\n`)
}

describe('a pass', () => {
  it('is one text, the reasoning that was split off first, with what the server counted', async () => {
    server.answers = [
      stream([
        chunk({ reasoning_content: '2 and 2' }),
        chunk({ content: 'The answer is \\boxed{4}.' }),
        chunk({}, 'stop'),
        { choices: [], usage: { prompt_tokens: 11, completion_tokens: 9 } },
      ]),
    ]
    const events: string[] = []
    const pass = reasoner.stream('What is 2 + 2?', {
      system: 'Brief.',
      temperature: 0.5,
      topP: 0.9,
      seed: 3,
      stop: 'END',
    })
    for await (const event of pass) events.push(event.type)
    const result = await pass.result
    expect(result).toMatchObject({
      text: '2 and 2\n\nThe answer is \\boxed{4}.',
      answer: 'The answer is \\boxed{4}.',
      finalAnswer: '4',
      ended: 'self',
      finishReason: 'stop',
      usage: { promptTokens: 11, thinkingTokens: 9, hintTokens: 0, answerTokens: 0 },
      seed: 3,
    })
    expect(events).toEqual(['thinking', 'thinking', 'done'])
    expect(server.bodies).toEqual([
      {
        model: 'm',
        messages: [
          { role: 'system', content: 'Brief.' },
          { role: 'user', content: 'What is 2 + 2?' },
        ],
        temperature: 0.5,
        top_p: 0.9,
        seed: 3,
        stop: ['END'],
        stream: true,
        stream_options: { include_usage: true },
      },
    ])
  })

  it('ends at a window without a hint', async () => {
    server.answers = [said('a b c', 'length')]
    const result = await reasoner.reason('q', { thinkingWindow: 3, hint: null })
    expect(server.bodies[0]).toMatchObject({ max_tokens: 3 })
    expect(result).toMatchObject({ text: 'a b c', hint: '', ended: 'window', finishReason: 'length' })
  })

  it('ends at a loop of words, where that was asked for', async () => {
    const text = 'wait let me see again. '.repeat(3)
    server.answers = [said(text)]
    expect(await reasoner.reason('q')).toMatchObject({ text, finishReason: 'stop' })
    // The last word is whole only at the end.
    const result = await reasoner.reason('q', { loops: true })
    expect(result).toMatchObject({ ended: 'loop', finishReason: 'loop' })
    server.answers = [said(`${text}and so on`)]
    expect((await reasoner.reason('q', { loops: true })).text).toBe(text)
  })

  it.each([
    ['Chinese', '让我再检查一遍，', '好的，答案是五。'],
    ['Japanese', 'もう一度確認します。', '答えは五です。'],
    ['Thai', 'ขอตรวจสอบอีกครั้ง', 'คำตอบคือห้า'],
  ])('ends at a loop in %s, however it comes in pieces', async (_name, block, rest) => {
    const text = block.repeat(3)
    for (const size of [1, 5, 1000]) {
      const whole = text + rest
      const pieces = Array.from({ length: Math.ceil(whole.length / size) }, (_, i) =>
        whole.slice(i * size, (i + 1) * size),
      )
      server.answers = [stream([...pieces.map((content) => chunk({ content })), chunk({}, 'stop')])]
      const result = await reasoner.reason('q', { loops: true })
      expect(result).toMatchObject({ ended: 'loop', finishReason: 'loop' })
    }
    server.answers = [said(block.repeat(2) + rest)]
    expect(await reasoner.reason('q', { loops: true })).toMatchObject({ finishReason: 'stop' })
  })

  it.each([
    ['stop', { ended: 'stop', finishReason: 'abort' }],
    ['endThinking', { ended: 'request', finishReason: 'abort' }],
  ] as const)('%s() gives what there is', async (action, expected) => {
    server.answers = [unfinished]
    const pass = reasoner.stream('q')
    for await (const event of pass) if (event.type === 'thinking') pass[action]()
    expect(await pass.result).toMatchObject({ text: 'So far', ...expected })
  })

  it('can be aborted, and ends when the reasoner is disposed', async () => {
    server.answers = [unfinished]
    const controller = new AbortController()
    const pass = reasoner.stream('q', { signal: controller.signal })
    for await (const event of pass) {
      if (event.type === 'thinking') break
    }
    await expect(pass.result).rejects.toMatchObject({ name: 'AbortError' })
    const other = reasoner.reason('q', { signal: AbortSignal.timeout(50) })
    await expect(other).rejects.toMatchObject({ name: 'TimeoutError' })

    const last = reasoner.stream('q')
    const read = async () => {
      for await (const event of last) if (event.type === 'thinking') await reasoner.dispose()
    }
    await expect(read()).rejects.toMatchObject({ code: 'DISPOSED' })
    await expect(last.result).rejects.toMatchObject({ code: 'DISPOSED' })
    await expect(reasoner.reason('q')).rejects.toMatchObject({ code: 'DISPOSED' })
  })
})

describe('refused', () => {
  it.each([
    [{ thinkingWindow: 100 }, 'Expected null for hint beside a thinkingWindow with a server'],
    [{ thinkingWindow: 0, hint: null }, 'Expected integer ≥ 1 or Infinity for thinkingWindow with a server'],
    [{ temperature: 'model' as const }, 'Expected number for temperature with a server but received "model"'],
    [{ topK: 3 }, 'Expected nothing for topK with a server but received 3'],
    [{ tags: 'keep' as const }, 'Expected nothing for tags with a server'],
    [{ maxTokens: 5 }, 'Expected nothing for maxTokens with a server'],
  ])('%j, which one pass cannot keep', async (options, message) => {
    expect(() => reasoner.stream('q', options)).toThrow(message)
    expect(server.bodies).toEqual([])
  })

  it('an address that is none', () => {
    expect(() => chatReasoner({ server: 'localhost', model: 'm' })).toThrow(TypeError)
  })

  it('tokens, which the protocol does not give', async () => {
    await expect(reasoner.tokenize('x')).rejects.toMatchObject({ code: 'REMOTE_REFUSED' })
    await expect(reasoner.detokenize([1])).rejects.toMatchObject({ code: 'REMOTE_REFUSED' })
  })
})

it.each([
  ['a failure', status(503, 'busy'), 'REMOTE_FAILED', 'server'],
  ['a stream that ends early', hanging, 'REMOTE_FAILED', 'server'],
  ['a refused question', status(400, '{"error":"too long"}'), 'REMOTE_REFUSED', 'question'],
  ['a refused key', status(401), 'REMOTE_REFUSED', 'request'],
  ['a filter', said('No', 'content_filter'), 'REMOTE_REFUSED', 'filter'],
])('%s rejects with the stack of the call', async (_name, answer, code, fault) => {
  server.answers = [answer]
  const error = await reasoner.reason('q').catch((reason) => reason)
  expect(error).toMatchObject({ name: 'Z1Error', code })
  expect(error.cause).toBeInstanceOf(RemoteError)
  expect(error.cause.fault).toBe(fault)
  expect(error.stack).toContain('reasoner.test.ts')
})
