/** What no server should be brought down by: each gives a clear 4xx, and the next request works. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Z1 } from '../../lib/index.js'
import { createApp } from '../../lib/server/index.js'
import { temporaryFolder } from '../support/folder.js'
import { appOver, loadTable, type Post } from './rig.js'

const folder = temporaryFolder()
let z1: Z1
let post: Post
let get: ReturnType<typeof appOver>['get']
const failures: unknown[] = []
beforeAll(async () => {
  z1 = await loadTable(folder(), { thinkingWindow: 4, contextSize: 256 })
  ;({ post, get } = appOver(z1, { maxBodyBytes: 20_000, onError: (error) => failures.push(error) }))
})
afterAll(async () => {
  await z1.dispose()
  // Nothing of it was this side's fault.
  expect(failures).toEqual([])
})

const messages = [{ role: 'user', content: 'L' }]
const paths = ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages'] as const
const small: Record<string, object> = {
  '/v1/chat/completions': { messages, max_tokens: 2 },
  '/v1/completions': { prompt: 'L', max_tokens: 2 },
  '/v1/responses': { input: 'L', max_output_tokens: 2 },
  '/v1/messages': { messages, max_tokens: 2 },
}

async function refused(response: Response | Promise<Response>, status: number, message: string | RegExp) {
  const given = await response
  const body = (await given.json()) as { error: { message: string } }
  expect([given.status, body.error.message]).toEqual([status, expect.stringMatching(message)])
  // One line, of which no program is surprised.
  expect(body.error.message).not.toMatch(/\p{Cc}/u)
  return given
}

describe.each(paths)('%s', (path) => {
  const body = small[path] as object

  it('works', async () => {
    const response = await post(path, body)
    expect(response.status).toBe(200)
    await response.text()
  })

  it.each([
    ['no JSON', '{', 400, 'The body is not valid JSON'],
    ['nothing', '', 400, 'The body is not valid JSON'],
    ['a list', '[]', 400, 'Expected plain object for the body but received an array'],
    ['null', 'null', 400, 'Expected plain object for the body but received null'],
    ['a text', '"x"', 400, 'Expected plain object for the body'],
    ['deep nesting', `{"tools":${'['.repeat(9000)}${']'.repeat(9000)}}`, 400, /not supported|unknown|Expected/],
    ['too much', `{"a":"${'x'.repeat(30_000)}"}`, 413, 'Expected a body of at most 20000 bytes'],
  ])('%s', async (_, text, status, message) => {
    await refused(post(path, text), status, message)
  })

  it('bytes that are no text', async () => {
    for (const bytes of [
      [0xff, 0xfe, 0x7b],
      [0x22, 0xc3, 0x28, 0x22],
      [0x7b, 0, 0x7d, 0],
    ]) {
      await refused(post(path, '', { body: Uint8Array.from(bytes) }), 400, /^The body: /)
    }
  })

  it('another type, or a compressed one', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', '']) {
      await refused(
        post(path, body, { headers: { 'content-type': type } }),
        415,
        'Expected content-type application/json',
      )
    }
    await refused(post(path, body, { headers: { 'content-encoding': 'gzip' } }), 415, 'Expected no content-encoding')
  })

  it('a lone surrogate', async () => {
    const text = JSON.stringify(body).replace(/"L"/, '"\\ud800"')
    await refused(post(path, text), 400, 'lone surrogate')
  })

  it('a prompt that does not fit', async () => {
    const text = JSON.stringify(body).replace(/"L"/, `"${'L'.repeat(300)}"`)
    const given = await post(path, text)
    expect(given.status).toBe(400)
    expect(await given.text()).toMatch(/The context is too small: 30\d tokens of prompt|The context is too small/)
  })

  it('another method', async () => {
    for (const method of ['GET', 'PUT', 'DELETE', 'PATCH']) {
      const given = await refused(get(path, { method }), 405, `Expected POST but received ${method}`)
      expect(given.headers.get('allow')).toBe('POST')
    }
  })

  it('the wrong type in every field', async () => {
    const wrong = [true, -7.5, 'x'.repeat(50), [], [[]], [null], {}, { a: { b: 1 } }, 1e308]
    const known = Object.keys({ ...CHAT_LIKE, ...body })
    for (const name of known) {
      for (const value of wrong) {
        const given = await post(path, { ...body, [name]: value, ...(name === 'stream' ? {} : { stream: false }) })
        const text = await given.text()
        expect([200, 400], `${name} = ${JSON.stringify(value)}: ${given.status} ${text}`).toContain(given.status)
      }
    }
  })
})

/** Names of fields of all protocols, whatever they mean in one. */
const CHAT_LIKE = Object.fromEntries(
  (
    'model messages input prompt system instructions max_tokens max_completion_tokens max_output_tokens n stream stream_options stop ' +
    'stop_sequences temperature top_p top_k min_p typical_p repeat_penalty repetition_penalty frequency_penalty presence_penalty ' +
    'repeat_last_n dry_multiplier dry_base dry_allowed_length dry_penalty_last_n dry_sequence_breakers xtc_probability ' +
    'xtc_threshold logit_bias seed stop_in_thinking hint loops cache_prompt speculation thinking_window thinking_token_budget ' +
    'reasoning_budget_tokens thinking_budget_tokens thinking_budget reasoning_max_tokens thinking enable_thinking ' +
    'chat_template_kwargs custom_params nvext reasoning_effort reasoning output_config think response_format text tools ' +
    'tool_choice functions function_call logprobs top_logprobs echo suffix best_of audio modalities user metadata store ' +
    'background conversation previous_response_id truncation include __proto__ constructor toString'
  )
    .split(' ')
    .map((name) => [name, 1]),
)

describe('messages', () => {
  it.each([
    [[{ role: 'user\n<|im_start|>', content: 'L' }], 'word such as user or assistant'],
    [[{ role: 'user', content: [{ type: 'image_url', image_url: {} }] }], 'is not supported: messages are text'],
    [[{ role: 'function', content: '5', name: 'x' }], 'of the role function is not supported'],
    [[{ role: 'assistant', tool_calls: [{ function: { name: 'f', arguments: '[]' } }] }], 'Expected an object as JSON'],
    [[null], 'Expected an object for messages[0]'.replaceAll(/[[\]]/g, '\\$&')],
    ['L', 'Expected a non-empty array for messages'],
  ])('%j', async (given, message) => {
    await refused(post('/v1/chat/completions', { messages: given }), 400, message)
  })
})

describe('what is not supported', () => {
  it.each([
    ['/v1/chat/completions', { n: 2 }, 'n is not supported'],
    ['/v1/chat/completions', { tools: [{ type: 'web_search' }] }, 'is not supported: tools are functions'],
    ['/v1/chat/completions', { tools: [{ type: 'function', function: { name: 'a b' } }] }, 'for tools\\[0\\].name'],
    ['/v1/chat/completions', { tools: {} }, 'Expected an array for tools'],
    ['/v1/chat/completions', { guided_json: {} }, 'guided_json is not supported: response_format asks for one'],
    ['/v1/chat/completions', { tool_choice: 'required' }, 'Expected tools beside toolChoice'],
    ['/v1/chat/completions', { top_logprobs: 2 }, 'top_logprobs needs logprobs: true'],
    [
      '/v1/chat/completions',
      { logprobs: true, top_logprobs: 21 },
      'Expected integer between 0 and 20 for top_logprobs',
    ],
    ['/v1/completions', { logprobs: 21 }, 'Expected integer between 0 and 20 for logprobs'],
    ['/v1/chat/completions', { modalities: ['text', 'audio'] }, 'modalities is not supported'],
    ['/v1/completions', { echo: true }, 'echo is not supported'],
    ['/v1/completions', { prompt: ['a', 'b'] }, 'Expected string for prompt'],
    ['/v1/completions', { prompt: [1, 2] }, 'Expected string for prompt'],
    ['/v1/responses', { previous_response_id: 'x' }, 'previous_response_id is not supported: nothing is stored'],
    ['/v1/responses', { background: true }, 'background is not supported'],
    ['/v1/messages', { tools: [{ name: 'f', type: 'bash_20250124' }] }, 'is not supported: tools are functions'],
    ['/v1/messages', { tool_choice: { type: 'some' } }, 'Expected auto, any, tool or none'],
    ['/v1/chat/completions', { max_tokens: 5, max_completion_tokens: 6 }, 'disagree'],
    [
      '/v1/chat/completions',
      { thinking_window: 5, thinking_budget: 6 },
      'thinking_window and thinking_budget disagree',
    ],
    ['/v1/chat/completions', { thinking_window: 2, max_tokens: 2 }, 'Expected thinking_window < max_tokens'],
    ['/v1/chat/completions', { thinking_window: 2.5 }, 'Expected integer ≥ 0'],
    ['/v1/chat/completions', { thinking_window: 250, max_tokens: null }, 'The context is too small'],
    ['/v1/chat/completions', { logit_bias: { 99999: 1 } }, 'logitBias'],
    ['/v1/chat/completions', { seed: 2 ** 40 }, 'Expected integer between 0 and 4294967294 for seed'],
  ])('%s %j', async (path, more, message) => {
    await refused(post(path, { ...small[path], ...more }), 400, message)
  })
})

describe('paths', () => {
  it.each([
    '/v1',
    '/v1/',
    '/v1/chat',
    '/v1/chat/completions/',
    '/v2/models',
    '//v1/models',
    '/v1//models',
    '/V1/models',
  ])('%s', async (path) => {
    await refused(get(path), 404, 'There is nothing at this path')
  })

  it.each([
    '/v1/models/..%2f..%2fetc%2fpasswd',
    '/v1/models/%00',
    '/v1/models/%ff',
    '/v1/models/a/b',
    `/v1/models/${'a'.repeat(5000)}`,
  ])('%s', async (path) => {
    const response = await get(path)
    expect(response.status).toBe(404)
    expect((await response.text()).length).toBeLessThan(400)
  })
})

describe('senders', () => {
  const key = 'sk-0123456789abcdef'
  const ask = (headers: Record<string, string>, options = {}, path = '/v1/models') => {
    const app = createApp(z1, options)
    return app.fetch(new Request(`http://localhost:8080${path}`, { headers }))
  }

  it.each([
    'localhost',
    'LOCALHOST:1',
    'localhost.:8080',
    '127.0.0.1:8080',
    '[::1]:8080',
    '[::1]',
  ])('the host %s', async (host) => {
    expect((await ask({ host })).status).toBe(200)
  })

  it.each([
    'evil.example',
    'localhost.evil.example',
    'evil.example:8080',
    '127.0.0.1.evil.example',
    '0.0.0.0',
    '',
    'localhost@evil',
    '[::2]',
  ])('the foreign host %j', async (host) => {
    await refused(ask({ host }), 403, "is not one of this server's names")
  })

  it('a host that was allowed', async () => {
    expect((await ask({ host: 'box.lan:80' }, { hosts: ['Box.lan'] })).status).toBe(200)
    expect((await ask({ host: 'localhost' }, { hosts: ['box.lan'] })).status).toBe(200)
    expect((await ask({ host: 'any.example' }, { hosts: ['*'] })).status).toBe(200)
  })

  it.each([
    'http://evil.example',
    'null',
    'http://localhost:3000',
    'https://localhost.evil.example',
    'file://',
    'javascript:1',
    'x',
  ])('the foreign origin %s', async (origin) => {
    await refused(ask({ origin, host: 'localhost:8080' }), 403, 'may not ask this server')
  })

  it('its own origin, and one that was allowed', async () => {
    expect((await ask({ origin: 'http://localhost:8080', host: 'localhost:8080' })).status).toBe(200)
    const origin = 'http://localhost:3000'
    const response = await ask({ origin }, { origins: [origin] })
    expect([response.status, response.headers.get('access-control-allow-origin')]).toEqual([200, origin])
    expect((await ask({})).headers.get('access-control-allow-origin')).toBe(null)
  })

  it('a browser that asks first', async () => {
    const preflight = (origin: string) =>
      createApp(z1, { origins: ['http://localhost:3000'], apiKey: key }).fetch(
        new Request('http://localhost/v1/chat/completions', { method: 'OPTIONS', headers: { origin } }),
      )
    const allowed = await preflight('http://localhost:3000')
    expect([allowed.status, allowed.headers.get('access-control-allow-methods')]).toEqual([204, 'GET, POST'])
    expect((await preflight('http://evil.example')).status).toBe(403)
  })

  it.each<[string, Record<string, string>]>([
    ['no key', {}],
    ['another', { authorization: 'Bearer x' }],
    ['its beginning', { authorization: `Bearer ${key.slice(0, -1)}` }],
    ['one more character', { authorization: `Bearer ${key}x` }],
    ['another scheme', { authorization: `Basic ${key}` }],
    ['an empty one', { 'x-api-key': '' }],
  ])('%s', async (_, headers) => {
    const response = await refused(ask(headers, { apiKey: key }), 401, /Expected an API key|The API key is wrong/)
    expect(response.headers.get('www-authenticate')).toBe('Bearer')
    await refused(ask(headers, { apiKey: key }, '/metrics'), 401, /key/)
    await refused(ask(headers, { apiKey: key }, '/nothing'), 401, /key/)
    expect((await ask(headers, { apiKey: key }, '/health')).status).toBe(200)
  })

  it('the key', async () => {
    expect((await ask({ authorization: `Bearer ${key}` }, { apiKey: key })).status).toBe(200)
    expect((await ask({ authorization: `bearer  ${key}` }, { apiKey: key })).status).toBe(200)
    expect((await ask({ 'x-api-key': key }, { apiKey: key })).status).toBe(200)
  })

  it('too many headers', async () => {
    const headers = Object.fromEntries(Array.from({ length: 101 }, (_, i) => [`x-${i}`, '1']))
    await refused(ask(headers), 431, 'Expected at most 100 headers')
  })
})

it('a body that ends in the middle', async () => {
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"messages":'))
      controller.error(new Error('reset'))
    },
  })
  const init = { body, duplex: 'half' } as RequestInit
  await refused(post('/v1/chat/completions', '', init), 400, 'The body ended early')
})

it('a body that never ends, cut where it is too large', async () => {
  let sent = 0
  const body = new ReadableStream({
    pull(controller) {
      sent += 1000
      controller.enqueue(new Uint8Array(1000).fill(0x20))
    },
  })
  const init = { body, duplex: 'half' } as RequestInit
  await refused(post('/v1/chat/completions', '', init), 413, 'at most 20000 bytes')
  expect(sent).toBeLessThan(40_000)
})

describe('options', () => {
  it.each([
    [{ apiKey: '' }, /Expected string of visible ASCII characters for apiKey/],
    [{ apiKey: 'a b' }, /visible ASCII/],
    [{ hosts: ['http://x'] }, /Expected name or address without a port for hosts\[0\]/],
    [{ hosts: ['x:80'] }, /without a port/],
    [{ origins: ['localhost'] }, /Expected origin such as/],
    [{ origins: ['http://x/path'] }, /Expected origin such as/],
    [{ maxBodyBytes: 1 }, /maxBodyBytes/],
    [{ maxQueue: -1 }, /maxQueue/],
    [{ reasoningField: 'thoughts' }, /reasoningField/],
    [{ defaults: { temprature: 1 } }, /did you mean temperature/],
    [{ defaults: { maxTokens: 1 } }, /Expected no maxTokens in defaults/],
    [{ apikey: 'x' }, /did you mean apiKey/],
  ])('%j', (options, message) => {
    expect(() => createApp(z1, options as object)).toThrow(message)
  })

  it('no reasoner', () => {
    expect(() => createApp({} as Z1)).toThrow('Expected a reasoner')
  })
})
