/** What llama.cpp itself says of a text under a grammar, by a vocabulary of bytes. */
import { openEngine } from '../../lib/native/engine.js'
import { Model } from '../../lib/native/model.js'
import { testModel } from '../support/models.js'

export interface Judge {
  accepts(grammar: string, text: string): boolean
  close(): void
}

export async function loadJudge(): Promise<Judge> {
  await openEngine('cpu')
  const path = testModel('qwen2-bytes')
  const model = await Model.load({ path, gpuLayers: 0, contextCells: 0, weights: false, mmap: true })
  return {
    // A byte's token is the byte.
    accepts: (grammar, text) => model.matches(grammar, Int32Array.from(Buffer.from(text))),
    close: () => model.close(),
  }
}
