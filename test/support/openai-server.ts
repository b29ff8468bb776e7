/** An OpenAI-compatible server that answers what a test tells it to, in the order of the requests. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Answer = (response: ServerResponse, body: Record<string, unknown>, request: IncomingMessage) => void

export class ScriptedServer {
  /** What the next requests get; the last one stays. */
  answers: Answer[] = []
  /** What was sent. */
  bodies: Record<string, unknown>[] = []
  readonly url: string
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('request', (request, response) => this.#take(request, response))
  }

  static async open(): Promise<ScriptedServer> {
    const server = createServer()
    await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready))
    return new ScriptedServer(server)
  }

  reset(): void {
    this.bodies = []
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    let text = ''
    request.setEncoding('utf8').on('data', (part) => {
      text += part
    })
    request.on('end', () => {
      const body = JSON.parse(text)
      this.bodies.push(body)
      const answer = this.answers.length > 1 ? this.answers.shift() : this.answers[0]
      answer?.(response, body, request)
    })
  }
}

export function status(code: number, text = '', headers = {}): Answer {
  return (response) => response.writeHead(code, headers).end(text)
}

/** Sends chunks as server-sent events, a few bytes at a time. */
export function stream(chunks: unknown[], end = 'data: [DONE]\n\n'): Answer {
  return async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    const events = chunks.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('')
    const bytes = Buffer.from(`: hello\n\n${events}${end}`)
    for (let i = 0; i < bytes.length; i += 7) {
      response.write(bytes.subarray(i, i + 7))
      if (i % 70 === 0) await new Promise(setImmediate)
    }
    response.end()
  }
}

export function chunk(delta: object, finish_reason: string | null = null) {
  return { choices: [{ delta, finish_reason }] }
}

/** The text, a character in each chunk. */
export function said(text: string, finish = 'stop'): Answer {
  return stream([
    chunk({ role: 'assistant', content: '' }),
    ...Array.from(text, (c) => chunk({ content: c })),
    chunk({}, finish),
  ])
}
