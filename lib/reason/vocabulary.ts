/** Counts tokens with the vocabulary of a GGUF file. Its weights are not loaded. */

import { attempt, callSite } from '../base/errors.js'
import { nextId, openAddon } from '../native/channel.js'
import { EMBEDDED_MODEL, inspectModel } from './load.js'

export interface Tokenizer {
  /** Tokens of a text; control tokens that it spells are text. */
  count(text: string): Promise<number>
  close(): void
}

/**
 * @param path A GGUF file; default: the embedded model.
 * @throws {Z1Error} as `Z1.load()` does.
 */
export async function openTokenizer(path: string = EMBEDDED_MODEL): Promise<Tokenizer> {
  return attempt(callSite(openTokenizer), async () => {
    // Opens the engine, and says what is wrong with the file.
    await inspectModel(path)
    const binding = openAddon()
    const params = { path, gpuLayers: 0, contextCells: 0, weights: false }
    const { model } = await binding.modelLoad(nextId(), params, null)
    return {
      count: async (text) => {
        const segment = { text, parseSpecial: false, continuation: false }
        return (await binding.modelTokenize(model, [segment])).length
      },
      close: () => binding.modelClose(model),
    }
  })
}
