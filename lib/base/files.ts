/**
 * Files that others see whole or not at all: written under a name of their own beside the target, synced, renamed.
 * Knows no format.
 */
import { createHash, randomBytes } from 'node:crypto'
import { constants, fstatSync } from 'node:fs'
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { oneLine } from './one-line.js'

/** A file beside another one, with a name that nobody can know before. It is removed with its scope. */
export class TemporaryFile {
  private constructor(
    readonly path: string,
    readonly handle: FileHandle,
  ) {}

  /** @throws {Error} when no file can be created there, or the target is there and no file could take its place. */
  static async beside(target: string): Promise<TemporaryFile> {
    // Fail early: a folder or a device shows only when a file is renamed to it, after hours of work perhaps.
    const there = await stat(target).catch(() => null)
    if (there && !there.isFile()) throw cannotWrite(target, new Error('not a regular file'))
    const path = `${target}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`
    try {
      // Exclusive: neither another run's file nor a symbolic link is opened.
      return new TemporaryFile(path, await open(path, 'wx'))
    } catch (cause) {
      throw cannotWrite(target, cause)
    }
  }

  /** Puts it in the place of another file. What others have written to it by its path is synced as well. */
  async moveTo(target: string): Promise<void> {
    // A full disk may show only here.
    await this.handle.sync()
    await this.handle.close()
    await rename(this.path, target)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close()
    await rm(this.path, { force: true })
  }
}

/**
 * Has `write` write a file that then takes the place of `path`. When anything fails, nothing is left, and what was at
 * `path` before is still there. Of several at once the last one to end stays.
 * @throws {Error} when the file cannot be written, and what `write` throws.
 */
export async function replaceFile<T>(path: string, write: (file: TemporaryFile) => Promise<T>): Promise<T> {
  return withTemporaryFile(path, async (file) => {
    const result = await write(file)
    await file.moveTo(path)
    return result
  })
}

/** Passes on a file beside `path` that is gone in the end. Errors of the system name `path`. */
export async function withTemporaryFile<T>(path: string, use: (file: TemporaryFile) => Promise<T>): Promise<T> {
  try {
    await using file = await TemporaryFile.beside(path)
    return await use(file)
  } catch (error) {
    throw error instanceof Error && 'syscall' in error ? cannotWrite(path, error) : error
  }
}

/** Replaces a file by a text. */
export async function writeWhole(path: string, text: string): Promise<void> {
  await replaceFile(path, ({ handle }) => writeAll(handle, Buffer.from(text)))
}

/** Removes the temporary files that processes have left beside `path` when they were killed. */
export async function removeLeftovers(path: string): Promise<void> {
  const folder = dirname(path)
  const prefix = `${basename(path)}.`
  for (const name of await readdir(folder).catch(() => [])) {
    const pid = name.startsWith(prefix) && /^(\d+)-[0-9a-f]{12}\.tmp$/.exec(name.slice(prefix.length))?.[1]
    if (pid && !isRunning(Number(pid))) await rm(join(folder, name), { force: true })
  }
}

/** Whether the system knows a process of this number. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    // Another user's.
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * Checks that no file to be written is one that is read, by whatever name: device and inode decide, so that a symbolic or
 * hard link does not hide it. `-` is standard output, or input.
 * @throws {TypeError} naming the output.
 */
export async function checkDistinct(outputs: readonly string[], inputs: readonly string[]): Promise<void> {
  const read = new Set((await Promise.all(inputs.map((path) => namesOf(path, 0)))).flat())
  for (const output of outputs) {
    if ((await namesOf(output, 1)).some((name) => read.has(name))) {
      throw new TypeError(`Expected an output that is none of the inputs but received ${output}`)
    }
  }
}

/** A file by its path, which it need not have yet, and by what the system knows it as. Pipes and devices are none. */
async function namesOf(path: string, descriptor: number): Promise<string[]> {
  const options = { bigint: true } as const
  const byPath = path === '-' ? [] : [resolve(path)]
  try {
    const facts = path === '-' ? fstatSync(descriptor, options) : await stat(path, options)
    return facts.isFile() ? [...byPath, `${facts.dev}:${facts.ino}`] : []
  } catch {
    return byPath
  }
}

/** Writes at the file's end, or where it stands: one write may take only part of the bytes. */
export async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten
}

/**
 * Opens a file to read it. What is no file is not opened: a pipe waits for its writer, and a device may have no end.
 * @throws {Error} the system's, or for a folder, a pipe, a device.
 */
export async function openToRead(path: string): Promise<FileHandle> {
  // Not to wait for the writer of a pipe before it can be told from a file.
  const file = await open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0))
  try {
    if ((await file.stat()).isFile()) return file
    throw notAFile(path)
  } catch (error) {
    await file.close()
    throw error
  }
}

/** @throws {Error} as {@link openToRead} does. */
export async function readBytes(path: string): Promise<Buffer> {
  const file = await openToRead(path)
  try {
    return await file.readFile()
  } finally {
    await file.close()
  }
}

function notAFile(path: string): Error {
  return Object.assign(new Error('not a regular file'), { code: 'ENOTSUP', path })
}

/** @returns In hexadecimal. @throws {Error} the stream's own, and as {@link openToRead} does. */
export async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of (await openToRead(path)).createReadStream()) hash.update(chunk)
  return hash.digest('hex')
}

/** The error for a file that could not be read, in one sentence. */
export function cannotRead(path: string, cause: unknown): Error {
  const name = path === '-' ? 'standard input' : path
  return new Error(oneLine(`Cannot read ${name}: ${(cause as Error).message}`), { cause })
}

/** The error for a file that could not be written, in one sentence. */
export function cannotWrite(path: string, cause: unknown): Error {
  const name = path === '-' ? 'standard output' : path
  return new Error(oneLine(`Cannot write ${name}: ${(cause as Error).message}`), { cause })
}
