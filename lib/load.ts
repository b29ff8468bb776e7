/** Loading: from checked options to a model with a context, or to an error that leaves nothing behind. */
import { access, constants, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { packageRoot, unpacked } from './addon.js'
import type { Binding, ContextHandle, Device, EngineInfo, ModelHandle, ModelMetadata } from './binding.js'
import { nextId, openAddon } from './channel.js'
import { misuse } from './checks.js'
import { openEngine } from './engine.js'
import { attempt, callSite, Z1Error } from './errors.js'
import { nativeJob } from './native-job.js'
import type { ResolvedLoadOptions } from './options.js'
import { findTags } from './tags.js'
import { defaultThreads } from './threads.js'

/** The model that comes with the package. */
export const EMBEDDED_MODEL = unpacked(join(packageRoot, 'models', 'z1-mini.gguf'))

/** Most tokens of a context whose size was not given: the KV cache grows with it. */
const MAX_DEFAULT_CONTEXT = 8192

/** What llama.cpp keeps of a cell beside its K and V (llama-kv-cells.h). */
const CELL_BYTES = 52

/** What a loaded model is, and what runs it. */
export interface ModelInfo {
  /** Path of the GGUF file. */
  path: string
  /** llama.cpp's name of the architecture, e.g. `qwen2`. */
  architecture: string
  /** Name of the quantisation, e.g. `Q4_K - Medium`. */
  quantization: string
  parameters: number
  /** Bytes of all tensors. */
  size: number
  layers: number
  /** Layers on GPU devices, the output counted as one. */
  gpuLayers: number
  vocabularySize: number
  /** Length it was trained on, in tokens; 0 if the file does not say. */
  trainingContext: number
  /** Tokens of one request, prompt to answer. */
  contextSize: number
  /** Requests that run at the same time. */
  parallel: number
  /** Tokens in one `llama_decode` at most. */
  batchSize: number
  threads: number
  chatTemplate: string | null
  /** The think tags that `tags: 'ban'` keeps out of the text, or null if the model has none. */
  tags: { open: string; close: string } | null
  /** Directory of the engine. */
  engine: string
  devices: Device[]
}

/** A model with a context of its own. */
export interface Loaded {
  binding: Binding
  model: ModelHandle
  context: ContextHandle
  facts: ModelMetadata
  info: ModelInfo
}

/** Loads what the options ask for. When it fails, nothing is left. */
export async function load(options: ResolvedLoadOptions): Promise<Loaded> {
  const path = options.model ?? EMBEDDED_MODEL
  await checkFile(path)
  const { engine } = await openEngine(options.engine)
  const binding = openAddon()
  const { model, metadata: facts } = await loadModel(binding, path, options)
  try {
    if (facts.unsupported !== null) {
      throw new Z1Error('MODEL_UNSUPPORTED', `${path} cannot answer questions: ${facts.unsupported}`)
    }
    options.signal?.throwIfAborted()
    const contextSize = options.contextSize ?? defaultContext(facts)
    checkContext(contextSize, options.parallel, facts, engine)
    const threads = options.threads ?? defaultThreads()
    const params = {
      contextSize,
      parallel: options.parallel,
      batchSize: options.batchSize,
      threads,
      threadsBatch: threads,
    }
    const { context, batchSize } = await binding.contextCreate(model, params)
    const { architecture, quantization, parameters, size, layers, gpuLayers, vocabularySize, chatTemplate } = facts
    const tags = findTags(chatTemplate, facts.specialTokens)
    const info: ModelInfo = {
      path,
      architecture,
      quantization,
      parameters,
      size,
      layers,
      gpuLayers,
      vocabularySize,
      trainingContext: facts.trainingContext,
      contextSize,
      parallel: options.parallel,
      batchSize,
      threads,
      chatTemplate,
      tags: tags && { open: tags.open, close: tags.close },
      engine: engine.directory,
      devices: engine.devices,
    }
    if (options.signal?.aborted) {
      await binding.contextClose(context)
      options.signal.throwIfAborted()
    }
    return { binding, model, context, facts, info }
  } catch (error) {
    binding.modelClose(model)
    throw error
  }
}

/** What a GGUF file says of itself, read without its weights. @throws {Z1Error} as `Z1.load()` does. */
export async function inspectModel(path: string): Promise<ModelMetadata & Pick<ModelInfo, 'tags'>> {
  const site = callSite(inspectModel)
  return attempt(site, async () => {
    await checkFile(path)
    await openEngine('auto')
    const binding = openAddon()
    const params = { path, gpuLayers: 0, contextCells: 0, weights: false }
    const { model, metadata: facts } = await binding.modelLoad(nextId(), params, null)
    binding.modelClose(model)
    return { ...facts, tags: findTags(facts.chatTemplate, facts.specialTokens) }
  })
}

/** llama.cpp's message for a missing file is one for a broken file. */
async function checkFile(path: string): Promise<void> {
  let facts: Awaited<ReturnType<typeof stat>>
  try {
    facts = await stat(path)
    await access(path, constants.R_OK)
  } catch (cause) {
    throw new Z1Error('MODEL_NOT_FOUND', `No model at ${path}: ${(cause as Error).message}`, { cause })
  }
  if (!facts.isFile()) throw new Z1Error('MODEL_INVALID', `${path} is not a file`)
  if (facts.size === 0) throw new Z1Error('MODEL_INVALID', `${path} is empty`)
}

async function loadModel(
  binding: Binding,
  path: string,
  { gpuLayers, contextSize, parallel, engine, onProgress, signal }: ResolvedLoadOptions,
): Promise<{ model: ModelHandle; metadata: ModelMetadata }> {
  const params = {
    path,
    gpuLayers: engine === 'cpu' ? 0 : typeof gpuLayers === 'number' ? gpuLayers : -2,
    contextCells: (contextSize ?? MAX_DEFAULT_CONTEXT) * parallel,
    weights: true,
  }
  return nativeJob(
    binding,
    { onProgress, signal },
    (job, report) => binding.modelLoad(job, params, report),
    ({ model }) => binding.modelClose(model),
  )
}

/**
 * A file with learned positions has no others: llama.cpp would end the process at the first one beyond. And what the
 * system lets a process allocate may be more than there is: it would be killed, or swap, when llama.cpp clears the cells.
 */
function checkContext(size: number, parallel: number, facts: ModelMetadata, engine: EngineInfo): void {
  if (facts.positions > 0 && size > facts.positions) {
    throw misuse(RangeError, `at most ${facts.positions} (the positions that this model has)`, 'contextSize', size)
  }
  const needed = size * parallel * (facts.kvBytesPerCell + (facts.recurrent ? 0 : CELL_BYTES))
  // 0: no limit is known.
  const memory = Math.min(totalmem(), process.constrainedMemory() || Infinity)
  const gpus = engine.devices.filter(({ type }) => type === 'gpu' || type === 'igpu')
  const available = gpus.reduce((sum, { memoryTotal }) => sum + memoryTotal, memory)
  if (needed > available) {
    const gib = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
    throw new Z1Error(
      'OUT_OF_MEMORY',
      `Cannot make a context of ${parallel} × ${size} tokens: it needs at least ${gib(needed)}, ` +
        `and there are ${gib(available)} of memory`,
    )
  }
}

function defaultContext({ trainingContext }: ModelMetadata): number {
  return trainingContext > 0 ? Math.min(trainingContext, MAX_DEFAULT_CONTEXT) : MAX_DEFAULT_CONTEXT
}
