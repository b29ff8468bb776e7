/** What callers of `convert` and `quantize` may pass. */
import { fieldsOf, integer, type Kind, kind, unknownName } from '../base/checks.js'
import { abortSignal, filePath, progressCallback } from '../reason/options.js'
import { FILE_TYPE_NAMES, type FileType } from './types.js'

interface CommonOptions {
  /** Threads that quantise, 1 … 512. Default: the physical cores that the process may use. */
  threads?: number | undefined
  /** Called with 0 … 1. What it throws ends the work, which then rejects with it. */
  onProgress?: ((progress: number) => void) | undefined
  /** Aborts the work, which then rejects with the signal's reason and leaves no file. */
  signal?: AbortSignal | undefined
}

export interface ConvertOptions extends CommonOptions {
  /** Path or `file:` URL of a folder in Hugging Face's layout. */
  model: string | URL
  /** Path or `file:` URL of the GGUF file. Default: beside the folder, with its name and the type's. */
  output?: string | URL | undefined
  /** Type of the matrices. Default: the one that the checkpoint has. */
  type?: FileType | undefined
}

export interface QuantizeOptions extends CommonOptions {
  /** Path or `file:` URL of a GGUF file of type f32, f16 or bf16. */
  input: string | URL
  /** Path or `file:` URL of the new file. */
  output: string | URL
  /** Type of the matrices. */
  type: FileType
}

const path = filePath()
const type = kind(`one of ${FILE_TYPE_NAMES.join(', ')}`, (value): value is FileType => {
  return FILE_TYPE_NAMES.includes(value as FileType)
})
const callback = progressCallback()
const signal = abortSignal()
// ggml.h: GGML_MAX_N_THREADS.
const threads = integer(1, 512)

export interface CheckedConvertOptions {
  model: string
  output: string | undefined
  type: FileType | undefined
  threads: number | undefined
  onProgress: ((progress: number) => void) | undefined
  signal: AbortSignal | undefined
}

export type CheckedQuantizeOptions = Omit<CheckedConvertOptions, 'model'> & {
  input: string
  output: string
  type: FileType
}

/** @throws {TypeError|RangeError} */
export function checkConvertOptions(options: unknown): CheckedConvertOptions {
  const { required, optional } = readerOf(options, ['model', 'output', 'type', 'threads', 'onProgress', 'signal'])
  return {
    model: required('model', path),
    output: optional('output', path),
    type: optional('type', type),
    threads: optional('threads', threads),
    onProgress: optional('onProgress', callback),
    signal: optional('signal', signal),
  }
}

/** @throws {TypeError|RangeError} */
export function checkQuantizeOptions(options: unknown): CheckedQuantizeOptions {
  const { required, optional } = readerOf(options, ['input', 'output', 'type', 'threads', 'onProgress', 'signal'])
  return {
    input: required('input', path),
    output: required('output', path),
    type: required('type', type),
    threads: optional('threads', threads),
    onProgress: optional('onProgress', callback),
    signal: optional('signal', signal),
  }
}

function readerOf(options: unknown, names: string[]) {
  const given = fieldsOf(options, 'options')
  for (const key of given.keys()) {
    if (!names.includes(key)) throw unknownName(`option ${key}`, key, names)
  }
  return {
    required: <T>(name: string, kind: Kind<T>): T => kind.read(given.get(name), name),
    optional: <T>(name: string, kind: Kind<T>): T | undefined => {
      return given.has(name) ? kind.read(given.get(name), name) : undefined
    },
  }
}
