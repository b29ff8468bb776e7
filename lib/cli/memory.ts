/** How much memory a model takes, how much this machine has, and models of several sizes that are worth pulling. */
import { totalmem } from 'node:os'
import { bytes } from './table.js'

/** Tokens of a context, where nothing else is asked for: the default of `Z1.load()` for models that were trained on as many. */
export const CONTEXT = 8192

/** What a load takes beside weights and KV cache, at least: buffers of a decode, the vocabulary, Node itself. */
const OVERHEAD = 400e6

/** Part of a machine's memory that a model may take; the rest is for the system and what else runs. */
const SHARE = 0.75

export interface Suggestion {
  name: string
  /** Bytes of its file. */
  size: number
  /** Bytes of K and V that a token takes, as 16-bit numbers. */
  kvBytesPerToken: number
}

/**
 * Qwen3, which thinks between tags, by the files of its makers (Apache 2.0), the smallest first. Layers, KV heads and head size are those
 * of its config.json: 28, 28, 36, 36, 40 and 64 layers with 8 heads of 128 each.
 */
export const SUGGESTIONS: readonly Suggestion[] = [
  { name: 'Qwen/Qwen3-0.6B-GGUF:Q8_0', size: 0.64e9, kvBytesPerToken: 28 * 4096 },
  { name: 'Qwen/Qwen3-1.7B-GGUF:Q8_0', size: 1.83e9, kvBytesPerToken: 28 * 4096 },
  { name: 'Qwen/Qwen3-4B-GGUF:Q4_K_M', size: 2.5e9, kvBytesPerToken: 36 * 4096 },
  { name: 'Qwen/Qwen3-8B-GGUF:Q4_K_M', size: 5.03e9, kvBytesPerToken: 36 * 4096 },
  { name: 'Qwen/Qwen3-14B-GGUF:Q4_K_M', size: 9.0e9, kvBytesPerToken: 40 * 4096 },
  { name: 'Qwen/Qwen3-32B-GGUF:Q4_K_M', size: 19.76e9, kvBytesPerToken: 64 * 4096 },
]

/** Bytes that weights and a context take, about. */
export function memoryFor(size: number, kvBytesPerToken: number, context: number): number {
  return size + kvBytesPerToken * context + OVERHEAD
}

/** Bytes that this process may use, as far as is known. */
export function machineMemory(): number {
  // 0: no limit is known.
  return Math.min(totalmem(), process.constrainedMemory() || Infinity)
}

/** Whether a model fits that takes so many bytes. @param memory Of the machine. */
export function fits(needed: number, memory: number): boolean {
  return needed <= memory * SHARE
}

/** Three models for a machine: the largest that fits and the two before it, else the three smallest. */
export function suggestionsFor(memory: number): Suggestion[] {
  const needs = ({ size, kvBytesPerToken }: Suggestion) => memoryFor(size, kvBytesPerToken, CONTEXT)
  const fitting = SUGGESTIONS.filter((suggestion) => fits(needs(suggestion), memory)).length
  const end = Math.max(fitting, 3)
  return SUGGESTIONS.slice(end - 3, end)
}

/** As one line of a table says it: what a model needs, with what context. */
export function showNeed(size: number, kvBytesPerToken: number, context: number): string {
  const needed = memoryFor(size, kvBytesPerToken, context)
  return `about ${bytes(needed)} with ${context} tokens of context${fits(needed, machineMemory()) ? '' : ', more than this machine has to spare'}`
}
