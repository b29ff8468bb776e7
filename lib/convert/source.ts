/** A checkpoint in Hugging Face's layout, read and checked: all that a model file says, and where its tensors lie. */
import { readdir, stat } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { sum } from 'd3-array'
import { boolean, integer, numeric } from '../base/checks.js'
import { Z1Error } from '../base/errors.js'
import { otherThanCheckpoint } from '../reason/model-file.js'
import { chatTemplateMetadata } from './chat-template.js'
import { readConfig } from './config.js'
import { invalid, unsupported } from './failure.js'
import { FLOAT_BYTES } from './floats.js'
import type { Metadata } from './gguf.js'
import { readJson, Section, string } from './json.js'
import { checkTensorCount, piecesOf, readSafetensors, type StoredTensor } from './safetensors.js'
import { type ModelTensor, matchTensors } from './tensors.js'
import { FILE_TYPES, type FloatType, PLAIN_TYPES } from './types.js'
import { vocabularyMetadata } from './vocabulary.js'

export interface Source {
  /** Every key but `general.file_type`. */
  metadata: Metadata
  tensors: ModelTensor[]
  parameters: number
  /** The type of the matrices; F32 if they are of several. */
  type: FloatType
  /** All that belongs to the checkpoint, whether it was read or not. */
  files: string[]
}

/** @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED */
export async function readSource(folder: string): Promise<Source> {
  await checkFolder(folder)
  const other = await otherThanCheckpoint(folder)
  if (other !== null) throw new Z1Error('MODEL_UNSUPPORTED', `${folder} ${other}`)
  const config = readConfigFile(folder, await readJson(join(folder, 'config.json')))
  const model = readConfig(config)
  const tokenizer = await readJson(join(folder, 'tokenizer.json'))
  if (!tokenizer) throw unsupported(folder, 'it has no tokenizer.json, the only form of vocabulary that is supported')
  const tokenizerConfigPath = join(folder, 'tokenizer_config.json')
  const tokenizerConfig = (await readJson(tokenizerConfigPath)) ?? new Section(tokenizerConfigPath, '', {})
  const vocabulary = vocabularyMetadata({ config, tokenizer, tokenizerConfig }, model.vocabularySize)
  const templates = await chatTemplateMetadata(folder, tokenizerConfig)
  const sampling = await samplingMetadata(folder)

  const tensors = matchTensors(model, await storedTensors(folder), folder)
  if (model.tied) await checkTied(tensors)
  const parameters = sum(tensors, ({ stored }) => stored.size / FLOAT_BYTES[stored.type])
  const types = new Set(tensors.filter(({ matrix }) => matrix).map(({ stored }) => stored.type))
  const [type] = types.size === 1 ? types : (['F32'] as const)
  const metadata: Metadata = new Map([
    ['general.architecture', { type: 'string', value: 'qwen2' }],
    ['general.type', { type: 'string', value: 'model' }],
    ...sampling,
    ['general.name', { type: 'string', value: basename(resolve(folder)) }],
    ['general.size_label', { type: 'string', value: sizeLabel(parameters) }],
    ...model.metadata,
    // ggml.h GGML_QNT_VERSION.
    ['general.quantization_version', { type: 'uint32', value: 2 }],
    ...vocabulary,
    ...templates,
  ])
  return { metadata, tensors, parameters, type: type as FloatType, files: await filesOf(folder) }
}

/** A GGUF file beside a checkpoint was made of it. */
async function filesOf(folder: string): Promise<string[]> {
  const folders = [folder, join(folder, 'additional_chat_templates')]
  const names = await Promise.all(folders.map((path) => readdir(path).catch(() => [])))
  return folders
    .flatMap((path, i) => (names[i] ?? []).map((name) => join(path, name)))
    .filter((path) => !/\.gguf$/i.test(path))
}

/** The key that says which file type it is, for the header. */
export function fileTypeMetadata(type: FloatType): Metadata {
  return new Map([['general.file_type', { type: 'uint32', value: FILE_TYPES[PLAIN_TYPES[type]] }]])
}

async function checkFolder(folder: string): Promise<void> {
  try {
    if ((await stat(folder)).isDirectory()) return
  } catch (cause) {
    throw new Z1Error('MODEL_NOT_FOUND', `No model at ${folder}: ${(cause as Error).message}`, { cause })
  }
  throw invalid(folder, 'not a directory (to re-quantize a GGUF file use z1 quantize)')
}

function readConfigFile(folder: string, config: Section | undefined): Section {
  if (!config) throw invalid(folder, 'it has no config.json')
  return config
}

/** The tensors of all files, by file and name in order. */
async function storedTensors(folder: string): Promise<StoredTensor[]> {
  const single = join(folder, 'model.safetensors')
  const isSingle = await exists(single)
  const index = await readJson(join(folder, 'model.safetensors.index.json'))
  if (isSingle && index) throw invalid(index.path, 'model.safetensors is there too; remove the one that is old')
  if (isSingle) return readSafetensors(single)
  if (!index) throw invalid(folder, 'it has neither model.safetensors nor model.safetensors.index.json')

  const map = index.section('weight_map')
  checkTensorCount(Object.keys(map.fields).length, index.path)
  const fileOf = new Map(Object.keys(map.fields).map((name) => [name, map.read(name, string)]))
  const tensors: StoredTensor[] = []
  for (const file of [...new Set(fileOf.values())].sort()) {
    if (basename(file) !== file) throw invalid(index.path, `it names ${file}, which is not a file of this folder`)
    tensors.push(...(await readSafetensors(join(folder, file))))
  }
  const found = new Map(tensors.map(({ name, path }) => [name, path]))
  for (const [name, file] of fileOf) {
    if (found.get(name) !== join(folder, file)) throw invalid(index.path, `${file} does not hold the tensor ${name}`)
  }
  for (const { name, path } of tensors) {
    if (!fileOf.has(name)) throw invalid(path, `the tensor ${name} is not in model.safetensors.index.json`)
  }
  return tensors
}

/**
 * Some checkpoints with tied embeddings hold the matrix twice. Should the two differ, it depends on the release of
 * transformers which one is computed with.
 */
async function checkTied(tensors: readonly ModelTensor[]): Promise<void> {
  const output = tensors.find(({ name }) => name === 'output.weight')?.stored
  const embeddings = tensors.find(({ name }) => name === 'token_embd.weight')?.stored
  if (!output || !embeddings) return
  const differ = `the tensors ${embeddings.name} and ${output.name} differ, but config.json says that they are one`
  if (output.type !== embeddings.type) throw invalid(output.path, differ)
  const pieces = piecesOf(embeddings)
  try {
    for await (const bytes of piecesOf(output)) {
      const { value } = await pieces.next()
      if (Buffer.compare(bytes, value as Uint8Array) !== 0) throw invalid(output.path, differ)
    }
  } finally {
    await pieces.return()
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** What generation_config.json recommends, under the keys of gguf-py's metadata.py. */
async function samplingMetadata(folder: string): Promise<Metadata> {
  const generation = await readJson(join(folder, 'generation_config.json'))
  const metadata: Metadata = new Map()
  // Then transformers decodes greedily, and does not look at the others.
  if (generation?.find('do_sample', boolean) === false) return metadata
  for (const [key, name, type, kind] of [
    ['top_k', 'top_k', 'int32', int32],
    ['top_p', 'top_p', 'float32', float32],
    ['min_p', 'min_p', 'float32', float32],
    ['temperature', 'temp', 'float32', float32],
    ['repetition_penalty', 'penalty_repeat', 'float32', float32],
  ] as const) {
    const value = generation?.find(key, kind)
    if (value !== undefined) metadata.set(`general.sampling.${name}`, { type, value })
  }
  return metadata
}

const int32 = integer(-(2 ** 31), 2 ** 31 - 1)
const float32 = numeric('finite number', (value) => Number.isFinite(Math.fround(value)))

/** As gguf-py's utility.py, model_weight_count_rounded_notation: two digits at least. */
function sizeLabel(parameters: number): string {
  const [scale, suffix] =
    parameters > 1e12 ? [1e12, 'T'] : parameters > 1e9 ? [1e9, 'B'] : parameters > 1e6 ? [1e6, 'M'] : [1e3, 'K']
  const value = parameters / scale
  return `${value.toFixed(Math.round(value) < 10 ? 1 : 0)}${suffix}`
}
