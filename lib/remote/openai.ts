/**
 * The one client of chat completions: `POST /v1/chat/completions`, read as it streams. Knows the protocol; asks once.
 */
import { readContent } from './content.js'
import { type Endpoint, messageOf, parsed, RemoteError, streamed } from './http.js'

/** What a chunk adds. */
export interface Delta {
  reasoning: string
  content: string
}

/** How a response ended, and what the server counted. */
export interface Completion {
  finishReason: 'stop' | 'length'
  /** The stop string that ended it, where the server tells: vLLM's `stop_reason`, SGLang's `matched_stop`. */
  stopString: string | null
  /** Null where the server does not count. */
  promptTokens: number | null
  cachedTokens: number | null
  completionTokens: number | null
}

/** @param server `http://localhost:8080`, with or without `/v1`. @throws {TypeError} for an address that is none. */
export function chatCompletionsUrl(server: string): string {
  if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
    throw new TypeError(`Expected the http(s) address of a server but received ${JSON.stringify(server)}`)
  }
  const path = new URL(server).pathname.replace(/\/+$/, '')
  if (path.endsWith('/chat/completions')) return server
  return new URL(`${path === '' ? '/v1' : path}/chat/completions`, server).href
}

/**
 * Yields what a response adds as it comes, and returns how it ended.
 * @throws {RemoteError}
 * @throws the signal's reason when it is aborted.
 */
export async function* chatCompletion(
  endpoint: Endpoint,
  body: Record<string, unknown>,
  signal: AbortSignal,
): AsyncGenerator<Delta, Completion> {
  const { url } = endpoint
  let finish: string | null = null
  let stopReason: unknown = null
  let usage: Usage = {}
  // As a stream: fetch gives up on a response that says nothing for five minutes.
  const asking = { ...body, stream: true, stream_options: { include_usage: true } }
  for await (const data of streamed(endpoint, asking, signal)) {
    const chunk = parsed(data, url) as Chunk
    if (chunk.error) throw new RemoteError('server', url, messageOf(data))
    usage = chunk.usage ?? usage
    const choice = chunk.choices?.[0]
    const part = choice?.delta ?? choice?.message ?? (choice?.text === undefined ? {} : { content: choice.text })
    finish = choice?.finish_reason ?? finish
    stopReason = choice?.stop_reason ?? choice?.matched_stop ?? stopReason
    const delta = deltaOf(part)
    if (delta.reasoning !== '' || delta.content !== '') yield delta
  }
  if (finish === null) throw new RemoteError('server', url, 'its response ended early')
  if (finish === 'content_filter') throw new RemoteError('filter', url, 'its content filter stepped in')
  return {
    finishReason: finish === 'length' ? 'length' : 'stop',
    stopString: typeof stopReason === 'string' ? stopReason : null,
    promptTokens: usage.prompt_tokens ?? null,
    cachedTokens: usage.prompt_tokens_details?.cached_tokens ?? null,
    completionTokens: usage.completion_tokens ?? null,
  }
}

/** Some servers split the reasoning off into a field, some into parts of the content. */
function deltaOf({ reasoning_content, reasoning, content }: Part): Delta {
  const [apart, said] = [readContent(reasoning_content ?? reasoning), readContent(content)]
  return { reasoning: (apart?.text ?? '') + (said?.thinking ?? ''), content: said?.text ?? '' }
}

interface Usage {
  prompt_tokens?: number
  completion_tokens?: number
  prompt_tokens_details?: { cached_tokens?: number } | null
}

interface Chunk {
  error?: unknown
  usage?: Usage | null
  choices?: {
    delta?: Part
    message?: Part
    /** Of `/v1/completions`. */
    text?: string
    finish_reason?: string | null
    stop_reason?: unknown
    matched_stop?: unknown
  }[]
}

/** Each a text or a list of parts. */
interface Part {
  content?: unknown
  reasoning_content?: unknown
  reasoning?: unknown
}
