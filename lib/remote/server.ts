/** Which server is at an address, and what it tells of its model. */
import { asked, type Endpoint, RemoteError } from './http.js'

/** By what `/v1/models` calls the owner of a model. */
export type ServerKind = 'llama.cpp' | 'vllm' | 'sglang' | 'z1' | 'other'

const KINDS: Readonly<Record<string, ServerKind>> = {
  llamacpp: 'llama.cpp',
  vllm: 'vllm',
  sglang: 'sglang',
  'z1-native': 'z1',
}

/** An address without the path of a protocol, and the key. */
export interface Server {
  /** `http://localhost:8080`. */
  root: string
  key: string | undefined
}

export interface ServerFacts {
  kind: ServerKind
  /** The name that requests are sent with. */
  model: string
  /** Tokens of one request; Infinity: it does not say. */
  contextSize: number
  /** Requests that it runs at once; null: it does not say. */
  parallel: number | null
  /** Infinity: it does not say. */
  vocabularySize: number
  thinkingWindow: number | null
  /** In Jinja; null: it does not say. */
  chatTemplate: string | null
  bosText: string
  eosText: string
}

/** @param baseUrl `http://localhost:8080`, with or without `/v1`. @throws {TypeError} for an address that is none. */
export function serverAt(baseUrl: string, key: string | undefined): Server {
  if (!/^https?:\/\//.test(baseUrl) || !URL.canParse(baseUrl)) {
    throw new TypeError(`Expected the http(s) address of a server for baseUrl but received ${JSON.stringify(baseUrl)}`)
  }
  const { origin, pathname } = new URL(baseUrl)
  return { root: origin + pathname.replace(/\/+$/, '').replace(/\/v1$/, ''), key }
}

export function endpointOf({ root, key }: Server, path: string): Endpoint {
  return { url: root + path, key }
}

interface ListedModel {
  id: string
  owned_by?: string
  /** Of vLLM and SGLang. */
  max_model_len?: number
  /** Of llama-server. */
  meta?: { n_vocab?: number; n_ctx?: number } | null
  /** Of z1 serve. */
  z1?: { contextSize: number | null; parallel: number; thinkingWindow: number | null }
}

interface Props {
  default_generation_settings?: { n_ctx?: number }
  total_slots?: number
  chat_template?: string
  bos_token?: string
  eos_token?: string
}

/**
 * @param wanted The name of the model; undefined: the first one.
 * @throws {RemoteError} also for a server that lists no models, where none is named.
 */
export async function factsOf(server: Server, wanted: string | undefined, signal?: AbortSignal): Promise<ServerFacts> {
  const endpoint = endpointOf(server, '/v1/models')
  const { data = [] } = await asked<{ data?: ListedModel[] }>(endpoint, undefined, signal).catch((error) => {
    // Not every server has a list.
    if (wanted !== undefined && isAbsent(error)) return {} as { data?: ListedModel[] }
    throw error
  })
  const listed = data.find(({ id }) => id === wanted) ?? data[0]
  const model = wanted ?? listed?.id
  if (model === undefined) throw new RemoteError('request', endpoint.url, `${endpoint.url} lists no models: name one`)
  const kind = KINDS[listed?.owned_by ?? ''] ?? 'other'
  const props = kind === 'llama.cpp' ? await propsOf(server, signal) : {}
  const template = props.chat_template
  return {
    kind,
    model,
    contextSize:
      props.default_generation_settings?.n_ctx ?? listed?.max_model_len ?? listed?.z1?.contextSize ?? Infinity,
    parallel: props.total_slots ?? listed?.z1?.parallel ?? null,
    vocabularySize: listed?.meta?.n_vocab ?? Infinity,
    thinkingWindow: listed?.z1?.thinkingWindow ?? null,
    // A server that was given the name of a built-in template tells that name.
    chatTemplate: template && /\{[{%]/.test(template) ? template : null,
    bosText: props.bos_token ?? '',
    eosText: props.eos_token ?? '',
  }
}

/** A server may be told not to show them. */
function propsOf(server: Server, signal?: AbortSignal): Promise<Props> {
  return asked<Props>(endpointOf(server, '/props'), undefined, signal).catch((error) => {
    if (isAbsent(error)) return {}
    throw error
  })
}

/** Whether a server has nothing at a path. */
export function isAbsent(error: unknown): boolean {
  return error instanceof RemoteError && error.status !== null && [404, 405, 501].includes(error.status)
}
