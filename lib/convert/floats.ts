/**
 * Numbers of 16 and 32 bits into one another, rounded to nearest, ties to even, as ggml and numpy do. Works on
 * little-endian bytes in place of numbers: a model has billions of them. Little-endian machines only.
 */
import type { FloatType } from './types.js'

export const FLOAT_BYTES: Record<FloatType, number> = { F32: 4, F16: 2, BF16: 2 }

/** A number that is not finite, or becomes so in the other type. The message continues a sentence about its tensor. */
export class UnusableNumber extends Error {}

/**
 * A function from bytes of one type to bytes of another. What it is given must begin at a multiple of 4 in its buffer;
 * what it returns is valid until its next call, and shares the buffer where the types are equal.
 * @throws {UnusableNumber}
 */
export function converter(from: FloatType, to: FloatType): (bytes: Uint8Array) => Uint8Array {
  if (from === 'F32') return to === 'F32' ? checked32 : narrow(to)
  if (from === to) return checked16(from)
  return to === 'F32' ? widen(from) : translate(from, to)
}

const EXPONENT = { F16: 0x7c00, BF16: 0x7f80 }
const EXPONENT_F32 = 0x7f800000

function checked32(bytes: Uint8Array): Uint8Array {
  for (const bits of words(bytes)) if ((bits & EXPONENT_F32) === EXPONENT_F32) throw notFinite()
  return bytes
}

function checked16(type: 'F16' | 'BF16'): (bytes: Uint8Array) => Uint8Array {
  const exponent = EXPONENT[type]
  return (bytes) => {
    for (const bits of halves(bytes)) if ((bits & exponent) === exponent) throw notFinite()
    return bytes
  }
}

/** 65,536 numbers are few enough for a table of their results. */
function widen(from: 'F16' | 'BF16'): (bytes: Uint8Array) => Uint8Array {
  const table = Uint32Array.from({ length: 65_536 }, (_, bits) => float32Bits(bits, from))
  const exponent = EXPONENT[from]
  let out = new Uint32Array(0)
  return (bytes) => {
    const source = halves(bytes)
    if (out.length < source.length) out = new Uint32Array(source.length)
    for (let i = 0; i < source.length; i++) {
      const bits = source[i] as number
      if ((bits & exponent) === exponent) throw notFinite()
      out[i] = table[bits] as number
    }
    return new Uint8Array(out.buffer, 0, source.length * 4)
  }
}

function translate(from: 'F16' | 'BF16', to: 'F16' | 'BF16'): (bytes: Uint8Array) => Uint8Array {
  const round = ROUND[to]
  const table = Uint16Array.from({ length: 65_536 }, (_, bits) => round(float32Bits(bits, from)))
  const exponent = EXPONENT[from]
  const overflow = EXPONENT[to]
  let out = new Uint16Array(0)
  return (bytes) => {
    const source = halves(bytes)
    if (out.length < source.length) out = new Uint16Array(source.length)
    for (let i = 0; i < source.length; i++) {
      const bits = source[i] as number
      if ((bits & exponent) === exponent) throw notFinite()
      const rounded = table[bits] as number
      if ((rounded & overflow) === overflow) throw tooLarge(float32Bits(bits, from), to)
      out[i] = rounded
    }
    return new Uint8Array(out.buffer, 0, source.length * 2)
  }
}

function narrow(to: 'F16' | 'BF16'): (bytes: Uint8Array) => Uint8Array {
  const round = ROUND[to]
  const overflow = EXPONENT[to]
  let out = new Uint16Array(0)
  return (bytes) => {
    const source = words(bytes)
    if (out.length < source.length) out = new Uint16Array(source.length)
    for (let i = 0; i < source.length; i++) {
      const bits = source[i] as number
      if ((bits & EXPONENT_F32) === EXPONENT_F32) throw notFinite()
      const rounded = round(bits)
      if ((rounded & overflow) === overflow) throw tooLarge(bits, to)
      out[i] = rounded
    }
    return new Uint8Array(out.buffer, 0, source.length * 2)
  }
}

const ROUND = { F16: roundToF16, BF16: roundToBf16 }

function roundToBf16(bits: number): number {
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff
}

function roundToF16(bits: number): number {
  const sign = (bits >>> 16) & 0x8000
  const magnitude = bits & 0x7fffffff
  const exponent = magnitude >>> 23
  // 2⁻¹⁴ and more: the exponent's bias is 112 less, and 13 bits of the fraction go. A carry reaches the exponent.
  if (exponent >= 113) {
    const rounded = (magnitude - (112 << 23) + 0xfff + ((magnitude >>> 13) & 1)) >>> 13
    return sign | Math.min(rounded, 0x7c00)
  }
  // At most half of the smallest step, which is 2⁻²⁴.
  if (magnitude <= 102 << 23) return sign
  const fraction = (magnitude & 0x7fffff) | 0x800000
  const shift = 126 - exponent
  const steps = fraction >>> shift
  const rest = fraction & ((1 << shift) - 1)
  const half = 1 << (shift - 1)
  return sign | (steps + (rest > half || (rest === half && (steps & 1) === 1) ? 1 : 0))
}

function float32Bits(bits: number, type: 'F16' | 'BF16'): number {
  if (type === 'BF16') return (bits << 16) >>> 0
  const sign = (bits & 0x8000) << 16
  const exponent = (bits >>> 10) & 31
  const fraction = bits & 1023
  if (exponent === 31) return (sign | EXPONENT_F32 | (fraction << 13)) >>> 0
  if (exponent > 0) return (sign | ((exponent + 112) << 23) | (fraction << 13)) >>> 0
  if (fraction === 0) return sign >>> 0
  // Subnormal: the first bit that is set becomes the implied one.
  const shift = Math.clz32(fraction) - 21
  return (sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13)) >>> 0
}

function halves(bytes: Uint8Array): Uint16Array {
  return new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 2)
}

function words(bytes: Uint8Array): Uint32Array {
  return new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}

function notFinite(): UnusableNumber {
  return new UnusableNumber('holds NaN or infinity')
}

function tooLarge(bits: number, type: FloatType): UnusableNumber {
  const [value] = new Float32Array(Uint32Array.of(bits).buffer)
  return new UnusableNumber(`holds ${value}, which is too large for ${type}; bf16 and f32 hold it`)
}
