/** Where a model's file is, and whether there is one. */
import { access, constants, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Z1Error } from '../base/errors.js'
import { packageRoot, unpacked } from '../base/package.js'

/** The model that comes with the package. */
export const EMBEDDED_MODEL = unpacked(join(packageRoot, 'models', 'z1-mini.gguf'))

/**
 * llama.cpp's message for a missing file is one for a broken file.
 * @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function checkModelFile(path: string): Promise<void> {
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
