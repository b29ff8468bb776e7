/**
 * Reads safetensors files: 8 bytes of length, a JSON header of that length, the tensors' bytes. The header is checked
 * in full before anything is converted, so that a file that is cut short is found at once.
 */
import type { FileHandle } from 'node:fs/promises'
import { integer, isCount, kind } from '../base/checks.js'
import { openToRead } from '../base/files.js'
import { invalid, unsupported } from './failure.js'
import { FLOAT_BYTES } from './floats.js'
import { list, parseJson, type Section, string } from './json.js'
import type { FloatType } from './types.js'

/** A tensor in a safetensors file. */
export interface StoredTensor {
  path: string
  name: string
  type: FloatType
  /** PyTorch's order: the last dimension is the contiguous one. */
  shape: number[]
  /** Byte position in the file. */
  offset: number
  /** Bytes. */
  size: number
}

/** The limit of the safetensors library. */
const MAX_HEADER = 100_000_000

/** More than a Qwen2 model of the most layers has, its constants included. */
const MAX_TENSORS = 10_000

/** The tensors of a file, by name in order. @throws {Z1Error} MODEL_INVALID, MODEL_UNSUPPORTED */
export async function readSafetensors(path: string): Promise<StoredTensor[]> {
  const file = await openSource(path)
  try {
    const { size } = await file.stat()
    const start = Buffer.alloc(8)
    if (size < 8) throw invalid(path, 'not a safetensors file: it is shorter than 8 bytes')
    await readFully(file, start, 0, path)
    const length = start.readBigUInt64LE()
    if (length > MAX_HEADER) throw invalid(path, `not a safetensors file: its header has ${length} bytes`)
    const dataStart = 8 + Number(length)
    if (size < dataStart) throw invalid(path, `it is cut short: it has ${size} bytes, its header ends at ${dataStart}`)
    const header = Buffer.alloc(Number(length))
    await readFully(file, header, 8, path)
    const tensors = tensorsOf(parseJson(header, path), dataStart)
    checkRanges(tensors, dataStart, size, path)
    return tensors.sort((a, b) => (a.name < b.name ? -1 : 1))
  } finally {
    await file.close()
  }
}

/** Before anything is made for each of them. @throws {Z1Error} MODEL_INVALID */
export function checkTensorCount(count: number, path: string): void {
  if (count > MAX_TENSORS) throw invalid(path, `it names ${count} tensors; no Qwen2 model has so many`)
}

function tensorsOf(header: Section, dataStart: number): StoredTensor[] {
  const names = Object.keys(header.fields).filter((name) => name !== '__metadata__')
  checkTensorCount(names.length, header.path)
  return names.map((name) => {
    const entry = header.section(name)
    const type = entry.read('dtype', string)
    if (!isFloatType(type)) {
      throw unsupported(header.path, `the tensor ${name} is of the type ${type}; only F32, F16 and BF16 are supported`)
    }
    const shape = entry.read('shape', list).map((n) => {
      if (typeof n === 'number' && isCount(n)) return n
      throw invalid(header.path, `the shape of ${name} is ${JSON.stringify(entry.get('shape'))}`)
    })
    const [from, to] = entry.read('data_offsets', offsets)
    const size = shape.reduce((product, n) => product * n, FLOAT_BYTES[type])
    if (to - from !== size) {
      throw invalid(header.path, `the tensor ${name} has ${to - from} bytes, but its shape and type need ${size}`)
    }
    return { path: header.path, name, type, shape, offset: dataStart + from, size }
  })
}

const offset = integer(0, Number.MAX_SAFE_INTEGER)
const offsets = kind('pair of numbers', (value): value is unknown[] => Array.isArray(value) && value.length === 2, {
  convert: ([from, to], name): [number, number] => [offset.read(from, name), offset.read(to, name)],
})

/** The format allows neither gaps nor overlaps. A name that stands twice in the header leaves a gap: JSON keeps one. */
function checkRanges(tensors: StoredTensor[], dataStart: number, size: number, path: string): void {
  let end = dataStart
  for (const tensor of [...tensors].sort((a, b) => a.offset - b.offset || a.size - b.size)) {
    if (tensor.offset !== end) {
      throw invalid(path, `the tensor ${tensor.name} begins at byte ${tensor.offset}, expected ${end}`)
    }
    end += tensor.size
  }
  if (size < end) throw invalid(path, `it is cut short: it has ${size} bytes, its tensors end at ${end}`)
  if (size > end) throw invalid(path, `it has ${size} bytes, but its tensors end at ${end}`)
}

function isFloatType(type: string): type is FloatType {
  return Object.hasOwn(FLOAT_BYTES, type)
}

/** Bytes that are in memory at a time; a multiple of every number's size. */
const PIECE = 4 << 20

/** A tensor's bytes from first to last; each piece is valid until the next. @throws {Z1Error} MODEL_INVALID */
export async function* piecesOf({ path, offset, size }: StoredTensor): AsyncGenerator<Uint8Array, void> {
  const buffer = new Uint8Array(Math.min(PIECE, size))
  const file = await openSource(path)
  try {
    for (let done = 0; done < size; done += buffer.length) {
      const piece = buffer.subarray(0, Math.min(buffer.length, size - done))
      await readFully(file, piece, offset + done, path)
      yield piece
    }
  } finally {
    await file.close()
  }
}

async function openSource(path: string): Promise<FileHandle> {
  try {
    return await openToRead(path)
  } catch (cause) {
    throw invalid(path, `it cannot be read: ${(cause as Error).message}`, cause)
  }
}

/** Fills the buffer from a position. @throws {Z1Error} MODEL_INVALID when the file ends before. */
async function readFully(file: FileHandle, buffer: Uint8Array, position: number, path: string): Promise<void> {
  for (let done = 0; done < buffer.length; ) {
    let bytesRead: number
    try {
      bytesRead = (await file.read(buffer, done, buffer.length - done, position + done)).bytesRead
    } catch (cause) {
      throw invalid(path, `it cannot be read: ${(cause as Error).message}`, cause)
    }
    if (bytesRead === 0) throw invalid(path, `it is cut short at byte ${position + done}`)
    done += bytesRead
  }
}
