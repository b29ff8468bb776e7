/** Z1.connect: the same as the addon gives, over a server that tells tokens, and what other servers need, or cannot do. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Reasoner, type ReasonOptions, type ReasonResult, Z1 } from '../../lib/index.js'
import { serve, type Z1Server } from '../../lib/server/index.js'
import { loadTable } from '../server/rig.js'
import { listOf, llamaRoutes, type Route, type RouteServer, routeServer } from '../support/fake-llama-server.js'
import { temporaryFolder } from '../support/folder.js'
import { chunk, status, stream } from '../support/openai-server.js'

const folder = temporaryFolder()
const servers: { close(): unknown }[] = []
let z1: Z1
let slow: Z1
let llama: RouteServer
let remote: Reasoner

beforeAll(async () => {
  z1 = await loadTable(folder('.'))
  slow = await loadTable(folder('.'), { slow: true })
  llama = await open(llamaRoutes(z1))
  remote = await Z1.connect({ baseUrl: `${llama.url}/v1/` })
})
afterAll(async () => {
  for (const server of servers) await server.close()
  await Promise.all([z1.dispose(), slow.dispose()])
})

async function open(routes: Record<string, Route>): Promise<RouteServer> {
  const server = await routeServer(routes)
  servers.push(server)
  return server
}

function compared({
  text,
  reasoning,
  hint,
  answer,
  finalAnswer,
  ended,
  finishReason,
  tokens,
  usage,
  seed,
}: ReasonResult) {
  const { cachedTokens, ...counted } = usage
  return { text, reasoning, hint, answer, finalAnswer, ended, finishReason, tokens, counted, seed }
}

async function eventsOf(reasoner: Reasoner, options: ReasonOptions) {
  const texts: Record<string, string> = { thinking: '', answer: '' }
  const events: unknown[] = []
  for await (const event of reasoner.stream('L', options)) {
    if (event.type === 'thinking' || event.type === 'answer') texts[event.type] += event.text
    else if (event.type === 'cut') events.push(event)
  }
  return { texts, events }
}

describe('over llama-server', () => {
  it('knows the model', () => {
    expect(remote.model).toMatchObject({ path: 'm', contextSize: 512, parallel: 3, tags: null })
  })

  it.each<[string, ReasonOptions]>([
    ['a window', { thinkingWindow: 5 }],
    ['a window of 0', { thinkingWindow: 0 }],
    ['a window of 1', { thinkingWindow: 1 }],
    ['no window', { maxTokens: 7 }],
    ['no hint', { thinkingWindow: 5, hint: null }],
    ['a hint that leads nowhere', { thinkingWindow: 3, hint: 'L', maxTokens: 4 }],
    ['a stop string', { thinkingWindow: 3, stop: 'ur' }],
    ['a stop string in the thinking', { thinkingWindow: 9, stop: 'so', stopInThinking: true }],
    ['a context that is full', { thinkingWindow: Infinity }],
    ['a banned token', { thinkingWindow: 6, logitBias: { 258: -Infinity } }],
    [
      'a system text',
      { thinkingWindow: 2, system: 'so', chatTemplate: '{% for m in messages %}{{ m.content }}{% endfor %}' },
    ],
  ])('%s gives what the addon gives', async (_name, options) => {
    const both = { seed: 7, ...options }
    const [ours, theirs] = await Promise.all([z1.reason('L', both), remote.reason('L', both)])
    expect(compared(theirs)).toEqual(compared(ours))
    expect(await eventsOf(remote, both)).toEqual(await eventsOf(z1, both))
    expect(await remote.countTokens('L', both)).toBe(ours.usage.promptTokens)
  })

  it("refuses drafts, which are the server's own", async () => {
    const refused = remote.reason('L', { thinkingWindow: 5, speculation: true })
    await expect(refused).rejects.toThrow('Expected nothing for speculation with llama.cpp but received true')
    await remote.reason('L', { thinkingWindow: 5, speculation: false })
  })

  it('gives a response that ends by itself', async () => {
    const both = { seed: 1, thinkingWindow: 50, template: false }
    const theirs = await remote.reason('\n', both)
    expect(compared(theirs)).toEqual(compared(await z1.reason('\n', both)))
    expect(theirs).toMatchObject({ text: 'Four!', ended: 'self', finishReason: 'stop' })
  })

  it('closes the window when it is asked to, and stops', async () => {
    const other = await open(llamaRoutes(slow))
    const reasoner = await Z1.connect({ baseUrl: other.url })
    const now = reasoner.stream('L', { thinkingWindow: 400 })
    for await (const { type } of now) if (type === 'thinking') now.endThinking()
    const result = await now.result
    expect(result).toMatchObject({ ended: 'request', answer: 'Four!', finishReason: 'stop' })
    expect(result.usage.thinkingTokens).toBe(result.tokens.reasoning.length)
    expect(result.usage.thinkingTokens).toBeLessThan(400)

    const ended = reasoner.stream('L', { thinkingWindow: 400 })
    for await (const { type } of ended) if (type === 'thinking') ended.stop()
    expect(await ended.result).toMatchObject({ ended: 'stop', hint: '', finishReason: 'abort' })
  })

  it('closes the request when it is aborted, and when the reasoner is disposed', async () => {
    let closed = 0
    const hanging: Route = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.write('data: {"content":"So","tokens":[1]}\n\n')
      response.once('close', () => closed++)
    }
    const other = await open(llamaRoutes(z1, { '/completion': hanging }))
    const reasoner = await Z1.connect({ baseUrl: other.url })
    for await (const { type } of reasoner.stream('L', { thinkingWindow: 9 })) if (type === 'thinking') break
    await expect.poll(() => closed).toBe(1)
    const last = reasoner.stream('L', { thinkingWindow: 9 })
    const read = async () => {
      for await (const { type } of last) if (type === 'thinking') await reasoner.dispose()
    }
    await expect(read()).rejects.toMatchObject({ code: 'DISPOSED' })
    await expect.poll(() => closed).toBe(2)
    await expect(reasoner.reason('L')).rejects.toMatchObject({ code: 'DISPOSED' })
  })

  it('asks again while nothing was told, and not when something was', async () => {
    const busy: Route = (_body, response) => void status(503, 'busy')(response, {}, undefined as never)
    const routes = llamaRoutes(z1)
    const { '/completion': complete } = routes
    let left = 2
    const other = await open({
      ...routes,
      '/completion': (...asked) => (left-- > 0 ? busy : (complete as Route))(...asked),
    })
    const reasoner = await Z1.connect({ baseUrl: other.url, retries: 2, backoff: 1 })
    expect((await reasoner.reason('L', { thinkingWindow: 3 })).answer).toBe('Four!')
    left = 3
    await expect(reasoner.reason('L', { thinkingWindow: 3 })).rejects.toMatchObject({ code: 'REMOTE_FAILED' })

    const cutOff: Route = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end('data: {"content":"So","tokens":[1]}\n\n')
    }
    const broken = await open(llamaRoutes(z1, { '/completion': cutOff }))
    const once = await Z1.connect({ baseUrl: broken.url, backoff: 1 })
    await expect(once.reason('L', { thinkingWindow: 3 })).rejects.toThrow('ended early')
    expect(broken.asked.filter(({ path }) => path === '/completion')).toHaveLength(1)
  })

  it('refuses what does not fit, before it is sent', async () => {
    const before = llama.asked.filter(({ path }) => path === '/completion').length
    await expect(remote.reason('L', { thinkingWindow: 600 })).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    expect(llama.asked.filter(({ path }) => path === '/completion')).toHaveLength(before)
  })

  it.each<[ReasonOptions, string]>([
    [{ tags: 'keep' }, "Expected 'ban' for tags with llama.cpp"],
    [{ cuts: [2], thinkingWindow: 4 }, 'Expected nothing for cuts with llama.cpp'],
    [{ wait: {} }, 'Expected nothing for wait with llama.cpp'],
    [{ stated: 'keep' }, 'Expected nothing for stated with llama.cpp'],
    [{ temperature: 'model' }, 'Expected number for temperature with llama.cpp'],
  ])('%j is refused', (options, message) => {
    expect(() => remote.stream('L', options)).toThrow(message)
  })

  it('bans tags by their tokens, and refuses those of a model that are several', async () => {
    const template = '<think>{{ messages[-1].content }}'
    const single: Route = ({ content }) => ({
      tokens: content === '<think>' ? [5] : content === '</think>' ? [6] : [1, 2],
    })
    const routes = llamaRoutes(z1, { '/tokenize': single })
    const one = await open(routes)
    const reasoner = await Z1.connect({ baseUrl: one.url, chatTemplate: template })
    expect(reasoner.model.tags).toEqual({ open: '<think>', close: '</think>' })
    await reasoner.reason('L', { thinkingWindow: 2 })
    const body = one.asked.find(({ path }) => path === '/completion')?.body
    expect(body).toMatchObject({ logit_bias: { 5: false, 6: false } })

    const several = await Z1.connect({ baseUrl: llama.url, chatTemplate: template })
    await expect(several.reason('L')).rejects.toThrow('The tag <think> of the model cannot be banned')
  })

  it('fails where the model writes a tag that could not be banned', async () => {
    const writes: Route = (_body, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const content of ['a <th', 'ink> b']) response.write(`data: ${JSON.stringify({ content, tokens: [1] })}\n\n`)
    }
    const other = await open(llamaRoutes(z1, { '/completion': writes }))
    const reasoner = await Z1.connect({ baseUrl: other.url })
    await expect(reasoner.reason('L', { thinkingWindow: 9 })).rejects.toThrow('The model wrote <think>')
  })
})

describe('over z1 serve', () => {
  let server: Z1Server
  let reasoner: Reasoner
  beforeAll(async () => {
    server = await serve(z1, { port: 0, apiKey: 'secret' })
    servers.push(server)
    reasoner = await Z1.connect({ baseUrl: server.url, apiKey: 'secret' })
  })

  it.each<[string, ReasonOptions]>([
    ['a window', { thinkingWindow: 5 }],
    ['a window of 0', { thinkingWindow: 0 }],
    ['no window', { maxTokens: 7 }],
    ['no hint', { thinkingWindow: 5, hint: null }],
    ['a context that is full', { thinkingWindow: Infinity }],
  ])('%s gives the text and the counts of the addon', async (_name, options) => {
    const both = { seed: 7, ...options }
    const { tokens: _ours, ...ours } = compared(await z1.reason('L', both))
    const { tokens: _theirs, ...theirs } = compared(await reasoner.reason('L', both))
    expect(theirs).toEqual(ours)
  })

  it('tells its tokens', async () => {
    const tokens = await z1.tokenize('hm so')
    expect(await reasoner.tokenize('hm so')).toEqual(tokens)
    expect(await reasoner.detokenize(tokens)).toBe('hm so')
  })

  it('needs its key', async () => {
    await expect(Z1.connect({ baseUrl: server.url, retries: 0 })).rejects.toMatchObject({ code: 'REMOTE_REFUSED' })
  })
})

/** Says something, then ends: a route of chat completions or completions. */
function says(text: string, finish = 'stop', isChat = true): Route {
  const first = isChat ? chunk({ content: text }) : { choices: [{ text, finish_reason: null }] }
  const last = { choices: [{ ...(isChat ? { delta: {} } : { text: '' }), finish_reason: finish }] }
  const usage = { choices: [], usage: { prompt_tokens: 11, completion_tokens: 3 } }
  return (body, response) => void stream([first, last, usage])(response, body, undefined as never)
}

function inTurn(...routes: Route[]): Route {
  let i = 0
  return (...asked) => routes[Math.min(i++, routes.length - 1)]?.(...asked)
}

describe('over vLLM and SGLang', () => {
  it('goes on with the message, after the hint', async () => {
    const vllm = await open({
      '/v1/models': () => listOf('vllm', { max_model_len: 4096 }),
      '/tokenize': ({ prompt }) => ({ tokens: prompt === '<think>' ? [9] : [1, 2] }),
      '/v1/chat/completions': inTurn(says('one two three', 'length'), says('4')),
    })
    const reasoner = await Z1.connect({ baseUrl: vllm.url, model: 'm' })
    const result = await reasoner.reason('2 + 2?', { thinkingWindow: 3, maxTokens: 20, seed: 5, topK: 7 })
    expect(result).toMatchObject({
      reasoning: 'one two three',
      answer: '4',
      ended: 'window',
      finishReason: 'stop',
      usage: { promptTokens: 11, thinkingTokens: 3, answerTokens: 3 },
    })
    const [first, second] = vllm.asked.filter(({ path }) => path === '/v1/chat/completions').map(({ body }) => body)
    const user = { role: 'user', content: '2 + 2?' }
    expect(first).toMatchObject({ messages: [user], max_tokens: 3, top_k: 7, logit_bias: { 9: -100 }, temperature: 0 })
    expect(first).not.toHaveProperty('continue_final_message')
    expect(second).toMatchObject({
      messages: [user, { role: 'assistant', content: `one two three${result.hint}` }],
      add_generation_prompt: false,
      continue_final_message: true,
      max_tokens: 20,
    })
  })

  it('renders a template that it is given, and sends texts', async () => {
    const sglang = await open({
      '/v1/models': () => listOf('sglang', { max_model_len: 4096 }),
      '/v1/completions': inTurn(says('one two', 'length', false), says('4', 'stop', false)),
    })
    const reasoner = await Z1.connect({ baseUrl: sglang.url, chatTemplate: '[{{ messages[-1].content }}]' })
    const { hint } = await reasoner.reason('q', { thinkingWindow: 2 })
    const prompts = sglang.asked.filter(({ path }) => path === '/v1/completions').map(({ body }) => body.prompt)
    expect(prompts).toEqual(['[q]', `[q]one two${hint}`])
    await expect(reasoner.tokenize('x')).rejects.toMatchObject({ code: 'REMOTE_REFUSED' })
    await expect(
      (await Z1.connect({ baseUrl: sglang.url, chatTemplate: '<|im_start|>{{ messages[-1].content }}' })).reason(
        'a <|im_start|>',
        { thinkingWindow: 2 },
      ),
    ).rejects.toMatchObject({ code: 'REMOTE_REFUSED' })
  })
})

describe('over another server', () => {
  it('needs a template for a window, and none without', async () => {
    const other = await open({ '/v1/models': () => listOf('someone'), '/v1/chat/completions': says('Four.') })
    const reasoner = await Z1.connect({ baseUrl: other.url })
    await expect(reasoner.reason('q', { thinkingWindow: 3 })).rejects.toThrow("give the model's chatTemplate")
    expect(await reasoner.reason('q')).toMatchObject({ answer: 'Four.', reasoning: '', ended: 'self' })
  })

  it.each([
    ['an address that is none', { baseUrl: 'localhost' }, TypeError],
    ['an unknown option', { baseUrl: 'http://localhost', modle: 'm' }, TypeError],
    ['a server that is not there', { baseUrl: 'http://127.0.0.1:1', retries: 0 }, /127\.0\.0\.1:1/],
  ])('%s is refused', async (_name, options, error) => {
    await expect(Z1.connect(options)).rejects.toThrow(error as RegExp)
  })
})
