/** What the addon is told when it loads or quantizes a model, and what it says of a loaded one. Part of the native surface. */

/** ggml's names of the types that K and V may have in the cache. */
export const CACHE_TYPES = ['f16', 'q8_0', 'q4_0'] as const
export type CacheTypeName = (typeof CACHE_TYPES)[number]

/** Of the KV cache. */
export interface CacheType {
  k: CacheTypeName
  v: CacheTypeName
}

/** A LoRA adapter as a GGUF file, and the factor of what it adds to the model. */
export interface LoraAdapter {
  path: string
  scale: number
}

export interface ModelParams {
  path: string
  /** Layers to keep on GPU devices: a count, -1 for all, or -2 for as many as fit in free memory beside `contextCells` of KV. */
  gpuLayers: number
  /** KV cells the caller will ask for (contextSize × parallel); only used when `gpuLayers` is -2. 0: not known yet. */
  contextCells: number
  /** False: only metadata and vocabulary are read, and no context can be made. */
  weights: boolean
  /** False: the weights are read into memory, and the file is no longer needed. */
  mmap: boolean
  /** The weights may not be swapped out; what cannot be locked fails the load. */
  mlock?: boolean
  /** Of the KV cache that contexts will have: sizes depend on it. Absent: F16. */
  cacheType?: CacheType
  /** Names of the GPU devices to use. Absent: all. */
  devices?: string[] | undefined
  /** Applied by every context of the model. */
  lora?: LoraAdapter[]
}

export interface QuantizeParams {
  /** Path of a GGUF file. */
  input: string
  /** Path that is written, whatever is there. */
  output: string
  /** llama.h `enum llama_ftype`. */
  fileType: number
  threads: number
}

/** What the GGUF says of itself; read once after loading. */
export interface ModelMetadata {
  architecture: string
  /** llama.cpp's one-line description, e.g. `qwen2 1B Q8_0`. */
  description: string
  /** Name of the quantization, e.g. `Q8_0`. */
  quantization: string
  parameters: number
  /** Bytes of all tensors. */
  size: number
  layers: number
  /** Layers that were placed on GPU devices. */
  gpuLayers: number
  embeddingLength: number
  vocabularySize: number
  vocabularyType: 'none' | 'spm' | 'bpe' | 'wpm' | 'ugm' | 'rwkv' | 'plamo2' | 'test'
  /** Training length in tokens; 0 when the file does not say. */
  trainingContext: number
  /** `z1.thinking_window`: tokens of thinking that the model was trained for; null when the file does not say. */
  thinkingWindow: number | null
  /** `general.sampling.*`: what the file recommends, by the last word of each key, e.g. `top_k`. */
  sampling: Record<string, number>
  /** Most tokens of a context, where positions are learned; 0: any. */
  positions: number
  /** Bytes of K and V in one cell, at least. */
  kvBytesPerCell: number
  /** Lengths of a head's K and V; layers with a window may have another. Empty where the file does not say one. */
  keyLengths: number[]
  valueLengths: number[]
  recurrent: boolean
  hybrid: boolean
  /** Why this model cannot generate (`encoder only`, `diffusion`, …), or null. */
  unsupported: string | null
  chatTemplate: string | null
  /** Token ids, -1 when the vocabulary has none. */
  bos: number
  eos: number
  addBos: boolean
  bosText: string
  eosText: string
  /** Text of every control, unknown and user-defined token: what `parse_special` recognizes. */
  specialTokens: { id: number; text: string; control: boolean }[]
  /** Most bytes of text that one token stands for; 0: no bound is known. */
  longestToken: number
}
