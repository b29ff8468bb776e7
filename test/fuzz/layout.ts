/**
 * Where each field of a GGUF file's header lies, so that a mutation can hit exactly one. Reads sound files only.
 * Knows the format (ggml's gguf.h), not what a key means.
 */

/** Bytes from `start` up to `end`. */
export interface Span {
  start: number
  end: number
}

/** One key and its value. */
export interface Entry extends Span {
  /** The characters, behind their 8 bytes of length. */
  key: Span & { text: string }
  /** The 4 bytes of `enum gguf_type`; of an array its elements' type. */
  type: Span & { id: number }
  /** The 8 bytes of an array's length. */
  count: (Span & { value: number }) | undefined
  /** The value; of an array all elements, of a string the length with it. */
  value: Span
}

export interface Tensor extends Span {
  name: Span & { text: string }
  /** The 4 bytes that count the dimensions. */
  rank: Span
  /** 8 bytes each. */
  dimensions: Span[]
  /** The 4 bytes of `enum ggml_type`. */
  type: Span
  /** The 8 bytes of the position in the data. */
  offset: Span
}

export interface Layout {
  version: Span
  tensorCount: Span
  entryCount: Span
  entries: Entry[]
  tensors: Tensor[]
  /** Where the tensors' data begins. */
  data: number
}

export const ARRAY = 9
export const STRING = 8
/** Bytes of each scalar type, by its id. */
export const SCALAR_SIZES = new Map([
  [0, 1],
  [1, 1],
  [2, 2],
  [3, 2],
  [4, 4],
  [5, 4],
  [6, 4],
  [7, 1],
  [10, 8],
  [11, 8],
  [12, 8],
])
const ALIGNMENT = 32

export function layoutOf(file: Buffer): Layout {
  let at = 4
  const span = (length: number): Span => {
    at += length
    return { start: at - length, end: at }
  }
  const u32 = () => file.readUInt32LE(at)
  const u64 = () => Number(file.readBigUInt64LE(at))
  const text = () => {
    const length = u64()
    at += 8
    const characters = span(length)
    return { ...characters, text: file.toString('utf8', characters.start, characters.end) }
  }

  const version = span(4)
  const tensors = u64()
  const tensorCount = span(8)
  const entries = u64()
  const entryCount = span(8)

  const entry = (): Entry => {
    const start = at
    const key = text()
    const array = u32() === ARRAY
    if (array) at += 4
    const type = { id: u32(), ...span(4) }
    const count = array ? { value: u64(), ...span(8) } : undefined
    const first = at
    for (let i = count?.value ?? 1; i > 0; i--)
      at += type.id === STRING ? 8 + u64() : (SCALAR_SIZES.get(type.id) as number)
    return { start, key, type, count, value: { start: first, end: at }, end: at }
  }
  const tensor = (): Tensor => {
    const start = at
    const name = text()
    const n = u32()
    const rank = span(4)
    const dimensions = Array.from({ length: n }, () => span(8))
    const type = span(4)
    const offset = span(8)
    return { start, name, rank, dimensions, type, offset, end: at }
  }
  const layout = {
    version,
    tensorCount,
    entryCount,
    entries: Array.from({ length: entries }, entry),
    tensors: Array.from({ length: tensors }, tensor),
  }
  return { ...layout, data: aligned(at) }
}

export function aligned(position: number): number {
  return Math.ceil(position / ALIGNMENT) * ALIGNMENT
}
