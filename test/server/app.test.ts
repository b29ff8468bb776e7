/** What the server says, over a model whose tokens are known before it runs. */
import type { MessageCreateParamsBase } from '@anthropic-ai/sdk/resources/messages/messages.js'
import type { ChatCompletionCreateParamsBase } from 'openai/resources/chat/completions/completions.js'
import type { CompletionCreateParamsBase } from 'openai/resources/completions.js'
import type { ResponseCreateParamsBase } from 'openai/resources/responses/responses.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { PLAIN_HINT } from '../../lib/reason/options.js'
import { CHAT_FIELDS } from '../../lib/server/dialects/chat.js'
import { COMPLETION_FIELDS } from '../../lib/server/dialects/completions.js'
import { THINKING_FIELDS } from '../../lib/server/dialects/fields.js'
import { MESSAGES_FIELDS } from '../../lib/server/dialects/messages.js'
import { RESPONSES_FIELDS } from '../../lib/server/dialects/responses.js'
import { temporaryFolder } from '../support/folder.js'
import { testModel } from '../support/models.js'
import { appOver, eventsOf, loadTable, type Post } from './rig.js'

const folder = temporaryFolder()
let z1: Z1
let post: Post
let get: ReturnType<typeof appOver>['get']
beforeAll(async () => {
  z1 = await loadTable(folder(), { thinkingWindow: 6 })
  ;({ post, get } = appOver(z1, { modelId: 'table' }))
})
afterAll(() => z1.dispose())

const messages = [{ role: 'user', content: 'L' }]
const thought = ' hm so hm'
const cut = { model: 'table', messages, thinking_window: 3, max_tokens: 20 }
const z1Metadata = {
  ended: 'window',
  hint: PLAIN_HINT,
  thinkingTokens: 3,
  hintTokens: PLAIN_HINT.length,
  answerRepeats: false,
}
const seeded = { ...z1Metadata, seed: expect.any(Number) }

async function json(response: Promise<Response>): Promise<Record<string, unknown>> {
  const { status, headers } = await response
  const body = (await (await response).json()) as Record<string, unknown>
  expect([status, headers.get('z1-warning')]).toEqual([200, null])
  return body
}

/** What the model says is as good as certain: all else has a logit of 40 less. @param top Alternatives, 0 or 1. */
function certain(token: string, top = 1) {
  const one = { token, bytes: Array.from(Buffer.from(token)), logprob: expect.closeTo(0, 4) }
  return { ...one, top_logprobs: top > 0 ? [one] : [] }
}

describe('an answer in a form', () => {
  const schema = { enum: [5] }
  it.each([
    ['/v1/chat/completions', { response_format: { type: 'json_schema', json_schema: { name: 'five', schema } } }],
    ['/v1/chat/completions', { grammar: 'root ::= "5"' }],
    [
      '/v1/responses',
      { messages: undefined, input: 'L', text: { format: { type: 'json_schema', name: 'five', schema } } },
    ],
    ['/v1/messages', { output_config: { format: { type: 'json_schema', schema } } }],
  ])('%s %j', async (path, form) => {
    const response = await post(path, { ...cut, max_tokens: path === '/v1/responses' ? undefined : 20, ...form })
    expect(response.status).toBe(200)
    expect(JSON.stringify(await response.json())).toMatch(/"(content|text)":"5"/)
  })

  it.each([
    [{ type: 'json_schema', json_schema: { name: 'x', schema: { type: 'nothing' } } }, 'type'],
    [{ type: 'json_schema', json_schema: { name: 'x', schema: 5 } }, 'schema'],
    [{ type: 'json_schema', json_schema: { name: 'x' } }, 'Expected a schema in response_format'],
  ])('is refused: %j', async (response_format, message) => {
    const response = await post('/v1/chat/completions', { ...cut, response_format })
    expect(response.status).toBe(400)
    expect(((await response.json()) as { error: { message: string } }).error.message).toContain(message)
  })

  it('is refused: a grammar that is none', async () => {
    const response = await post('/v1/chat/completions', { ...cut, grammar: 'root = "5"' })
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('GRAMMAR_INVALID')])
  })
})

describe('/v1/chat/completions', () => {
  it('gives a message with its reasoning', async () => {
    expect(await json(post('/v1/chat/completions', cut))).toEqual({
      id: expect.stringMatching(/^chatcmpl-\w{32}$/),
      object: 'chat.completion',
      created: expect.any(Number),
      system_fingerprint: expect.stringMatching(/^z1-native-\d+\.\d+\.\d+-\d+\.\d+\.\d+$/),
      model: 'table',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Four!', refusal: null, reasoning_content: thought, z1: seeded },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      // The prompt is one token, which cannot come from the cache.
      usage: {
        prompt_tokens: 1,
        completion_tokens: 5,
        total_tokens: 6,
        prompt_tokens_details: { cached_tokens: 0 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
    })
  })

  it('streams the same', async () => {
    const body = { ...cut, stream: true, stream_options: { include_usage: true } }
    const events = (await eventsOf(await post('/v1/chat/completions', body))).map(({ data }) => data)
    expect(events.at(-1)).toBe('[DONE]')
    const chunks = events.slice(0, -1) as {
      id: string
      choices: { delta: Record<string, unknown>; finish_reason: unknown }[]
      usage: unknown
    }[]
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1)
    const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta))
    expect(deltas[0]).toEqual({ role: 'assistant', content: '' })
    const told = (name: string) => deltas.map((delta) => delta[name] ?? '').join('')
    expect([told('reasoning_content'), told('content')]).toEqual([thought, 'Four!'])
    expect(deltas.filter(({ z1 }) => z1)).toEqual([
      { z1: { ended: 'window', thinkingTokens: 3, hint: PLAIN_HINT } },
      { z1: seeded },
    ])
    expect(chunks.at(-2)?.choices[0]?.finish_reason).toBe('stop')
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: 5, total_tokens: 6 } })
    expect(chunks.slice(0, -1).every(({ usage }) => usage === null)).toBe(true)
  })

  it('tells log-probabilities of the content, whole and in a stream', async () => {
    const asked = { ...cut, logprobs: true, top_logprobs: 1 }
    const { choices } = await json(post('/v1/chat/completions', asked))
    expect(choices).toMatchObject([{ logprobs: { content: [certain('Four'), certain('!')], refusal: null } }])

    const events = (await eventsOf(await post('/v1/chat/completions', { ...asked, stream: true }))).slice(0, -1)
    const chunks = events.map(({ data }) => (data as { choices: [{ delta: object; logprobs: unknown }] }).choices[0])
    expect(chunks.flatMap(({ logprobs }) => (logprobs as { content: unknown[] } | null)?.content ?? [])).toEqual([
      certain('Four'),
      certain('!'),
    ])
    for (const { delta, logprobs } of chunks)
      expect(logprobs !== null).toBe(/"content":"[^"]/.test(JSON.stringify(delta)))
  })

  it('tells no log-probabilities where logprobs is false, or there is nothing to tell', async () => {
    const { choices } = await json(post('/v1/chat/completions', { ...cut, logprobs: false, top_logprobs: 0 }))
    expect(choices).toMatchObject([{ logprobs: null }])
  })

  it('tells no usage that was not asked for', async () => {
    const events = await eventsOf(await post('/v1/chat/completions', { ...cut, stream: true }))
    expect(events.filter(({ data }) => JSON.stringify(data).includes('usage'))).toEqual([])
  })

  it('has the reasoning in the field that it is told to', async () => {
    const other = appOver(z1, { reasoningField: 'reasoning' })
    const { choices } = await json(other.post('/v1/chat/completions', { ...cut, model: undefined }))
    expect(choices).toMatchObject([{ message: { reasoning: thought } }])
  })

  it('counts thinking and answer together', async () => {
    for (const max_tokens of [1, 2, 3, 5]) {
      const { usage, choices } = await json(post('/v1/chat/completions', { messages, max_tokens }))
      const { completion_tokens } = usage as { completion_tokens: number }
      expect(completion_tokens).toBeLessThanOrEqual(max_tokens)
      const [{ message }] = choices as [{ message: { content: string } }]
      expect(message.content).not.toBe('')
    }
  })

  it('takes the window of the server where none is asked for', async () => {
    const other = appOver(z1, { defaults: { thinkingWindow: 2, hint: 'boxed' } })
    const { choices } = await json(other.post('/v1/chat/completions', { messages, max_tokens: 20 }))
    expect(choices).toMatchObject([
      { message: { reasoning_content: ' hm so', z1: { hint: expect.stringContaining('boxed') } } },
    ])
  })
})

describe('an ordinary chat model', () => {
  it('answers in text only', async () => {
    const chatting = await loadTable(folder(), {})
    try {
      const { post } = appOver(chatting)
      const whole = await json(post('/v1/chat/completions', { messages, max_tokens: 4 }))
      expect(whole).toMatchObject({
        choices: [
          {
            message: { content: ' hm so hm so', z1: { ended: 'self', hint: '', answerRepeats: false } },
            finish_reason: 'length',
          },
        ],
        usage: { completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 0 } },
      })
      expect(JSON.stringify(whole)).not.toContain('reasoning_content')
      const thinking = await json(
        post('/v1/chat/completions', { messages, max_tokens: 10, reasoning_effort: 'medium' }),
      )
      expect(thinking).toMatchObject({ choices: [{ message: { content: 'Four!', reasoning_content: thought } }] })
    } finally {
      await chatting.dispose()
    }
  })
})

describe('/v1/completions', () => {
  it('goes on from the prompt, whatever the model', async () => {
    const body = { prompt: 'L', max_tokens: 4 }
    expect(await json(post('/v1/completions', body))).toMatchObject({
      object: 'text_completion',
      choices: [{ text: ' hm so hm so', finish_reason: 'length', logprobs: null }],
      usage: { prompt_tokens: 1, completion_tokens: 4, completion_tokens_details: { reasoning_tokens: 0 } },
    })
    const events = (await eventsOf(await post('/v1/completions', { ...body, stream: true }))).map(({ data }) => data)
    const chunks = events.slice(0, -1) as { choices: { text: string; finish_reason: string | null }[] }[]
    expect(chunks.map(({ choices }) => choices[0]?.text).join('')).toBe(' hm so hm so')
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe('length')
  })

  it('tells log-probabilities, whole and as a stream, of the text and of nothing else', async () => {
    const tokens = [' hm', ' so', ' hm', ' so']
    const going = { prompt: 'L', max_tokens: 4, logprobs: 1 }
    const cut = { prompt: 'L', thinking_window: 3, max_tokens: 9, logprobs: 0 }
    for (const [body, expected] of [
      [going, { tokens, text_offset: [0, 3, 6, 9] }],
      [cut, { tokens: ['Four', '!'], text_offset: [0, 4] }],
    ] as const) {
      const { choices } = await json(post('/v1/completions', body))
      const [{ logprobs }] = choices as [
        { logprobs: { token_logprobs: number[]; top_logprobs: object[]; tokens: string[] } },
      ]
      expect(logprobs).toMatchObject(expected)
      for (const logprob of logprobs.token_logprobs) expect(logprob).toBeCloseTo(0)
      expect(logprobs.top_logprobs.map(Object.keys)).toEqual(expected.tokens.map((one) => (body.logprobs ? [one] : [])))
      const events = await eventsOf(await post('/v1/completions', { ...body, stream: true }))
      const told = events.slice(0, -1).flatMap(({ data }) => {
        const [choice] = (data as { choices: { logprobs: typeof logprobs | null }[] }).choices
        return choice?.logprobs ? [choice.logprobs] : []
      })
      for (const name of ['tokens', 'text_offset', 'token_logprobs', 'top_logprobs'] as const) {
        expect(told.flatMap((one) => one[name as 'tokens'])).toEqual(logprobs[name as 'tokens'])
      }
    }
    expect((await post('/v1/completions', { ...going, logprobs: 21 })).status).toBe(400)
  })

  it('ends at a stop string', async () => {
    const body = { prompt: ['L'], max_tokens: 9, stop: ' so' }
    expect(await json(post('/v1/completions', body))).toMatchObject({
      choices: [{ text: ' hm', finish_reason: 'stop' }],
    })
  })

  it('with a window has text and reasoning', async () => {
    const body = { prompt: 'L', thinking_window: 3, max_tokens: 9 }
    expect(await json(post('/v1/completions', body))).toMatchObject({
      choices: [{ text: 'Four!', reasoning_content: thought, z1: seeded }],
      usage: { completion_tokens: 5, completion_tokens_details: { reasoning_tokens: 3 } },
    })
  })
})

describe('/v1/responses', () => {
  const body = { input: 'L', reasoning: { effort: 'medium' }, max_output_tokens: 10 }

  it('gives a reasoning item and a message', async () => {
    const response = await json(post('/v1/responses', body))
    expect(response).toMatchObject({
      object: 'response',
      status: 'completed',
      output: [
        {
          type: 'reasoning',
          summary: [],
          content: [{ type: 'reasoning_text', text: thought }],
          z1: { hint: PLAIN_HINT },
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Four!', annotations: [] }] },
      ],
      usage: { input_tokens: 1, output_tokens: 5, output_tokens_details: { reasoning_tokens: 3 }, total_tokens: 6 },
      z1: seeded,
    })
  })

  it('streams the same, each event numbered', async () => {
    const events = await eventsOf(await post('/v1/responses', { ...body, stream: true }))
    const datas = events.map(({ event, data }) => {
      expect((data as { type: string }).type).toBe(event)
      return data as {
        type: string
        sequence_number: number
        delta?: string
        response?: { output: unknown; status: string }
      }
    })
    expect(datas.map(({ sequence_number }) => sequence_number)).toEqual(datas.map((_, i) => i))
    const told = (type: string) => datas.map((data) => (data.type === type ? data.delta : '')).join('')
    expect(told('response.reasoning_text.delta')).toBe(thought)
    expect(told('response.output_text.delta')).toBe('Four!')
    const whole = await json(post('/v1/responses', body))
    const strip = (output: unknown) => JSON.parse(JSON.stringify(output).replace(/_\w{32}/g, ''))
    expect(strip(datas.at(-1)?.response?.output)).toEqual(strip(whole.output))
    expect(datas.at(-1)?.type).toBe('response.completed')
  })

  it.each([
    [{ include: ['message.output_text.logprobs'] }, 0],
    [{ top_logprobs: 1 }, 1],
    [{ include: ['message.output_text.logprobs', 'reasoning.encrypted_content'], top_logprobs: 1 }, 1],
  ])('tells log-probabilities of the text, whole and in a stream: %j', async (asked, top) => {
    const expected = [certain('Four', top), certain('!', top)]
    const { output, top_logprobs } = await json(post('/v1/responses', { ...body, ...asked }))
    expect((output as object[])[1]).toMatchObject({ content: [{ text: 'Four!', logprobs: expected }] })
    expect(top_logprobs).toBe(top)
    const events = await eventsOf(await post('/v1/responses', { ...body, ...asked, stream: true }))
    const told = (type: string) =>
      events.filter(({ event }) => event === type).flatMap(({ data }) => (data as { logprobs: object[] }).logprobs)
    expect(told('response.output_text.delta')).toEqual(expected)
    expect(told('response.output_text.done')).toEqual(expected)
    expect(events.at(-1)?.data).toMatchObject({ response: { output: [{}, { content: [{ logprobs: expected }] }] } })
  })

  it('tells no log-probabilities that were not asked for', async () => {
    const { output } = await json(post('/v1/responses', { ...body, include: ['reasoning.encrypted_content'] }))
    expect((output as object[])[1]).toMatchObject({ content: [{ logprobs: [] }] })
  })

  it('truncation says what happens to what does not fit', async () => {
    // The context holds 512 tokens, a character each.
    const turn = [
      { role: 'user', content: 'x'.repeat(200) },
      { role: 'assistant', content: 'y'.repeat(20) },
    ]
    const input = [...turn, ...turn, ...turn, { role: 'user', content: 'L' }]
    const chatTemplate = '{% for message in messages %}{{ message.content }}{% endfor %}'
    const app = appOver(z1, { defaults: { chatTemplate } })
    const asked = (truncation?: string) => app.post('/v1/responses', { ...body, input, truncation })
    for (const response of [await asked(), await asked('disabled')]) {
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ error: { code: 'context_length_exceeded' } })
    }
    const { usage, truncation } = await json(asked('auto'))
    expect((usage as { input_tokens: number }).input_tokens).toBeLessThan(512)
    expect(truncation).toBe('auto')
    expect((await asked('some')).status).toBe(400)
    const usual = appOver(z1, { defaults: { chatTemplate, overflow: 'shift' } })
    expect((await usual.post('/v1/chat/completions', { messages: input })).status).toBe(200)
    expect((await app.post('/v1/chat/completions', { messages: input })).status).toBe(400)
  })

  it('is incomplete where a limit ended it', async () => {
    const short = { input: 'L', thinking_window: 1, max_output_tokens: 2 }
    expect(await json(post('/v1/responses', short))).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output: [{ type: 'reasoning' }, { type: 'message', status: 'incomplete', content: [{ text: 'Four' }] }],
    })
    const events = await eventsOf(await post('/v1/responses', { ...short, stream: true }))
    expect(events.at(-1)?.event).toBe('response.incomplete')
  })
})

describe('paths without /v1', () => {
  it.each([
    ['/chat/completions', cut, 'choices'],
    ['/responses', { input: 'L', max_output_tokens: 10 }, 'output'],
    ['/messages', { messages, max_tokens: 20 }, 'content'],
  ])('%s answers as with it', async (path, body, field) => {
    const strip = (whole: Record<string, unknown>) =>
      JSON.parse(JSON.stringify(whole[field]).replace(/_\w{32}|,"seed":\d+/g, ''))
    expect(strip(await json(post(path, body)))).toEqual(strip(await json(post(`/v1${path}`, body))))
    expect((await get(path)).status).toBe(405)
  })

  it('/models too, and /completions, which is another protocol there, not', async () => {
    expect(await json(get('/models'))).toEqual(await json(get('/v1/models')))
    expect((await post('/completions', { prompt: 'L' })).status).toBe(404)
  })
})

describe('/v1/messages/count_tokens', () => {
  const conversation = [...messages, { role: 'assistant', content: 'Four.' }, { role: 'user', content: 'Why?' }]

  it.each([
    { messages },
    { messages: conversation, model: 'table', thinking: { type: 'enabled', budget_tokens: 2000 } },
  ])('counts what a request would take, and needs no limit: %j', async (asked) => {
    const { input_tokens, ...others } = await json(post('/v1/messages/count_tokens', asked))
    const run = await json(post('/v1/messages', { ...asked, max_tokens: 20, thinking: { type: 'disabled' } }))
    expect(input_tokens).toBe((run.usage as { input_tokens: number }).input_tokens)
    expect(others).toEqual({})
  })

  it('fails as a request would', async () => {
    const response = await post('/v1/messages/count_tokens', { messages: 'L' })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } })
    expect((await get('/v1/messages/count_tokens')).status).toBe(405)
  })
})

describe('/tokenize', () => {
  it('begins with BOS where that is asked for, and the vocabulary has one', async () => {
    await using spm = await Z1.load({ model: testModel('llama-spm'), contextSize: 64, threads: 1, engine: 'cpu' })
    const tokensOf = async (over: Z1, body: object) => (await json(appOver(over).post('/tokenize', body))).tokens
    const plain = (await tokensOf(spm, { content: 'one' })) as number[]
    expect(await tokensOf(spm, { content: 'one', add_special: true })).toEqual([1, ...plain])
    expect(await tokensOf(spm, { content: 'one', add_special: false })).toEqual(plain)
    expect(await tokensOf(z1, { content: 'hm', add_special: true })).toEqual(await z1.tokenize('hm'))
  })
})

describe('/v1/messages', () => {
  const body = { messages, max_tokens: 20, thinking: { type: 'enabled', budget_tokens: 3 } }

  it('gives thinking and text', async () => {
    expect(await json(post('/v1/messages', body))).toMatchObject({
      type: 'message',
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: thought, signature: expect.stringMatching(/^z1\./) },
        { type: 'text', text: 'Four!' },
      ],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, cache_read_input_tokens: 0, output_tokens: 5 },
    })
  })

  it('streams the same', async () => {
    const events = await eventsOf(await post('/v1/messages', { ...body, stream: true }))
    const names = events.map(({ event }) => event).filter((name, i, all) => name !== all[i - 1])
    expect(names).toEqual([
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ])
    const deltas = events.flatMap(({ data }) => (data as { delta?: { thinking?: string; text?: string } }).delta ?? [])
    expect(deltas.map(({ thinking = '' }) => thinking).join('')).toBe(thought)
    expect(deltas.map(({ text = '' }) => text).join('')).toBe('Four!')
  })

  it('names the stop sequence', async () => {
    const stopped = { ...body, stop_sequences: ['!'] }
    expect(await json(post('/v1/messages', stopped))).toMatchObject({
      stop_reason: 'stop_sequence',
      stop_sequence: '!',
    })
  })

  it('needs a limit, and has errors of its own form', async () => {
    const response = await post('/v1/messages', { messages })
    expect([response.status, await response.json()]).toEqual([
      400,
      { type: 'error', error: { type: 'invalid_request_error', message: 'Expected max_tokens' } },
    ])
  })
})

describe('every field', () => {
  const everything = { ...THINKING_FIELDS }
  // Each name of the clients' own types: one that is missing here, or there, is an error of the compiler.
  const chat = {
    messages: 1,
    model: 1,
    audio: 1,
    frequency_penalty: 1,
    function_call: 1,
    functions: 1,
    logit_bias: 1,
    logprobs: 1,
    max_completion_tokens: 1,
    max_tokens: 1,
    metadata: 1,
    modalities: 1,
    moderation: 1,
    n: 1,
    parallel_tool_calls: 1,
    prediction: 1,
    presence_penalty: 1,
    prompt_cache_key: 1,
    prompt_cache_options: 1,
    prompt_cache_retention: 1,
    reasoning_effort: 1,
    response_format: 1,
    safety_identifier: 1,
    seed: 1,
    service_tier: 1,
    stop: 1,
    store: 1,
    stream: 1,
    stream_options: 1,
    temperature: 1,
    tool_choice: 1,
    tools: 1,
    top_logprobs: 1,
    top_p: 1,
    user: 1,
    verbosity: 1,
    web_search_options: 1,
  } satisfies Record<keyof ChatCompletionCreateParamsBase, 1>
  const completions = {
    model: 1,
    prompt: 1,
    best_of: 1,
    echo: 1,
    frequency_penalty: 1,
    logit_bias: 1,
    logprobs: 1,
    max_tokens: 1,
    n: 1,
    presence_penalty: 1,
    seed: 1,
    stop: 1,
    stream: 1,
    stream_options: 1,
    suffix: 1,
    temperature: 1,
    top_p: 1,
    user: 1,
  } satisfies Record<keyof CompletionCreateParamsBase, 1>
  const responses = {
    background: 1,
    context_management: 1,
    conversation: 1,
    include: 1,
    input: 1,
    instructions: 1,
    max_output_tokens: 1,
    metadata: 1,
    model: 1,
    moderation: 1,
    parallel_tool_calls: 1,
    previous_response_id: 1,
    prompt: 1,
    prompt_cache_key: 1,
    prompt_cache_options: 1,
    prompt_cache_retention: 1,
    reasoning: 1,
    safety_identifier: 1,
    service_tier: 1,
    store: 1,
    stream: 1,
    stream_options: 1,
    temperature: 1,
    text: 1,
    tool_choice: 1,
    tools: 1,
    top_logprobs: 1,
    top_p: 1,
    truncation: 1,
    user: 1,
  } satisfies Record<keyof ResponseCreateParamsBase, 1>
  const anthropic = {
    max_tokens: 1,
    messages: 1,
    model: 1,
    cache_control: 1,
    container: 1,
    diagnostics: 1,
    inference_geo: 1,
    metadata: 1,
    output_config: 1,
    service_tier: 1,
    speed: 1,
    stop_sequences: 1,
    stream: 1,
    system: 1,
    thinking: 1,
    tool_choice: 1,
    tools: 1,
    user_profile_id: 1,
    workspace_id: 1,
    temperature: 1,
    top_k: 1,
    top_p: 1,
  } satisfies Record<keyof MessageCreateParamsBase | 'temperature' | 'top_k' | 'top_p', 1>

  it.each([
    ['chat completions', chat, CHAT_FIELDS],
    ['completions', completions, COMPLETION_FIELDS],
    ['responses', responses, RESPONSES_FIELDS],
    ['messages', anthropic, MESSAGES_FIELDS],
  ])('of %s is used, refused or named', (_, names, table) => {
    const known = Object.keys({ ...everything, ...table })
    expect(Object.keys(names).filter((name) => !known.includes(name))).toEqual([])
  })

  it('that has no effect is named in a header', async () => {
    const body = { ...cut, model: 'gpt-5', user: 'me', thinking_windw: 5, thinking: { display: 'omitted' }, 'é\n': 1 }
    const response = await post('/v1/chat/completions', body)
    expect(response.status).toBe(200)
    expect(response.headers.get('z1-warning')).toBe(
      'user has no effect; thinking_windw is unknown (did you mean thinking_window?); ?\\n is unknown; ' +
        'thinking.display has no effect; model is table',
    )
  })
})

describe('other paths', () => {
  it('/v1/models', async () => {
    const { data } = (await json(get('/v1/models'))) as { data: object[] }
    expect(data).toMatchObject([{ id: 'table', object: 'model', z1: { contextSize: 512, thinkingWindow: 6 } }])
    expect(await json(get('/v1/models/table'))).toEqual(data[0])
    expect((await get('/v1/models/other')).status).toBe(404)
  })

  it('/health and /metrics', async () => {
    const { get, post } = appOver(z1)
    expect(await json(get('/health'))).toEqual({ status: 'ok' })
    await (await post('/v1/chat/completions', cut)).text()
    await (await post('/v1/chat/completions', {})).text()
    const response = await get('/metrics')
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = (await response.text()).split('\n')
    expect(lines).toEqual(
      expect.arrayContaining([
        '# TYPE z1_requests_total counter',
        'z1_requests_total{path="/v1/chat/completions",status="200"} 1',
        'z1_requests_total{path="/v1/chat/completions",status="400"} 1',
        'z1_tokens_total{kind="thinking"} 3',
        'z1_tokens_total{kind="answer"} 2',
        'z1_responses_total{ended="window",finish_reason="stop"} 1',
        'z1_requests_running 0',
        'z1_requests_waiting 0',
      ]),
    )
    // Every line is a comment or a sample.
    const sample = /^(?:# (?:HELP|TYPE) z1_\w+ .+|z1_\w+(?:\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? [\d.e+-]+|)$/
    expect(lines.filter((line) => !sample.test(line))).toEqual([])
  })
})
