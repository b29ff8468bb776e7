/**
 * Random models for the tests and the bench: real architectures and vocabularies, weights from a seeded generator.
 * They say nothing sensible, but they are complete models whose greedy output varies with every prompt token.
 * Knows GGUF files and what llama.cpp demands of each architecture; nothing of the library under test.
 *
 * Two properties are made on purpose:
 * - Varied output. Matrices have the deviation 2/√fan-in and the output matrix is the model's own. With 1/√fan-in the
 *   last token's embedding outweighs what the layers add: measured on `qwen2-bytes`, a tied model then repeats one token
 *   for ever, and with ½/√fan-in even an untied one fell into a loop in 8 of 10 outputs. At 2/√fan-in none did in 100.
 * - Natural endings. The final norm makes every hidden state equally long, so a token's logit is normal with a deviation
 *   proportional to the length of its row in `output.weight`. A longer row for the end token makes it the largest logit
 *   now and then, at a rate that does not depend on what was said: the lengths are geometric. `endGain` is that factor;
 *   with the defaults the mean is 45 to 65 tokens, and 80 to 90% of random prompts end after 5 to 150. (llama.cpp reads
 *   an output bias for Qwen2 only.) All other end-of-generation tokens get rows of zeros, so that `endGain: 0` means a
 *   model that never ends by itself.
 */
import { createHash, randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Metadata, MetadataValue, Scalar, ScalarType, TensorSource, TensorType } from './gguf.js'
import { readGguf, writeGguf } from './gguf.js'
import { Random } from './random.js'

/**
 * - `qwen2-bytes`: one token for each byte (its id is the byte), then the control tokens. About 1M parameters.
 * - `qwen2-vocab`: the real vocabulary of Qwen2 on a narrow model, 27 MB.
 * - `llama-spm`: a SentencePiece vocabulary with byte fallback, a begin token and the inserted space.
 * - `mamba`: a recurrent model on the byte vocabulary: its memory cannot be shortened.
 * - `lfm2`: a hybrid one: layers with a recurrent state, and layers of attention.
 * - `olmo2`: attention over a window of 24 tokens in three of four layers.
 * - `qwen2-0.5b`: the shape of Qwen2.5-0.5B with tied embeddings, 530 MB, for measuring speed; written in about 15 s.
 */
export type ModelName = 'qwen2-bytes' | 'qwen2-vocab' | 'llama-spm' | 'mamba' | 'lfm2' | 'olmo2' | 'qwen2-0.5b'

export interface ModelOptions {
  seed?: number
  /** The chat template (Jinja). */
  template?: string
  /** The training length the file states, in tokens. */
  trainingContext?: number
  /** `z1.thinking_window`. Default: the file does not say. */
  thinkingWindow?: number
  /** User-defined tokens appended to the vocabulary, e.g. `<think>` as a single token. */
  extraTokens?: string[]
  /** Length of the end token's output row relative to the others; 0: the model never ends by itself. */
  endGain?: number
  shape?: Partial<Shape>
}

interface Shape {
  layers: number
  /** Embedding length. */
  width: number
  heads: number
  kvHeads: number
  feedForward: number
  /** Type of the layers' matrices. */
  layerType: TensorType
  /** Type of the embedding and output matrices. */
  embeddingType: TensorType
  /** Use the embeddings as output matrix; `endGain` has no effect then. */
  tied: boolean
}

/** Where the pinned llama.cpp source is checked out, and where built models are kept. */
export interface Folders {
  llamaSource?: string
  cache?: string
}

export const chatMlTemplate =
  "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}" +
  '{% endfor %}' +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
export const plainTemplate =
  "{% for message in messages %}{{ message.role + ': ' + message.content + '\\n' }}{% endfor %}" +
  '{% if add_generation_prompt %}assistant:{% endif %}'
/** Writes the begin token itself, as most templates of SentencePiece models do. */
export const bosTemplate = `{{ bos_token }}${plainTemplate}`

/** Part of every cache name: raise it when the same options shall give other files. */
const version = 1

interface Vocabulary {
  tokens: string[]
  metadata: Metadata
  /** The token whose row `endGain` lengthens. */
  end: number
  /** The other tokens that llama.cpp takes for an end of generation. */
  silenced: number[]
}

interface Recipe {
  architecture: 'qwen2' | 'llama' | 'mamba' | 'lfm2' | 'olmo2'
  vocabulary(source: string): Vocabulary
  shape: Shape
  template: string
  trainingContext: number
  endGain: number
}

const small: Shape = {
  layers: 4,
  width: 128,
  heads: 4,
  kvHeads: 2,
  feedForward: 384,
  layerType: 'F32',
  embeddingType: 'F32',
  tied: false,
}

const recipes: Record<ModelName, Recipe> = {
  'qwen2-bytes': {
    architecture: 'qwen2',
    vocabulary: byteVocabulary,
    shape: small,
    template: chatMlTemplate,
    trainingContext: 4096,
    endGain: 1.4,
  },
  'qwen2-vocab': {
    architecture: 'qwen2',
    vocabulary: qwen2Vocabulary,
    shape: { ...small, layers: 2, width: 64, feedForward: 192, embeddingType: 'Q8_0' },
    template: chatMlTemplate,
    trainingContext: 4096,
    endGain: 2.3,
  },
  'llama-spm': {
    architecture: 'llama',
    vocabulary: pieceVocabulary,
    shape: small,
    template: plainTemplate,
    trainingContext: 4096,
    endGain: 1.7,
  },
  mamba: {
    architecture: 'mamba',
    vocabulary: byteVocabulary,
    shape: { ...small, heads: 0, kvHeads: 0, feedForward: 0 },
    template: chatMlTemplate,
    trainingContext: 4096,
    endGain: 1.3,
  },
  lfm2: {
    architecture: 'lfm2',
    vocabulary: byteVocabulary,
    shape: small,
    template: chatMlTemplate,
    trainingContext: 4096,
    endGain: 1.3,
  },
  olmo2: {
    architecture: 'olmo2',
    vocabulary: byteVocabulary,
    shape: small,
    template: chatMlTemplate,
    trainingContext: 4096,
    endGain: 1.3,
  },
  'qwen2-0.5b': {
    architecture: 'qwen2',
    vocabulary: qwen2Vocabulary,
    shape: {
      layers: 24,
      width: 896,
      heads: 14,
      kvHeads: 2,
      feedForward: 4864,
      layerType: 'Q8_0',
      embeddingType: 'Q8_0',
      tied: true,
    },
    template: chatMlTemplate,
    trainingContext: 32_768,
    endGain: 1,
  },
}

/** Path of the model with these options, built if it is not there yet. Safe when several processes build it at once. */
export function testModel(name: ModelName, options: ModelOptions = {}, folders: Folders = {}): string {
  const { llamaSource = repositoryFolder('out/llama.cpp'), cache = repositoryFolder('out/test-models') } = folders
  const request = resolve(name, options)
  const hash = createHash('sha256').update(JSON.stringify([version, name, request]))
  if (recipes[name].vocabulary === qwen2Vocabulary) hash.update(readFileSync(qwen2VocabularyFile(llamaSource)))
  const path = join(cache, `${name}-${hash.digest('hex').slice(0, 12)}.gguf`)
  if (existsSync(path)) return path

  mkdirSync(cache, { recursive: true })
  const unfinished = `${path}.${randomUUID()}`
  try {
    write(unfinished, name, request, llamaSource)
    renameSync(unfinished, path)
  } finally {
    rmSync(unfinished, { force: true })
  }
  return path
}

function repositoryFolder(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url))
}

type Request = Required<Omit<ModelOptions, 'shape' | 'thinkingWindow'>> &
  Pick<ModelOptions, 'thinkingWindow'> & { shape: Shape }

function resolve(name: ModelName, options: ModelOptions): Request {
  const { shape, template, trainingContext, endGain } = recipes[name]
  return {
    seed: options.seed ?? 1,
    template: options.template ?? template,
    trainingContext: options.trainingContext ?? trainingContext,
    ...(options.thinkingWindow === undefined ? {} : { thinkingWindow: options.thinkingWindow }),
    extraTokens: options.extraTokens ?? [],
    endGain: options.endGain ?? endGain,
    shape: { ...shape, ...options.shape },
  }
}

function write(path: string, name: ModelName, request: Request, source: string): void {
  const { architecture, vocabulary } = recipes[name]
  const words = withExtraTokens(vocabulary(source), request.extraTokens)
  const metadata: Metadata = new Map([
    ['general.architecture', string(architecture)],
    ['general.name', string(name)],
    ['general.file_type', uint32(request.shape.layerType === 'Q8_0' ? 7 : 0)],
    ...architectureMetadata(architecture, request),
    ...words.metadata,
    ['tokenizer.chat_template', string(request.template)],
    ...(request.thinkingWindow === undefined
      ? []
      : ([['z1.thinking_window', uint32(request.thinkingWindow)]] as const)),
  ])
  writeGguf(path, metadata, [...embeddings(request, words, architecture), ...layersOf(architecture, request)])
}

function layersOf(architecture: Recipe['architecture'], request: Request): TensorSource[] {
  switch (architecture) {
    case 'mamba':
      return mambaLayers(request)
    case 'lfm2':
      return lfm2Layers(request)
    case 'olmo2':
      return olmo2Layers(request)
    default:
      return attentionLayers(request, architecture === 'qwen2')
  }
}

function architectureMetadata(architecture: string, { shape, trainingContext }: Request): Metadata {
  const keys: Metadata = new Map([
    ['context_length', uint32(trainingContext)],
    ['embedding_length', uint32(shape.width)],
    ['block_count', uint32(shape.layers)],
    ['feed_forward_length', uint32(shape.feedForward)],
    ['attention.head_count', uint32(shape.heads)],
    ['attention.layer_norm_rms_epsilon', float32(1e-6)],
  ])
  if (architecture === 'mamba') {
    const { kernel, inner, state, rank } = mambaShape(shape)
    keys.set('ssm.conv_kernel', uint32(kernel))
    keys.set('ssm.inner_size', uint32(inner))
    keys.set('ssm.state_size', uint32(state))
    keys.set('ssm.time_step_rank', uint32(rank))
  } else {
    keys.set('attention.head_count_kv', uint32(shape.kvHeads))
    keys.set('rope.dimension_count', uint32(shape.width / shape.heads))
    keys.set('rope.freq_base', float32(architecture === 'qwen2' ? 1e6 : 1e4))
  }
  if (architecture === 'lfm2') {
    // A layer without heads for keys has a recurrent state.
    const kvHeads = Array.from({ length: shape.layers }, (_, i) => (isRecurrent(i) ? 0 : shape.kvHeads))
    keys.set('attention.head_count_kv', array('int32', kvHeads))
    keys.set('shortconv.l_cache', uint32(LFM2_KERNEL))
  }
  if (architecture === 'olmo2') keys.set('attention.sliding_window', uint32(24))
  return new Map([...keys].map(([key, value]) => [`${architecture}.${key}`, value]))
}

function embeddings(
  { seed, shape, endGain }: Request,
  { tokens, end, silenced }: Vocabulary,
  architecture: Recipe['architecture'],
): TensorSource[] {
  const { width, embeddingType: type, tied } = shape
  const weights = new Weights(seed)
  const tensors = [
    weights.normal('token_embd.weight', [width, tokens.length], 1, type),
    weights.constant(architecture === 'lfm2' ? 'token_embd_norm.weight' : 'output_norm.weight', [width], 1),
  ]
  if (tied) return tensors

  const output = weights.normal('output.weight', [width, tokens.length], 2 / Math.sqrt(width), type)
  const gains = new Map([[end, endGain], ...silenced.map((token): [number, number] => [token, 0])])
  const fill = (values: Float32Array, start: number): void => {
    output.fill(values, start)
    for (const [token, gain] of gains) {
      const row = token * width - start
      for (let i = Math.max(row, 0); i < Math.min(row + width, values.length); i++) values[i]! *= gain
    }
  }
  return [...tensors, { ...output, fill }]
}

/** Layers of Qwen2, which has biases on the query, key and value, or of Llama, which has none. */
function attentionLayers({ seed, shape }: Request, biased: boolean): TensorSource[] {
  const { layers, width, heads, kvHeads, feedForward } = shape
  const weights = new Weights(seed)
  const kvWidth = (width / heads) * kvHeads
  const tensors: TensorSource[] = []
  for (let i = 0; i < layers; i++) {
    const matrix = (name: string, fanIn: number, rows: number): void => {
      tensors.push(weights.normal(`blk.${i}.${name}.weight`, [fanIn, rows], 2 / Math.sqrt(fanIn), shape.layerType))
    }
    tensors.push(weights.constant(`blk.${i}.attn_norm.weight`, [width], 1))
    for (const [name, rows] of [
      ['attn_q', width],
      ['attn_k', kvWidth],
      ['attn_v', kvWidth],
    ] as const) {
      matrix(name, width, rows)
      if (biased) tensors.push(weights.normal(`blk.${i}.${name}.bias`, [rows], 0.1))
    }
    matrix('attn_output', width, width)
    tensors.push(weights.constant(`blk.${i}.ffn_norm.weight`, [width], 1))
    matrix('ffn_gate', width, feedForward)
    matrix('ffn_up', width, feedForward)
    matrix('ffn_down', feedForward, width)
  }
  return tensors
}

const LFM2_KERNEL = 3
const isRecurrent = (layer: number) => layer % 2 === 0

function lfm2Layers({ seed, shape }: Request): TensorSource[] {
  const { layers, width, heads, kvHeads, feedForward } = shape
  const weights = new Weights(seed)
  const head = width / heads
  const tensors: TensorSource[] = []
  for (let i = 0; i < layers; i++) {
    const matrix = (name: string, fanIn: number, rows: number, type = shape.layerType): void => {
      tensors.push(weights.normal(`blk.${i}.${name}.weight`, [fanIn, rows], 2 / Math.sqrt(fanIn), type))
    }
    const norm = (name: string, length: number): void => {
      tensors.push(weights.constant(`blk.${i}.${name}.weight`, [length], 1))
    }
    norm('attn_norm', width)
    norm('ffn_norm', width)
    if (isRecurrent(i)) {
      matrix('shortconv.conv', LFM2_KERNEL, width, 'F32')
      matrix('shortconv.in_proj', width, 3 * width)
      matrix('shortconv.out_proj', width, width)
    } else {
      norm('attn_q_norm', head)
      norm('attn_k_norm', head)
      matrix('attn_q', width, width)
      matrix('attn_k', width, head * kvHeads)
      matrix('attn_v', width, head * kvHeads)
      matrix('attn_output', width, width)
    }
    matrix('ffn_gate', width, feedForward)
    matrix('ffn_up', width, feedForward)
    matrix('ffn_down', feedForward, width)
  }
  return tensors
}

function olmo2Layers(request: Request): TensorSource[] {
  const { width, heads, kvHeads, layers } = request.shape
  const weights = new Weights(request.seed)
  const norms = Array.from({ length: layers }, (_, i) => [
    weights.constant(`blk.${i}.attn_q_norm.weight`, [width], 1),
    weights.constant(`blk.${i}.attn_k_norm.weight`, [(width / heads) * kvHeads], 1),
    weights.constant(`blk.${i}.post_attention_norm.weight`, [width], 1),
    weights.constant(`blk.${i}.post_ffw_norm.weight`, [width], 1),
  ])
  // It has norms after attention and feed-forward network, none before.
  return [...attentionLayers(request, false).filter(({ name }) => !/(attn|ffn)_norm/.test(name)), ...norms.flat()]
}

/** llama.cpp supports an expansion factor of 2 only. */
function mambaShape({ width }: Shape): { kernel: number; inner: number; state: number; rank: number } {
  return { kernel: 4, inner: 2 * width, state: 16, rank: Math.ceil(width / 16) }
}

function mambaLayers({ seed, shape }: Request): TensorSource[] {
  const { width, layerType } = shape
  const { kernel, inner, state, rank } = mambaShape(shape)
  const weights = new Weights(seed)
  const tensors: TensorSource[] = []
  for (let i = 0; i < shape.layers; i++) {
    const matrix = (name: string, fanIn: number, rows: number, type: TensorType): void => {
      tensors.push(weights.normal(`blk.${i}.${name}.weight`, [fanIn, rows], 2 / Math.sqrt(fanIn), type))
    }
    tensors.push(weights.constant(`blk.${i}.attn_norm.weight`, [width], 1))
    matrix('ssm_in', width, 2 * inner, layerType)
    matrix('ssm_conv1d', kernel, inner, 'F32')
    tensors.push(weights.normal(`blk.${i}.ssm_conv1d.bias`, [inner], 0.1))
    matrix('ssm_x', inner, rank + 2 * state, layerType)
    // The rank is too short for a row of Q8_0 blocks.
    matrix('ssm_dt', rank, inner, 'F32')
    // Mamba's own initial values: decay rates −1 … −state, and time steps around softplus(−3) ≈ 0.05, so that the
    // state remembers tens of tokens and stays bounded.
    tensors.push(weights.constant(`blk.${i}.ssm_dt.bias`, [inner], -3))
    tensors.push(weights.computed(`blk.${i}.ssm_a`, [state, inner], (index) => -1 - (index % state)))
    tensors.push(weights.constant(`blk.${i}.ssm_d`, [inner], 1))
    matrix('ssm_out', inner, width, layerType)
  }
  return tensors
}

/** Makes tensors whose values depend on the seed and their own name only, in whatever order they are written. */
class Weights {
  constructor(readonly seed: number) {}

  normal(name: string, shape: number[], deviation: number, type: TensorType = 'F32'): TensorSource {
    let random: Random
    return {
      name,
      shape,
      type,
      fill: (values, start) => {
        if (start === 0) random = new Random(this.seed, name)
        random.fillNormal(values, deviation)
      },
    }
  }

  constant(name: string, shape: number[], value: number): TensorSource {
    return this.computed(name, shape, () => value)
  }

  computed(name: string, shape: number[], value: (index: number) => number): TensorSource {
    const fill = (values: Float32Array, start: number): void => {
      for (let i = 0; i < values.length; i++) values[i] = value(start + i)
    }
    return { name, shape, type: 'F32', fill }
  }
}

/** llama.h `enum llama_token_type`. */
const tokenType = { normal: 1, unknown: 2, control: 3, userDefined: 4, byte: 6 }

function byteVocabulary(): Vocabulary {
  const control = ['<|endoftext|>', '<|im_start|>', '<|im_end|>']
  const tokens = [...byteCharacters(), ...control]
  const types = tokens.map((_, id) => (id < 256 ? tokenType.normal : tokenType.control))
  return bpeVocabulary(tokens, types, [])
}

/** How GPT-2's vocabularies spell bytes: printable ones stand for themselves, the rest are characters from 256 on. */
function byteCharacters(): string[] {
  let next = 256
  return Array.from({ length: 256 }, (_, byte) => {
    const printable = (byte > 32 && byte < 127) || (byte > 160 && byte !== 173)
    return String.fromCharCode(printable ? byte : next++)
  })
}

/** A vocabulary-only file of llama.cpp's tokenizer tests: 151,643 tokens, 3 control tokens, padding to 151,936. */
function qwen2Vocabulary(source: string): Vocabulary {
  const { metadata } = readGguf(qwen2VocabularyFile(source))
  const list = <T>(key: string): T[] => metadata.get(`tokenizer.ggml.${key}`)?.value as T[]
  return bpeVocabulary(list<string>('tokens'), list<number>('token_type'), list<string>('merges'))
}

function qwen2VocabularyFile(source: string): string {
  return join(source, 'models', 'ggml-vocab-qwen2.gguf')
}

function bpeVocabulary(tokens: string[], types: number[], merges: string[]): Vocabulary {
  const end = tokens.indexOf('<|im_end|>')
  const endOfText = tokens.indexOf('<|endoftext|>')
  const metadata: Metadata = new Map([
    ['tokenizer.ggml.model', string('gpt2')],
    ['tokenizer.ggml.pre', string('qwen2')],
    ['tokenizer.ggml.tokens', array('string', tokens)],
    ['tokenizer.ggml.token_type', array('int32', types)],
    ['tokenizer.ggml.merges', array('string', merges)],
    ['tokenizer.ggml.bos_token_id', uint32(endOfText)],
    ['tokenizer.ggml.eos_token_id', uint32(end)],
    ['tokenizer.ggml.padding_token_id', uint32(endOfText)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: false }],
  ])
  // Qwen2's vocabulary holds `</s>` as ordinary text, and llama.cpp ends generation there by that spelling alone.
  const silenced = [endOfText, tokens.indexOf('</s>')].filter((id) => id >= 0)
  return { tokens, metadata, end, silenced }
}

const commonWords =
  'the and of to in is that it for as with was on be at by this have from or one had not but what all were when we ' +
  'there can an your which their said if do will each about how up out them then she many some so these would other ' +
  'into has more her two like him see time could no make than first been its who now people my made over did down ' +
  'only way find use may water long little very after words called just where most know number answer final should ' +
  'think reason question user assistant system'

/**
 * SentencePiece merges two neighbouring pieces when their concatenation is a piece, the highest score first: a word is
 * reachable only if its beginnings are pieces too, and shorter pieces have the higher scores.
 */
function pieceVocabulary(): Vocabulary {
  const special = ['<unk>', '<s>', '</s>']
  const bytes = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
  const beginnings = new Set<string>()
  for (const word of commonWords.split(' ')) {
    for (let length = 1; length <= word.length; length++) beginnings.add(`▁${word.slice(0, length)}`)
  }
  const pieces = [...beginnings].sort((a, b) => a.length - b.length || (a < b ? -1 : 1))
  const ascii = Array.from({ length: 94 }, (_, i) => String.fromCharCode(33 + i))
  const characters = ['▁', ...ascii, ...'äöüßéèñç–“”…日本語中文']

  const tokens = [...special, ...bytes, ...pieces, ...characters]
  const firstPiece = special.length + bytes.length
  const firstCharacter = firstPiece + pieces.length
  const types = tokens.map((_, id) => {
    if (id === 0) return tokenType.unknown
    if (id < special.length) return tokenType.control
    return id < firstPiece ? tokenType.byte : tokenType.normal
  })
  const scores = tokens.map((_, id) => (id < firstPiece ? 0 : id < firstCharacter ? firstPiece - id : -1000 - id))
  const metadata: Metadata = new Map([
    ['tokenizer.ggml.model', string('llama')],
    ['tokenizer.ggml.pre', string('default')],
    ['tokenizer.ggml.tokens', array('string', tokens)],
    ['tokenizer.ggml.scores', array('float32', scores)],
    ['tokenizer.ggml.token_type', array('int32', types)],
    ['tokenizer.ggml.unknown_token_id', uint32(0)],
    ['tokenizer.ggml.bos_token_id', uint32(1)],
    ['tokenizer.ggml.eos_token_id', uint32(2)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ['tokenizer.ggml.add_eos_token', { type: 'bool', value: false }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: true }],
  ])
  return { tokens, metadata, end: 2, silenced: [] }
}

function withExtraTokens(vocabulary: Vocabulary, extra: string[]): Vocabulary {
  const metadata = new Map(vocabulary.metadata)
  const append = (key: string, items: Scalar[]): void => {
    const list = metadata.get(`tokenizer.ggml.${key}`)
    if (list) metadata.set(`tokenizer.ggml.${key}`, { ...list, value: (list.value as Scalar[]).concat(items) })
  }
  append('tokens', extra)
  append(
    'token_type',
    extra.map(() => tokenType.userDefined),
  )
  append(
    'scores',
    extra.map(() => 0),
  )
  return { ...vocabulary, tokens: [...vocabulary.tokens, ...extra], metadata }
}

function array(type: ScalarType, value: Scalar[]): MetadataValue {
  return { type, value }
}

function string(value: string): MetadataValue {
  return { type: 'string', value }
}

function uint32(value: number): MetadataValue {
  return { type: 'uint32', value }
}

function float32(value: number): MetadataValue {
  return { type: 'float32', value }
}
