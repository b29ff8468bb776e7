/** Files that are whole or not there: written under another name, synced, then renamed. */
import { type FileHandle, open, rename, rm } from 'node:fs/promises'
import { Z1Error } from '../base/errors.js'

/**
 * Has `write` write a file at the path that it is given, which is `path` with a suffix, and renames that one to `path`.
 * When anything fails, nothing is left, and what was at `path` before is still there.
 */
export async function replaceFile<T>(path: string, write: (partial: string) => Promise<T>): Promise<T> {
  return withFile(`${path}.partial`, async (partial) => {
    const result = await write(partial)
    await rename(partial, path)
    return result
  })
}

/** Creates a file, passes its path on, and removes it in the end, if it is still there. */
export async function withFile<T>(path: string, use: (path: string) => Promise<T>): Promise<T> {
  try {
    // A folder that is not there, or not to be written to, is told before hours of work.
    await (await open(path, 'w')).close()
  } catch (cause) {
    throw unwritable(path, cause)
  }
  try {
    return await use(path)
  } catch (error) {
    throw isSystemError(error) ? unwritable(path, error) : error
  } finally {
    await rm(path, { force: true })
  }
}

/** Opens a file for writing and syncs it when `write` is done, because a full disk may show only then. */
export async function writing<T>(path: string, write: (file: FileHandle) => Promise<T>): Promise<T> {
  const file = await open(path, 'r+')
  try {
    const result = await write(file)
    await file.sync()
    return result
  } finally {
    await file.close()
  }
}

/** One write may take only part of the bytes. */
export async function writeFully(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
}

function isSystemError(error: unknown): boolean {
  return error instanceof Error && !(error instanceof Z1Error) && 'syscall' in error
}

function unwritable(path: string, cause: unknown): Error {
  return new Error(`Cannot write ${path}: ${(cause as Error).message}`, { cause })
}
