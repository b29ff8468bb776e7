/** Class Z1: a loaded model that answers questions under a shifted thinking window. */
import { randomInt } from 'node:crypto'
import { access, constants, stat } from 'node:fs/promises'
import { totalmem } from 'node:os'
import { join } from 'node:path'
import { packageRoot, unpacked } from './addon.js'
import type { Binding, ContextHandle, Device, EngineInfo, ModelFacts, ModelHandle } from './binding.js'
import { nextId, openAddon, startGeneration } from './channel.js'
import { misuse } from './checks.js'
import { openEngine } from './engine.js'
import { atCall, type CallSite, callSite, Z1Error } from './errors.js'
import {
  type ChatMessage,
  checkInput,
  checkLoadOptions,
  checkReasonOptions,
  type LoadOptions,
  type ReasonOptions,
  type ResolvedLoadOptions,
} from './options.js'
import { Prompter } from './prompt.js'
import { type ReasonResult, ResultBuilder } from './result.js'
import { ReasonStream } from './stream.js'
import { findTags } from './tags.js'
import { defaultThreads } from './threads.js'

/** The model that comes with the package. */
export const EMBEDDED_MODEL = unpacked(join(packageRoot, 'models', 'z1-seed.gguf'))

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

export class Z1 {
  /**
   * Loads a model and makes a context for it.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID, MODEL_UNSUPPORTED, OUT_OF_MEMORY, ADDON_NOT_FOUND, ENGINE_NOT_FOUND,
   * ENGINE_MISMATCH, ENGINE_CONFLICT.
   * @throws the signal's reason when it is aborted, and what `onProgress` throws.
   */
  static async load(options?: LoadOptions): Promise<Z1> {
    const site = callSite(Z1.load)
    const checked = checkLoadOptions(options)
    checked.signal?.throwIfAborted()
    return attempt(site, () => open(checked), checked.signal)
  }

  /** What was loaded. */
  readonly model: Readonly<ModelInfo>

  readonly #binding: Binding
  readonly #handles: { model: ModelHandle; context: ContextHandle }
  readonly #prompter: Prompter
  #disposed: Promise<void> | undefined

  /** @internal Use {@link Z1.load}. */
  constructor(
    binding: Binding,
    handles: { model: ModelHandle; context: ContextHandle },
    prompter: Prompter,
    model: ModelInfo,
  ) {
    this.#binding = binding
    this.#handles = handles
    this.#prompter = prompter
    this.model = Object.freeze(model)
  }

  /**
   * Answers a question or continues a conversation.
   * @throws {TypeError|RangeError} for options that cannot be.
   * @throws {Z1Error} CONTEXT_TOO_SMALL before it starts; DECODE_FAILED, DISPOSED; TEMPLATE_NOT_FOUND, TEMPLATE_FAILED,
   * TAGS_NOT_FOUND.
   * @throws the signal's reason when it is aborted.
   */
  async reason(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<ReasonResult> {
    return this.#stream(input, options, callSite(this.reason)).result
  }

  /** As {@link reason}, with the text as it is generated. Misuse throws at once, all else where the stream is read. */
  stream(input: string | readonly ChatMessage[], options?: ReasonOptions): ReasonStream {
    return this.#stream(input, options, callSite(this.stream))
  }

  /** Token ids of a text. Control tokens that it spells are recognised, and no BOS is added. */
  async tokenize(text: string): Promise<number[]> {
    const site = callSite(this.tokenize)
    const checked = checkInput(text, false) as string
    return attempt(site, async () => {
      const segment = { text: checked, parseSpecial: true, continuation: false }
      return Array.from(await this.#binding.modelTokenize(this.#handles.model, [segment]))
    })
  }

  /** Text of tokens, control tokens left out unless `special`. Bytes that are no character become U+FFFD. */
  async detokenize(tokens: readonly number[], { special = false }: { special?: boolean } = {}): Promise<string> {
    const site = callSite(this.detokenize)
    for (const token of tokens) {
      if (!Number.isInteger(token) || token < 0 || token >= this.model.vocabularySize) {
        throw new RangeError(`Expected token ids from 0 to ${this.model.vocabularySize - 1} but received ${token}`)
      }
    }
    return attempt(site, () => this.#binding.modelDetokenize(this.#handles.model, Int32Array.from(tokens), special))
  }

  /**
   * Frees the model and its memory. Running requests reject with DISPOSED. Resolves when all of it is gone; calling it
   * again gives the same promise.
   */
  dispose(): Promise<void> {
    if (!this.#disposed) {
      this.#disposed = this.#binding.contextClose(this.#handles.context)
      this.#binding.modelClose(this.#handles.model)
    }
    return this.#disposed
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }

  #stream(input: unknown, options: unknown, site: CallSite): ReasonStream {
    const checked = checkReasonOptions(options)
    const text = checkInput(input, checked.template)
    this.#prompter.check(text, checked)
    const start = async (listener: Parameters<typeof startGeneration>[2]) => {
      return attempt(site, async () => {
        if (this.#disposed) throw new Z1Error('DISPOSED', 'The model was disposed')
        const { tokens, hint, thinkingWindow, bannedTags, closeTag } = await this.#prompter.prepare(text, checked)
        const { maxTokens, stop, cachePrompt, sampling, seed = randomInt(2 ** 32 - 1) } = checked
        const id = nextId()
        const started = { context: this.#handles.context, id, builder: new ResultBuilder(hint, seed) }
        const request = { id, prompt: tokens, hint: hint.tokens, thinkingWindow, maxTokens, stop, bannedTags, closeTag }
        startGeneration(this.#handles.context, { ...request, cachePrompt, sampling: { ...sampling, seed } }, listener)
        return started
      })
    }
    return new ReasonStream(start, site, checked.signal)
  }
}

/** What fails in it becomes the reason of the signal, if that was aborted, or a Z1Error with the caller's stack. */
async function attempt<T>(site: CallSite, action: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  try {
    return await action()
  } catch (error) {
    signal?.throwIfAborted()
    throw atCall(site, error)
  }
}

/** What a GGUF file says of itself, read without its weights. @throws {Z1Error} as {@link Z1.load} does. */
export async function inspectModel(path: string): Promise<ModelFacts & Pick<ModelInfo, 'tags'>> {
  const site = callSite(inspectModel)
  return attempt(site, async () => {
    await checkFile(path)
    await openEngine('auto')
    const binding = openAddon()
    const { model, facts } = await binding.modelLoad(
      nextId(),
      { path, gpuLayers: 0, contextCells: 0, weights: false },
      null,
    )
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

async function open(options: ResolvedLoadOptions): Promise<Z1> {
  const path = options.model ?? EMBEDDED_MODEL
  await checkFile(path)
  const { engine } = await openEngine(options.engine)
  const binding = openAddon()
  const { model, facts } = await loadModel(binding, path, options)
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
    const { context, facts: made } = await binding.contextCreate(model, params)
    const prompter = new Prompter(binding, model, facts, contextSize)
    const { architecture, quantization, parameters, size, layers, gpuLayers, vocabularySize } = facts
    const { tags } = prompter
    const z1 = new Z1(binding, { model, context }, prompter, {
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
      parallel: made.parallel,
      batchSize: made.batchSize,
      threads,
      chatTemplate: facts.chatTemplate,
      tags: tags && { open: tags.open, close: tags.close },
      engine: engine.directory,
      devices: engine.devices,
    })
    if (options.signal?.aborted) {
      await z1.dispose()
      options.signal.throwIfAborted()
    }
    return z1
  } catch (error) {
    binding.modelClose(model)
    throw error
  }
}

async function loadModel(
  binding: Binding,
  path: string,
  { gpuLayers, contextSize, parallel, engine, onProgress, signal }: ResolvedLoadOptions,
): Promise<{ model: ModelHandle; facts: ModelFacts }> {
  const load = nextId()
  const cancel = () => binding.loadCancel(load)
  let told = -1
  let mistake: { reason: unknown } | undefined
  const report = (progress: number) => {
    if (!onProgress || mistake || progress <= told) return
    told = progress
    try {
      onProgress(progress)
    } catch (reason) {
      mistake = { reason }
      cancel()
    }
  }
  signal?.addEventListener('abort', cancel)
  try {
    signal?.throwIfAborted()
    const params = {
      path,
      gpuLayers: engine === 'cpu' ? 0 : typeof gpuLayers === 'number' ? gpuLayers : -2,
      contextCells: (contextSize ?? MAX_DEFAULT_CONTEXT) * parallel,
      weights: true,
    }
    const loaded = await binding.modelLoad(load, params, onProgress ? report : null)
    // Reports that are still on their way when the load ends are dropped.
    report(1)
    if (!mistake) return loaded
    binding.modelClose(loaded.model)
    throw mistake.reason
  } catch (error) {
    throw mistake ? mistake.reason : error
  } finally {
    signal?.removeEventListener('abort', cancel)
  }
}

/**
 * A file with learned positions has no others: llama.cpp would end the process at the first one beyond. And what the
 * system lets a process allocate may be more than there is: it would be killed, or swap, when llama.cpp clears the cells.
 */
function checkContext(size: number, parallel: number, facts: ModelFacts, engine: EngineInfo): void {
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

function defaultContext({ trainingContext }: ModelFacts): number {
  return trainingContext > 0 ? Math.min(trainingContext, MAX_DEFAULT_CONTEXT) : MAX_DEFAULT_CONTEXT
}
