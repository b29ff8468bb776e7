/**
 * One file into the cache: its content goes to `<blob>.incomplete`, which the next run goes on with, and becomes the blob when its hash
 * is right. One process at a time works on a blob.
 */
import { createHash, type Hash } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm, stat, statfs } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Z1Error } from '../base/errors.js'
import { cannotWrite, writeAll } from '../base/files.js'
import { BusyError, Lock } from '../base/lock.js'
import type { RepoCache } from './cache.js'
import type { HubClient, Reply, Subject } from './client.js'
import { PassingFailure } from './connection.js'

/** A file of a repository at one commit. */
export interface RemoteFile {
  /** Its path in the repository. */
  path: string
  /** Bytes. */
  size: number
  /** Name of its blob: the SHA-256 of a large file, else git's hash. */
  hash: string
  /** Where it is, below the endpoint. */
  url: string
}

/** Called with the bytes of the file that are on disk. */
export type OnBytes = (bytes: number) => void

/** Milliseconds between two looks at a download of another process. */
const LOOK = 250

/** The system's words for a disk, a quota or a limit that is reached. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG']

/**
 * @throws {Z1Error} REMOTE_FAILED, REMOTE_REFUSED, CHECKSUM_MISMATCH, DISK_FULL, MODEL_NOT_FOUND.
 * @throws the signal's reason when it is aborted.
 */
export async function download(
  client: HubClient,
  cache: RepoCache,
  file: RemoteFile,
  subject: Subject,
  onBytes: OnBytes,
  signal?: AbortSignal,
): Promise<void> {
  const blob = cache.blob(file.hash)
  const partial = `${blob}.incomplete`
  try {
    await mkdir(dirname(blob), { recursive: true })
    await mkdir(cache.locks, { recursive: true })
    await using _lock = await waitForLock(join(cache.locks, file.hash), partial, onBytes, signal)
    // Another process may have brought it meanwhile.
    if (!(await isComplete(cache, file))) {
      await checkSpace(dirname(blob), file.size - (await sizeOf(partial)), file.path)
      await fetchInto(partial, client, file, subject, onBytes, signal)
      await rename(partial, blob)
    }
    onBytes(file.size)
  } catch (error) {
    throw inWords(error, file, dirname(blob))
  }
}

export async function isComplete(cache: RepoCache, { hash, size }: RemoteFile): Promise<boolean> {
  return (await sizeOf(cache.blob(hash), -1)) === size
}

/** Bytes of a download that was interrupted. */
export async function bytesThere(cache: RepoCache, { hash, size }: RemoteFile): Promise<number> {
  return Math.min(await sizeOf(`${cache.blob(hash)}.incomplete`), size)
}

async function sizeOf(path: string, otherwise = 0): Promise<number> {
  const facts = await stat(path).catch(() => null)
  return facts?.isFile() ? facts.size : otherwise
}

/** @param bytes That are still to come. @throws {Z1Error} DISK_FULL. */
export async function checkSpace(folder: string, bytes: number, what: string): Promise<void> {
  // Not every system tells.
  const facts = await statfs(folder).catch(() => null)
  const free = facts === null ? Infinity : facts.bavail * facts.bsize
  if (bytes <= free) return
  const gib = (value: number) => `${(value / 2 ** 30).toFixed(2)} GiB`
  throw new Z1Error(
    'DISK_FULL',
    `${what} needs ${gib(bytes)} more, and there are ${gib(free)} free in ${folder}: make room, or name another cache with HF_HUB_CACHE`,
  )
}

async function waitForLock(target: string, partial: string, onBytes: OnBytes, signal?: AbortSignal): Promise<Lock> {
  for (;;) {
    signal?.throwIfAborted()
    try {
      return await Lock.take(target)
    } catch (error) {
      if (!(error instanceof BusyError)) throw error
      onBytes(await sizeOf(partial))
      await sleep(LOOK, undefined, { signal }).catch(() => signal?.throwIfAborted())
    }
  }
}

/** What of a file is on disk, and its hash so far. */
class PartialFile {
  size = 0
  /** Until an answer shows that it has not. */
  serverHasRanges = true
  #hash: Hash

  private constructor(
    readonly handle: FileHandle,
    readonly file: RemoteFile,
  ) {
    this.#hash = hashFor(file)
  }

  /** Reads what an earlier run has left. */
  static async open(path: string, file: RemoteFile, signal?: AbortSignal): Promise<PartialFile> {
    // Appending alone: a link or another process's file is not cut by opening it.
    const partial = new PartialFile(await open(path, 'a+'), file)
    try {
      const { size } = await partial.handle.stat()
      if (size > file.size) await partial.reset()
      else await partial.#reread(size, signal)
      return partial
    } catch (error) {
      await partial.handle.close()
      throw error
    }
  }

  async #reread(size: number, signal?: AbortSignal): Promise<void> {
    const buffer = Buffer.allocUnsafe(1 << 20)
    while (this.size < size) {
      signal?.throwIfAborted()
      const { bytesRead } = await this.handle.read(buffer, 0, buffer.length, this.size)
      if (bytesRead === 0) break
      this.#hash.update(buffer.subarray(0, bytesRead))
      this.size += bytesRead
    }
  }

  async append(bytes: Uint8Array): Promise<void> {
    await writeAll(this.handle, bytes)
    this.#hash.update(bytes)
    this.size += bytes.length
  }

  /** Begins anew. */
  async reset(): Promise<void> {
    await this.handle.truncate(0)
    this.size = 0
    this.#hash = hashFor(this.file)
  }

  isRight(): boolean {
    return this.#hash.digest('hex') === this.file.hash
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.handle.close()
  }
}

/** Git hashes a file with a line before it (gitformat-pack, loose objects). */
function hashFor({ hash, size }: RemoteFile): Hash {
  return hash.length === 64 ? createHash('sha256') : createHash('sha1').update(`blob ${size}\0`)
}

/** A wrong hash may be an earlier run's: it is fetched once more from the beginning before it is a server's. */
async function fetchInto(
  path: string,
  client: HubClient,
  file: RemoteFile,
  subject: Subject,
  onBytes: OnBytes,
  signal?: AbortSignal,
): Promise<void> {
  await using partial = await PartialFile.open(path, file, signal)
  for (let tries = 1; ; tries++) {
    await client.retry(signal, (gotFurther) => fetchRest(partial, client, subject, onBytes, gotFurther, signal))
    if (partial.isRight()) break
    await partial.reset()
    if (tries < 2) continue
    await rm(path, { force: true })
    throw new Z1Error(
      'CHECKSUM_MISMATCH',
      `What ${client.endpoint} sent as ${file.path} is not what it says it is: its hash is not ${file.hash}. Nothing was kept`,
    )
  }
  // A full disk may show only here.
  await partial.handle.sync()
}

/** One connection's worth. */
async function fetchRest(
  partial: PartialFile,
  client: HubClient,
  subject: Subject,
  onBytes: OnBytes,
  gotFurther: () => void,
  signal?: AbortSignal,
): Promise<void> {
  const { file } = partial
  onBytes(partial.size)
  if (partial.size === file.size) return
  const asksForRest = partial.size > 0 && partial.serverHasRanges
  const range: Record<string, string> = asksForRest ? { range: `bytes=${partial.size}-` } : {}
  const reply = await client.get(file.url, subject, range, signal)
  let skip = await startOf(reply, partial)
  for await (const chunk of reply.body) {
    const bytes = chunk.subarray(Math.min(skip, chunk.length))
    skip -= chunk.length - bytes.length
    if (bytes.length === 0) continue
    // A server that sends more than the file has is found out by the hash.
    await partial.append(bytes.subarray(0, file.size - partial.size))
    gotFurther()
    onBytes(partial.size)
    if (partial.size === file.size) return
  }
  if (partial.size < file.size) {
    throw new PassingFailure(`The connection was lost after ${partial.size} of ${file.size} bytes of ${file.path}`)
  }
}

/** Bytes of the body that are there already: a server may send all of the file whatever it is asked for. */
async function startOf(reply: Reply, partial: PartialFile): Promise<number> {
  const { status, headers, body } = reply
  const { file, size } = partial
  if (status === 200) return size
  const [, from, total] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers.get('content-range') ?? '') ?? []
  const isOurs = status === 206 && Number(from) <= size && (total === '*' || Number(total) === file.size)
  if (isOurs) return size - Number(from)
  for await (const _ of body) break
  partial.serverHasRanges = false
  throw new PassingFailure(
    `The server answers a request for a part of ${file.path} with another one (status ${status})`,
  )
}

function inWords(error: unknown, { path }: RemoteFile, folder: string): unknown {
  if (!(error instanceof Error) || !('syscall' in error)) return error
  const { code = '' } = error as NodeJS.ErrnoException
  if (!FULL.includes(code)) return cannotWrite(folder, error)
  return new Z1Error(
    'DISK_FULL',
    `The disk is full (${code}): ${path} does not fit in ${folder}. What came is kept: make room, or name another cache with HF_HUB_CACHE`,
    { cause: error },
  )
}
