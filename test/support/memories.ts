/** Models with every kind of memory: attention, attention with a window, recurrent, and both. */
import { afterAll } from 'vitest'
import { type LoadOptions, Z1 } from '../../lib/index.js'
import { testModel } from './models.js'

export const memories = ['qwen2-bytes', 'olmo2', 'mamba', 'lfm2'] as const
export type Memory = (typeof memories)[number]

/** A function that loads one, each of its tokens decoded alone. What it has loaded is disposed after the tests of the file. */
export function memoryLoader(): (name: Memory, options?: LoadOptions) => Promise<Z1> {
  const loaded: Z1[] = []
  afterAll(() => Promise.all(loaded.map((z1) => z1.dispose())))
  return async (name, options = {}) => {
    const model = testModel(name, { endGain: 0 })
    const z1 = await Z1.load({ model, contextSize: 1024, batchSize: 1, threads: 1, engine: 'cpu', ...options })
    loaded.push(z1)
    return z1
  }
}
