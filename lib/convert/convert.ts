/** From a checkpoint in Hugging Face's layout to a GGUF file, a few megabytes at a time. */
import { type FileHandle, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { sum } from 'd3-array'
import { attempt, type CallSite, callSite } from '../base/errors.js'
import { checkDistinct, removeLeftovers, replaceFile, withTemporaryFile, writeAll } from '../base/files.js'
import { openEngine } from '../native/engine.js'
import { isAdapterFolder, readAdapter } from './adapter.js'
import { invalid } from './failure.js'
import { converter, FLOAT_BYTES, UnusableNumber } from './floats.js'
import { aligned, encodeHeader, type TensorHeader } from './gguf.js'
import { type CheckedConvertOptions, type ConvertOptions, checkConvertOptions } from './options.js'
import { quantizeFile } from './quantize.js'
import { piecesOf } from './safetensors.js'
import { fileTypeMetadata, readSource, type Source } from './source.js'
import type { ModelTensor } from './tensors.js'
import { type FileType, type FloatType, floatTypeOf, PLAIN_TYPES } from './types.js'

/** What was written. */
export interface ConvertResult {
  /** Path of the GGUF file. */
  path: string
  type: FileType
  /** Bytes. */
  size: number
  tensors: number
  parameters: number
}

/**
 * Converts a checkpoint of the architecture Qwen2 (safetensors, tokenizer.json), or a LoRA adapter of one in PEFT's layout
 * (adapter_config.json, adapter_model.safetensors). Quantized types go through a file of the
 * checkpoint's own precision beside the output, which is removed in the end.
 * @throws {TypeError|RangeError} for invalid options.
 * @throws {Z1Error} MODEL_NOT_FOUND; MODEL_INVALID for a folder that contradicts itself or is cut short;
 * MODEL_UNSUPPORTED for one that could only be guessed at; what {@link quantize} throws.
 * @throws {Error} when the file cannot be written.
 * @throws the signal's reason when it is aborted, and what `onProgress` throws.
 */
export async function convert(options: ConvertOptions): Promise<ConvertResult> {
  const site = callSite(convert)
  const checked = checkConvertOptions(options)
  checked.signal?.throwIfAborted()
  return attempt(site, () => run(checked, site), checked.signal)
}

async function run(
  { model, base, output, type, thinkingWindow, ...common }: CheckedConvertOptions,
  site: CallSite,
): Promise<ConvertResult> {
  const isAdapter = await isAdapterFolder(model)
  if (isAdapter) checkAdapterOptions(model, type, thinkingWindow)
  else if (base !== undefined) throw new TypeError(`Expected no base for ${model}: it holds no adapter`)
  const source = isAdapter ? await readAdapter(model, base) : await readSource(model)
  if (thinkingWindow !== undefined) source.metadata.set('z1.thinking_window', { type: 'uint32', value: thinkingWindow })
  const wanted = type ?? PLAIN_TYPES[source.type]
  const path = output ?? defaultOutput(model, wanted)
  await checkDistinct([path], source.files)
  const float = floatTypeOf(wanted)
  const report = common.onProgress ?? (() => {})
  if (float) {
    await removeLeftovers(path)
    await replaceFile(path, ({ handle }) => writeModel(handle, source, float, report, common.signal))
  } else {
    // Fail early: without an engine, hours of work would be for nothing.
    await openEngine('auto')
    await removeLeftovers(path)
    await withTemporaryFile(path, async (unquantized) => {
      const half = (from: number) => (progress: number) => report(from + progress / 2)
      await writeModel(unquantized.handle, source, source.type, half(0), common.signal)
      // A full disk may show only here.
      await unquantized.handle.sync()
      const input = unquantized.path
      await quantizeFile({ ...common, input, output: path, type: wanted, onProgress: half(0.5) }, site)
    })
  }
  const { size } = await stat(path)
  return { path, type: wanted, size, tensors: source.tensors.length, parameters: source.parameters }
}

/** An adapter is added to numbers, and has no window. */
function checkAdapterOptions(model: string, type: FileType | undefined, thinkingWindow: number | undefined): void {
  if (type !== undefined && !floatTypeOf(type)) {
    throw new RangeError(`Expected f32, f16 or bf16 for type but received ${type}: ${model} holds an adapter`)
  }
  if (thinkingWindow !== undefined) throw new TypeError(`Expected no thinkingWindow for ${model}: it holds an adapter`)
}

function defaultOutput(model: string, type: FileType): string {
  const folder = resolve(model)
  return join(dirname(folder), `${basename(folder)}-${type.toUpperCase()}.gguf`)
}

async function writeModel(
  file: FileHandle,
  { metadata, tensors }: Source,
  type: FloatType,
  report: (progress: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  const headers = tensors.map((tensor) => headerOf(tensor, type))
  const total = sum(headers, ({ size }) => size)
  let written = 0
  let reported = -1
  const advance = (size: number) => {
    signal?.throwIfAborted()
    written += size
    const now = Math.floor((written / total) * 100)
    if (now > reported) report(written / total)
    reported = now
  }
  await writeAll(file, encodeHeader(new Map([...metadata, ...fileTypeMetadata(type)]), headers))
  for (const [i, tensor] of tensors.entries()) {
    const { type, size } = headers[i] as TensorHeader
    for await (const bytes of converted(tensor, type)) {
      await writeAll(file, bytes)
      advance(bytes.length)
    }
    await writeAll(file, new Uint8Array(aligned(size) - size))
  }
  signal?.throwIfAborted()
}

function headerOf({ name, shape, matrix, stored }: ModelTensor, matrices: FloatType): TensorHeader {
  const type = matrix ? matrices : 'F32'
  return { name, shape, type, size: (stored.size / FLOAT_BYTES[stored.type]) * FLOAT_BYTES[type] }
}

/** A tensor's bytes in another type; each piece is valid until the next. */
async function* converted({ stored }: ModelTensor, type: FloatType): AsyncGenerator<Uint8Array> {
  const convertBytes = converter(stored.type, type)
  try {
    for await (const piece of piecesOf(stored)) yield convertBytes(piece)
  } catch (error) {
    if (error instanceof UnusableNumber) throw invalid(stored.path, `the tensor ${stored.name} ${error.message}`)
    throw error
  }
}
