/**
 * Broken GGUF files, drawn from sound ones: a few fields of the header or some bytes of the data are changed, and all else
 * is kept, so that a file is refused late or not at all. A seed and a number give the same file on every machine.
 */
import type { Random } from '../support/random.js'
import {
  ARRAY,
  aligned,
  type Entry,
  type Layout,
  layoutOf,
  SCALAR_SIZES,
  type Span,
  STRING,
  type Tensor,
} from './layout.js'

/** A sound file to start from. */
export class Base {
  readonly layout: Layout
  readonly architecture: string

  constructor(
    readonly name: string,
    readonly bytes: Buffer,
  ) {
    this.layout = layoutOf(bytes)
    const { start, end } = this.entry('general.architecture').value
    this.architecture = bytes.toString('utf8', start + 8, end)
  }

  entry(key: string): Entry {
    return this.layout.entries.find((entry) => entry.key.text === key) as Entry
  }
}

export interface Mutant {
  bytes: Buffer
  /** What was changed, for a person. */
  changes: string[]
}

/** Other bytes in the place of a span. */
interface Edit extends Span {
  bytes: Buffer
}

interface Change {
  what: string
  edits: Edit[]
}

type Mutation = (random: Random, base: Base) => Change

export function mutant(random: Random, base: Base): Mutant {
  const changes: Change[] = []
  for (let more = true; more; more = random.below(4) === 0) changes.push(pick(random, mutations)(random, base))
  let bytes = edited(
    base,
    changes.flatMap((change) => change.edits),
  )
  const what = changes.map((change) => change.what)
  if (random.below(12) === 0) {
    const length = random.below(2) ? random.below(bytes.length) : random.below(Math.min(bytes.length, base.layout.data))
    bytes = bytes.subarray(0, length)
    what.push(`cut to ${length} bytes`)
  }
  return { bytes, changes: what }
}

/** Edits of the same place lose to the first. The data keeps its alignment behind a header of another length. */
function edited({ bytes, layout }: Base, edits: Edit[]): Buffer {
  const parts: Buffer[] = []
  let at = 0
  let length = 0
  const copy = (part: Buffer) => {
    parts.push(part)
    length += part.length
  }
  const apply = (wanted: Edit[]) => {
    for (const edit of wanted.sort((a, b) => a.start - b.start || a.end - b.end)) {
      if (edit.start < at) continue
      copy(bytes.subarray(at, edit.start))
      copy(edit.bytes)
      at = edit.end
    }
  }
  apply(edits.filter((edit) => edit.start < layout.data))
  // The header's own padding ends where the data began; what it needs now may be another.
  const end = layout.tensors.at(-1)?.end ?? layout.data
  copy(bytes.subarray(at, Math.max(at, end)))
  copy(Buffer.alloc(aligned(length) - length))
  at = layout.data
  apply(edits.filter((edit) => edit.start >= layout.data))
  copy(bytes.subarray(at))
  return Buffer.concat(parts)
}

/** Each as often as it stands here: most of what breaks the format is found before anything is loaded. */
const mutations: Mutation[] = [
  someBytes,
  fileCounts,
  keyLength,
  renamedKey,
  removedEntry,
  removedEntry,
  repeatedEntry,
  ...Array<Mutation>(6).fill(insertedEntry),
  valueType,
  ...Array<Mutation>(8).fill(value),
  arrayCount,
  arrayElement,
  arrayElement,
  arrayElement,
  arrayLength,
  architecture,
  architecture,
  tensorName,
  tensorRank,
  tensorDimension,
  tensorType,
  ...Array<Mutation>(4).fill(retypedTensor),
  tensorOffset,
  removedTensor,
  dataBytes,
  dataBytes,
]

function someBytes(random: Random, { layout }: Base): Change {
  const field = pick(random, [...layout.entries, ...layout.tensors])
  const edits = Array.from({ length: 1 + random.below(6) }, () => {
    const start = field.start + random.below(Math.min(field.end - field.start, 80))
    return { start, end: start + 1, bytes: randomBytes(random, 1) }
  })
  return { what: `${edits.length} random bytes in ${nameOf(field)}`, edits }
}

function fileCounts(random: Random, { layout }: Base): Change {
  if (random.below(3) === 0) {
    const version = random.below(3) ? random.below(5) : random.uint32()
    return { what: `version ${version}`, edits: [replace(layout.version, u32(version))] }
  }
  const [what, span, count] = random.below(2)
    ? (['tensors', layout.tensorCount, layout.tensors.length] as const)
    : (['keys', layout.entryCount, layout.entries.length] as const)
  const wrong = wrongCount(random, count)
  return { what: `${wrong} ${what}`, edits: [replace(span, u64(wrong))] }
}

function keyLength(random: Random, { layout }: Base): Change {
  const { key } = pick(random, layout.entries)
  const wrong = wrongCount(random, key.end - key.start)
  return { what: `length ${wrong} of the key ${key.text}`, edits: [replace(before(key), u64(wrong))] }
}

function renamedKey(random: Random, base: Base): Change {
  const { key } = pick(random, base.layout.entries)
  const name = random.below(2) ? `${key.text}x` : knownKey(random, base)
  return { what: `${key.text} is called ${name}`, edits: [replace(withLength(key), text(name))] }
}

function removedEntry(random: Random, { layout }: Base): Change {
  const entry = pick(random, layout.entries)
  const count = replace(layout.entryCount, u64(BigInt(layout.entries.length - 1)))
  return { what: `no ${entry.key.text}`, edits: [count, replace(entry, Buffer.alloc(0))] }
}

function repeatedEntry(random: Random, { bytes, layout }: Base): Change {
  const entry = pick(random, layout.entries)
  const count = replace(layout.entryCount, u64(BigInt(layout.entries.length + 1)))
  const copy = bytes.subarray(entry.start, entry.end)
  return { what: `${entry.key.text} twice`, edits: [count, insert(entry.end, copy)] }
}

function insertedEntry(random: Random, base: Base): Change {
  const key = knownKey(random, base)
  const present = base.entry(key)
  const type = pick(random, [4, 4, 4, 5, 6, 6, 7, 8, ...SCALAR_SIZES.keys()])
  const isArray = random.below(4) === 0
  const values = Array.from({ length: isArray ? random.below(8) : 1 }, () => scalar(random, type))
  const head = isArray ? [u32(ARRAY), u32(type), u64(BigInt(values.length))] : [u32(type)]
  const bytes = Buffer.concat([text(key), ...head, ...values])
  const what = `${key} = ${isArray ? `${values.length} × ` : ''}type ${type} 0x${values[0]?.toString('hex') ?? ''}`
  if (present) return { what, edits: [replace(present, bytes)] }
  const count = replace(base.layout.entryCount, u64(BigInt(base.layout.entries.length + 1)))
  return { what, edits: [count, insert((base.layout.entries[0] as Entry).start, bytes)] }
}

function valueType(random: Random, { layout }: Base): Change {
  const { key, type } = pick(random, layout.entries)
  const wrong = random.below(10) ? random.below(14) : random.uint32()
  return { what: `type ${wrong} for ${key.text}`, edits: [replace(type, u32(wrong))] }
}

function value(random: Random, { layout }: Base): Change {
  const { key, type, value } = pick(
    random,
    layout.entries.filter((entry) => !entry.count),
  )
  const bytes = scalar(random, type.id)
  return { what: `${key.text} = 0x${bytes.toString('hex').slice(0, 80)}`, edits: [replace(value, bytes)] }
}

function arrayCount(random: Random, { layout }: Base): Change {
  const { key, count } = pick(
    random,
    layout.entries.filter((entry) => entry.count),
  ) as Required<Entry>
  const wrong = wrongCount(random, count!.value)
  return { what: `${wrong} elements of ${key.text}`, edits: [replace(count!, u64(wrong))] }
}

/** One to three elements become others; of texts, only their characters. */
function arrayElement(random: Random, { bytes, layout }: Base): Change {
  const { key, type, value, count } = pick(
    random,
    layout.entries.filter((entry) => entry.count?.value),
  )
  const edits = Array.from({ length: 1 + random.below(3) }, () => {
    const index = random.below(count!.value)
    const size = SCALAR_SIZES.get(type.id)
    const span = size
      ? { start: value.start + index * size, end: value.start + (index + 1) * size }
      : textAt(bytes, value.start, index)
    return replace(span, scalar(random, type.id))
  })
  return { what: `${edits.length} other elements in ${key.text}`, edits }
}

/** A sound array that is shorter than the others say. */
function arrayLength(random: Random, { bytes, layout }: Base): Change {
  const { key, type, value, count } = pick(
    random,
    layout.entries.filter((entry) => entry.count?.value),
  )
  const length = random.below(3) ? random.below(Math.min(count!.value, 300)) : 0
  const size = SCALAR_SIZES.get(type.id)
  const end = size ? value.start + length * size : textAt(bytes, value.start, length).start
  const edits = [replace(count!, u64(BigInt(length))), replace({ start: end, end: value.end }, Buffer.alloc(0))]
  return { what: `only ${length} elements of ${key.text}`, edits }
}

function architecture(random: Random, base: Base): Change {
  const name = pick(random, architectures)
  const edits = [replace(base.entry('general.architecture').value, text(name))]
  for (const { key } of base.layout.entries) {
    const prefix = `${base.architecture}.`
    if (key.text.startsWith(prefix)) {
      edits.push(replace(withLength(key), text(`${name}.${key.text.slice(prefix.length)}`)))
    }
  }
  return { what: `architecture ${name}`, edits }
}

function tensorName(random: Random, { layout }: Base): Change {
  const { name } = pick(random, layout.tensors)
  const other = random.below(2)
    ? pick(random, layout.tensors).name.text
    : `${name.text.slice(0, -1)}_`.repeat(1 + random.below(4))
  return { what: `the tensor ${name.text} is called ${other}`, edits: [replace(withLength(name), text(other))] }
}

function tensorRank(random: Random, { layout }: Base): Change {
  const { name, rank } = pick(random, layout.tensors)
  const wrong = random.below(5) ? random.below(6) : random.uint32()
  return { what: `${wrong} dimensions of ${name.text}`, edits: [replace(rank, u32(wrong))] }
}

function tensorDimension(random: Random, { bytes, layout }: Base): Change {
  const { name, dimensions } = pick(
    random,
    layout.tensors.filter((tensor) => tensor.dimensions.length > 0),
  )
  const span = pick(random, dimensions)
  const wrong = wrongCount(random, Number(bytes.readBigUInt64LE(span.start)))
  return { what: `a dimension of ${wrong} for ${name.text}`, edits: [replace(span, u64(wrong))] }
}

function tensorType(random: Random, { layout }: Base): Change {
  const { name, type } = pick(random, layout.tensors)
  const wrong = random.below(8) ? random.below(42) : random.uint32()
  return { what: `type ${wrong} of ${name.text}`, edits: [replace(type, u32(wrong))] }
}

/** A tensor of another type, with as much data as it then needs: a sound file that llama.cpp may not be able to run. */
function retypedTensor(random: Random, { bytes, layout }: Base): Change {
  const index = random.below(layout.tensors.length)
  const { name, dimensions, type } = layout.tensors[index] as Tensor
  const [id, blockValues, blockBytes] = pick(random, tensorTypes)
  const values = dimensions.reduce((product, { start }) => product * Number(bytes.readBigUInt64LE(start)), 1)
  const length = aligned(Math.floor(values / blockValues) * blockBytes)

  const offset = (tensor: Tensor) => Number(bytes.readBigUInt64LE(tensor.offset.start))
  const own = offset(layout.tensors[index] as Tensor)
  const later = layout.tensors.slice(index + 1)
  const end = later[0] ? offset(later[0]) : bytes.length - layout.data
  const edits = later.map((tensor) => replace(tensor.offset, u64(BigInt(offset(tensor) + length - (end - own)))))
  const data = replace({ start: layout.data + own, end: layout.data + end }, Buffer.alloc(length, 1))
  return { what: `${name.text} as type ${id}`, edits: [replace(type, u32(id)), ...edits, data] }
}

function tensorOffset(random: Random, { bytes, layout }: Base): Change {
  const { name, offset } = pick(random, layout.tensors)
  const wrong = wrongCount(random, Number(bytes.readBigUInt64LE(offset.start)))
  return { what: `offset ${wrong} of ${name.text}`, edits: [replace(offset, u64(wrong))] }
}

/** The data stays: the offsets of those behind it are then wrong, unless it is the last. */
function removedTensor(random: Random, { layout }: Base): Change {
  const tensor = random.below(2) ? pick(random, layout.tensors) : (layout.tensors.at(-1) as Tensor)
  const count = replace(layout.tensorCount, u64(BigInt(layout.tensors.length - 1)))
  return { what: `no tensor ${tensor.name.text}`, edits: [count, replace(tensor, Buffer.alloc(0))] }
}

/** A stretch of a tensor, with NaN and infinity among what it may become. */
function dataBytes(random: Random, { bytes, layout }: Base): Change {
  const start = layout.data + random.below(Math.max(1, (bytes.length - layout.data - 4096) >> 2)) * 4
  const length = Math.min(4 << random.below(10), bytes.length - start)
  const filling = pick(random, ['0000c07f', '0000807f', '000080ff', 'ffffffff', '00000000', ''])
  const other = filling ? Buffer.alloc(length, filling, 'hex') : randomBytes(random, length)
  return {
    what: `${length} bytes of data ${filling || 'random'}`,
    edits: [{ start, end: start + length, bytes: other }],
  }
}

/** A scalar of a type: the ends of its range, zero, small numbers, not-a-number, or any bits. */
function scalar(random: Random, type: number): Buffer {
  if (type === STRING) {
    return text(random.below(6) ? pick(random, words) : randomBytes(random, 1 + random.below(40)))
  }
  const bytes = Buffer.alloc(SCALAR_SIZES.get(type) ?? 4)
  const float = type === 6 ? 'writeFloatLE' : type === 12 ? 'writeDoubleLE' : undefined
  switch (random.below(6)) {
    case 0:
      return bytes
    case 1:
      return bytes.fill(0xff) // -1, the largest, or NaN
    case 2:
      if (float) bytes[float](pick(random, [NaN, Infinity, -Infinity, -1, 1e-38, 1e38]))
      else bytes[bytes.length - 1] = 0x80 // the smallest, or half of all
      return bytes
    case 3:
      return randomBytes(random, bytes.length)
    default: {
      const small = random.below(3) ? random.below(17) : 1 << random.below(20)
      if (float) bytes[float](small / 4)
      else bytes.writeUIntLE(small % 2 ** (8 * Math.min(bytes.length, 3)), 0, Math.min(bytes.length, 3))
      return bytes
    }
  }
}

function wrongCount(random: Random, count: number): bigint {
  return pick(random, [
    0n,
    1n,
    BigInt(count) + 1n,
    BigInt(Math.max(0, count - 1)),
    BigInt(count) * 2n,
    BigInt(random.below(1000)),
    1n << BigInt(random.below(64)),
    2n ** 64n - 1n,
    2n ** 63n - 1n,
    BigInt(random.uint32()),
  ])
}

function knownKey(random: Random, { architecture }: Base): string {
  return pick(random, keys).replace('%', architecture)
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[random.below(from.length)] as T
}

function randomBytes(random: Random, length: number): Buffer {
  return Buffer.from(Array.from({ length }, () => random.below(256)))
}

function nameOf(field: Entry | Tensor): string {
  return 'key' in field ? field.key.text : field.name.text
}

/** Where the element of an array of texts lies, its length included. */
function textAt(bytes: Buffer, first: number, index: number): Span {
  let start = first
  for (let i = 0; i < index; i++) start += 8 + Number(bytes.readBigUInt64LE(start))
  return { start, end: start + 8 + Number(bytes.readBigUInt64LE(start)) }
}

function before({ start }: Span): Span {
  return { start: start - 8, end: start }
}

function withLength({ start, end }: Span): Span {
  return { start: start - 8, end }
}

function replace({ start, end }: Span, bytes: Buffer): Edit {
  return { start, end, bytes }
}

function insert(at: number, bytes: Buffer): Edit {
  return { start: at, end: at, bytes }
}

function text(characters: string | Buffer): Buffer {
  const bytes = Buffer.from(characters)
  return Buffer.concat([u64(BigInt(bytes.length)), bytes])
}

function u32(number: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(number)
  return bytes
}

function u64(number: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt.asUintN(64, number))
  return bytes
}

/** Of ggml's types (ggml.h, enum ggml_type): number, values in a block, bytes of a block. */
const tensorTypes = [
  [0, 1, 4],
  [1, 1, 2],
  [2, 32, 18],
  [3, 32, 20],
  [6, 32, 22],
  [7, 32, 24],
  [8, 32, 34],
  [9, 32, 36],
  [10, 256, 84],
  [12, 256, 144],
  [14, 256, 210],
  [15, 256, 292],
  [20, 32, 18],
  [24, 1, 1],
  [25, 1, 2],
  [26, 1, 4],
  [27, 1, 8],
  [28, 1, 8],
  [30, 1, 2],
  [39, 32, 17],
] as const

/** Keys that llama.cpp reads (llama-arch.cpp, LLM_KV_NAMES); % is the architecture. */
const keys = `
general.alignment general.file_type general.name general.type general.quantization_version
%.vocab_size %.context_length %.embedding_length %.embedding_length_out %.block_count %.feed_forward_length
%.leading_dense_block_count %.expert_count %.expert_used_count %.expert_shared_count %.expert_group_count
%.expert_group_used_count %.expert_feed_forward_length %.expert_weights_scale %.expert_gating_func
%.moe_every_n_layers %.nextn_predict_layers %.n_deepstack_layers %.pooling_type %.logit_scale %.decoder_start_token_id
%.attn_logit_softcapping %.final_logit_softcapping %.rescale_every_n_layers %.residual_scale %.embedding_scale
%.token_shift_count %.interleave_moe_layer_step %.full_attention_interval %.use_parallel_residual %.hidden_activation
%.attention.head_count %.attention.head_count_kv %.attention.max_alibi_bias %.attention.clamp_kqv
%.attention.key_length %.attention.value_length %.attention.layer_norm_epsilon %.attention.layer_norm_rms_epsilon
%.attention.group_norm_epsilon %.attention.group_norm_groups %.attention.causal %.attention.q_lora_rank
%.attention.kv_lora_rank %.attention.relative_buckets_count %.attention.sliding_window
%.attention.sliding_window_pattern %.attention.scale %.attention.output_scale %.attention.temperature_length
%.attention.temperature_scale %.attention.key_length_mla %.attention.value_length_mla %.attention.key_length_swa
%.attention.value_length_swa %.attention.shared_kv_layers %.attention.recurrent_layers %.attention.indexer.head_count
%.rope.dimension_count %.rope.dimension_count_swa %.rope.dimension_sections %.rope.freq_base %.rope.freq_base_swa
%.rope.scale_linear %.rope.scaling.type %.rope.scaling.factor %.rope.scaling.alpha %.rope.scaling.attn_factor
%.rope.scaling.original_context_length %.rope.scaling.finetuned %.rope.scaling.yarn_log_multiplier
%.rope.scaling.yarn_ext_factor %.rope.scaling.yarn_attn_factor %.rope.scaling.yarn_beta_fast
%.rope.scaling.yarn_beta_slow %.ssm.conv_kernel %.ssm.inner_size %.ssm.state_size %.ssm.time_step_rank
%.ssm.group_count %.ssm.dt_b_c_rms %.wkv.head_size %.shortconv.l_cache %.classifier.output_labels
tokenizer.ggml.model tokenizer.ggml.pre tokenizer.ggml.tokens tokenizer.ggml.token_type
tokenizer.ggml.token_type_count tokenizer.ggml.scores tokenizer.ggml.merges tokenizer.ggml.bos_token_id
tokenizer.ggml.eos_token_id tokenizer.ggml.eot_token_id tokenizer.ggml.eom_token_id tokenizer.ggml.unknown_token_id
tokenizer.ggml.seperator_token_id tokenizer.ggml.padding_token_id tokenizer.ggml.mask_token_id
tokenizer.ggml.add_bos_token tokenizer.ggml.add_eos_token tokenizer.ggml.add_sep_token tokenizer.ggml.add_space_prefix
tokenizer.ggml.remove_extra_whitespaces tokenizer.ggml.precompiled_charsmap tokenizer.ggml.suppress_tokens
tokenizer.ggml.fim_pre_token_id tokenizer.ggml.normalizer.lowercase tokenizer.huggingface.json
tokenizer.chat_template split.no split.count split.tensors.count`
  .trim()
  .split(/\s+/)

/** All that llama.cpp knows (llama-arch.cpp, LLM_ARCH_NAMES), and one that it does not. */
const architectures = `
clip llama llama4 deci falcon grok gpt2 gptj gptneox mpt baichuan starcoder refact bert modern-bert nomic-bert
nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert bloom stablelm qwen qwen2 qwen2moe qwen2vl qwen3 qwen3moe
qwen3next qwen3vl qwen3vlmoe qwen35 qwen35moe qwen4exp phi2 phi3 phimoe plamo plamo2 plamo3 codeshell orion internlm2
minicpm minicpm3 gemma gemma2 gemma3 gemma3n gemma4 gemma4-assistant gemma-embedding starcoder2 mamba mamba2 maple
jamba falcon-h1 xverse command-r cohere2 cohere2moe dbrx olmo olmo2 olmoe muse-glimmer openelm arctic deepseek
deepseek2 deepseek2-ocr deepseek32 deepseek4 chatglm glm4 glm4moe glm-dsa bitnet t5 t5encoder jais jais2 nemotron
nemotron_h nemotron_h_moe exaone exaone4 exaone-moe rwkv6 rwkv6qwen2 rwkv7 arwkv7 granite granitemoe granitehybrid
graniteswitch granite_swa chameleon wavtokenizer-dec plm bailingmoe bailingmoe2 bailingmoe3 dots1 dots3note arcee
afmoe laguna ernie4_5 ernie4_5-moe hunyuan-moe hunyuan-dense hunyuan_vl hy_v3 hy_v4 smollm3 gpt-oss lfm2 lfm2moe dream
smallthinker llada llada-moe seed_oss grovemoe apertus minimax-01 hrm_text minimax-m2 minimax-m3 cogvlm rnd1
pangu-embedded mistral3 eagle3 dflash mistral4 paddleocr mimo2 step35 spark2_5 llama-embed maincoder kimi-linear
kimi-k3 talkie mellum nanbeige qwen3tts pockettts flux`
  .trim()
  .split(/\s+/)

/** Values of texts: tokenizers, pre-tokenizers, kinds of scaling, and what a text should not be. */
const words = [
  ...'llama gpt2 bert t5 rwkv plamo2 gemma4 hybriddna whitespace none no_vocab test'.split(' '),
  ...'default llama-bpe deepseek-llm falcon qwen2 gpt-4o tekken chatglm-bpe superbpe kimi-k2 bailingmoe'.split(' '),
  ...'linear yarn longrope none silu gelu model adapter imatrix mmproj'.split(' '),
  ...[
    '',
    ' ',
    '\0',
    '<|im_end|>',
    '<s>',
    '▁',
    '\n',
    '<0x0A>',
    'a b c',
    'é\u{1f642}',
    '{{',
    '{% if %}',
    '{%- for x in y -%}',
  ],
  'a'.repeat(100_000),
]
