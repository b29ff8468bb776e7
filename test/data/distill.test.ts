/** Teachers: a model in this process that says known things, and a server that fails in every way before it answers. */
import type { IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { type DistillOptions, distill } from '../../lib/data/distill.js'
import type { Reasoner } from '../../lib/reason/reasoner.js'
import { Z1 } from '../../lib/reason/z1.js'
import { temporaryFolder } from '../support/folder.js'
import { readLines, writeJsonl } from '../support/lines.js'
import { type Answer, chunk, ScriptedServer, said, status, stream } from '../support/openai-server.js'
import { tableModel } from '../support/table-model.js'

// Waits are as long as they are asked for, and can be looked at.
vi.mock('node:timers/promises', { spy: true })

const path = temporaryFolder()
let outputs = 0

async function distilled(questions: object[], options: Partial<DistillOptions>) {
  const input = writeJsonl(path(`questions-${++outputs}.jsonl`), questions)
  const output = path(`out-${outputs}.jsonl`)
  const base = { inputs: [input], output, backoff: 1, load: { threads: 1 } }
  const report = await distill({ ...base, ...options })
  return { input, output, report, records: readLines(output) }
}

describe('a model in this process', () => {
  const words = ['Two', ' plus two', ' is', ' \\boxed{4}', ' hm', ' so', ' well', ' now']
  /** The looping one goes round and round for ever. */
  const rows = {
    '\n': 'Two',
    Two: ' plus two',
    ' plus two': ' is',
    ' is': ' \\boxed{4}',
    ' hm': ' so',
    ' so': ' well',
    ' well': ' now',
    ' now': ' hm',
  }
  let model: string
  let looping: string
  beforeAll(() => {
    model = tableModel(path('models'), 'plain', { extraTokens: words, rows })
    looping = tableModel(path('models'), 'looping', { extraTokens: words, rows: { ...rows, '\n': ' hm' } })
  })

  it('writes what it says, counted by its own tokens, and keeps the other columns', async () => {
    const { records, report } = await distilled(
      [{ id: 1, question: 'What is 2 + 2?', level: [7] }, { question: 'And again?' }],
      { model },
    )
    const text = 'Two plus two is \\boxed{4}'
    expect(records).toEqual([
      { id: '1', question: 'What is 2 + 2?', level: [7], response: text, token_num_qwen: 4 },
      { id: `questions-${outputs}.jsonl-2`, question: 'And again?', response: text, token_num_qwen: 4 },
    ])
    expect(report).toMatchObject({ read: 2, kept: 2, dropped: {} })
  })

  it('is cut at the limit, and with whole left out there', async () => {
    const { records } = await distilled([{ id: 'a', question: 'q' }], { model, limit: 3 })
    expect(records).toMatchObject([{ response: 'Two plus two is', token_num_qwen: 3 }])
    const { report } = await distilled([{ id: 'a', question: 'q' }], { model, limit: 3, whole: true })
    expect(report).toMatchObject({ kept: 0, dropped: { truncated: 1 } })
    const { report: fits } = await distilled([{ id: 'a', question: 'q' }], { model, limit: 4, whole: true })
    expect(fits).toMatchObject({ kept: 1 })
  })

  it('is left out where it repeats itself', async () => {
    const { report, input } = await distilled([{ id: 'a', question: 'q' }], { model: looping })
    expect(report).toMatchObject({ kept: 0, dropped: { repetitive: 1 }, examples: { repetitive: [`${input}:1`] } })
    // Two rounds and a half are no loop yet.
    const { records } = await distilled([{ id: 'a', question: 'q' }], { model: looping, limit: 10 })
    expect(records).toMatchObject([{ token_num_qwen: 10 }])
  })

  it('is checked against the answer, by value', async () => {
    const questions = ['4', '4.0', '5', undefined, 4, 5, ' '].map((answer, i) => ({
      id: `${i}`,
      question: 'q',
      answer,
    }))
    const { records, report } = await distilled(questions, { model, check: true })
    expect(records.map(({ id }) => id)).toEqual(['0', '1', '4'])
    expect(report.dropped).toEqual({ 'wrong answer': 2, 'no answer to check': 2 })
  })

  it('leaves out questions that are too long for it, once it has answered any', async () => {
    const long = { id: 'long', question: 'x'.repeat(600) }
    const { report } = await distilled([{ id: 'a', question: 'q' }, long], { model, contextSize: 256, parallel: 1 })
    expect(report).toMatchObject({ kept: 1, dropped: { 'question too long': 1 } })
    await expect(distilled([long], { model, contextSize: 256 })).rejects.toThrow(':1: the teacher refused: ')
  })

  it('is the embedded one by default: greedy, it gives what Z1 gives', async () => {
    const question = 'What is the largest of 3, 19, 11?'
    const { records } = await distilled([{ id: 'a', question }], { limit: 64, parallel: 1 })
    await using z1 = await Z1.load({ threads: 1 })
    const { tokens } = await z1.reason(question, { thinkingWindow: Infinity, seed: 0 })
    const text = (await z1.detokenize(tokens.reasoning.slice(0, 64))).trim()
    expect(records).toMatchObject([{ response: text, token_num_qwen: Math.min(64, tokens.reasoning.length) }])
  })

  it.each([
    { limit: 0 },
    { parallel: 65 },
    { seed: -1 },
    { server: 'http://localhost' },
    { server: 'localhost', model: 'm' },
  ])('refuses %o', async (options) => {
    await expect(distilled([{ question: 'q' }], options)).rejects.toThrow(/^Expected/)
  })
})

describe('several samples', () => {
  /** Says a text for each seed. One that gives its tokens makes all samples of a question in one request. */
  function scripted(texts: readonly string[], givesTokens: boolean) {
    const asked: { seed: number; samples: number | undefined }[] = []
    const say = (seed: number) => {
      const text = texts[seed % texts.length] as string
      const usage = { thinkingTokens: text.length, answerTokens: 0 }
      return { text, usage, finishReason: 'stop', tokens: { reasoning: [...text].map(() => 1), answer: [] } }
    }
    const reasoner = {
      model: { path: 'scripted', parallel: 4, contextSize: 1000, ...(givesTokens && { vocabularySize: 3 }) },
      async reason(_: string, { seed, samples }: { seed: number; samples?: number }) {
        asked.push({ seed, samples })
        if (samples === undefined) return say(seed)
        return { ...say(seed), samples: Array.from({ length: samples }, (_, i) => say(seed + i)) }
      },
      tokenize: async () => [],
      detokenize: async () => '',
      stream: () => null,
    }
    return { reasoner: reasoner as unknown as Reasoner, asked }
  }
  const short = 'so 4'
  const long = 'a long way to 4'
  const texts = [`\\boxed{5}`, `${long} \\boxed{4}`, `\\boxed{3}`, `${short} \\boxed{4}`]
  const row = { id: 'a', question: 'q', answer: '4' }
  const options = { samples: 4, temperature: 1, check: true }

  it.each([
    true,
    false,
  ])('keep one of the right ones, and tell how many there were (one that gives its tokens: %s)', async (givesTokens) => {
    const { reasoner, asked } = scripted(texts, givesTokens)
    const kept = async (more: object) => (await distilled([row], { ...options, ...more, reasoner })).records
    expect(await kept({})).toEqual([
      { ...row, response: `${short} \\boxed{4}`, token_num_qwen: expect.any(Number), pass_rate: 0.5 },
    ])
    expect(asked.map(({ seed }) => seed)).toEqual(givesTokens ? [0] : [0, 1, 2, 3])
    expect(asked[0]?.samples).toBe(givesTokens ? 4 : undefined)
    expect(await kept({ keep: 'longest' })).toMatchObject([{ response: `${long} \\boxed{4}` }])
    expect(await kept({ keep: 'pass-rate' })).toMatchObject([{ response: `${short} \\boxed{4}`, pass_rate: 0.5 }])
    // Two of five: a hard one.
    const hard = scripted([...texts, `\\boxed{9}`], givesTokens).reasoner
    const { records } = await distilled([row], { ...options, samples: 5, keep: 'pass-rate', reasoner: hard })
    expect(records).toMatchObject([{ response: `${long} \\boxed{4}`, pass_rate: 0.4 }])
  })

  it('are of no use where none is right', async () => {
    const { reasoner } = scripted([`\\boxed{5}`], true)
    const { report } = await distilled([row], { ...options, reasoner })
    expect(report).toMatchObject({ kept: 0, dropped: { 'wrong answer': 1 } })
  })

  it('have seeds of their own from question to question', async () => {
    const { reasoner, asked } = scripted(texts, true)
    await distilled([row, { ...row, id: 'b' }], { ...options, seed: 7, reasoner, parallel: 1 })
    expect(asked.map(({ seed }) => seed)).toEqual([7, 11])
  })

  it('need a temperature, and are decoded by a model', async () => {
    await expect(distilled([row], { samples: 2 })).rejects.toThrow('Expected number > 0 for temperature')
    const { records } = await distilled([{ id: 'a', question: "How many r's are in strawberry?", answer: '3' }], {
      ...options,
      temperature: 0.3,
      limit: 128,
    })
    expect(records).toMatchObject([{ pass_rate: expect.any(Number), response: expect.stringContaining('\\boxed{3}') }])
  })
})

describe('a server', () => {
  let server: ScriptedServer
  beforeAll(async () => {
    server = await ScriptedServer.open()
  })
  beforeEach(() => server.reset())
  afterAll(() => server.close())

  const ask = (options: Partial<DistillOptions> = {}, questions: object[] = [{ id: 'a', question: 'Wie viel?' }]) =>
    distilled(questions, { server: server.url, model: 'teacher', ...options })

  it('is asked as OpenAI says and read as it streams', async () => {
    let seen: IncomingMessage | undefined
    const usage = { choices: [], usage: { completion_tokens: 17 } }
    server.answers = [
      (response, body, request) => {
        seen = request
        stream([chunk({ content: 'Vier, näm' }), chunk({ content: 'lich 🙂 4' }), chunk({}, 'stop'), usage])(
          response,
          body,
          request,
        )
      },
    ]
    const { records } = await ask({ system: 'Kurz!', temperature: 0.7, topP: 0.9, limit: 100, seed: 5, key: 'secret' })
    expect(records).toEqual([{ id: 'a', question: 'Wie viel?', response: 'Vier, nämlich 🙂 4', token_num_qwen: 17 }])
    expect([seen?.method, seen?.url, seen?.headers.authorization]).toEqual([
      'POST',
      '/v1/chat/completions',
      'Bearer secret',
    ])
    expect(server.bodies).toEqual([
      {
        model: 'teacher',
        messages: [
          { role: 'system', content: 'Kurz!' },
          { role: 'user', content: 'Wie viel?' },
        ],
        max_tokens: 100,
        temperature: 0.7,
        top_p: 0.9,
        seed: 5,
        stream: true,
        stream_options: { include_usage: true },
      },
    ])
  })

  it('may have its path, answer in one document, and split off the reasoning', async () => {
    const message = { reasoning_content: 'I add.\n', content: '<think>\n</think>4' }
    server.answers = [
      (response, _body, request) => {
        expect(request.url).toBe('/api/v3/chat/completions')
        response.writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
        response.end(JSON.stringify({ choices: [{ message, finish_reason: 'stop' }], usage: { completion_tokens: 9 } }))
      },
    ]
    const { records } = await ask({ server: `${server.url}/api/v3/` })
    expect(records).toMatchObject([{ response: 'I add.\n\n4', token_num_qwen: 9 }])
  })

  it('may say reasoning and answer in parts of its content', async () => {
    const thinking = { type: 'thinking', thinking: [{ type: 'text', text: 'I add.' }] }
    server.answers = [
      stream([
        chunk({ content: [thinking] }),
        chunk({ content: [{ type: 'text', text: 'It is' }] }),
        chunk({ content: ' 4' }),
        chunk({ content: null }, 'stop'),
      ]),
    ]
    const { records } = await ask()
    expect(records).toMatchObject([{ response: 'I add.\n\nIt is 4' }])
  })

  it('counts with the embedded model if it does not count', async () => {
    server.answers = [said('4')]
    expect((await ask()).records).toMatchObject([{ token_num_qwen: 1 }])
  })

  it.each<[string, Answer]>([
    ['too many requests', status(429, '{"error":{"message":"slow down"}}')],
    ['an error of its own', status(503)],
    ['a closed connection', (response) => response.destroy()],
    [
      'a connection closed in the middle',
      (response) => response.writeHead(200).write('data: {"choices"', () => response.destroy()),
    ],
    ['nonsense', stream([], 'data: {"choices": nonsense}\n\n')],
    ['a stream that ends early', stream([chunk({ content: 'Fo' })], '')],
    ['an error within the stream', stream([chunk({ content: 'Fo' }), { error: { message: 'out of memory' } }])],
  ])('is asked again after %s', async (_name, failure) => {
    server.answers = [failure, failure, said('4')]
    expect((await ask()).records).toMatchObject([{ response: '4' }])
    expect(server.bodies.length).toBe(3)
  })

  it('is waited for as long as it says', async () => {
    server.answers = [status(429, '', { 'retry-after': '1' }), said('4')]
    await ask()
    expect(vi.mocked(sleep).mock.calls.at(-1)?.[0]).toBe(1000)
  })

  it('is given up when it keeps failing, and asked again by the next run', async () => {
    const questions = [0, 1, 2].map((i) => ({ id: `${i}`, question: `q${i}` }))
    server.answers = [said('4'), status(500, 'no GPU')]
    const input = writeJsonl(path('flaky.jsonl'), questions)
    const options = {
      inputs: [input],
      output: path('flaky-out.jsonl'),
      server: server.url,
      model: 'm',
      parallel: 1,
      backoff: 1,
    }
    await expect(distill({ ...options, retries: 2 })).rejects.toThrow(
      `${server.url}/v1/chat/completions failed 3 times: status 500: no GPU`,
    )
    expect(server.bodies.length).toBe(4)
    server.answers = [said('4')]
    expect(await distill(options)).toMatchObject({ read: 3, kept: 3 })
    expect(server.bodies.slice(4).map(({ messages }) => (messages as { content: string }[])[0]?.content)).toEqual([
      'q1',
      'q2',
    ])
    expect(readLines(path('flaky-out.jsonl')).map(({ id }) => id)).toEqual(['0', '1', '2'])
  })

  it('ends the run where the request is wrong for every question', async () => {
    server.answers = [status(401, '{"error":{"message":"no such key"}}')]
    await expect(ask()).rejects.toThrow('refused the request with status 401: no such key')
    server.answers = [status(400, '{"error":"no such model"}')]
    await expect(ask()).rejects.toThrow(':1: the teacher refused: status 400: no such model')
    expect(server.bodies.length).toBe(2)
  })

  it('may refuse some questions and repeat itself on others', async () => {
    const questions = Array.from({ length: 5 }, (_, i) => ({ id: `${i}`, question: `q${i}` }))
    server.answers = [
      said('4'),
      status(400, '{"error":{"message":"too long"}}'),
      said('wait let me think about that again. '.repeat(3)),
      stream([chunk({ content: 'No' }), chunk({}, 'content_filter')]),
      said('4 and', 'length'),
    ]
    const { input, records, report } = await ask({ parallel: 1, whole: true }, questions)
    expect(records.map(({ id }) => id)).toEqual(['0'])
    expect(report.dropped).toEqual({ refused: 1, repetitive: 1, 'content filter': 1, truncated: 1 })
    expect(report.examples.refused).toEqual([`${input}:2: status 400: too long`])
  })

  it('is asked in parallel, and written in order', async () => {
    const questions = Array.from({ length: 30 }, (_, i) => ({ id: `${i}`, question: `${i}` }))
    // Five at a time: none is answered before all have come, and then the last first.
    const waiting: (() => void)[] = []
    server.answers = [
      (response, body, request) => {
        const { content } = (body.messages as { content: string }[])[0]!
        waiting.unshift(() => said(content)(response, body, request))
        expect(waiting.length).toBeLessThanOrEqual(5)
        if (waiting.length === 5) for (const answer of waiting.splice(0)) answer()
      },
    ]
    const { records } = await ask({ parallel: 5 }, questions)
    expect(records.map(({ id, response }) => [id, response])).toEqual(questions.map(({ id }) => [id, id]))
  })

  it('is left at once when the run is interrupted', async () => {
    const interrupted = () => expect(ask({ signal: AbortSignal.timeout(50) })).rejects
    server.answers = [() => {}]
    await interrupted().toMatchObject({ name: 'TimeoutError' })
    server.answers = [status(429, '', { 'retry-after': '60' })]
    await interrupted().toMatchObject({ name: 'TimeoutError' })
  })
})
