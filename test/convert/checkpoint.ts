/**
 * Writes small Qwen2 checkpoints with random weights in Hugging Face's layout, as the transformers releases 4 and 5 save
 * them, and from there anything that is wrong with one. Knows nothing of the code under test.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readGguf } from '../support/gguf.js'
import { Random } from '../support/random.js'

type Dtype = 'F32' | 'F16' | 'BF16'

export interface CheckpointOptions {
  /** Release of transformers whose files these are. Default 5. */
  transformers?: 4 | 5
  /** `own`: 256 bytes, merges learned from the multilingual text, 4 added tokens; `qwen2`: the real one. Default own. */
  vocabulary?: 'own' | 'qwen2'
  /** Default true. */
  tied?: boolean
  /** Default F32. */
  dtype?: Dtype
  /** Number of files. Default 1. */
  shards?: number
  seed?: number
  /** Pre-tokenizer and model options of an own vocabulary, over those of Qwen2. */
  preTokenizer?: unknown
  /** Keys of config.json that replace others; undefined removes one. */
  config?: Json
  /** The same of tokenizer.json, of its model, and of tokenizer_config.json. */
  tokenizer?: Json
  tokenizerModel?: Json
  tokenizerConfig?: Json
  /** Changes the tensors before they are written. */
  change?: (tensors: Map<string, Tensor>) => void
}

export type Json = Record<string, unknown>

export interface Tensor {
  shape: number[]
  values: Float32Array
  dtype: string
  /** Bytes that the header states, when they are not those of the values. */
  size?: number
}

export const multilingual = readFileSync(new URL('multilingual.txt', import.meta.url), 'utf8')

export const chatTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  '{% endfor %}' +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"

const QWEN2_REGEX =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'

export function splitOn(regex: string): Json {
  const split = { type: 'Split', pattern: { Regex: regex }, behavior: 'Isolated', invert: false }
  const bytes = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }
  return { type: 'Sequence', pretokenizers: [split, bytes] }
}

/** Width of a head: 16. */
const shape = { layers: 2, width: 64, heads: 4, kvHeads: 2, feedForward: 96 }

/** Writes the files of a checkpoint into a new folder and returns its path. */
export function checkpoint(folder: string, options: CheckpointOptions = {}): string {
  const { transformers = 5, vocabulary = 'own', tied = true, dtype = 'F32', shards = 1, seed = 1, change } = options
  mkdirSync(folder, { recursive: true })
  const words = vocabulary === 'own' ? own() : qwen2Vocabulary()
  // Rows beyond the last token, as models that pad their embeddings have.
  const vocabularySize = Math.ceil((words.tokens.length + words.added.length + 1) / 64) * 64
  writeJson(folder, 'tokenizer.json', tokenizerFile(words, options))
  writeJson(folder, 'tokenizer_config.json', { ...tokenizerConfig(words, transformers), ...options.tokenizerConfig })
  if (transformers === 5) writeFileSync(join(folder, 'chat_template.jinja'), chatTemplate)
  writeJson(folder, 'config.json', configFile(words, vocabularySize, options))
  writeJson(folder, 'generation_config.json', {
    do_sample: true,
    eos_token_id: [words.idOf('<|im_end|>'), words.idOf('<|endoftext|>')],
    repetition_penalty: 1.1,
    temperature: 0.7,
    top_k: 20,
    top_p: 0.8,
    transformers_version: transformers === 4 ? '4.43.1' : '5.0.0',
  })
  const tensors = weights(vocabularySize, tied, dtype, seed)
  change?.(tensors)
  writeWeights(folder, tensors, shards)
  return folder
}

export function readJsonFile(folder: string, name: string): Json {
  return JSON.parse(readFileSync(join(folder, name), 'utf8'))
}

export function writeJson(folder: string, name: string, content: Json): void {
  writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`)
}

interface Vocabulary {
  tokens: string[]
  merges: string[]
  added: { text: string; special: boolean }[]
  idOf(text: string): number
}

function vocabularyOf(tokens: string[], merges: string[], added: Vocabulary['added']): Vocabulary {
  const idOf = (text: string) => {
    const index = added.findIndex((token) => token.text === text)
    return index < 0 ? tokens.indexOf(text) : tokens.length + index
  }
  return { tokens, merges, added, idOf }
}

const control = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'].map((text) => ({ text, special: true }))

let learned: Vocabulary | undefined
const own = () => {
  learned ??= ownVocabulary()
  return learned
}

/** The merges that join the most pairs, one after the other: how such vocabularies are learned. */
function ownVocabulary(): Vocabulary {
  const spelling = byteCharacters()
  const tokens = [...spelling]
  const merges: string[] = []
  const text = multilingual.replaceAll(/<\|?\w+\|?>/g, '')
  const words = (text.match(/ ?\S+|\s+/g) as string[]).map((word) => {
    return [...Buffer.from(word)].map((byte) => spelling[byte] as string)
  })
  while (merges.length < 150) {
    const counts = new Map<string, number>()
    for (const word of words) {
      for (let i = 1; i < word.length; i++) {
        const pair = `${word[i - 1]} ${word[i]}`
        counts.set(pair, (counts.get(pair) ?? 0) + 1)
      }
    }
    const [best] = [...counts].reduce((a, b) => (b[1] > a[1] ? b : a))
    const joined = best.replace(' ', '')
    merges.push(best)
    tokens.push(joined)
    for (const word of words) {
      for (let i = 1; i < word.length; i++) if (`${word[i - 1]} ${word[i]}` === best) word.splice(i - 1, 2, joined)
    }
  }
  return vocabularyOf(tokens, merges, [...control, { text: '<think>', special: false }])
}

function qwen2Vocabulary(): Vocabulary {
  const source = fileURLToPath(new URL('../../out/llama.cpp/models/ggml-vocab-qwen2.gguf', import.meta.url))
  const { metadata } = readGguf(source)
  const list = <T>(key: string) => metadata.get(`tokenizer.ggml.${key}`)?.value as T[]
  const types = list<number>('token_type')
  const tokens = list<string>('tokens').filter((_, id) => types[id] === 1)
  return vocabularyOf(tokens, list<string>('merges'), control)
}

/** How GPT-2's vocabularies spell bytes: printable ones stand for themselves, the rest are characters from 256 on. */
function byteCharacters(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    return String.fromCharCode(printable ? byte : next++)
  })
}

function addedToken({ text, special }: Vocabulary['added'][number]): Json {
  return { content: text, single_word: false, lstrip: false, rstrip: false, normalized: false, special }
}

function tokenizerFile(words: Vocabulary, options: CheckpointOptions): Json {
  const old = options.transformers === 4
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: words.added.map((token) => ({ id: words.idOf(token.text), ...addedToken(token) })),
    normalizer: { type: 'NFC' },
    pre_tokenizer: options.preTokenizer ?? splitOn(QWEN2_REGEX),
    post_processor: old
      ? { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false }
      : {
          type: 'TemplateProcessing',
          single: [{ Sequence: { id: 'A', type_id: 0 } }],
          pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
          special_tokens: {},
        },
    decoder: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: false, use_regex: false },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: old ? '' : null,
      end_of_word_suffix: old ? '' : null,
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: Object.fromEntries(words.tokens.map((text, id) => [text, id])),
      merges: old ? words.merges : words.merges.map((merge) => merge.split(' ')),
      ...options.tokenizerModel,
    },
    ...options.tokenizer,
  }
}

function tokenizerConfig(words: Vocabulary, transformers: 4 | 5): Json {
  if (transformers === 5) {
    return {
      backend: 'tokenizers',
      eos_token: '<|im_end|>',
      model_max_length: 2048,
      pad_token: '<|endoftext|>',
      tokenizer_class: 'TokenizersBackend',
    }
  }
  return {
    add_bos_token: false,
    add_prefix_space: false,
    added_tokens_decoder: Object.fromEntries(words.added.map((token) => [words.idOf(token.text), addedToken(token)])),
    additional_special_tokens: ['<|im_start|>', '<|im_end|>'],
    bos_token: null,
    chat_template: chatTemplate,
    clean_up_tokenization_spaces: false,
    eos_token: '<|im_end|>',
    errors: 'replace',
    model_max_length: 2048,
    pad_token: '<|endoftext|>',
    split_special_tokens: false,
    tokenizer_class: 'PreTrainedTokenizerFast',
    unk_token: null,
  }
}

function configFile(words: Vocabulary, vocabularySize: number, options: CheckpointOptions): Json {
  const { transformers = 5, tied = true, dtype = 'F32', config } = options
  const type = { F32: 'float32', F16: 'float16', BF16: 'bfloat16' }[dtype]
  const { layers, width, heads, kvHeads, feedForward } = shape
  const common = {
    architectures: ['Qwen2ForCausalLM'],
    attention_dropout: 0.0,
    eos_token_id: words.idOf('<|im_end|>'),
    hidden_act: 'silu',
    hidden_size: width,
    initializer_range: 0.02,
    intermediate_size: feedForward,
    max_position_embeddings: 2048,
    max_window_layers: layers,
    model_type: 'qwen2',
    num_attention_heads: heads,
    num_hidden_layers: layers,
    num_key_value_heads: kvHeads,
    rms_norm_eps: 1e-6,
    tie_word_embeddings: tied,
    use_cache: true,
    use_sliding_window: false,
    vocab_size: vocabularySize,
  }
  const rotation = { rope_theta: 1_000_000.0, rope_type: 'default' }
  const added =
    transformers === 4
      ? {
          bos_token_id: words.idOf('<|endoftext|>'),
          rope_theta: rotation.rope_theta,
          sliding_window: 1024,
          torch_dtype: type,
          transformers_version: '4.43.1',
        }
      : {
          bos_token_id: null,
          dtype: type,
          layer_types: Array(layers).fill('full_attention'),
          pad_token_id: words.idOf('<|endoftext|>'),
          rope_parameters: rotation,
          sliding_window: null,
          transformers_version: '5.0.0',
        }
  return { ...common, ...added, ...config }
}

function weights(vocabularySize: number, tied: boolean, dtype: Dtype, seed: number): Map<string, Tensor> {
  const { layers, width, heads, kvHeads, feedForward } = shape
  const tensors = new Map<string, Tensor>()
  const add = (name: string, shape: number[], deviation: number, mean = 0) => {
    const values = new Float32Array(shape.reduce((product, n) => product * n, 1))
    new Random(seed, name).fillNormal(values, deviation)
    for (let i = 0; i < values.length; i++) values[i] = mean + (values[i] as number)
    tensors.set(name, { shape, values, dtype })
  }
  const matrix = (name: string, rows: number, columns: number) => add(name, [rows, columns], 1 / Math.sqrt(columns))
  const kvWidth = (width / heads) * kvHeads
  add('model.embed_tokens.weight', [vocabularySize, width], 1)
  for (let i = 0; i < layers; i++) {
    const layer = `model.layers.${i}`
    for (const [letter, rows] of [
      ['q', width],
      ['k', kvWidth],
      ['v', kvWidth],
    ] as const) {
      matrix(`${layer}.self_attn.${letter}_proj.weight`, rows, width)
      add(`${layer}.self_attn.${letter}_proj.bias`, [rows], 0.5)
    }
    matrix(`${layer}.self_attn.o_proj.weight`, width, width)
    matrix(`${layer}.mlp.gate_proj.weight`, feedForward, width)
    matrix(`${layer}.mlp.up_proj.weight`, feedForward, width)
    matrix(`${layer}.mlp.down_proj.weight`, width, feedForward)
    add(`${layer}.input_layernorm.weight`, [width], 0.2, 1)
    add(`${layer}.post_attention_layernorm.weight`, [width], 0.2, 1)
  }
  add('model.norm.weight', [width], 0.2, 1)
  if (!tied) matrix('lm_head.weight', vocabularySize, width)
  return tensors
}

function writeWeights(folder: string, tensors: Map<string, Tensor>, shards: number): void {
  const names = [...tensors.keys()]
  if (shards === 1) {
    writeFileSync(join(folder, 'model.safetensors'), safetensors(tensors))
    return
  }
  const weightMap: Record<string, string> = {}
  for (let shard = 0; shard < shards; shard++) {
    const file = `model-${String(shard + 1).padStart(5, '0')}-of-${String(shards).padStart(5, '0')}.safetensors`
    const part = names.filter((_, i) => i % shards === shard)
    for (const name of part) weightMap[name] = file
    writeFileSync(join(folder, file), safetensors(new Map(part.map((name) => [name, tensors.get(name) as Tensor]))))
  }
  writeJson(folder, 'model.safetensors.index.json', { metadata: { total_size: 0 }, weight_map: weightMap })
}

/** The bytes of a safetensors file. */
export function safetensors(tensors: Map<string, Tensor>): Buffer {
  const header: Json = { __metadata__: { format: 'pt' } }
  const parts: Uint8Array[] = []
  let offset = 0
  for (const [name, { shape, values, dtype, size }] of tensors) {
    const bytes = encode(values, dtype)
    const end = offset + (size ?? bytes.length)
    header[name] = { dtype, shape, data_offsets: [offset, end] }
    offset = end
    parts.push(bytes)
  }
  // The library pads its header with spaces to a multiple of 8.
  const json = JSON.stringify(header)
  const padded = Buffer.from(json + ' '.repeat(-Buffer.byteLength(json) & 7))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(padded.length))
  return Buffer.concat([length, padded, ...parts])
}

function encode(values: Float32Array, dtype: string): Uint8Array {
  if (dtype === 'F32') return new Uint8Array(values.buffer, 0, values.byteLength)
  // Not rounded but cut off: what the numbers are does not matter, only that readers agree on them.
  const bits = new Uint32Array(values.buffer)
  if (dtype === 'BF16') return new Uint8Array(Uint16Array.from(bits, (word) => word >>> 16).buffer)
  return new Uint8Array(Uint16Array.from(values, truncatedFloat16).buffer)
}

function truncatedFloat16(value: number): number {
  const magnitude = Math.abs(value)
  const sign = value < 0 ? 0x8000 : 0
  if (magnitude < 2 ** -14) return sign | Math.floor(magnitude * 2 ** 24)
  const exponent = Math.floor(Math.log2(magnitude))
  return sign | ((exponent + 15) << 10) | Math.floor((magnitude / 2 ** exponent - 1) * 1024)
}
