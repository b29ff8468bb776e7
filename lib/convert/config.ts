/** A Qwen2 model's config.json, as transformers 4 and 5 write it, and the `qwen2.*` keys it becomes. */
import { boolean, integer, numeric } from '../base/checks.js'
import { invalid, unsupported } from './failure.js'
import type { Metadata } from './gguf.js'
import { list, type Section, string } from './json.js'

export interface Qwen2Config {
  layers: number
  /** Embedding length. */
  width: number
  heads: number
  kvHeads: number
  /** Width of a head. */
  headWidth: number
  feedForward: number
  vocabularySize: number
  /** The output matrix is the embedding matrix. */
  tied: boolean
  /** `qwen2.*` */
  metadata: Metadata
}

const size = integer(1, 2 ** 31 - 1)
/** llama.cpp's limit (llama-hparams.h, LLAMA_MAX_LAYERS). */
const layerCount = integer(1, 512)
const positive = numeric('positive number', (value) => value > 0 && Number.isFinite(value))

/**
 * @throws {Z1Error} MODEL_INVALID for what is missing or invalid; MODEL_UNSUPPORTED for another architecture, and for
 * what llama.cpp does not compute for this one (src/models/qwen2.cpp).
 */
export function readConfig(config: Section): Qwen2Config {
  const [architecture, ...others] = config.read('architectures', list)
  if (architecture !== 'Qwen2ForCausalLM' || others.length > 0) {
    const found = [architecture, ...others].join(', ')
    throw unsupported(config.path, `its architecture is ${found}; only Qwen2ForCausalLM is supported`)
  }
  checkSupported(config)

  const layers = config.read('num_hidden_layers', layerCount)
  const width = config.read('hidden_size', size)
  const heads = config.read('num_attention_heads', size)
  const kvHeads = config.read('num_key_value_heads', size)
  const feedForward = config.read('intermediate_size', size)
  const headWidth = config.find('head_dim', size) ?? width / heads
  if (headWidth * heads !== width) {
    throw unsupported(config.path, `${heads} heads of ${headWidth} are not as wide as hidden_size, ${width}`)
  }
  if (!Number.isInteger(headWidth) || headWidth % 2 !== 0 || heads % kvHeads !== 0) {
    throw invalid(
      config.path,
      `hidden_size ${width} does not divide into ${heads} heads and ${kvHeads} key-value heads`,
    )
  }

  const metadata: Metadata = new Map([
    ['qwen2.block_count', { type: 'uint32', value: layers }],
    ['qwen2.context_length', { type: 'uint32', value: config.read('max_position_embeddings', size) }],
    ['qwen2.embedding_length', { type: 'uint32', value: width }],
    ['qwen2.feed_forward_length', { type: 'uint32', value: feedForward }],
    ['qwen2.attention.head_count', { type: 'uint32', value: heads }],
    ['qwen2.attention.head_count_kv', { type: 'uint32', value: kvHeads }],
    ...rotation(config),
    ['qwen2.attention.layer_norm_rms_epsilon', { type: 'float32', value: config.read('rms_norm_eps', positive) }],
  ])
  if (config.has('head_dim')) {
    metadata.set('qwen2.attention.key_length', { type: 'uint32', value: headWidth })
    metadata.set('qwen2.attention.value_length', { type: 'uint32', value: headWidth })
  }
  return {
    layers,
    width,
    heads,
    kvHeads,
    headWidth,
    feedForward,
    vocabularySize: config.read('vocab_size', size),
    // Absent, it has the default of transformers' Qwen2Config.
    tied: config.find('tie_word_embeddings', boolean) ?? false,
    metadata,
  }
}

function checkSupported(config: Section): void {
  const activation = config.read('hidden_act', string)
  if (activation !== 'silu') throw unsupported(config.path, `its activation is ${activation}; llama.cpp computes silu`)
  if (config.has('quantization_config')) {
    throw unsupported(config.path, 'its weights are quantized; convert the model that they were made from')
  }
  if (config.find('is_causal', boolean) === false) throw unsupported(config.path, 'its attention is not causal')

  const context = config.read('max_position_embeddings', size)
  const window = config.find('sliding_window', size) ?? Infinity
  const slides = config.has('layer_types')
    ? config.read('layer_types', list).some((type) => type !== 'full_attention')
    : config.find('use_sliding_window', boolean) === true
  if (slides && window < context) {
    throw unsupported(config.path, `its attention slides over ${window} tokens; llama.cpp computes full attention`)
  }
}

/** Rotary position embedding: transformers 5 has it all in `rope_parameters`, 4 in `rope_theta` and `rope_scaling`. */
function rotation(config: Section): Metadata {
  const key = ['rope_parameters', 'rope_scaling'].find((name) => config.has(name))
  const rope = key === undefined ? undefined : config.section(key)
  const type = rope?.find('rope_type', string) ?? rope?.find('type', string) ?? 'default'
  const scaled = type === 'linear' || type === 'yarn'
  if (!scaled && type !== 'default') {
    throw unsupported(config.path, `its rope_type is ${type}; only default, linear and yarn are supported`)
  }
  for (const name of Object.keys(rope?.fields ?? {})) {
    const known = ROPE_KEYS[type].includes(name) || (name === 'partial_rotary_factor' && rope?.get(name) === 1)
    if (rope?.has(name) && !known)
      throw unsupported(config.path, `${rope.prefix}${name} is unknown for rope_type ${type}`)
  }

  const base = rope?.find('rope_theta', positive) ?? config.read('rope_theta', positive)
  if (config.has('rope_theta') && config.get('rope_theta') !== base) {
    throw invalid(config.path, `rope_theta is ${config.get('rope_theta')}, but ${key}.rope_theta is ${base}`)
  }
  const keys: Metadata = new Map()
  if (rope && scaled) {
    keys.set('qwen2.rope.scaling.type', { type: 'string', value: type })
    keys.set('qwen2.rope.scaling.factor', { type: 'float32', value: rope.read('factor', positive) })
    if (type === 'yarn') {
      const original = 'original_max_position_embeddings'
      const value = rope.find(original, size) ?? config.find(original, size) ?? rope.read(original, size)
      keys.set('qwen2.rope.scaling.original_context_length', { type: 'uint32', value })
      // llama.cpp reads them for two other architectures only, and computes with these values for all the rest.
      for (const [beta, only] of [
        ['beta_fast', 32],
        ['beta_slow', 1],
      ] as const) {
        const value = rope.find(beta, positive)
        if (value === undefined) continue
        if (value !== only)
          throw unsupported(config.path, `${rope.prefix}${beta} is ${value}; llama.cpp computes ${only}`)
        keys.set(`qwen2.rope.scaling.yarn_${beta}`, { type: 'float32', value })
      }
    }
  }
  return keys.set('qwen2.rope.freq_base', { type: 'float32', value: base })
}

/** `attention_factor` is not among them: llama.cpp multiplies its own factor with it, where transformers replaces it. */
const ROPE_KEYS = {
  default: ['rope_theta', 'rope_type', 'type'],
  linear: ['rope_theta', 'rope_type', 'type', 'factor'],
  yarn: ['rope_theta', 'rope_type', 'type', 'factor', 'original_max_position_embeddings', 'beta_fast', 'beta_slow'],
}
