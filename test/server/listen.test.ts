/** The server behind a socket: clients that go, that wait and that misbehave, and its end. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Z1 } from '../../lib/index.js'
import { createApp, type ServeOptions, serve, type Z1Server } from '../../lib/server/index.js'
import { temporaryFolder } from '../support/folder.js'
import { loadTable } from './rig.js'

const folder = temporaryFolder()
/** Thinks for minutes when it is let; one request at a time. */
let slow: Z1
beforeAll(async () => {
  slow = await loadTable(folder(), { slow: true, contextSize: 2 ** 17 })
})
afterAll(() => slow.dispose())

const messages = [{ role: 'user', content: 'L' }]
const endless = { messages, thinking_window: 100_000, max_tokens: 100_010, stream: true }
const short = { messages, thinking_window: 1, max_tokens: 10 }

async function using(options: ServeOptions, work: (server: Z1Server) => Promise<void>): Promise<void> {
  const server = await serve(slow, { port: 0, ...options })
  try {
    await work(server)
  } finally {
    await server.close({ timeout: 0 })
  }
}

function post({ url }: Z1Server, body: object, init: RequestInit = {}): Promise<Response> {
  const headers = { 'content-type': 'application/json', ...init.headers }
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body: JSON.stringify(body), ...init, headers })
}

/** Reads until what was read holds a text. */
async function readUntil(response: Response, text: string) {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  const decoder = new TextDecoder()
  let read = ''
  while (!read.includes(text)) {
    const { done, value } = await reader.read()
    if (done) throw new Error(`ended without ${text}: ${read}`)
    read += decoder.decode(value, { stream: true })
  }
  return { reader, read }
}

async function metric({ url }: Z1Server, line: RegExp): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text()
  return Number(line.exec(text)?.[1] ?? 0)
}

/** What a server answers to bytes. */
async function raw({ url }: Z1Server, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1')
  let answered = ''
  socket.setEncoding('utf8').on('data', (text) => {
    answered += text
  })
  socket.on('error', () => {})
  socket.end(bytes)
  await once(socket, 'close')
  return answered
}

const gone = /z1_requests_total\{path="\/v1\/chat\/completions",status="499"\} (\d+)/
const running = /z1_requests_running (\d+)/
const waiting = /z1_requests_waiting (\d+)/

describe('a client that goes', () => {
  it('frees its sequence, while its response streams', async () => {
    await using({}, async (server) => {
      const client = new AbortController()
      await readUntil(await post(server, endless, { signal: client.signal }), 'reasoning_content')
      client.abort()
      // Behind an endless one this would wait beyond the test's time.
      const next = (await (await post(server, short)).json()) as { choices: [{ message: { content: string } }] }
      expect(next.choices[0].message.content).toBe('Four!')
      expect(await metric(server, gone)).toBe(1)
      expect(await metric(server, running)).toBe(0)
    })
  })

  it('frees its sequence, while it waits for a whole response', async () => {
    await using({}, async (server) => {
      const client = new AbortController()
      const asked = post(server, { ...endless, stream: false }, { signal: client.signal })
      while ((await metric(server, running)) === 0) await new Promise(setImmediate)
      client.abort()
      await expect(asked).rejects.toThrow()
      expect((await post(server, short)).status).toBe(200)
      expect(await metric(server, gone)).toBe(1)
    })
  })

  it('frees its sequence, where there is no socket', async () => {
    const app = createApp(slow)
    const request = (body: object) =>
      app.fetch(
        new Request('http://localhost/v1/chat/completions', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        }),
      )
    const { reader } = await readUntil(await request(endless), 'reasoning_content')
    await reader.cancel()
    expect((await request(short)).status).toBe(200)
  })

  it('that does not read holds up nobody else', async () => {
    await using({}, async (server) => {
      const { port } = new URL(server.url)
      const socket = connect(Number(port), '127.0.0.1')
      const body = JSON.stringify({ messages, thinking_window: 40, max_tokens: 60, stream: true })
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`)
      socket.write(`Content-Length: ${body.length}\r\n\r\n${body}`)
      socket.pause()
      while ((await metric(server, running)) === 0) await new Promise(setImmediate)
      expect((await post(server, short)).status).toBe(200)
      socket.destroy()
    })
  })

  it('in the middle of its body', async () => {
    await using({}, async (server) => {
      const head =
        'POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n'
      await raw(server, `${head}{"messages":`)
      while ((await metric(server, running)) > 0) await new Promise(setImmediate)
      expect((await post(server, short)).status).toBe(200)
    })
  })
})

it('more requests than may wait are 429, with the time to ask again', async () => {
  await using({ maxQueue: 1 }, async (server) => {
    const client = new AbortController()
    const asked = [1, 2].map(() => post(server, endless, { signal: client.signal }).catch(() => {}))
    while ((await metric(server, waiting)) < 1) await new Promise(setImmediate)
    const refused = await post(server, short)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1'])
    expect(await refused.json()).toMatchObject({ error: { type: 'rate_limit_error' } })
    client.abort()
    await Promise.all(asked)
    while ((await metric(server, running)) > 0) await new Promise(setImmediate)
    expect((await post(server, short)).status).toBe(200)
  })
})

describe('answer now', () => {
  it('closes the window of a response under way', async () => {
    await using({}, async (server) => {
      const control = (body: object) =>
        fetch(`${server.url}/v1/chat/completions/control`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
        })
      expect((await control({ action: 'reasoning_end' })).status).toBe(400)
      const response = await post(server, endless)
      const { reader, read } = await readUntil(response, 'reasoning_content')
      const [, id = ''] = /"id":"(chatcmpl-\w+)"/.exec(read) ?? []
      expect(response.headers.get('x-request-id')).toBe(id)
      expect((await control({ action: 'reasoning_end', id: 'chatcmpl-other' })).status).toBe(404)
      expect((await control({ action: 'stop', id })).status).toBe(400)
      expect((await control({ id })).status).toBe(400)
      expect(await (await control({ action: 'reasoning_end', id })).json()).toEqual({ success: true, id })
      let rest = ''
      for (let part = await reader.read(); !part.done; part = await reader.read())
        rest += new TextDecoder().decode(part.value)
      const contents = Array.from(rest.matchAll(/"content":"([^"]*)"/g), ([, text]) => text).join('')
      expect(contents).toBe('Four!')
      expect(rest).toContain('"ended":"request"')
    })
  })
})

describe('the end', () => {
  it('finishes what runs and takes nothing new', async () => {
    const server = await serve(slow, { port: 0 })
    const response = await post(server, { messages, thinking_window: 30, max_tokens: 60, stream: true })
    const { reader } = await readUntil(response, 'reasoning_content')
    const closed = server.close()
    expect(server.close()).toBe(closed)
    await expect(fetch(`${server.url}/health`)).rejects.toThrow()
    let rest = ''
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += new TextDecoder().decode(part.value)
    expect(rest).toContain('data: [DONE]')
    await closed
  })

  it('ends what still runs after a time', async () => {
    const server = await serve(slow, { port: 0 })
    const { reader } = await readUntil(await post(server, endless), 'reasoning_content')
    const closed = server.close({ timeout: 0 })
    let rest = ''
    for (let part = await reader.read(); !part.done; part = await reader.read())
      rest += new TextDecoder().decode(part.value)
    expect(rest).toMatch(
      /data: \{"error":\{"message":"The server is shutting down","type":"unavailable_error".*\}\}\n\n$/,
    )
    await closed
    // The model is the caller's.
    expect((await slow.reason('L', { thinkingWindow: 1, maxTokens: 5 })).answer).toBe('Four!')
  })
})

describe('addresses', () => {
  it('one that others reach needs a key', async () => {
    for (const host of ['0.0.0.0', '::', '192.168.0.1']) {
      await expect(serve(slow, { host, port: 0 })).rejects.toThrow(`Expected an apiKey for host ${host}`)
    }
  })

  it('with a key, under any name', async () => {
    const server = await serve(slow, { host: '0.0.0.0', port: 0, apiKey: 'k' })
    try {
      const { port } = new URL(server.url)
      const answered = (key: string) =>
        raw(
          server,
          `GET /v1/models HTTP/1.1\r\nHost: box.lan:${port}\r\nX-Api-Key: ${key}\r\nConnection: close\r\n\r\n`,
        )
      expect(await answered('k')).toMatch(/^HTTP\/1.1 200 /)
      expect(await answered('x')).toMatch(/^HTTP\/1.1 401 /)
    } finally {
      await server.close()
    }
  })

  it('one that is taken', async () => {
    await using({}, async ({ url }) => {
      await expect(serve(slow, { port: Number(new URL(url).port) })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    })
  })

  it('wrong options', async () => {
    await expect(serve(slow, { port: 70_000 })).rejects.toThrow('Expected integer between 0 and 65535 for port')
    await expect(serve(slow, { prot: 1 } as object)).rejects.toThrow('did you mean port?')
  })
})

describe('bytes that are no request', () => {
  it.each([
    ['garbage', 'hello\r\n\r\n', 400],
    ['a host of others', 'GET /v1/models HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 403],
    ['no host', 'GET /v1/models HTTP/1.1\r\nConnection: close\r\n\r\n', 400],
    ['two hosts', 'GET /v1/models HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n', 403],
    [
      'a whole address',
      'GET http://evil.example/v1/models HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n',
      403,
    ],
    ['long headers', `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    [
      'many headers',
      `GET / HTTP/1.1\r\nHost: localhost\r\n${Array.from({ length: 150 }, (_, i) => `X${i}: 1\r\n`).join('')}Connection: close\r\n\r\n`,
      431,
    ],
    ['a path upwards', 'GET /v1/../../etc/passwd HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n', 404],
    [
      'two lengths',
      'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
      400,
    ],
    [
      'a length and chunks',
      'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      400,
    ],
    [
      'a length beyond all',
      'POST /v1/responses HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\nConnection: close\r\n\r\n',
      413,
    ],
  ])('%s', async (_, bytes, status) => {
    await using({}, async (server) => {
      expect(await raw(server, bytes)).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      expect((await fetch(`${server.url}/health`)).status).toBe(200)
    })
  })
})
