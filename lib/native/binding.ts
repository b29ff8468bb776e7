/**
 * The native surface: every function that native/binding/addon.cpp exports, typed once.
 * Nothing here decides anything. Options arrive checked and with their defaults filled in; handles are opaque.
 * `npm run check` compares the names below with addon.cpp and the error codes with native/error.h.
 */
import type { OnEvent } from './generation-events.js'
import type { CacheType, ModelMetadata, ModelParams, QuantizeParams } from './model-params.js'

export type {
  CutEnded,
  Ended,
  FinishReason,
  GenerationEvent,
  NativeTrace,
  OnEvent,
  Phase,
  SampledLogprob,
  Timings,
  TokenLogprob,
} from './generation-events.js'
export type { CacheType, LoraAdapter, ModelMetadata, ModelParams, QuantizeParams } from './model-params.js'

declare const modelBrand: unique symbol
declare const contextBrand: unique symbol
declare const stateBrand: unique symbol
/** A loaded model. Freed when every context of it is closed and {@link Binding.modelClose} was called, or by the collector. */
export type ModelHandle = { readonly [modelBrand]: true }
/** A context and its thread. Freed by {@link Binding.contextClose} or by the collector. */
export type ContextHandle = { readonly [contextBrand]: true }

/** The state of a sequence, between a context and a file. Freed by the collector. */
export type StateHandle = { readonly [stateBrand]: true }

/** What the addon was compiled against. */
export interface AddonInfo {
  /** Release of llama.cpp whose headers were compiled in, e.g. `v0.5.0`. */
  release: string
  /** `llama_version()` that an engine must report. */
  llamaVersion: string
  /** `ggml_version()` that an engine must report. */
  ggmlVersion: string
}

/** One ggml device (ggml-backend.h `ggml_backend_dev_props`). */
export interface Device {
  name: string
  description: string
  type: 'cpu' | 'gpu' | 'igpu' | 'accel' | 'meta'
  /** Name of the backend that brought it, e.g. `CPU`, `CUDA`. */
  backend: string
  /** Bytes. */
  memoryFree: number
  /** Bytes. */
  memoryTotal: number
}

export interface EngineInfo {
  /** Absolute path of the directory that was opened. */
  directory: string
  /** Backend libraries that were not loaded, each with the reason ggml gave. */
  refused: { file: string; reason: string }[]
  devices: Device[]
}

/** A piece of prompt text. */
export interface TextSegment {
  text: string
  /** Recognize control tokens in the text (llama_tokenize's `parse_special`). */
  parseSpecial: boolean
  /** The text continues what stands before it: no space is inserted on vocabularies that insert one. */
  continuation: boolean
}

export interface ContextParams {
  /** Cells for each request; the llama context has contextSize × (parallel + branches). */
  contextSize: number
  parallel: number
  /** Sequences for branches, beside those of requests. */
  branches: number
  /** All sequences use one pool of cells (llama.cpp's kv_unified); else each has cells of its own. */
  sharedCells: boolean
  /** Tokens submitted to one `llama_decode` at most (llama.cpp's n_ubatch); a hint alone may be longer. */
  batchSize: number
  threads: number
  /** Threads for prompts. */
  threadsBatch: number
  /** Whether fewer threads are used while other programs take the cores, and streams take turns where that is faster. */
  adapts: boolean
  /** MiB for prompts that sequences held, and for checkpoints. Absent: 0. */
  cacheRam?: number
  /** Of K and V in the cache. Absent: F16. */
  cacheType?: CacheType
  /** `auto` or absent: where the devices support it. */
  flashAttention?: 'auto' | boolean
}

/** llama.cpp's samplers; a value that leaves a sampler without effect keeps it out of the chain. */
export interface SamplingParams {
  /** 0 = greedy. */
  temperature: number
  topK: number
  topP: number
  minP: number
  typicalP: number
  repeatPenalty: number
  frequencyPenalty: number
  presencePenalty: number
  penaltyLastN: number
  dryMultiplier: number
  dryBase: number
  dryAllowedLength: number
  dryPenaltyLastN: number
  drySequenceBreakers: string[]
  xtcProbability: number
  xtcThreshold: number
  logitBias: { token: number; bias: number }[]
  seed: number
}

/** One request: everything is checked and tokenized before it crosses. */
export interface GenerationRequest {
  /** Chosen by the caller, unique in the environment. */
  id: number
  prompt: Int32Array
  /**
   * Sampled tokens before the window closes; Infinity never closes by itself. Null: the model does not think, all that is
   * sampled is the answer, without a cut and with `ended` self.
   */
  thinkingWindow: number | null
  /** Tokens of the answer after a cut, at most. */
  maxTokens: number
  /**
   * Smaller windows, ascending, for each of which a branch of the generation answers while it goes on, with a limit of its
   * own for the answer.
   */
  cuts: { thinkingWindow: number; maxTokens: number }[]
  /**
   * Appended when the window closes. Null: the generation ends there, without a cut or an answer; its finishReason is then
   * `length`, `abort` after {@link Binding.generationEndThinking}, `loop` for a loop.
   */
  hint: Int32Array | null
  /** Strings that end the answer, and with it the generation; they are left out of the text. */
  stop: string[]
  /** They end the generation while the model thinks, too. */
  stopInThinking: boolean
  /** Think tags that must not be generated. */
  bannedTags: string[]
  /** Tags that must not be generated while the model thinks. */
  bannedInThinking: string[]
  /**
   * Tools may be called, between these tags; where the answer has a grammar, only at its start. What follows the first open tag is bound
   * by this GBNF, to the end. One that is opened while the model thinks makes a cut, with `ended` self and no hint. Else null.
   */
  calls: { open: string; close: string; grammar: string } | null
  /** With delimited thinking, the tag whose completion ends the thinking (allowed only while thinking); else null. */
  closeTag: string | null
  /**
   * GBNF that binds the answer, and nothing before it. With one and a hint, an end of generation in the thinking becomes a cut with
   * `ended` self.
   */
  grammar: string | null
  /** A loop (4 to 128 tokens, three times in a row) closes the window; in the answer it ends the generation. */
  loops: boolean
  /** The window closes at the first end of a line in its last tenth, if there is one. */
  landsOnLine: boolean
  /** Nats; ends the thinking where an end is so nearly the likeliest token. Null: never. */
  earlyMargin: number | null
  /**
   * 0 … 1: where an answer is stated, a branch with the hint answers; if the least probability of its tokens is so large, the
   * thinking ends. Null: never.
   */
  earlyProbe: number | null
  /** Where the thinking is closed right after a stated answer the generation ends, without a hint. */
  keepsStated: boolean
  /** The first stated answer ends the thinking, and the generation. */
  endsStated: boolean
  /** Report the least probability of the answer's tokens. */
  confidence: boolean
  /** Report log-probabilities of the answer's tokens, with the `top` likeliest ones (0 … 20); those of the thinking too. Null: none. */
  logprobs: { top: number; thinking: boolean } | null
  /** Fed in the place of an end of the thinking, up to `times` times, before `until` tokens were sampled. Null: nothing is. */
  wait: { tokens: Int32Array; times: number; until: number } | null
  /**
   * Report what the policies would see of each token, and what would be answered after every `every` tokens, where the text
   * lets a policy end the thinking, at ends of sentences with a margin of `margin` nats at most, and with `lines` at those of
   * lines. Beside no policy, cut, grammar or stop string. Null: nothing is.
   */
  trace: { every: number; margin: number; lines: boolean } | null
  /** Reuse the longest common prefix already in the KV cache. */
  cachePrompt: boolean
  /** Draft tokens by prompt lookup. MODEL_UNSUPPORTED where a state is recurrent. */
  speculation: boolean
  /** Requests of one group have the same prompt, which is decoded once. 0: of no group. */
  group: number
  sampling: SamplingParams
}

/** A request as it crosses: what can be long does so as one array, since to read an object of it takes a microsecond. */
export type CrossingRequest = Omit<GenerationRequest, 'sampling'> & {
  /** `logitBias`: token and bias in turn. */
  sampling: Omit<SamplingParams, 'logitBias'> & { logitBias: Float64Array }
}

export interface Binding {
  addonInfo(): AddonInfo
  /** Called once per environment, before anything else; events come in order. */
  channelOpen(onEvent: OnEvent): void
  /**
   * Opens the engine directory, or returns the one already open; another directory is ENGINE_CONFLICT. With `backend`
   * (`cuda`, `vulkan`, …) a directory whose library of that backend cannot be loaded is refused with the loader's reason,
   * before anything of it stays in the process.
   */
  engineOpen(directory: string, backend: string | null): Promise<EngineInfo>
  /** Directory of the engine that is open in this process, or null. */
  engineDirectory(): string | null
  /** `task` identifies this load for {@link taskCancel}; `onProgress` gets 0…1. Cancelled: rejects with code ABORTED. */
  modelLoad(
    task: number,
    params: ModelParams,
    onProgress: ((progress: number) => void) | null,
  ): Promise<{ model: ModelHandle; metadata: ModelMetadata }>
  /**
   * Cancels a load, a quantization before its next tensor, or tokenizing after 16 KiB where the text can be cut. What was
   * cancelled rejects with ABORTED, unless it has ended.
   */
  taskCancel(task: number): void
  modelClose(model: ModelHandle): void
  /** Writes a file with tensors of another type. `task` and `onProgress` as in {@link modelLoad}. */
  modelQuantize(task: number, params: QuantizeParams, onProgress: ((progress: number) => void) | null): Promise<void>
  /** CONTEXT_TOO_SMALL when it has more than `most` tokens and text is left, so that nobody waits for what cannot fit. */
  modelTokenize(task: number, model: ModelHandle, segments: TextSegment[], most: number): Promise<Int32Array>
  /** Text of the tokens as bytes in UTF-8, control tokens shown only with `special`. */
  modelDetokenize(task: number, model: ModelHandle, tokens: Int32Array, special: boolean): Promise<string>
  /**
   * Whether tokens are all of a text that a grammar (GBNF, checked) allows. Takes JavaScript's time: for tests. GRAMMAR_INVALID when
   * llama.cpp cannot read it.
   */
  modelMatches(model: ModelHandle, grammar: string, tokens: Int32Array): boolean
  /** `batchSize` is what llama.cpp made of that of `params`: it may round it. */
  contextCreate(model: ModelHandle, params: ContextParams): Promise<{ context: ContextHandle; batchSize: number }>
  /** Resolves when the thread has ended and its memory is freed; running generations end with DISPOSED. */
  contextClose(context: ContextHandle): Promise<void>
  /** What the request that began last has decoded. Rejects with STATE_EMPTY, MODEL_UNSUPPORTED. */
  contextSaveState(context: ContextHandle): Promise<{ state: StateHandle; size: number }>
  /**
   * Resolves when a sequence holds it. The handle's bytes are gone then. Rejects with STATE_INVALID, CONTEXT_TOO_SMALL.
   */
  contextLoadState(context: ContextHandle, state: StateHandle): Promise<void>
  /** A state without bytes, to be appended to. */
  stateCreate(): StateHandle
  /** Copies what stands at the offset to the buffer. */
  stateRead(state: StateHandle, offset: number, buffer: Uint8Array): void
  stateAppend(state: StateHandle, bytes: Uint8Array): void
  generationStart(context: ContextHandle, request: CrossingRequest): void
  /** Closes the window of a generation that is thinking; otherwise does nothing. */
  generationEndThinking(context: ContextHandle, id: number): void
  /** Ends the generation now with what there is (finishReason `abort`). */
  generationStop(context: ContextHandle, id: number): void
  /** Ends the generation now with an error event of code ABORTED. */
  generationAbort(context: ContextHandle, id: number): void
}
