/** Writes the header of a GGUF file, version 3 (ggml's gguf.h). Knows the format, not what a model is. */

type ScalarType = 'uint32' | 'int32' | 'float32' | 'bool' | 'string'
type Scalar = number | boolean | string

/** A scalar, or an array of them. */
interface MetadataValue {
  type: ScalarType
  value: Scalar | readonly Scalar[]
}

/** In the order of the file. */
export type Metadata = Map<string, MetadataValue>

export interface TensorHeader {
  name: string
  /** ggml's order: the first dimension is the contiguous one. */
  shape: readonly number[]
  type: keyof typeof TENSOR_TYPES
  /** Bytes. */
  size: number
}

/** ggml.h `enum ggml_type`. */
const TENSOR_TYPES = { F32: 0, F16: 1, BF16: 30 }

/** gguf.h `enum gguf_type`. */
const VALUE_TYPES = { uint32: 4, int32: 5, float32: 6, bool: 7, string: 8 }
const ARRAY = 9

const ALIGNMENT = 32

/** The next multiple of the alignment that a tensor's data begins at. */
export function aligned(position: number): number {
  return Math.ceil(position / ALIGNMENT) * ALIGNMENT
}

/** Everything before the first tensor's data, which follow it in order, each padded to {@link aligned}. */
export function encodeHeader(metadata: Metadata, tensors: readonly TensorHeader[]): Buffer {
  const bytes = new ByteWriter()
  bytes.raw('GGUF')
  bytes.uint32(3)
  bytes.uint64(tensors.length)
  bytes.uint64(metadata.size)
  for (const [key, { type, value }] of metadata) {
    bytes.string(key)
    if (Array.isArray(value)) {
      bytes.uint32(ARRAY)
      bytes.uint32(VALUE_TYPES[type])
      bytes.uint64(value.length)
      for (const item of value) bytes.scalar(type, item)
    } else {
      bytes.uint32(VALUE_TYPES[type])
      bytes.scalar(type, value as Scalar)
    }
  }
  let offset = 0
  for (const { name, shape, type, size } of tensors) {
    bytes.string(name)
    bytes.uint32(shape.length)
    for (const n of shape) bytes.uint64(n)
    bytes.uint32(TENSOR_TYPES[type])
    bytes.uint64(offset)
    offset = aligned(offset + size)
  }
  return bytes.padded()
}

class ByteWriter {
  #bytes = Buffer.alloc(1 << 16)
  #length = 0

  scalar(type: ScalarType, value: Scalar): void {
    if (type === 'string') this.string(value as string)
    else if (type === 'bool') this.#reserve(1).writeUInt8(Number(value))
    else if (type === 'uint32') this.uint32(value as number)
    else if (type === 'int32') this.#reserve(4).writeInt32LE(value as number)
    else this.#reserve(4).writeFloatLE(value as number)
  }

  uint32(value: number): void {
    this.#reserve(4).writeUInt32LE(value)
  }

  uint64(value: number): void {
    this.#reserve(8).writeBigUInt64LE(BigInt(value))
  }

  string(value: string): void {
    this.uint64(Buffer.byteLength(value))
    this.raw(value)
  }

  raw(value: string): void {
    this.#reserve(Buffer.byteLength(value)).write(value)
  }

  padded(): Buffer {
    this.#reserve(aligned(this.#length) - this.#length)
    return this.#bytes.subarray(0, this.#length)
  }

  #reserve(size: number): Buffer {
    const start = this.#length
    this.#length += size
    if (this.#length > this.#bytes.length) {
      const larger = Buffer.alloc(Math.max(this.#length, this.#bytes.length * 2))
      this.#bytes.copy(larger)
      this.#bytes = larger
    }
    return this.#bytes.subarray(start, this.#length)
  }
}
