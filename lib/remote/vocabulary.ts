/**
 * The vocabulary of a model behind a server, as far as the server's `/tokenize` gives it: what a request is put together
 * with in the place of a loaded model's.
 */
import { Z1Error } from '../base/errors.js'
import type { ModelMetadata, TextSegment } from '../native/binding.js'
import type { TokenizeOptions } from '../native/model.js'
import { KNOWN_TAGS } from '../reason/tags.js'
import { asked, type Endpoint } from './http.js'
import { endpointOf, isAbsent, type Server, type ServerFacts, type ServerKind } from './server.js'

/** What may be the text of a control token: no vocabulary in use has others. */
const CANDIDATE = /<[^<>\s]{1,60}>|\[[^[\]\s]{1,60}\]|◁[^◁▷\s]{1,60}▷/g

/** Stands for the tokens of a text that cannot be counted: the least number there can be. */
const UNCOUNTED = Int32Array.of(0)

export class RemoteVocabulary {
  /** As a model's file says it, as far as it is known. */
  readonly metadata: ModelMetadata
  /** Whether the server tells tokens. */
  readonly counts: boolean
  readonly #kind: ServerKind
  readonly #model: string
  readonly #endpoint: Endpoint
  readonly #detokenize: Endpoint
  /** By text: the one token that it is; null: it is several. */
  readonly #single = new Map<string, Promise<number | null>>()

  private constructor(server: Server, facts: ServerFacts, counts: boolean, template: string | null) {
    this.#kind = facts.kind
    this.#model = facts.model
    this.#endpoint = endpointOf(server, '/tokenize')
    this.#detokenize = endpointOf(server, '/detokenize')
    this.counts = counts
    this.metadata = metadataOf(facts, template)
  }

  /** @param template What is rendered here, if anything is. */
  static async of(server: Server, facts: ServerFacts, template: string | null, signal?: AbortSignal) {
    const tokens = await ask(endpointOf(server, '/tokenize'), facts, 'a', true, signal).catch((error) => {
      if (isAbsent(error)) return null
      throw error
    })
    const vocabulary = new RemoteVocabulary(server, facts, tokens !== null, template)
    if (facts.kind === 'llama.cpp') {
      const { metadata } = vocabulary
      const bos = facts.bosText === '' ? null : await vocabulary.single(facts.bosText)
      const begun = await asked<Tokens>(
        endpointOf(server, '/tokenize'),
        { content: 'a', add_special: true, parse_special: true },
        signal,
      )
      metadata.bos = bos ?? -1
      metadata.addBos = bos !== null && begun.tokens[0] === bos
    }
    return vocabulary
  }

  /**
   * Tokens of the segments, one after the other. Of a server that tells none, one that stands for all.
   * @throws {Z1Error} REMOTE_REFUSED for a message that spells control tokens, where the server would read them as such.
   */
  async tokenize(segments: readonly TextSegment[], { signal }: TokenizeOptions = {}): Promise<Int32Array> {
    if (this.#kind !== 'llama.cpp' && segments.some(({ parseSpecial }) => !parseSpecial)) {
      throw new Z1Error(
        'REMOTE_REFUSED',
        'The input spells a control token of the model, and this server would read it as one: take it out',
      )
    }
    if (!this.counts) return UNCOUNTED
    const facts = { kind: this.#kind, model: this.#model }
    const parts = await Promise.all(
      segments
        .filter(({ text }) => text !== '')
        .map(({ text, parseSpecial }) => ask(this.#endpoint, facts, text, parseSpecial, signal)),
    )
    return Int32Array.from(parts.flat())
  }

  async detokenize(tokens: readonly number[]): Promise<string> {
    const isLlama = this.#kind === 'llama.cpp' || this.#kind === 'z1'
    const body = isLlama ? { tokens } : { model: this.#model, tokens }
    const said = await asked<{ content?: string; prompt?: string; text?: string }>(this.#detokenize, body)
    return said.content ?? said.prompt ?? said.text ?? ''
  }

  /** The one token that a text is; null: it is several, or the server does not tell. */
  single(text: string): Promise<number | null> {
    if (!this.counts) return Promise.resolve(null)
    let known = this.#single.get(text)
    if (!known) {
      known = this.tokenize([{ text, parseSpecial: true, continuation: false }]).then((tokens) => {
        return tokens.length === 1 ? (tokens[0] as number) : null
      })
      this.#single.set(text, known)
      known.catch(() => this.#single.delete(text))
    }
    return known
  }

  /** Learns which control tokens texts spell, so that they stay text in a prompt. */
  async learn(texts: readonly string[]): Promise<void> {
    if (this.#kind !== 'llama.cpp') return
    const { metadata } = this
    const known = new Set(metadata.specialTokens.map(({ text }) => text))
    const candidates = [...new Set(texts.flatMap((text) => text.match(CANDIDATE) ?? []))]
    for (const text of candidates.filter((text) => !known.has(text) && !this.#single.has(text))) {
      const id = await this.single(text)
      if (id === null) continue
      const plain = await this.tokenize([{ text, parseSpecial: false, continuation: false }])
      if (plain.length === 1 && plain[0] === id) continue
      metadata.specialTokens = [...metadata.specialTokens, { id, text, control: true }]
    }
  }
}

interface Tokens {
  tokens: number[]
}

async function ask(
  endpoint: Endpoint,
  { kind, model }: Pick<ServerFacts, 'kind' | 'model'>,
  text: string,
  parseSpecial: boolean,
  signal?: AbortSignal,
): Promise<number[]> {
  const isLlama = kind === 'llama.cpp' || kind === 'z1'
  const body = isLlama
    ? { content: text, ...(kind === 'llama.cpp' && { parse_special: parseSpecial }) }
    : { model, prompt: text, add_special_tokens: false }
  return (await asked<Tokens>(endpoint, body, signal)).tokens
}

/** What only a file says is as little as it can be. */
function metadataOf(facts: ServerFacts, template: string | null): ModelMetadata {
  const { bosText, eosText, vocabularySize, thinkingWindow } = facts
  const controls = [bosText, eosText, ...KNOWN_TAGS.flat(), ...((template ?? '').match(CANDIDATE) ?? [])]
  return {
    architecture: '',
    description: '',
    quantization: '',
    parameters: 0,
    size: 0,
    layers: 0,
    gpuLayers: 0,
    embeddingLength: 0,
    vocabularySize,
    vocabularyType: 'none',
    trainingContext: 0,
    thinkingWindow,
    sampling: {},
    positions: 0,
    kvBytesPerCell: 0,
    keyLengths: [],
    valueLengths: [],
    recurrent: false,
    hybrid: false,
    unsupported: null,
    chatTemplate: template,
    bos: -1,
    eos: -1,
    addBos: false,
    bosText,
    eosText,
    specialTokens: facts.kind === 'llama.cpp' ? [] : specialOf(controls),
    longestToken: 0,
  }
}

/** Only what a template writes between its messages: `<b>` in one of its texts is no reason to refuse a question. */
function specialOf(texts: readonly string[]): ModelMetadata['specialTokens'] {
  const control = /^<\||\|>$|^<\/?s>$|^\[\/?INST\]$|^<(?:start|end)_of_turn>$|^<[|｜]/
  return [...new Set(texts)].filter((text) => control.test(text)).map((text) => ({ id: -1, text, control: true }))
}
