/** Which tensor of a Qwen2 checkpoint becomes which of llama.cpp's, and whether all are there in the right shape. */
import type { Qwen2Config } from './config.js'
import { invalid } from './failure.js'
import type { StoredTensor } from './safetensors.js'

/** A tensor with llama.cpp's name. */
export interface ModelTensor {
  name: string
  /** ggml's order: the first dimension is the contiguous one. */
  shape: number[]
  /** Has rows and columns. Other tensors stay F32, as llama.cpp demands. */
  matrix: boolean
  stored: StoredTensor
}

/**
 * In the order of `stored`, which is that of llama.cpp's own converter when shards and names are sorted.
 * @param path Of the folder, for messages.
 * @throws {Z1Error} MODEL_INVALID for tensors that are missing, twice there, of no use, or of another shape.
 */
export function matchTensors(config: Qwen2Config, stored: readonly StoredTensor[], path: string): ModelTensor[] {
  const expected = expectedTensors(config)
  const found = new Map<string, StoredTensor>()
  const tensors: ModelTensor[] = []
  for (const tensor of stored) {
    // Older versions of transformers saved this constant.
    if (tensor.name.endsWith('.rotary_emb.inv_freq')) continue
    const other = found.get(tensor.name)
    if (other) throw invalid(tensor.path, `the tensor ${tensor.name} is in ${other.path} too`)
    found.set(tensor.name, tensor)
    const match = expected.get(tensor.name)
    if (!match)
      throw invalid(tensor.path, `the tensor ${tensor.name} is not of a Qwen2 model of ${config.layers} layers`)
    if (match.shape.join() !== tensor.shape.join()) {
      const [has, needs] = [tensor.shape, match.shape].map((shape) => shape.join(' × '))
      throw invalid(tensor.path, `the tensor ${tensor.name} is ${has}; by config.json it is ${needs}`)
    }
    tensors.push({ name: match.name, shape: match.shape.toReversed(), matrix: match.shape.length > 1, stored: tensor })
  }
  const missing = [...expected.keys()].filter((name) => !found.has(name) && !(config.tied && name === OUTPUT))
  if (missing.length > 0) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : ''
    throw invalid(path, `the tensor ${missing[0]}${more} is missing`)
  }
  return tensors
}

const OUTPUT = 'lm_head.weight'

/** By the checkpoint's names; shapes in PyTorch's order. */
export function expectedTensors(config: Qwen2Config): Map<string, { name: string; shape: number[] }> {
  const { layers, width, kvHeads, headWidth, feedForward, vocabularySize } = config
  const tensors = new Map<string, { name: string; shape: number[] }>()
  const add = (from: string, name: string, ...shape: number[]) => tensors.set(from, { name, shape })
  add('model.embed_tokens.weight', 'token_embd.weight', vocabularySize, width)
  add('model.norm.weight', 'output_norm.weight', width)
  add(OUTPUT, 'output.weight', vocabularySize, width)
  for (let i = 0; i < layers; i++) {
    const [from, to] = [`model.layers.${i}`, `blk.${i}`]
    add(`${from}.input_layernorm.weight`, `${to}.attn_norm.weight`, width)
    for (const [letter, rows] of [
      ['q', width],
      ['k', kvHeads * headWidth],
      ['v', kvHeads * headWidth],
    ] as const) {
      add(`${from}.self_attn.${letter}_proj.weight`, `${to}.attn_${letter}.weight`, rows, width)
      add(`${from}.self_attn.${letter}_proj.bias`, `${to}.attn_${letter}.bias`, rows)
    }
    add(`${from}.self_attn.o_proj.weight`, `${to}.attn_output.weight`, width, width)
    add(`${from}.post_attention_layernorm.weight`, `${to}.ffn_norm.weight`, width)
    add(`${from}.mlp.gate_proj.weight`, `${to}.ffn_gate.weight`, feedForward, width)
    add(`${from}.mlp.up_proj.weight`, `${to}.ffn_up.weight`, feedForward, width)
    add(`${from}.mlp.down_proj.weight`, `${to}.ffn_down.weight`, width, feedForward)
  }
  return tensors
}
