/**
 * Reads and writes GGUF version 3 (ggml's gguf.h): metadata of every scalar type and arrays of them, tensors in F32,
 * F16, BF16 and Q8_0. Tensor data is streamed, so a file may be larger than memory. Little-endian machines only.
 * Knows the file format, not what a model is.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs'

export type ScalarType =
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'uint32'
  | 'int32'
  | 'float32'
  | 'bool'
  | 'string'
  | 'uint64'
  | 'int64'
  | 'float64'
/** The 64-bit integers are bigints. */
export type Scalar = number | bigint | boolean | string
/** A scalar, or an array whose elements are all of `type`. */
export interface MetadataValue {
  type: ScalarType
  value: Scalar | Scalar[]
}
export type Metadata = Map<string, MetadataValue>

export type TensorType = 'F32' | 'F16' | 'BF16' | 'Q8_0'
interface TensorShape {
  name: string
  /** ggml's order: the first dimension is the contiguous one. */
  shape: number[]
  type: TensorType
}
export interface TensorSource extends TensorShape {
  /** Called for the tensor's values from first to last, in pieces; `start` is the index of the piece's first value. */
  fill(values: Float32Array, start: number): void
}
export interface TensorInfo extends TensorShape {
  /** Byte position in the file. */
  offset: number
}
export interface Gguf {
  metadata: Metadata
  tensors: TensorInfo[]
}

const version = 3
const alignment = 32
const arrayId = 9
/** A Q8_0 block: 32 values as one float16 scale and 32 signed bytes. */
const blockValues = 32
const blockBytes = 34
/** Values converted at a time, a multiple of the block. */
const pieceValues = 1 << 18

interface Codec {
  /** gguf.h `enum gguf_type`. */
  id: number
  encode(value: never): Buffer
  decode(cursor: Cursor): Scalar
}

type Accessor =
  | `${'UInt' | 'Int'}8`
  | `${'UInt' | 'Int'}${16 | 32}LE`
  | `Big${'UInt' | 'Int'}64LE`
  | `${'Float' | 'Double'}LE`

/** `accessor` names the pair of methods that Buffer has for the type. */
function fixed(id: number, size: number, accessor: Accessor): Codec {
  return {
    id,
    encode(value) {
      const buffer = Buffer.alloc(size)
      buffer[`write${accessor}`](value)
      return buffer
    },
    decode: (cursor) => cursor.take(size)[`read${accessor}`](),
  }
}

const codecs: Record<ScalarType, Codec> = {
  uint8: fixed(0, 1, 'UInt8'),
  int8: fixed(1, 1, 'Int8'),
  uint16: fixed(2, 2, 'UInt16LE'),
  int16: fixed(3, 2, 'Int16LE'),
  uint32: fixed(4, 4, 'UInt32LE'),
  int32: fixed(5, 4, 'Int32LE'),
  float32: fixed(6, 4, 'FloatLE'),
  bool: {
    id: 7,
    encode: (value: boolean) => Buffer.of(Number(value)),
    decode: (cursor) => cursor.take(1)[0] !== 0,
  },
  string: {
    id: 8,
    encode: (value: string) => Buffer.concat([u64(Buffer.byteLength(value)), Buffer.from(value)]),
    decode: (cursor) => cursor.take(cursor.count()).toString(),
  },
  uint64: fixed(10, 8, 'BigUInt64LE'),
  int64: fixed(11, 8, 'BigInt64LE'),
  float64: fixed(12, 8, 'DoubleLE'),
}
const scalarTypes = new Map(Object.entries(codecs).map(([type, codec]) => [codec.id, type as ScalarType]))

/** ggml.h `enum ggml_type`. */
const tensorIds: Record<TensorType, number> = { F32: 0, F16: 1, Q8_0: 8, BF16: 30 }

/** Writes a whole file, replacing what is there. Throws RangeError for a Q8_0 tensor whose rows are no whole blocks. */
export function writeGguf(path: string, metadata: Metadata, tensors: TensorSource[]): void {
  const header = encodeHeader(metadata, tensors)
  const file = openSync(path, 'w')
  try {
    writeAll(file, header)
    let position = header.length
    for (const tensor of tensors) position += writePadding(file, position) + writeTensor(file, tensor)
    writePadding(file, position)
  } finally {
    closeSync(file)
  }
}

function encodeHeader(metadata: Metadata, tensors: TensorSource[]): Buffer {
  const parts = [Buffer.from('GGUF'), u32(version), u64(tensors.length), u64(metadata.size)]
  for (const [key, { type, value }] of metadata) {
    const { id, encode } = codecs[type]
    parts.push(codecs.string.encode(key as never))
    if (Array.isArray(value)) parts.push(u32(arrayId), u32(id), u64(value.length))
    else parts.push(u32(id))
    for (const item of Array.isArray(value) ? value : [value]) parts.push(encode(item as never))
  }
  let offset = 0
  for (const { name, shape, type } of tensors) {
    const dimensions = [u32(shape.length), ...shape.map(u64)]
    parts.push(codecs.string.encode(name as never), ...dimensions, u32(tensorIds[type]), u64(offset))
    offset = aligned(offset + byteLength({ name, shape, type }))
  }
  return Buffer.concat(parts)
}

function writeTensor(file: number, tensor: TensorSource): number {
  const length = valueCount(tensor)
  const values = new Float32Array(Math.min(length, pieceValues))
  for (let start = 0; start < length; start += values.length) {
    const piece = values.subarray(0, Math.min(values.length, length - start))
    tensor.fill(piece, start)
    writeAll(file, encodeValues(piece, tensor.type))
  }
  return byteLength(tensor)
}

function encodeValues(values: Float32Array, type: TensorType): Uint8Array {
  switch (type) {
    case 'F32':
      return new Uint8Array(values.buffer, values.byteOffset, values.byteLength)
    case 'F16':
      return new Uint8Array(Uint16Array.from(values, signedFloat16Bits).buffer)
    case 'BF16':
      return new Uint8Array(Uint16Array.from(values, bfloat16Bits).buffer)
    case 'Q8_0':
      return quantizeQ8(values)
  }
}

function writePadding(file: number, position: number): number {
  const padding = aligned(position) - position
  writeAll(file, Buffer.alloc(padding))
  return padding
}

/** One write may take only part of the bytes. */
function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done)
}

/** Q8_0 as ggml's `quantize_row_q8_0_ref` makes it: scale = largest magnitude / 127, kept as float16. */
export function quantizeQ8(values: Float32Array): Uint8Array {
  const bytes = new Uint8Array((values.length / blockValues) * blockBytes)
  let out = 0
  for (let start = 0; start < values.length; start += blockValues) {
    let largest = 0
    for (let i = start; i < start + blockValues; i++) largest = Math.max(largest, Math.abs(values[i]!))
    const scale = float16Bits(largest / 127)
    bytes[out++] = scale & 0xff
    bytes[out++] = scale >>> 8
    const inverse = largest > 0 ? 127 / largest : 0
    for (let i = start; i < start + blockValues; i++) bytes[out++] = Math.round(values[i]! * inverse)
  }
  return bytes
}

/** Opens a file and reads everything but the tensors' data. */
export function readGguf(path: string): Gguf {
  const file = openSync(path, 'r')
  try {
    return decodeHeader(new Cursor(file))
  } finally {
    closeSync(file)
  }
}

function decodeHeader(cursor: Cursor): Gguf {
  if (cursor.take(4).toString('latin1') !== 'GGUF') throw new Error('not a GGUF file')
  if (cursor.u32() !== version) throw new Error(`not GGUF version ${version}`)
  const tensorCount = cursor.count()
  const metadataCount = cursor.count()

  const metadata: Metadata = new Map()
  for (let i = 0; i < metadataCount; i++) {
    const key = codecs.string.decode(cursor) as string
    const id = cursor.u32()
    const type = scalarType(id === arrayId ? cursor.u32() : id)
    const { decode } = codecs[type]
    const value = id === arrayId ? Array.from({ length: cursor.count() }, () => decode(cursor)) : decode(cursor)
    metadata.set(key, { type, value })
  }

  const tensors: TensorInfo[] = []
  for (let i = 0; i < tensorCount; i++) {
    const name = codecs.string.decode(cursor) as string
    const shape = Array.from({ length: cursor.u32() }, () => cursor.count())
    tensors.push({ name, shape, type: tensorType(cursor.u32()), offset: cursor.count() })
  }
  const dataStart = aligned(cursor.position)
  for (const tensor of tensors) tensor.offset += dataStart
  return { metadata, tensors }
}

/** The values of one tensor, dequantized. */
export function readTensor(path: string, tensor: TensorInfo): Float32Array {
  const bytes = new Uint8Array(byteLength(tensor))
  const file = openSync(path, 'r')
  try {
    const length = readSync(file, bytes, 0, bytes.length, tensor.offset)
    if (length < bytes.length) throw new Error(`${tensor.name} is cut off`)
  } finally {
    closeSync(file)
  }
  const halves = () => new Uint16Array(bytes.buffer)
  switch (tensor.type) {
    case 'F32':
      return new Float32Array(bytes.buffer)
    case 'F16':
      return Float32Array.from(halves(), float16Value)
    case 'BF16':
      return new Float32Array(Uint32Array.from(halves(), (bits) => bits << 16).buffer)
    case 'Q8_0':
      return dequantizeQ8(bytes)
  }
}

export function dequantizeQ8(bytes: Uint8Array): Float32Array {
  const values = new Float32Array((bytes.length / blockBytes) * blockValues)
  const quants = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let block = 0, out = 0; block < bytes.length; block += blockBytes) {
    const scale = float16Value(bytes[block]! | (bytes[block + 1]! << 8))
    for (let i = block + 2; i < block + blockBytes; i++) values[out++] = quants[i]! * scale
  }
  return values
}

/** Reads a file from its start in large pieces: the metadata of a real vocabulary holds 300,000 strings. */
class Cursor {
  #piece = Buffer.alloc(0)
  /** Where the piece begins in the file. */
  #start = 0
  position = 0

  constructor(readonly file: number) {}

  /** The next `length` bytes; valid until the next call. */
  take(length: number): Buffer {
    if (this.position + length > this.#start + this.#piece.length) this.#load(length)
    const from = this.position - this.#start
    this.position += length
    return this.#piece.subarray(from, from + length)
  }

  #load(length: number): void {
    // Checked first, so that a broken length is an error and not a giant allocation.
    if (length > fstatSync(this.file).size - this.position) throw new Error('the GGUF file ends too early')
    const piece = Buffer.alloc(Math.max(length, 1 << 20))
    this.#piece = piece.subarray(0, readSync(this.file, piece, 0, piece.length, this.position))
    this.#start = this.position
  }

  u32(): number {
    return this.take(4).readUInt32LE()
  }

  /** A uint64 that counts something, hence below 2⁵³. */
  count(): number {
    return Number(this.take(8).readBigUInt64LE())
  }
}

function scalarType(id: number): ScalarType {
  const type = scalarTypes.get(id)
  if (type === undefined) throw new Error(`metadata of GGUF type ${id} is not supported`)
  return type
}

function tensorType(id: number): TensorType {
  for (const type of ['F32', 'F16', 'Q8_0', 'BF16'] as const) if (id === tensorIds[type]) return type
  throw new Error(`tensors of ggml type ${id} are not supported`)
}

function valueCount({ shape }: TensorShape): number {
  return shape.reduce((product, n) => product * n, 1)
}

function byteLength(tensor: TensorShape): number {
  if (tensor.type !== 'Q8_0') return valueCount(tensor) * (tensor.type === 'F32' ? 4 : 2)
  if (tensor.shape[0]! % blockValues !== 0) throw new RangeError(`rows of ${tensor.name} are no whole Q8_0 blocks`)
  return (valueCount(tensor) / blockValues) * blockBytes
}

function aligned(offset: number): number {
  return Math.ceil(offset / alignment) * alignment
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4)
  buffer.writeUInt32LE(value)
  return buffer
}

function u64(value: number): Buffer {
  const buffer = Buffer.alloc(8)
  buffer.writeBigUInt64LE(BigInt(value))
  return buffer
}

/** The float16 nearest to a number in 0 … 65504, ties to even. */
function float16Bits(value: number): number {
  // Below 2⁻¹⁴ float16 is subnormal: its step stays 2⁻²⁴.
  const exponent = value < 2 ** -14 ? -14 : Math.floor(Math.log2(value))
  const steps = value / 2 ** (exponent - 10)
  const floor = Math.floor(steps)
  const rounded = steps - floor === 0.5 ? floor + (floor & 1) : Math.round(steps)
  // A mantissa that rounds up to 2048 carries into the exponent, which is what the sum does.
  return (exponent + 14) * 1024 + rounded
}

function signedFloat16Bits(value: number): number {
  return float16Bits(Math.abs(value)) | (value < 0 ? 0x8000 : 0)
}

/** Rounded to nearest, ties to even. */
function bfloat16Bits(value: number): number {
  const [bits] = new Uint32Array(Float32Array.of(value).buffer) as unknown as [number]
  const steps = Math.floor(bits / 2 ** 16)
  const rest = bits % 2 ** 16
  return rest > 2 ** 15 || (rest === 2 ** 15 && steps % 2 === 1) ? steps + 1 : steps
}

function float16Value(bits: number): number {
  const exponent = (bits >>> 10) & 31
  const fraction = (bits & 1023) / 1024
  const magnitude = exponent === 0 ? fraction * 2 ** -14 : (1 + fraction) * 2 ** (exponent - 15)
  return bits & 0x8000 ? -magnitude : magnitude
}
