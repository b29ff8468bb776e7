/** A LoRA adapter in PEFT's layout, read and checked against its base model's config.json: what becomes of it in a GGUF file. */
import { readdir } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { sum } from 'd3-array'
import { boolean, integer, numeric } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { type Qwen2Config, readConfig } from './config.js'
import { invalid, unsupported } from './failure.js'
import { FLOAT_BYTES } from './floats.js'
import { readJson, type Section, string } from './json.js'
import { readSafetensors, type StoredTensor } from './safetensors.js'
import type { Source } from './source.js'
import { expectedTensors, type ModelTensor } from './tensors.js'

/** Whether a folder holds an adapter and no model. */
export async function isAdapterFolder(folder: string): Promise<boolean> {
  const names = await readdir(folder).catch((): string[] => [])
  return (
    names.includes('adapter_config.json') && !names.some((name) => /^model.*\.safetensors(\.index\.json)?$/.test(name))
  )
}

/**
 * @param base Folder with the config.json of the model that it was made for. Default: the one that the adapter names, if it is
 * a folder.
 * @throws {Z1Error} MODEL_NOT_FOUND without that file; MODEL_INVALID, MODEL_UNSUPPORTED.
 */
export async function readAdapter(folder: string, base: string | undefined): Promise<Source> {
  if (!(await readdir(folder)).includes('adapter_model.safetensors')) {
    throw unsupported(folder, 'it has no adapter_model.safetensors, the only form of weights that is supported')
  }
  const config = (await readJson(join(folder, 'adapter_config.json'))) as Section
  const alpha = checkSupported(config)
  const model = readConfig(await baseConfig(config, base))
  const stored = await readSafetensors(join(folder, 'adapter_model.safetensors'))
  const tensors = matchAdapter(model, stored, folder)
  const types = new Set(tensors.map((tensor) => tensor.stored.type))
  return {
    metadata: new Map([
      ['general.architecture', { type: 'string', value: 'qwen2' }],
      ['general.type', { type: 'string', value: 'adapter' }],
      ['adapter.type', { type: 'string', value: 'lora' }],
      ['general.name', { type: 'string', value: basename(resolve(folder)) }],
      ['adapter.lora.alpha', { type: 'float32', value: alpha }],
      // ggml.h GGML_QNT_VERSION.
      ['general.quantization_version', { type: 'uint32', value: 2 }],
    ]),
    tensors,
    parameters: sum(tensors, ({ stored: { size, type } }) => size / FLOAT_BYTES[type]),
    type: types.size === 1 ? ([...types][0] as StoredTensor['type']) : 'F32',
    files: [join(folder, 'adapter_config.json'), join(folder, 'adapter_model.safetensors')],
  }
}

const positive = numeric('number above 0', (value) => value > 0 && Number.isFinite(value))

/** Gives alpha: what an adapter adds is multiplied by alpha / rank. What llama.cpp multiplies it by is nothing else. */
function checkSupported(config: Section): number {
  const type = config.read('peft_type', string)
  if (type !== 'LORA') throw unsupported(config.path, `peft_type is ${type}; only LORA is supported`)
  for (const key of ['use_dora', 'fan_in_fan_out', 'lora_bias']) {
    if (config.find(key, boolean)) throw unsupported(config.path, `${key} is true, which is not supported`)
  }
  if ((config.find('bias', string) ?? 'none') !== 'none') {
    throw unsupported(config.path, `bias is ${config.read('bias', string)}; only none is supported`)
  }
  for (const key of [
    'alpha_pattern',
    'modules_to_save',
    'layer_replication',
    'alora_invocation_tokens',
    'trainable_token_indices',
  ]) {
    if (isGiven(config, key)) throw unsupported(config.path, `${key} is given, which is not supported`)
  }
  const rank = config.read('r', integer(1, 2 ** 31 - 1))
  const alpha = config.read('lora_alpha', positive)
  if (!config.find('use_rslora', boolean)) return alpha
  // Its factor is alpha / √rank: of another rank, another alpha would be needed, and a file has one.
  if (isGiven(config, 'rank_pattern'))
    throw unsupported(config.path, 'use_rslora is true and rank_pattern is given, which is not supported')
  return alpha * Math.sqrt(rank)
}

function isGiven(config: Section, key: string): boolean {
  const value = config.get(key)
  return value !== undefined && !(typeof value === 'object' && value !== null && Object.keys(value).length === 0)
}

async function baseConfig(config: Section, base: string | undefined): Promise<Section> {
  const named = config.find('base_model_name_or_path', string)
  const folder = base ?? named
  const found = folder === undefined ? undefined : await readJson(join(folder, 'config.json'))
  if (found) return found
  const what = base === undefined ? `its base model ${named ?? '(which it does not name)'}` : base
  throw new Z1Error(
    'MODEL_NOT_FOUND',
    `${config.path}: there is no config.json of ${what}: give the folder of the base model (base, --base)`,
  )
}

/** PEFT's names are those of the checkpoint between a prefix and a suffix. */
function matchAdapter(model: Qwen2Config, stored: readonly StoredTensor[], folder: string): ModelTensor[] {
  const expected = expectedTensors(model)
  const tensors: ModelTensor[] = []
  const ranks = new Map<string, Map<string, number>>()
  for (const tensor of stored) {
    const [, module, letter] = /^base_model\.model\.(.+)\.lora_([AB])\.weight$/.exec(tensor.name) ?? []
    const match = module === undefined ? undefined : expected.get(`${module}.weight`)
    if (match === undefined || match.shape.length < 2 || letter === undefined) {
      throw unsupported(
        tensor.path,
        `the tensor ${tensor.name} is not of a LoRA of a Qwen2 model of ${model.layers} layers`,
      )
    }
    if (match.name === 'token_embd.weight' || (match.name === 'output.weight' && model.tied)) {
      throw unsupported(tensor.path, `the tensor ${tensor.name} changes the embeddings, which is not supported`)
    }
    const [rows = 0, columns = 0] = match.shape
    const [first = 0, last = 0] = tensor.shape
    const [rank, length, needed] = letter === 'A' ? [first, last, columns] : [last, first, rows]
    if (tensor.shape.length !== 2 || rank < 1 || length !== needed) {
      throw invalid(
        tensor.path,
        `the tensor ${tensor.name} is ${tensor.shape.join(' × ')}; the base model has ${rows} × ${columns} there`,
      )
    }
    const pair = ranks.get(match.name) ?? new Map()
    ranks.set(match.name, pair.set(letter, rank))
    const name = `${match.name}.lora_${letter.toLowerCase()}`
    tensors.push({ name, shape: tensor.shape.toReversed(), matrix: true, stored: tensor })
  }
  if (tensors.length === 0) throw invalid(folder, 'its adapter has no tensors')
  for (const [name, pair] of ranks) {
    if (pair.get('A') !== pair.get('B')) {
      throw invalid(folder, `the two matrices of ${name} are not there with the same rank`)
    }
  }
  return tensors
}
