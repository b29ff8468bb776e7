/** Loading: from checked options to a model with a context, or to an error that leaves nothing behind. */
import { Z1Error } from '../base/errors.js'
import type { CacheType, Device, LoraAdapter, ModelMetadata } from '../native/binding.js'
import type { Context } from '../native/context.js'
import { openEngine } from '../native/engine.js'
import { Model } from '../native/model.js'
import { defaultThreads } from '../native/threads.js'
import { checkAdapterFile, checkCacheType, checkContext, devicesOf } from './load-checks.js'
import { checkModelFile, ModelFile } from './model-file.js'
import { modelPath } from './model-name.js'
import type { ResolvedLoadOptions } from './options.js'
import { type RecommendedSampling, recommendedSampling } from './recommended.js'
import { findTags } from './tags.js'

/** Most tokens of a context whose size was not given: the KV cache grows with it. */
const MAX_DEFAULT_CONTEXT = 8192

/** What a loaded model is, and what runs it. */
export interface ModelInfo {
  /** Path of the GGUF file. */
  path: string
  /** llama.cpp's name of the architecture, e.g. `qwen2`. */
  architecture: string
  /** Name of the quantization, e.g. `Q4_K - Medium`. */
  quantization: string
  parameters: number
  /** Bytes of all tensors. */
  size: number
  layers: number
  /** Layers on GPU devices, the output counted as one. */
  gpuLayers: number
  vocabularySize: number
  /** Tokens of thinking that its file names as its window; null if it does not. */
  thinkingWindow: number | null
  /** What its file recommends (`general.sampling.*`), which `temperature: 'model'` takes; {} where it says nothing. */
  sampling: RecommendedSampling
  /** Length it was trained on, in tokens; 0 if the file does not say. */
  trainingContext: number
  /** Tokens of one request, prompt to answer. */
  contextSize: number
  /** Requests that run at the same time. */
  parallel: number
  /** Sequences beside them, on which their cuts are answered. */
  branches: number
  kvCache: 'separate' | 'shared'
  /** MiB for prompts that left the KV cache, and for checkpoints. */
  cacheRam: number
  /** Tokens in one `llama_decode` at most. */
  batchSize: number
  threads: number
  chatTemplate: string | null
  /** The think tags that `tags: 'ban'` keeps out of the text, or null if the model has none. */
  tags: { open: string; close: string } | null
  /** Type of K and V in the cache. */
  cacheType: CacheType
  /** As it was asked for. */
  flashAttention: 'auto' | boolean
  /** Adapters with their scales. */
  lora: LoraAdapter[]
  /** Directory of the engine. */
  engine: string
  /** Those of the engine; with the option `devices`, its other GPUs are left out. */
  devices: Device[]
}

/** A model with a context of its own. */
export interface Loaded {
  model: Model
  context: Context
  /** The file that must not change while the model runs; null when all of it was read. */
  file: ModelFile | null
  info: ModelInfo
}

/** Loads what the options ask for. When it fails, nothing is left. */
export async function load(options: ResolvedLoadOptions): Promise<Loaded> {
  const path = await modelPath(options.model, options)
  await checkModelFile(path)
  for (const adapter of options.lora) await checkAdapterFile(adapter.path)
  const file = options.mmap ? await ModelFile.at(path) : null
  const { engine } = await openEngine(options.engine)
  const devices = devicesOf(engine, options.devices)
  const model = await loadModel(path, options)
  try {
    await file?.check()
    const { metadata } = model
    if (metadata.unsupported !== null) {
      throw new Z1Error('MODEL_UNSUPPORTED', `${path} cannot answer questions: ${metadata.unsupported}`)
    }
    options.signal?.throwIfAborted()
    const contextSize = options.contextSize ?? defaultContext(metadata)
    const { parallel, branches, cacheRam, batchSize, threads = defaultThreads() } = options
    const { cacheType, flashAttention, lora } = options
    // bench curve: five windows took 1.21 times the largest alone with separate cells, 1.43 times with shared ones.
    const kvCache = options.kvCache === 'auto' ? 'separate' : options.kvCache
    checkCacheType(cacheType, metadata, path)
    checkContext(contextSize, parallel + branches, metadata, devices)
    const context = await model.createContext({
      contextSize,
      parallel,
      branches,
      sharedCells: kvCache === 'shared',
      cacheRam,
      batchSize,
      threads,
      threadsBatch: threads,
      // A number that was given stays, and with it every logit.
      adapts: options.threads === undefined,
      cacheType,
      flashAttention,
    })
    if (options.signal?.aborted) {
      await context.close()
      options.signal.throwIfAborted()
    }
    const { architecture, quantization, parameters, size, layers, gpuLayers, vocabularySize } = metadata
    const chatTemplate = options.chatTemplate ?? metadata.chatTemplate
    const tags = findTags(chatTemplate, metadata.specialTokens)
    const info: ModelInfo = {
      path,
      architecture,
      quantization,
      parameters,
      size,
      layers,
      gpuLayers,
      vocabularySize,
      thinkingWindow: metadata.thinkingWindow,
      sampling: recommendedSampling(metadata.sampling),
      trainingContext: metadata.trainingContext,
      contextSize,
      parallel,
      branches,
      kvCache,
      cacheRam,
      batchSize: context.batchSize,
      threads,
      chatTemplate,
      tags: tags && { open: tags.open, close: tags.close },
      cacheType,
      flashAttention,
      lora,
      engine: engine.directory,
      devices,
    }
    return { model, context, file, info }
  } catch (error) {
    await model.close()
    throw error
  }
}

function loadModel(
  path: string,
  { gpuLayers, contextSize, parallel, branches, engine, onProgress, signal, ...options }: ResolvedLoadOptions,
): Promise<Model> {
  const { mmap, mlock, cacheType, devices, lora } = options
  const params = {
    path,
    gpuLayers: engine === 'cpu' ? 0 : typeof gpuLayers === 'number' ? gpuLayers : -2,
    contextCells: (contextSize ?? MAX_DEFAULT_CONTEXT) * (parallel + branches),
    weights: true,
    mmap,
    mlock,
    cacheType,
    devices,
    lora,
  }
  return Model.load(params, { onProgress, signal })
}

function defaultContext({ trainingContext }: ModelMetadata): number {
  return trainingContext > 0 ? Math.min(trainingContext, MAX_DEFAULT_CONTEXT) : MAX_DEFAULT_CONTEXT
}
