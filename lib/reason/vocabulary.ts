/** A model file opened without its weights: what it says of itself, and its vocabulary. */
import { attempt, callSite } from '../base/errors.js'
import type { ModelMetadata } from '../native/binding.js'
import { openEngine } from '../native/engine.js'
import { Model } from '../native/model.js'
import type { ModelInfo } from './load.js'
import { type ChatMessage, checkInput } from './messages.js'
import { checkModelFile } from './model-file.js'
import { modelPath } from './model-name.js'
import { checkReasonOptions, type ReasonOptions } from './options.js'
import { recommendedSampling } from './recommended.js'
import { type RenderedPrompt, RequestBuilder } from './request.js'
import { findTags } from './tags.js'

export interface Tokenizer {
  /** Tokens of a text; control tokens that it spells are text. */
  count(text: string): Promise<number>
  close(): void
}

/** What a GGUF file says of itself. @throws {Z1Error} as `Z1.load()` does. */
export async function inspectModel(
  path: string,
): Promise<Omit<ModelMetadata, 'sampling'> & Pick<ModelInfo, 'tags' | 'sampling'>> {
  return attempt(callSite(inspectModel), async () => {
    const model = await openVocabulary(path)
    model.close()
    const { metadata } = model
    const sampling = recommendedSampling(metadata.sampling)
    return { ...metadata, sampling, tags: findTags(model.metadata.chatTemplate, model.metadata.specialTokens) }
  })
}

/**
 * Counts tokens with the vocabulary of a GGUF file.
 * @param path A path, or a model's name. Default: the embedded model.
 * @throws {Z1Error} as `Z1.load()` does.
 */
export async function openTokenizer(path?: string): Promise<Tokenizer> {
  return attempt(callSite(openTokenizer), async () => {
    const model = await openVocabulary(path)
    return {
      count: async (text) => (await model.tokenize([{ text, parseSpecial: false, continuation: false }])).length,
      close: () => model.close(),
    }
  })
}

/**
 * What `Z1.reason()` would send to a model for the same input and options, without loading its weights.
 * @param path A path, or a model's name. Default: the embedded model.
 * @throws as `Z1.load()` and `Z1.renderPrompt()`.
 */
export async function renderPrompt(
  input: string | readonly ChatMessage[],
  options: ReasonOptions,
  path?: string,
): Promise<RenderedPrompt> {
  const checked = checkReasonOptions(options)
  const read = checkInput(input, checked.template)
  return attempt(callSite(renderPrompt), async () => {
    const model = await openVocabulary(path)
    try {
      const builder = new RequestBuilder(model, model.metadata.trainingContext)
      builder.check(read, checked)
      return await builder.renderPrompt(read, checked)
    } finally {
      model.close()
    }
  })
}

async function openVocabulary(given: string | undefined): Promise<Model> {
  const path = await modelPath(given)
  await checkModelFile(path)
  await openEngine('auto')
  return Model.load({ path, gpuLayers: 0, contextCells: 0, weights: false, mmap: true })
}
