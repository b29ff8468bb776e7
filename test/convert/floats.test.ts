/** Numbers change their type as IEEE 754 says: to the nearest, and of two that are as near, to the even one. */
import { describe, expect, test } from 'vitest'
import { converter } from '../../lib/convert/floats.js'
import { Random } from '../support/random.js'

type Half = 'F16' | 'BF16'

/** By the definition of the formats: 1 sign, then 5 and 10, or 8 and 7 bits. */
function numberOf(bits: number, type: Half): number {
  const [fractionBits, bias] = type === 'F16' ? [10, 15] : [7, 127]
  const fraction = (bits & (2 ** fractionBits - 1)) / 2 ** fractionBits
  const exponent = (bits & 0x7fff) >>> fractionBits
  const top = 2 ** (15 - fractionBits) - 1
  const sign = bits & 0x8000 ? -1 : 1
  if (exponent === top) return fraction === 0 ? sign * Infinity : NaN
  return sign * (exponent === 0 ? fraction * 2 ** (1 - bias) : (1 + fraction) * 2 ** (exponent - bias))
}

/** Positive finite values by their bits, which are in order. */
function table(type: Half): Float64Array {
  const top = type === 'F16' ? 0x7c00 : 0x7f80
  return Float64Array.from({ length: top }, (_, bits) => numberOf(bits, type))
}

function nearest(value: number, values: Float64Array): number {
  const magnitude = Math.abs(value)
  let [low, high] = [0, values.length - 1]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    if ((values[middle] as number) <= magnitude) low = middle
    else high = middle - 1
  }
  const below = magnitude - (values[low] as number)
  const above = (values[low + 1] ?? Infinity) - magnitude
  const bits = below < above || (below === above && low % 2 === 0) ? low : low + 1
  return bits | (value < 0 || Object.is(value, -0) ? 0x8000 : 0)
}

const bytesOf = (values: Float32Array | Uint16Array) => new Uint8Array(values.buffer)
const bits16 = (bytes: Uint8Array) => new Uint16Array(bytes.slice().buffer)
const values32 = (bytes: Uint8Array) => new Float32Array(bytes.slice().buffer)
/** Index of the first number in which two lists differ; vitest takes seconds to compare long ones. */
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  if (a.length !== b.length) return Math.min(a.length, b.length)
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return i
  return null
}
const finite = (type: Half) => {
  return Uint16Array.from({ length: 65_536 }, (_, bits) => bits).filter((bits) => Number.isFinite(numberOf(bits, type)))
}

describe.each(['F16', 'BF16'] as const)('%s', (type) => {
  const values = table(type)
  const largest = values.at(-1) as number

  test('to F32 is exact, for every number that there is', () => {
    const bits = finite(type)
    const expected = Float32Array.from(bits, (one) => numberOf(one, type))
    expect(difference(values32(converter(type, 'F32')(bytesOf(bits))), expected)).toBeNull()
  })

  test('from F32 is the nearest: numbers of every size, and those that lie exactly between two', () => {
    const random = new Random(1)
    const numbers: number[] = [
      0,
      -0,
      largest,
      -largest,
      2 ** -14,
      2 ** -24,
      2 ** -25,
      2 ** -26,
      1.5 * 2 ** -25,
      2 ** -149,
    ]
    for (let i = 0; i < 40_000; i++) {
      const [number] = new Float32Array(Uint32Array.of(random.uint32()).buffer) as unknown as [number]
      if (Math.abs(number) < largest) numbers.push(number)
      const at = random.below(values.length - 1)
      const middle = ((values[at] as number) + (values[at + 1] as number)) / 2
      numbers.push(middle, -middle, Math.fround(middle * (1 + 2 ** -22)), Math.fround(middle * (1 - 2 ** -22)))
    }
    const source = Float32Array.from(numbers)
    const expected = Uint16Array.from(source, (value) => nearest(value, values))
    expect(difference(bits16(converter('F32', type)(bytesOf(source))), expected)).toBeNull()
  })

  test('of the same type stays as it is', () => {
    const bits = finite(type)
    expect(difference(bits16(converter(type, type)(bytesOf(bits))), bits)).toBeNull()
  })

  test.each([NaN, Infinity, -Infinity])('%s is refused, in every place', (value) => {
    const exponent = type === 'F16' ? 0x7c00 : 0x7f80
    const bits = Number.isNaN(value) ? exponent + 1 : exponent | (value < 0 ? 0x8000 : 0)
    for (const to of ['F32', 'F16', 'BF16'] as const) {
      expect(() => converter(type, to)(bytesOf(Uint16Array.of(0, bits)))).toThrow('holds NaN or infinity')
      expect(() => converter('F32', to)(bytesOf(Float32Array.of(0, value)))).toThrow('holds NaN or infinity')
    }
  })
})

test('BF16 to F16 is the nearest, and what is too large is named', () => {
  const values = table('F16')
  const fits = finite('BF16').filter((bits) => Math.abs(numberOf(bits, 'BF16')) < 65_520)
  const expected = Uint16Array.from(fits, (bits) => nearest(numberOf(bits, 'BF16'), values))
  expect(difference(bits16(converter('BF16', 'F16')(bytesOf(fits))), expected)).toBeNull()
  // 2¹⁶
  expect(() => converter('BF16', 'F16')(bytesOf(Uint16Array.of(0x4780)))).toThrow(
    'holds 65536, which is too large for F16',
  )
})

test('F16 to BF16 is the nearest', () => {
  const bits = finite('F16')
  const values = table('BF16')
  const expected = Uint16Array.from(bits, (one) => nearest(numberOf(one, 'F16'), values))
  expect(difference(bits16(converter('F16', 'BF16')(bytesOf(bits))), expected)).toBeNull()
})

test('F32 to F16: 65519 fits, 65520 does not', () => {
  const convert = converter('F32', 'F16')
  expect(bits16(convert(bytesOf(Float32Array.of(65_519.996, -65_519.996))))).toEqual(Uint16Array.of(0x7bff, 0xfbff))
  expect(() => convert(bytesOf(Float32Array.of(-65_520)))).toThrow('holds -65520, which is too large for F16')
})
