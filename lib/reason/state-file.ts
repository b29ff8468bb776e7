/**
 * The state of a prefix as a file: what it depends on, the state, and a hash of both, so that llama.cpp reads nothing but what it
 * has written for the same model. Knows nothing of what a state holds.
 *
 *     8 bytes     Z1STATE\n
 *     4           version of this form, little-endian as the next one
 *     4           length of the header
 *     header      JSON of {@link StateFacts}, and `size`
 *     size        the state
 *     32          SHA-256 of all before it
 */
import { createHash, type Hash } from 'node:crypto'
import type { FileHandle } from 'node:fs/promises'
import { isDeepStrictEqual } from 'node:util'
import { Z1Error } from '../base/errors.js'
import { openToRead, replaceFile, writeAll } from '../base/files.js'
import { oneLine } from '../base/one-line.js'
import type { CacheType } from '../native/binding.js'
import { State } from '../native/context.js'
import { addonInfo } from '../native/engine.js'
import { fingerprintOf } from './fingerprint.js'
import type { ModelInfo } from './load.js'

const MAGIC = Buffer.from('Z1STATE\n')
const VERSION = 1
const PREFIX = MAGIC.length + 8
const HASH = 32
const MOST_HEADER = 64 * 1024
/** Bytes that are read, hashed and written at once. */
const PIECE = 1024 * 1024
/** What the system says of a disk, a quota or a limit that is reached. */
const FULL = ['ENOSPC', 'EDQUOT', 'EFBIG']

/** What a state depends on. */
export interface StateFacts {
  /** Release of llama.cpp. */
  engine: string
  /** Fingerprint of the model's file. */
  model: string
  /** Fingerprints of the adapters that are applied, with their scales. */
  lora: { file: string; scale: number }[]
  cacheType: CacheType
}

/** Of a load. The files must still be there. */
export async function stateFactsOf({ path, lora, cacheType }: ModelInfo): Promise<StateFacts> {
  // One with a scale of 0 is not applied.
  const applied = lora.filter(({ scale }) => scale !== 0)
  // All awaited together: a rejection that nobody awaits yet would end the process.
  const [model, adapters] = await Promise.all([
    fingerprintOf(path),
    Promise.all(applied.map(async ({ path, scale }) => ({ file: await fingerprintOf(path), scale }))),
  ])
  return { engine: addonInfo().release, model, lora: adapters, cacheType }
}

/** What a message calls them. */
const NAMES: Record<keyof StateFacts, string> = {
  engine: 'release of the engine',
  model: 'model',
  lora: 'set of adapters or scales',
  cacheType: 'cacheType',
}

/**
 * Writes the file whole or not at all.
 * @throws {Z1Error} DISK_FULL. @throws {Error} when it cannot be written for another reason.
 */
export async function writeStateFile(path: string, facts: StateFacts, state: State): Promise<void> {
  try {
    await replaceFile(path, async ({ handle }) => {
      const hash = createHash('sha256')
      const put = async (bytes: Uint8Array) => {
        hash.update(bytes)
        await writeAll(handle, bytes)
      }
      const header = Buffer.from(JSON.stringify({ ...facts, size: state.size }))
      const prefix = Buffer.alloc(PREFIX)
      MAGIC.copy(prefix)
      prefix.writeUInt32LE(VERSION, MAGIC.length)
      prefix.writeUInt32LE(header.length, MAGIC.length + 4)
      await put(prefix)
      await put(header)
      const piece = Buffer.alloc(Math.min(PIECE, state.size))
      for (let offset = 0; offset < state.size; offset += PIECE) {
        const part = piece.subarray(0, state.size - offset)
        state.read(offset, part)
        await put(part)
      }
      await writeAll(handle, hash.digest())
    })
  } catch (error) {
    const { code } = ((error as Error).cause ?? {}) as NodeJS.ErrnoException
    if (!FULL.includes(String(code))) throw error
    throw new Z1Error('DISK_FULL', `The state does not fit on the disk: ${(error as Error).message}`, { cause: error })
  }
}

/** @throws {Z1Error} STATE_INVALID, STATE_MISMATCH, OUT_OF_MEMORY. */
export async function readStateFile(path: string, facts: StateFacts): Promise<State> {
  let file: FileHandle
  try {
    file = await openToRead(path)
  } catch (cause) {
    throw new Z1Error('STATE_INVALID', `No state at ${path}: ${(cause as Error).message}`, { cause })
  }
  try {
    return await read(file, path, facts)
  } catch (cause) {
    if (cause instanceof Z1Error || !(cause instanceof Error && 'syscall' in cause)) throw cause
    throw new Z1Error('STATE_INVALID', `Cannot read the state at ${path}: ${cause.message}`, { cause })
  } finally {
    await file.close()
  }
}

async function read(file: FileHandle, path: string, facts: StateFacts): Promise<State> {
  const damaged = (how: string) => new Z1Error('STATE_INVALID', `${path} is damaged: ${how}`)
  const { size: length } = await file.stat()
  const hash = createHash('sha256')
  const take = async (bytes: Buffer) => {
    await fill(file, bytes, () => damaged('it is cut short'))
    return bytes
  }
  const prefix = await take(Buffer.alloc(Math.min(PREFIX, length)))
  if (prefix.length < PREFIX || !prefix.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new Z1Error('STATE_INVALID', `${path} is not a state that z1-native has saved`)
  }
  const version = prefix.readUInt32LE(MAGIC.length)
  if (version !== VERSION) {
    throw new Z1Error('STATE_MISMATCH', `${path} is a state in form ${version}; this release reads form ${VERSION}`)
  }
  const headerLength = prefix.readUInt32LE(MAGIC.length + 4)
  if (headerLength > Math.min(MOST_HEADER, length)) throw damaged('its header does not fit')
  const header = await take(Buffer.alloc(headerLength))
  const { size, ...made } = parse(header) ?? {}
  if (!Number.isSafeInteger(size) || (size as number) < 0) throw damaged('its header cannot be read')
  if (length !== PREFIX + headerLength + (size as number) + HASH) throw damaged('it has not the length that it says')
  for (const [key, name] of Object.entries(NAMES) as [keyof StateFacts, string][]) {
    if (!isDeepStrictEqual(made[key], facts[key])) {
      const texts =
        key === 'model' || key === 'lora' ? '' : `: ${JSON.stringify(made[key])}, not ${JSON.stringify(facts[key])}`
      throw new Z1Error('STATE_MISMATCH', oneLine(`${path} is a state of another ${name}${texts}`))
    }
  }
  hash.update(prefix).update(header)
  const state = State.create(size as number)
  await readPieces(state, take, hash)
  if (!hash.digest().equals(await take(Buffer.alloc(HASH)))) throw damaged('its hash is not that of what it holds')
  return state
}

async function readPieces(state: State, take: (bytes: Buffer) => Promise<Buffer>, hash: Hash): Promise<void> {
  const piece = Buffer.alloc(Math.min(PIECE, state.size))
  for (let offset = 0; offset < state.size; offset += PIECE) {
    const part = await take(piece.subarray(0, state.size - offset))
    hash.update(part)
    state.append(part)
  }
}

/** Reads until it is full. */
async function fill(file: FileHandle, bytes: Buffer, cutShort: () => Error): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesRead } = await file.read(bytes, done)
    if (bytesRead === 0) throw cutShort()
    done += bytesRead
  }
}

function parse(header: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(header.toString())
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null
  } catch {
    return null
  }
}
