/** What callers of `convert` and `quantize` may pass. */
import { abortSignal, callback, count, filePath, integer, kind } from '../base/checks.js'
import { type Option, option, type Read, readOptions, required } from '../base/options.js'
import { FILE_TYPE_NAMES, type FileType } from './types.js'

interface CommonOptions {
  /** Threads that quantize, 1 … 512. Default: the physical cores that the process may use. */
  threads?: number | undefined
  /** Called with 0 … 1. What it throws ends the work, which then rejects with it. */
  onProgress?: ((progress: number) => void) | undefined
  /** Aborts the work, which then rejects with the signal's reason and leaves no file. */
  signal?: AbortSignal | undefined
}

export interface ConvertOptions extends CommonOptions {
  /** Path or `file:` URL of a folder in Hugging Face's layout. */
  model: string | URL
  /**
   * Path or `file:` URL of the folder with the config.json of the model that an adapter was made for. Default: the folder that
   * the adapter names as its base.
   */
  base?: string | URL | undefined
  /** Path or `file:` URL of the GGUF file. Default: beside the folder, with its name and the type's. */
  output?: string | URL | undefined
  /** Type of the matrices; of an adapter `f32`, `f16` or `bf16`. Default: the one that the checkpoint has. */
  type?: FileType | undefined
  /**
   * Written as `z1.thinking_window`: tokens of thinking, ≥ 0, that a model trained by this method gets when no window is
   * asked for. Default: none is written.
   */
  thinkingWindow?: number | undefined
}

export interface QuantizeOptions extends CommonOptions {
  /** Path or `file:` URL of a GGUF file of type f32, f16 or bf16. */
  input: string | URL
  /** Path or `file:` URL of the new file. */
  output: string | URL
  /** Type of the matrices. */
  type: FileType
}

const fileType = kind(`one of ${FILE_TYPE_NAMES.join(', ')}`, (value): value is FileType => {
  return FILE_TYPE_NAMES.includes(value as FileType)
})

const COMMON_OPTIONS = {
  // ggml.h: GGML_MAX_N_THREADS.
  threads: option(integer(1, 512)),
  onProgress: option(callback<(progress: number) => void>()),
  signal: option(abortSignal()),
} satisfies Record<keyof CommonOptions, Option<unknown>>

const CONVERT_OPTIONS = {
  model: required(filePath()),
  base: option(filePath()),
  output: option(filePath()),
  type: option(fileType),
  thinkingWindow: option(count(0)),
  ...COMMON_OPTIONS,
} satisfies Record<keyof ConvertOptions, Option<unknown>>

const QUANTIZE_OPTIONS = {
  input: required(filePath()),
  output: required(filePath()),
  type: required(fileType),
  ...COMMON_OPTIONS,
} satisfies Record<keyof QuantizeOptions, Option<unknown>>

export type CheckedConvertOptions = Read<typeof CONVERT_OPTIONS>
export type CheckedQuantizeOptions = Read<typeof QUANTIZE_OPTIONS>

/** @throws {TypeError|RangeError} */
export function checkConvertOptions(options: unknown): CheckedConvertOptions {
  return readOptions(CONVERT_OPTIONS, options)
}

/** @throws {TypeError|RangeError} */
export function checkQuantizeOptions(options: unknown): CheckedQuantizeOptions {
  return readOptions(QUANTIZE_OPTIONS, options)
}
