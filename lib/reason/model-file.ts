/** Where a model's file is, whether there is one, and what was taken for one. */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Z1Error } from '../base/errors.js'
import { openToRead } from '../base/files.js'
import { BUNDLED, inOwnFolder, packageRoot, unpacked } from '../base/package.js'

/** The model that comes with the package. */
export const EMBEDDED_MODEL = unpacked(join(packageRoot, 'models', 'z1-mini.gguf'))

/**
 * llama.cpp's message for a missing file is one for a broken file, and it has none for what is often taken for a model.
 * @throws {Z1Error} MODEL_NOT_FOUND, MODEL_INVALID.
 */
export async function checkModelFile(path: string): Promise<void> {
  if (/^https?:\/\//i.test(path)) {
    throw new Z1Error('MODEL_NOT_FOUND', `No model at ${path}: that is an address; download the file and give its path`)
  }
  let beginning: string
  try {
    const facts = await stat(path)
    if (facts.isDirectory()) {
      throw new Z1Error(
        'MODEL_INVALID',
        `${path} is not a file but a folder (z1 convert makes a GGUF file of a checkpoint)`,
      )
    }
    // Opening a pipe would wait for its writer.
    if (!facts.isFile()) throw new Z1Error('MODEL_INVALID', `${path} is not a file`)
    if (facts.size === 0) throw new Z1Error('MODEL_INVALID', `${path} is empty`)
    beginning = await beginningOf(path)
  } catch (cause) {
    if (cause instanceof Z1Error) throw cause
    if (path === EMBEDDED_MODEL && !inOwnFolder())
      throw new Z1Error('MODEL_NOT_FOUND', `No model at ${path}. ${BUNDLED}`)
    throw new Z1Error('MODEL_NOT_FOUND', `No model at ${path}: ${(cause as Error).message}`, { cause })
  }
  const mistaken = MISTAKEN.find(([pattern]) => pattern.test(beginning))
  if (mistaken) throw new Z1Error('MODEL_INVALID', `${path} ${mistaken[1]}`)
}

/** What is saved under a model's name in place of it. */
const MISTAKEN: readonly (readonly [RegExp, string])[] = [
  [
    /^version https:\/\/git-lfs\.github\.com\//,
    'is a Git LFS pointer, not the model itself: git lfs pull downloads it',
  ],
  [/^\s*<(!doctype|html|\?xml)/i, 'is a web page, not a model: download the file itself'],
  [/^(?!GGUF).{8}\{"/s, 'is a safetensors file, not a GGUF file: z1 convert makes one of the folder that it is in'],
]

async function beginningOf(path: string): Promise<string> {
  const file = await openToRead(path)
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(256), position: 0 })
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}
