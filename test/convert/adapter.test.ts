/** An adapter in PEFT's layout becomes a file with its numbers, which does what the adapter merged into its model does. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type ConvertOptions, convert } from '../../lib/convert/index.js'
import { type LoadOptions, Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { readGguf, readTensor } from '../support/gguf.js'
import { Random } from '../support/random.js'
import { checkpoint, type Json, safetensors, type Tensor, writeJson } from './checkpoint.js'

const folder = temporaryFolder()()
const rank = 4
const alpha = 6
let base: string
let merged: string
let adapter: Map<string, Tensor>
let count = 0

/** Rows and columns of what is changed, by the checkpoint's names. */
const changed: Record<string, [number, number]> = {
  'model.layers.0.self_attn.q_proj': [64, 64],
  'model.layers.1.self_attn.k_proj': [32, 64],
  'model.layers.0.self_attn.v_proj': [32, 64],
  'model.layers.1.self_attn.o_proj': [64, 64],
  'model.layers.0.mlp.gate_proj': [96, 64],
  'model.layers.1.mlp.up_proj': [96, 64],
  'model.layers.0.mlp.down_proj': [64, 96],
  lm_head: [0, 64],
}

const config: Json = {
  peft_type: 'LORA',
  r: rank,
  lora_alpha: alpha,
  bias: 'none',
  fan_in_fan_out: false,
  use_dora: false,
  use_rslora: false,
  alpha_pattern: {},
  rank_pattern: {},
  modules_to_save: null,
  task_type: 'CAUSAL_LM',
}

function normal(name: string, shape: number[], deviation: number): Tensor {
  const values = new Float32Array(shape.reduce((product, n) => product * n, 1))
  new Random(7, name).fillNormal(values, deviation)
  return { shape, values, dtype: 'F32' }
}

beforeAll(() => {
  base = checkpoint(join(folder, 'base'), { tied: false })
  adapter = new Map()
  // What PEFT's merge_and_unload() does: W + B A × alpha / rank.
  const change = (tensors: Map<string, Tensor>) => {
    for (const [module, [, columns]] of Object.entries(changed)) {
      const { shape, values } = tensors.get(`${module}.weight`) as Tensor
      const rows = shape[0] as number
      const a = normal(`${module}.a`, [rank, columns], 1 / Math.sqrt(columns))
      const b = normal(`${module}.b`, [rows, rank], 1)
      adapter.set(`base_model.model.${module}.lora_A.weight`, a)
      adapter.set(`base_model.model.${module}.lora_B.weight`, b)
      for (let i = 0; i < values.length; i++) {
        const [row, column] = [Math.floor(i / columns), i % columns]
        let sum = 0
        for (let k = 0; k < rank; k++)
          sum += (b.values[row * rank + k] as number) * (a.values[k * columns + column] as number)
        values[i] = (values[i] as number) + (sum * alpha) / rank
      }
    }
  }
  merged = checkpoint(join(folder, 'merged'), { tied: false, change })
})

function adapterFolder(edit: { config?: Json; tensors?: (tensors: Map<string, Tensor>) => void } = {}): string {
  const path = join(folder, `adapter-${count++}`)
  mkdirSync(path)
  const tensors = new Map(adapter)
  edit.tensors?.(tensors)
  writeJson(path, 'adapter_config.json', { base_model_name_or_path: base, ...config, ...edit.config })
  writeFileSync(join(path, 'adapter_model.safetensors'), safetensors(tensors))
  return path
}

it('keeps every number, under llama.cpp’s names and in its order of dimensions', async () => {
  const model = adapterFolder()
  const { path, type, tensors: written } = await convert({ model })
  expect({ path, type, written }).toEqual({ path: `${model}-F32.gguf`, type: 'f32', written: 16 })
  const { metadata, tensors } = readGguf(path)
  const values = Object.fromEntries([...metadata].map(([key, { value }]) => [key, value]))
  expect(values).toMatchObject({
    'general.architecture': 'qwen2',
    'general.type': 'adapter',
    'adapter.type': 'lora',
    'adapter.lora.alpha': alpha,
  })
  for (const [from, to] of [
    ['model.layers.0.self_attn.q_proj.lora_A', 'blk.0.attn_q.weight.lora_a'],
    ['model.layers.0.mlp.down_proj.lora_B', 'blk.0.ffn_down.weight.lora_b'],
    ['lm_head.lora_B', 'output.weight.lora_b'],
  ]) {
    const tensor = tensors.find(({ name }) => name === to)
    const stored = adapter.get(`base_model.model.${from}.weight`) as Tensor
    expect(tensor?.shape).toEqual(stored.shape.toReversed())
    expect(readTensor(path, tensor!)).toEqual(stored.values)
  }
})

it('has the factor of rsLoRA as an alpha', async () => {
  // PEFT: lora_alpha / √r; llama.cpp: alpha / rank.
  const { path } = await convert({ model: adapterFolder({ config: { use_rslora: true } }) })
  expect(readGguf(path).metadata.get('adapter.lora.alpha')?.value).toBe(alpha * 2)
})

it('does what the adapter merged into its model does, which is more than the model', async () => {
  const [plain, whole] = await Promise.all([convert({ model: base }), convert({ model: merged })])
  const lora = (await convert({ model: adapterFolder(), base, type: 'f32' })).path
  const answers = async (options: LoadOptions) => {
    await using z1 = await Z1.load({ ...options, contextSize: 256, threads: 1, engine: 'cpu' })
    const asked = ['What is it?', 'x = 3', 'the sum'].map((text) => {
      return z1.reason(text, { thinkingWindow: 12, maxTokens: 4, cachePrompt: false })
    })
    return (await Promise.all(asked)).map(({ tokens }) => tokens)
  }
  const expected = await answers({ model: whole.path })
  expect(await answers({ model: plain.path, lora })).toEqual(expected)
  expect(await answers({ model: plain.path })).not.toEqual(expected)
})

describe('refuses', () => {
  const first = 'base_model.model.lm_head.lora_A.weight'
  it.each<[string, Parameters<typeof adapterFolder>[0], Partial<ConvertOptions>, string, string]>([
    ['another method', { config: { peft_type: 'IA3' } }, {}, 'MODEL_UNSUPPORTED', 'peft_type is IA3'],
    ['DoRA', { config: { use_dora: true } }, {}, 'MODEL_UNSUPPORTED', 'use_dora is true'],
    [
      'rsLoRA of several ranks',
      { config: { use_rslora: true, rank_pattern: { q_proj: 2 } } },
      {},
      'MODEL_UNSUPPORTED',
      'use_rslora is true and rank_pattern is given',
    ],
    ['biases', { config: { bias: 'all' } }, {}, 'MODEL_UNSUPPORTED', 'bias is all'],
    ['alphas', { config: { alpha_pattern: { q_proj: 2 } } }, {}, 'MODEL_UNSUPPORTED', 'alpha_pattern is given'],
    [
      'whole modules',
      { config: { modules_to_save: ['lm_head'] } },
      {},
      'MODEL_UNSUPPORTED',
      'modules_to_save is given',
    ],
    ['no alpha', { config: { lora_alpha: null } }, {}, 'MODEL_INVALID', 'lora_alpha is missing'],
    [
      'a base that is not there',
      { config: { base_model_name_or_path: 'Qwen/nowhere' } },
      {},
      'MODEL_NOT_FOUND',
      'there is no config.json of its base model Qwen/nowhere: give the folder of the base model (base, --base)',
    ],
    [
      'another tensor',
      { tensors: (all) => all.set('base_model.model.model.norm.weight', normal('n', [64], 1)) },
      {},
      'MODEL_UNSUPPORTED',
      'model.norm.weight is not of a LoRA',
    ],
    [
      'one matrix of two',
      { tensors: (all) => all.delete(first) },
      {},
      'MODEL_INVALID',
      'the two matrices of output.weight',
    ],
    ['another shape', { tensors: (all) => all.set(first, normal('n', [4, 63], 1)) }, {}, 'MODEL_INVALID', 'is 4 × 63'],
    ['no tensors', { tensors: (all) => all.clear() }, {}, 'MODEL_INVALID', 'its adapter has no tensors'],
    ['a quantized type', {}, { type: 'q8_0' }, 'undefined', 'Expected f32, f16 or bf16 for type but received q8_0'],
    ['a window', {}, { thinkingWindow: 4 }, 'undefined', 'Expected no thinkingWindow'],
  ])('%s', async (_, edit, options, code, sentence) => {
    const model = adapterFolder(edit)
    const output = `${model}.gguf`
    const error = await convert({ model, output, ...options }).catch((reason) => reason)
    expect([String(error.code), error.message]).toEqual([code, expect.stringContaining(sentence)])
    expect(existsSync(output)).toBe(false)
  })

  it('a base beside a model', async () => {
    await expect(convert({ model: base, base })).rejects.toThrow('Expected no base')
  })

  it('what changes an output that is the embeddings, too', async () => {
    const tied = checkpoint(join(folder, 'tied'))
    const refused = convert({ model: adapterFolder(), base: tied })
    await expect(refused).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      message: expect.stringContaining('lm_head.lora_A.weight changes the embeddings'),
    })
  })
})
