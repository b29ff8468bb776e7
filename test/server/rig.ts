/** A server's app over a model whose tokens are known before it runs, and requests to it without a socket. */
import type { Hono } from 'hono'
import { Z1 } from '../../lib/index.js'
import { type AppOptions, createApp } from '../../lib/server/index.js'
import { tableModel } from '../support/table-model.js'

/** Says ` hm so` for ever, and `Four!` after the plain hint, which ends in a line feed. */
const words = [' hm', ' so', 'Four']
const rows = { L: ' hm', ' hm': ' so', ' so': ' hm', '\n': 'Four', Four: '!' }

/** Its template is the last message alone; it ends by itself after `Four!`. */
const template = '{{ messages[-1].content }}'

export interface RigOptions {
  slow?: boolean
  contextSize?: number
  parallel?: number
  thinkingWindow?: number
}

export async function loadTable(folder: string, { slow = false, ...load }: RigOptions = {}): Promise<Z1> {
  const { thinkingWindow, contextSize = 512, parallel = 1 } = load
  const name = `table-${slow}-${thinkingWindow}`
  const window = thinkingWindow === undefined ? {} : { thinkingWindow }
  const model = tableModel(folder, name, {
    extraTokens: words,
    rows,
    slow,
    template,
    trainingContext: 2 ** 17,
    ...window,
  })
  return Z1.load({ model, contextSize, parallel, threads: 1, batchSize: slow ? 2 : 64, engine: 'cpu' })
}

export type Post = (path: string, body: unknown, init?: RequestInit) => Promise<Response>

export function appOver(
  z1: Z1,
  options?: AppOptions,
): { app: Hono; post: Post; get: (path: string, init?: RequestInit) => Promise<Response> } {
  const app = createApp(z1, options)
  const request = async (path: string, init: RequestInit) => app.fetch(new Request(`http://localhost${path}`, init))
  return {
    app,
    post: (path, body, init = {}) =>
      request(path, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...init.headers },
      }),
    get: (path, init = {}) => request(path, init),
  }
}

/** The data of server-sent events, parsed where it is JSON. */
export async function eventsOf(response: Response): Promise<{ event: string | undefined; data: unknown }[]> {
  const blocks = (await response.text()).split('\n\n').filter((block) => block !== '' && !block.startsWith(':'))
  return blocks.map((block) => {
    const event = /^event: (.*)$/m.exec(block)?.[1]
    const data = /^data: (.*)$/m.exec(block)?.[1] as string
    return { event, data: data === '[DONE]' ? data : JSON.parse(data) }
  })
}
