/** Another type for the tensors of a GGUF file, by llama.cpp's own llama_model_quantize. */
import { attempt, type CallSite, callSite } from '../base/errors.js'
import { checkDistinct, removeLeftovers, replaceFile } from '../base/files.js'
import { openEngine } from '../native/engine.js'
import { quantizeModel } from '../native/quantize.js'
import { defaultThreads } from '../native/threads.js'
import { checkModelFile } from '../reason/model-file.js'
import { type CheckedQuantizeOptions, checkQuantizeOptions, type QuantizeOptions } from './options.js'
import { FILE_TYPES, type FileType } from './types.js'

/** What was written. */
export interface QuantizeResult {
  /** Path of the GGUF file. */
  path: string
  type: FileType
  /** Bytes. */
  size: number
}

/**
 * Quantizes a GGUF file of any architecture that `Z1.load()` takes.
 * @throws {TypeError|RangeError} for invalid options.
 * @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID; MODEL_UNSUPPORTED for a file that is quantized already; OUT_OF_MEMORY,
 * ADDON_NOT_FOUND, ENGINE_NOT_FOUND, ENGINE_MISMATCH, ENGINE_CONFLICT.
 * @throws {Error} when the file cannot be written.
 * @throws the signal's reason when it is aborted, after the tensor that is at work, and what `onProgress` throws.
 */
export async function quantize(options: QuantizeOptions): Promise<QuantizeResult> {
  const site = callSite(quantize)
  const checked = checkQuantizeOptions(options)
  checked.signal?.throwIfAborted()
  return attempt(site, () => quantizeFile(checked, site), checked.signal)
}

/** As {@link quantize}, with options that were checked. */
export async function quantizeFile(options: CheckedQuantizeOptions, site: CallSite): Promise<QuantizeResult> {
  const { input, output, type, signal } = options
  await checkModelFile(input)
  await checkDistinct([output], [input])
  await openEngine('auto')
  await removeLeftovers(output)
  return attempt(
    site,
    () =>
      replaceFile(output, async ({ path, handle }) => {
        await runNative(options, path)
        signal?.throwIfAborted()
        const { size } = await handle.stat()
        return { path: output, type, size }
      }),
    signal,
  )
}

async function runNative(options: CheckedQuantizeOptions, output: string): Promise<void> {
  const { input, type, threads = defaultThreads(), onProgress, signal } = options
  await quantizeModel({ input, output, fileType: FILE_TYPES[type], threads }, { onProgress, signal })
}
