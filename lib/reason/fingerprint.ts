/** Whether two files are the same, without reading all of a large one. */
import { createHash } from 'node:crypto'
import { cannotRead, openToRead } from '../base/files.js'
import { partsOf } from './model-file.js'

const PIECE = 64 * 1024
/** Pieces of a part that are read: of a file of up to 64 MiB all. */
const PIECES = 1024

/**
 * SHA-256 of a GGUF file's length and 64 KiB each at 1,024 places, its beginning and its end among them; of one of up to 64 MiB that is all of it. Other
 * weights differ in nearly all of these places.
 * @throws {Error} when it cannot be read.
 */
export async function fingerprintOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for (const part of partsOf(path)) {
    try {
      const file = await openToRead(part)
      try {
        const { size } = await file.stat()
        hash.update(`${size}\n`)
        const count = Math.min(PIECES, Math.ceil(size / PIECE))
        const buffer = Buffer.alloc(PIECE)
        for (let i = 0; i < count; i++) {
          const position = size <= PIECE * PIECES ? i * PIECE : Math.round(((size - PIECE) * i) / (count - 1))
          const { bytesRead } = await file.read(buffer, 0, PIECE, position)
          hash.update(buffer.subarray(0, bytesRead))
        }
      } finally {
        await file.close()
      }
    } catch (cause) {
      throw cannotRead(part, cause)
    }
  }
  return hash.digest('hex')
}
