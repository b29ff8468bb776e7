/** What a GGUF file on the Hub says of itself, read from its beginning alone. */
import { isNumber, isString } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { oneLine } from '../base/one-line.js'
import type { HubClient, Subject } from './client.js'
import { PassingFailure } from './connection.js'
import type { RemoteFile } from './download.js'

/** The header of a model's file. */
export interface ModelHeader {
  /** llama.cpp's name of the architecture, e.g. `qwen3`. */
  architecture: string
  /** Length it was trained on, in tokens; 0 if the file does not say. */
  trainingContext: number
  layers: number
  vocabularySize: number
  chatTemplate: string | null
  /** Control tokens, and those that users defined. */
  specialTokens: { text: string }[]
  /** Bytes of K and V that a token takes in memory, as 16-bit numbers; 0 where the file does not say. */
  kvBytesPerToken: number
}

/** Bytes of a header at most; real ones have up to 16 MB, a vocabulary of 250,000 tokens. */
const LARGEST_HEADER = 48e6

/**
 * Values of `tokenizer.ggml.token_type` (llama.h, llama_token_type): control, user-defined.
 */
const SPECIAL = [3, 4]

/** @throws {Z1Error} MODEL_INVALID for what is no GGUF file; REMOTE_FAILED, REMOTE_REFUSED. */
export async function readHeader(
  client: HubClient,
  file: RemoteFile,
  subject: Subject,
  signal?: AbortSignal,
): Promise<ModelHeader> {
  const { gguf } = await import('@huggingface/gguf')
  let failure: { reason: unknown } | undefined
  const fetchRange = async (_: unknown, init?: RequestInit) => {
    try {
      const range = new Headers(init?.headers).get('range') ?? ''
      const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range) ?? []
      const bytes = await readRange(client, file, subject, Number(from), Number(to) + 1, signal)
      return new Response(bytes, { headers: { 'content-range': `bytes ${from}-${to}/${file.size}` } })
    } catch (reason) {
      failure = { reason }
      throw reason
    }
  }
  try {
    const { metadata } = await gguf(client.endpoint + file.url, { fetch: fetchRange as typeof fetch })
    return headerOf(metadata as Record<string, unknown>)
  } catch (cause) {
    if (failure) throw failure.reason
    throw new Z1Error('MODEL_INVALID', `${file.path} is no GGUF model: ${oneLine((cause as Error).message, 300)}`, {
      cause,
    })
  }
}

/** Also from a server that sends all of the file whatever it is asked for: the rest of it is not read. */
async function readRange(
  client: HubClient,
  file: RemoteFile,
  subject: Subject,
  from: number,
  to: number,
  signal?: AbortSignal,
): Promise<Uint8Array<ArrayBuffer>> {
  const end = Math.min(to, file.size)
  if (!(from < end) || end > LARGEST_HEADER) throw new Z1Error('MODEL_INVALID', `${file.path} has no whole GGUF header`)
  const bytes = new Uint8Array(end - from)
  let done = 0
  return client.retry(signal, async (gotFurther) => {
    const range = `bytes=${from + done}-${end - 1}`
    const { status, headers, body } = await client.get(file.url, subject, { range }, signal)
    let position = status === 200 ? 0 : Number(/^bytes (\d+)-/.exec(headers.get('content-range') ?? '')?.[1] ?? NaN)
    for await (const chunk of body) {
      if (!(position <= from + done)) break
      const part = chunk.subarray(Math.min(from + done - position, chunk.length), end - position)
      position += chunk.length
      if (part.length === 0) continue
      bytes.set(part, done)
      done += part.length
      gotFurther()
      if (done === bytes.length) return bytes
    }
    throw new PassingFailure(`The connection was lost while the header of ${file.path} was read`)
  })
}

function headerOf(metadata: Record<string, unknown>): ModelHeader {
  const architecture = metadata['general.architecture']
  if (!isString(architecture)) throw new Error('it names no architecture')
  const number = (key: string) => numberOf(metadata[`${architecture}.${key}`])
  const tokens = metadata['tokenizer.ggml.tokens']
  const types = metadata['tokenizer.ggml.token_type']
  const texts = Array.isArray(tokens) ? tokens.filter(isString) : []
  const template = metadata['tokenizer.chat_template']
  return {
    architecture: oneLine(architecture, 80),
    trainingContext: number('context_length') ?? 0,
    layers: number('block_count') ?? 0,
    vocabularySize: texts.length,
    chatTemplate: isString(template) ? template : null,
    specialTokens: texts.filter((_, i) => Array.isArray(types) && SPECIAL.includes(types[i])).map((text) => ({ text })),
    kvBytesPerToken: kvBytes(metadata, architecture),
  }
}

/** As llama.cpp's hyperparameters default (llama-model.cpp, load_hparams): a head is as wide as its part of the embedding. */
function kvBytes(metadata: Record<string, unknown>, architecture: string): number {
  const value = (key: string) => metadata[`${architecture}.${key}`]
  const layers = numberOf(value('block_count')) ?? 0
  const heads = numberOf(value('attention.head_count')) ?? 0
  const width = heads > 0 ? (numberOf(value('embedding_length')) ?? 0) / heads : 0
  const key = numberOf(value('attention.key_length')) ?? width
  const valueWidth = numberOf(value('attention.value_length')) ?? width
  // One number for all layers, or one for each.
  const given = value('attention.head_count_kv')
  const kvHeads = Array.isArray(given)
    ? given.reduce((sum: number, each) => sum + (numberOf(each) ?? 0), 0)
    : layers * (numberOf(given) ?? heads)
  const bytes = kvHeads * (key + valueWidth) * 2
  return Number.isFinite(bytes) && bytes >= 0 ? bytes : 0
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'bigint' ? Number(value) : value
  return isNumber(number) ? number : undefined
}
