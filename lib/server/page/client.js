// The page's requests to its own server, and nothing else: no element of the page.

/**
 * @typedef {{ role: string, content: string, reasoning_content?: string, z1?: { hint: string } }} Message
 * @typedef {{ ended: string, hint: string, thinkingTokens: number, answerRepeats?: boolean }} Metadata
 * @typedef {{ type: 'id', id: string } | { type: 'thinking', text: string } | { type: 'answer', text: string } | { type: 'cut', z1: Metadata }
 *   | { type: 'end', z1: Metadata, finish: string } | { type: 'usage', tokens: number }} PageEvent
 */

/** What the server refused, or that it could not be reached. */
export class Fault extends Error {
  /**
   * @param {string} message
   * @param {number} status 0: it was not reached.
   */
  constructor(message, status) {
    super(message)
    this.status = status
  }
}

/**
 * @param {string} path
 * @param {string} key
 * @param {object} [body]
 * @param {AbortSignal} [signal]
 */
export async function request(path, key, body, signal) {
  /** @type {Record<string, string>} */
  const headers = key === '' ? {} : { authorization: `Bearer ${key}` }
  if (body) headers['content-type'] = 'application/json'
  /** @type {RequestInit} */
  const init = {
    method: body ? 'POST' : 'GET',
    headers,
    body: body ? JSON.stringify(body) : null,
    signal: signal ?? null,
  }
  const response = await fetch(path, init).catch((error) => {
    if (signal?.aborted) throw error
    throw new Fault('The server cannot be reached.', 0)
  })
  if (response.ok) return response
  const said = await response.json().catch(() => ({}))
  throw new Fault(said.error?.message ?? `The server answered with status ${response.status}.`, response.status)
}

/**
 * A response as it comes.
 * @param {object} body
 * @param {string} key
 * @param {AbortSignal} signal
 * @returns {AsyncGenerator<PageEvent>}
 */
export async function* respond(body, key, signal) {
  const asked = { ...body, stream: true, stream_options: { include_usage: true } }
  const response = await request('/v1/chat/completions', key, asked, signal)
  let named = false
  for await (const data of documents(response)) {
    if (data.error) throw new Fault(data.error.message, 500)
    if (!named) yield { type: 'id', id: data.id }
    named = true
    if (data.usage) yield { type: 'usage', tokens: data.usage.completion_tokens }
    const choice = data.choices?.[0]
    if (!choice) continue
    const { reasoning_content: reasoning, reasoning: other, content, z1 } = choice.delta
    if (reasoning ?? other) yield { type: 'thinking', text: reasoning ?? other }
    if (content) yield { type: 'answer', text: content }
    if (choice.finish_reason) yield { type: 'end', z1, finish: choice.finish_reason }
    else if (z1) yield { type: 'cut', z1 }
  }
}

/**
 * The data of server-sent events.
 * @param {Response} response
 */
async function* documents(response) {
  let rest = ''
  const decoder = new TextDecoder()
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    rest += decoder.decode(value, { stream: true })
    const blocks = rest.split('\n\n')
    rest = /** @type {string} */ (blocks.pop())
    for (const block of blocks) {
      const line = block.split('\n').find((line) => line.startsWith('data: '))
      if (line && line !== 'data: [DONE]') yield JSON.parse(line.slice(6))
    }
  }
}
