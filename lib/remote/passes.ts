/**
 * One pass: a prompt that is sent, and the text that comes back. Servers take a prompt as tokens (llama-server's own
 * `/completion`, which also gives tokens), as a text (`/v1/completions`), or as messages of which the last one is gone on with
 * (`/v1/chat/completions` of vLLM and SGLang).
 */
import type { ChatMessage } from '../reason/messages.js'
import { messageOf, parsed, RemoteError, streamed } from './http.js'
import { chatCompletion } from './openai.js'
import { endpointOf, type Server } from './server.js'

/** What a response goes on from. */
export type Prompt =
  | { form: 'tokens'; tokens: number[] }
  | { form: 'text'; text: string }
  /** `reply`: the beginning of the next message; '' for none. */
  | { form: 'chat'; messages: ChatMessage[]; reply: string }

export interface Pass {
  prompt: Prompt
  /** Tokens at most; undefined: as many as the server allows. */
  maxTokens: number | undefined
  stop: readonly string[]
  /** Fields of the sampling, under the server's names. */
  sampling: Readonly<Record<string, unknown>>
}

/** What comes of a pass at a time. */
export interface Piece {
  text: string
  /** Its tokens, where the server gives them. */
  tokens: number[]
}

export interface PassEnd {
  finish: 'stop' | 'length'
  stopString: string | null
  /** Null where the server does not count. */
  promptTokens: number | null
  cachedTokens: number | null
  generatedTokens: number | null
}

/** @throws {RemoteError} @throws the signal's reason. */
export function run(server: Server, model: string, pass: Pass, signal: AbortSignal): AsyncGenerator<Piece, PassEnd> {
  const { prompt, maxTokens, stop, sampling } = pass
  const common = { model, ...(stop.length > 0 && { stop }), ...sampling }
  if (prompt.form === 'tokens') return runTokens(server, { ...common, n_predict: maxTokens ?? -1 }, prompt, signal)
  return runProtocol(server, { ...common, max_tokens: maxTokens }, prompt, signal)
}

async function* runProtocol(
  server: Server,
  body: Record<string, unknown>,
  prompt: Exclude<Prompt, { form: 'tokens' }>,
  signal: AbortSignal,
): AsyncGenerator<Piece, PassEnd> {
  const isChat = prompt.form === 'chat'
  const endpoint = endpointOf(server, isChat ? '/v1/chat/completions' : '/v1/completions')
  const asking = isChat ? { messages: messagesOf(prompt), ...goingOn(prompt.reply) } : { prompt: prompt.text }
  const pieces = chatCompletion(endpoint, { ...body, ...asking }, signal)
  let next = await pieces.next()
  for (; !next.done; next = await pieces.next()) {
    const { reasoning, content } = next.value
    // A server that splits reasoning off has put it out of its place: the thinking is all that comes before the hint.
    yield { text: reasoning + content, tokens: [] }
  }
  const { finishReason, stopString, promptTokens, cachedTokens, completionTokens } = next.value
  return { finish: finishReason, stopString, promptTokens, cachedTokens, generatedTokens: completionTokens }
}

function messagesOf({ messages, reply }: Extract<Prompt, { form: 'chat' }>): ChatMessage[] {
  return reply === '' ? messages : [...messages, { role: 'assistant', content: reply }]
}

function goingOn(reply: string) {
  return reply === '' ? {} : { add_generation_prompt: false, continue_final_message: true }
}

/** A chunk of llama-server's `/completion`. */
interface Chunk {
  error?: unknown
  content?: string
  tokens?: number[]
  stop?: boolean
  stop_type?: 'none' | 'eos' | 'limit' | 'word'
  stopping_word?: string
  tokens_predicted?: number
  tokens_evaluated?: number
  timings?: { cache_n?: number }
}

async function* runTokens(
  server: Server,
  body: Record<string, unknown>,
  { tokens: prompt }: Extract<Prompt, { form: 'tokens' }>,
  signal: AbortSignal,
): AsyncGenerator<Piece, PassEnd> {
  const endpoint = endpointOf(server, '/completion')
  const asking = { ...body, prompt, return_tokens: true, stream: true }
  // The end-of-generation token comes as a piece without a text, before it is known to be one.
  let held: Piece | null = null
  for await (const data of streamed(endpoint, asking, signal)) {
    const chunk = parsed(data, endpoint.url) as Chunk
    if (chunk.error) throw new RemoteError('server', endpoint.url, messageOf(data))
    const { content = '', tokens = [] } = chunk
    if (!chunk.stop) {
      if (held) yield held
      held = { text: content, tokens }
      if (content !== '') {
        yield held
        held = null
      }
      continue
    }
    const { stop_type: type, stopping_word: word = '', timings, tokens_evaluated, tokens_predicted } = chunk
    if (held && type !== 'eos') yield held
    if (content !== '') yield { text: content, tokens }
    return {
      finish: type === 'limit' ? 'length' : 'stop',
      stopString: word === '' ? null : word,
      promptTokens: tokens_evaluated ?? null,
      cachedTokens: timings?.cache_n ?? null,
      // It counts the end-of-generation token.
      generatedTokens: tokens_predicted === undefined ? null : tokens_predicted - (type === 'eos' ? 1 : 0),
    }
  }
  throw new RemoteError('server', endpoint.url, 'its response ended early')
}
