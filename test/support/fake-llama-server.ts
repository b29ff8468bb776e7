/** llama-server's paths over a model of the addon: what of its protocol `Z1.connect()` uses. And servers of a few routes. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Z1 } from '../../lib/index.js'

type Body = Record<string, unknown>
export type Route = (body: Body, response: ServerResponse) => unknown

export interface RouteServer {
  url: string
  /** What was sent, by path. */
  asked: { path: string; body: Body }[]
  close(): void
}

/** What a route returns is sent as JSON; undefined: it has answered itself. */
export async function routeServer(routes: Record<string, Route>): Promise<RouteServer> {
  const asked: RouteServer['asked'] = []
  const server = createServer((request, response) => void answer(request, response))
  async function answer(request: IncomingMessage, response: ServerResponse) {
    let text = ''
    for await (const chunk of request.setEncoding('utf8')) text += chunk
    const path = request.url as string
    const body = text === '' ? {} : JSON.parse(text)
    asked.push({ path, body })
    const route = routes[path]
    if (!route) return response.writeHead(404).end('{"error":{"message":"File Not Found"}}')
    const said = await route(body, response)
    if (said === undefined) return undefined
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(said))
  }
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
  const { port } = server.address() as AddressInfo
  const close = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}`, asked, close }
}

export function listOf(owner: string, more: object = {}) {
  return { object: 'list', data: [{ id: 'm', object: 'model', owned_by: owner, ...more }] }
}

/** @param changes Other routes, or others in the place of these. */
export function llamaRoutes(z1: Z1, changes: Record<string, Route> = {}): Record<string, Route> {
  const { chatTemplate, contextSize, vocabularySize } = z1.model
  return {
    '/v1/models': () => listOf('llamacpp', { meta: { n_vocab: vocabularySize, n_ctx: contextSize } }),
    '/props': () => ({
      default_generation_settings: { n_ctx: contextSize },
      total_slots: 3,
      chat_template: chatTemplate,
      bos_token: '',
      eos_token: '',
    }),
    '/tokenize': async ({ content }) => ({ tokens: await z1.tokenize(content as string) }),
    '/detokenize': async ({ tokens }) => ({ content: await z1.detokenize(tokens as number[], { special: true }) }),
    '/completion': async (body, response) => {
      const { prompt, n_predict: most, stop, temperature, seed, logit_bias: biases } = body
      const aborting = new AbortController()
      response.once('close', () => aborting.abort())
      const text = await z1.detokenize(prompt as number[], { special: true })
      const logitBias = Object.entries((biases ?? {}) as Record<string, number | false>).map(
        ([token, bias]) => [Number(token), bias === false ? -Infinity : bias] as const,
      )
      const stream = z1.stream(text, {
        template: false,
        hint: null,
        thinkingWindow: most === -1 ? Infinity : (most as number),
        stopInThinking: true,
        temperature: temperature as number,
        seed: seed as number,
        logitBias,
        ...(stop !== undefined && { stop: stop as string[] }),
        signal: aborting.signal,
      })
      const send = (chunk: object) => response.write(`data: ${JSON.stringify(chunk)}\n\n`)
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      try {
        for await (const event of stream) {
          if (event.type === 'thinking') send({ content: event.text, tokens: event.tokens, stop: false })
          if (event.type !== 'done') continue
          const { ended, stopString, usage } = event.result
          const type = stopString !== null ? 'word' : ended === 'self' ? 'eos' : 'limit'
          // As llama-server does: the end-of-generation token comes without a text.
          if (type === 'eos') send({ content: '', tokens: [0], stop: false })
          send({
            content: '',
            tokens: [],
            stop: true,
            stop_type: type,
            stopping_word: stopString ?? '',
            tokens_predicted: usage.thinkingTokens + (type === 'eos' ? 1 : 0),
            tokens_evaluated: usage.promptTokens,
            timings: { cache_n: 0 },
          })
        }
      } catch {}
      response.end()
    },
    ...changes,
  }
}
