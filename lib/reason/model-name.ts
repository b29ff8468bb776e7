/**
 * From what callers give as a model to the path of its file. What finds a model by its name is handed in: this room knows neither
 * the Hub nor its cache.
 */
import { stat } from 'node:fs/promises'
import { EMBEDDED_MODEL } from './model-file.js'
import type { LoadOptions } from './options.js'

type FindModelOptions = Pick<LoadOptions, 'download' | 'onDownload' | 'signal'>

/** Gives the path of a model's file, or null for what is no name. */
type FindModel = (name: string, options: FindModelOptions) => Promise<string | null>

let findModel: FindModel | undefined

/** Hands in what finds models by their names. */
export function findModelsWith(find: FindModel): void {
  findModel = find
}

/**
 * A path is taken as it is, and so is what stands for a file that is there, whatever name it would be.
 * @param given Undefined: the embedded model.
 * @throws {Z1Error} MODEL_NOT_FOUND for a name that is not in the cache; with `download` what a download throws.
 */
export async function modelPath(given: string | undefined, options: FindModelOptions = {}): Promise<string> {
  if (given === undefined) return EMBEDDED_MODEL
  if (!findModel || (await stat(given).catch(() => null))) return given
  return (await findModel(given, options)) ?? given
}
