/** What callers may pass to a load: every option with its type, range and default in one table, and their check. */
import { abortSignal, boolean, callback, filePath, integer, oneOf, text } from '../base/checks.js'
import { type Option, option, type Read, readOptions } from '../base/options.js'
import type { CacheType, LoraAdapter } from '../native/binding.js'
import { engineName, layerCount, templateVariables } from './kinds.js'
import { type CacheTypeName, cacheType, deviceNames, flashAttention, loraAdapters } from './load-kinds.js'
import type { TemplateVariables } from './template.js'

export interface LoadOptions {
  /** Path or `file:` URL of a GGUF file, or the name of a pulled model: `user/repo:Q4_K_M`. Default: the embedded model. */
  model?: string | URL | undefined
  /** Download a model that is named and was not pulled. Default false. */
  download?: boolean | undefined
  /** Called meanwhile, with the bytes that are there and those of all its files. What it throws ends the load. */
  onDownload?: ((progress: { done: number; total: number }) => void) | undefined
  /**
   * The llama.cpp to run: `auto` takes the best one that is installed and works; a path (with a separator, or beginning
   * with a dot) is the directory of another one. Default `auto`.
   */
  engine?: 'auto' | 'cpu' | 'cuda' | 'vulkan' | 'metal' | (string & {}) | undefined
  /** Layers to keep on GPU devices, ≥ 0; `auto`: as many as fit in their free memory. Default `auto`. */
  gpuLayers?: 'auto' | number | undefined
  /** Tokens of one request, prompt to answer, 8 … 16777216. Default: the model's training length, at most 8192. */
  contextSize?: number | undefined
  /**
   * Requests that run at the same time, 1 … 64; more wait. Memory grows with contextSize × (parallel + branches). Default 1.
   */
  parallel?: number | undefined
  /**
   * Sequences beside those of `parallel`, 0 … 64, on which the `cuts` of requests are answered: of all requests so many at
   * once, while others wait. Default 0.
   */
  branches?: number | undefined
  /**
   * `separate`: each sequence has cells of its own in the KV cache, and attends over them alone; for a branch those in use
   * are copied. `shared`: all use the same cells, and each attends over all of them; for a branch nothing is copied. `auto`:
   * what was measured to be faster, which is separate. Default `auto`.
   */
  kvCache?: 'auto' | 'separate' | 'shared' | undefined
  /**
   * MiB of memory, 0 … 1048576, for prompts that had to leave the KV cache for others, and for checkpoints: states that recurrent and
   * hybrid models go back to. The oldest are given up for newer ones. Default 256.
   */
  cacheRam?: number | undefined
  /** Tokens in one `llama_decode` at most, 1 … 8192. Default 512. */
  batchSize?: number | undefined
  /**
   * Threads on the CPU, 1 … 512. Default: the physical cores that the process may use, and fewer while other programs take them; which
   * `timings.threads` of a result tells. A number that is given stays: with another one the same tokens have other logits.
   */
  threads?: number | undefined
  /** A chat template in Jinja, in place of the one in the model's file. Default: the model's. */
  chatTemplate?: string | undefined
  /** Variables of the template in every request: `enable_thinking`, `date_string` and the like. Default: none. */
  templateVariables?: TemplateVariables | undefined
  /**
   * Map the file into memory, so that it is read where it is needed and shared with other processes. A mapped file must not
   * change while the model runs. False: all of it is read at the load. Default true.
   */
  mmap?: boolean | undefined
  /**
   * Keep the weights in memory: they are not swapped out. A load that cannot lock them, because of the system's limit
   * (`ulimit -l`), fails with OUT_OF_MEMORY. Default false.
   */
  mlock?: boolean | undefined
  /**
   * Type of K and V in the cache: `f16`, `q8_0`, `q4_0`, or one for each. The quantized ones take 0.53 and 0.28 of the memory
   * and change the results; they need heads of a multiple of 32, and V needs flash attention. A recurrent state stays as it is.
   * Default `f16`.
   */
  cacheType?: CacheTypeName | Partial<CacheType> | undefined
  /** `auto`: where the devices support it. Default `auto`. */
  flashAttention?: 'auto' | boolean | undefined
  /** Names of the GPU devices to use, as `z1 doctor` shows them; none: the CPU alone. Default: all. */
  devices?: readonly string[] | undefined
  /**
   * LoRA adapters as GGUF files, up to 16, by path or `file:` URL, with a scale of -1000 … 1000 (default 1; 0: not applied). They hold for
   * the whole load, and their effects add up. Default: none.
   */
  lora?: LoraOption | readonly LoraOption[] | undefined
  /** Called with 0 … 1 while the model loads. What it throws ends the load, which then rejects with it. */
  onProgress?: ((progress: number) => void) | undefined
  /** Aborts the load, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

/** An adapter, by its path or with its scale. */
type LoraOption = string | URL | { path: string | URL; scale?: number | undefined }

export const LOAD_OPTIONS = {
  model: option(filePath()),
  download: option(boolean, false),
  onDownload: option(callback<NonNullable<LoadOptions['onDownload']>>()),
  engine: option(engineName(), 'auto'),
  gpuLayers: option(layerCount(), 'auto'),
  // Up to contextSize × (parallel + branches), the number of cells is within llama.cpp's 32 bits.
  contextSize: option(integer(8, 2 ** 24)),
  parallel: option(integer(1, 64), 1),
  branches: option(integer(0, 64), 0),
  kvCache: option(oneOf(['auto', 'separate', 'shared']), 'auto'),
  cacheRam: option(integer(0, 2 ** 20), 256),
  batchSize: option(integer(1, 8192), 512),
  // ggml.h: GGML_MAX_N_THREADS.
  threads: option(integer(1, 512)),
  chatTemplate: option(text),
  templateVariables: option(templateVariables()),
  mmap: option(boolean, true),
  mlock: option(boolean, false),
  cacheType: option(cacheType(), { k: 'f16', v: 'f16' }),
  flashAttention: option(flashAttention(), 'auto'),
  devices: option(deviceNames()),
  lora: option<LoraAdapter[]>(loraAdapters(), []),
  onProgress: option(callback<(progress: number) => void>()),
  signal: option(abortSignal()),
} satisfies Record<keyof LoadOptions, Option<unknown>>

/** {@link LoadOptions} with every default that needs no model. `engine` is a known name or an absolute path. */
export type ResolvedLoadOptions = Read<typeof LOAD_OPTIONS>

export function checkLoadOptions(input: unknown): ResolvedLoadOptions {
  const options = readOptions(LOAD_OPTIONS, input)
  checkFlashAttention(options)
  return options
}

/** llama.cpp has no attention over a quantized V without it. @throws {RangeError} */
export function checkFlashAttention({
  cacheType,
  flashAttention,
}: Partial<Pick<ResolvedLoadOptions, 'cacheType' | 'flashAttention'>>): void {
  if (cacheType === undefined || cacheType.v === 'f16' || flashAttention !== false) return
  throw new RangeError(
    `Expected flashAttention 'auto' or true with ${cacheType.v} for V in cacheType: a quantized V needs flash attention`,
  )
}
