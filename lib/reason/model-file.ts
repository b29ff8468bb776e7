/** Where a model's file is, whether there is one, what was taken for one, and whether it is still the same. */
import { readdir, stat } from 'node:fs/promises'
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
      const other =
        (await otherThanCheckpoint(path)) ?? 'is not a file but a folder (z1 convert makes a GGUF file of a checkpoint)'
      throw new Z1Error('MODEL_INVALID', `${path} ${other}`)
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
  [
    /^(PK|\x80)/,
    "is an archive as PyTorch's files are, not a GGUF file: save the model as safetensors, which z1 convert takes",
  ],
  [/^(?!GGUF).{8}\{"/s, 'is a safetensors file, not a GGUF file: z1 convert makes one of the folder that it is in'],
]

/** Why a folder that is taken for a checkpoint is none that can be converted; null if nothing says so. */
export async function otherThanCheckpoint(folder: string): Promise<string | null> {
  const names = await readdir(folder).catch(() => [])
  const has = (pattern: RegExp) => names.some((name) => pattern.test(name))
  if (has(/^model(-\d+-of-\d+)?\.safetensors(\.index\.json)?$/)) return null
  if (has(/^adapter_(config\.json|model\.(safetensors|bin))$/)) {
    return 'holds an adapter, not a model: z1 convert makes a GGUF file of it, which the option lora takes beside a model'
  }
  if (has(/^pytorch_model(-\d+-of-\d+)?\.bin(\.index\.json)?$/)) {
    return 'holds its weights as pytorch_model.bin alone: save it as safetensors (save_pretrained() of transformers) and convert that'
  }
  return null
}

async function beginningOf(path: string): Promise<string> {
  const file = await openToRead(path)
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(256), position: 0 })
    return buffer.toString('latin1', 0, bytesRead)
  } finally {
    await file.close()
  }
}

/** A model's file, in all its parts, as it was at one moment. */
export class ModelFile {
  readonly #parts: Map<string, string | undefined>

  private constructor(parts: Map<string, string | undefined>) {
    this.#parts = parts
  }

  static async at(path: string): Promise<ModelFile> {
    const parts = partsOf(path)
    const states = await Promise.all(parts.map(stateOf))
    return new ModelFile(new Map(parts.map((part, i) => [part, states[i]])))
  }

  /**
   * Reading a mapped file beyond where it ends now ends the process, and what was overwritten gives nonsense. A file that was
   * deleted stays as it was for those who have it open.
   * @throws {Z1Error} MODEL_CHANGED.
   */
  async check(): Promise<void> {
    await Promise.all(
      Array.from(this.#parts, async ([part, before]) => {
        const now = await stateOf(part)
        if (now !== undefined && now !== before) {
          throw new Z1Error('MODEL_CHANGED', `${part} has changed since the model was loaded: load it again`)
        }
      }),
    )
  }
}

/** A file that was split is named by its first part (llama.cpp, llama_split_path). */
export function partsOf(path: string): string[] {
  const [, prefix, count] = /^(.*)-00001-of-(\d{5})\.gguf$/s.exec(path) ?? []
  if (prefix === undefined || count === undefined) return [path]
  const number = (i: number) => String(i + 1).padStart(5, '0')
  return Array.from({ length: Number(count) }, (_, i) => `${prefix}-${number(i)}-of-${count}.gguf`)
}

/** Which file it is, its size and when it was written; undefined when there is none. */
async function stateOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino, size, mtimeNs } = await stat(path, { bigint: true })
    return [dev, ino, size, mtimeNs].join()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT' ? undefined : String(code)
  }
}
