/**
 * From what callers give as a model to the path of its file. What finds a model by its name is handed in: this room knows neither
 * the Hub nor its cache.
 */
import { stat } from 'node:fs/promises'
import { EMBEDDED_MODEL } from './model-file.js'

export interface FindModelOptions {
  /** Download it where it is not in the cache. */
  download?: boolean | undefined
  /** Called with the bytes that are there, and those of all files. */
  onDownload?: ((progress: { done: number; total: number }) => void) | undefined
  signal?: AbortSignal | undefined
}

/** Gives the path of a model's file, or null for what is no name. */
export type FindModel = (name: string, options: FindModelOptions) => Promise<string | null>

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
