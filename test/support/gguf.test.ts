/**
 * Checks the tools of the tests: the file format against bytes written by hand from gguf.h and ggml's quantizer, and
 * the builders for being the same twice. That llama.cpp loads the models is shown by every test that uses one.
 */
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs'
import { afterAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from './folder.js'
import type { Metadata, TensorSource, TensorType } from './gguf.js'
import { dequantizeQ8, quantizeQ8, readGguf, readTensor, writeGguf } from './gguf.js'
import type { ModelName } from './models.js'
import { testModel } from './models.js'
import { Random } from './random.js'

const folder = temporaryFolder()
afterAll(() => {})

const generated = (
  name: string,
  shape: number[],
  type: TensorType,
  value: (index: number) => number,
): TensorSource => ({
  name,
  shape,
  type,
  fill(values, start) {
    for (let i = 0; i < values.length; i++) values[i] = value(start + i)
  },
})
const counting = (name: string, shape: number[], type: TensorType = 'F32'): TensorSource =>
  generated(name, shape, type, (index) => index)

/** Names the first difference only: all those of two large arrays take vitest minutes to print. */
const expectSame = (actual: Float32Array, expected: Float32Array): void => {
  const differing = actual.findIndex((value, i) => value !== expected[i])
  expect({ length: actual.length, differing }).toEqual({ length: expected.length, differing: -1 })
}

describe('the writer', () => {
  it('writes the bytes that gguf.h describes', () => {
    const path = folder('golden.gguf')
    const metadata: Metadata = new Map([
      ['a', { type: 'uint32', value: 7 }],
      ['b', { type: 'string', value: ['é', ''] }],
    ])
    writeGguf(path, metadata, [counting('t', [2, 1]), generated('u', [1], 'F32', () => 2)])

    const header = [
      '47475546 03000000 0200000000000000 0200000000000000', // GGUF, version 3, 2 tensors, 2 keys
      '0100000000000000 61 04000000 07000000', // "a": uint32 7
      '0100000000000000 62 09000000 08000000 0200000000000000', // "b": array of 2 strings
      '0200000000000000 c3a9 0000000000000000',
      '0100000000000000 74 02000000 0200000000000000 0100000000000000', // "t": 2 × 1
      '00000000 0000000000000000', // F32, at 0
      '0100000000000000 75 01000000 0100000000000000', // "u": 1
      '00000000 2000000000000000', // F32, at 32
    ]
    const sections = [header.join(''), '00000000 0000803f', '00000040'].map((hex) => hex.replaceAll(' ', ''))
    const padded = sections.map((hex) => hex.padEnd(Math.ceil(hex.length / 64) * 64, '0'))
    expect(readFileSync(path).toString('hex')).toBe(padded.join(''))
  })

  it('replaces a longer file', () => {
    const path = folder('replaced.gguf')
    writeGguf(path, new Map(), [counting('long', [1000])])
    writeGguf(path, new Map(), [counting('short', [8])])
    expect(statSync(path).size).toBe(64 + 32)
  })

  it('refuses Q8_0 rows that are no whole blocks', () => {
    const path = folder('ragged.gguf')
    expect(() => writeGguf(path, new Map(), [counting('ragged', [48, 2], 'Q8_0')])).toThrow(RangeError)
  })
})

describe('the reader', () => {
  it('returns every type of metadata as it was written', () => {
    const metadata: Metadata = new Map([
      ['uint8', { type: 'uint8', value: 255 }],
      ['int8', { type: 'int8', value: -128 }],
      ['uint16', { type: 'uint16', value: 65_535 }],
      ['int16', { type: 'int16', value: -32_768 }],
      ['uint32', { type: 'uint32', value: 4_294_967_295 }],
      ['int32', { type: 'int32', value: -2_147_483_648 }],
      ['float32', { type: 'float32', value: 0.15625 }],
      ['bool', { type: 'bool', value: true }],
      ['string', { type: 'string', value: 'Ġthe 日本 🙂\n' }],
      ['uint64', { type: 'uint64', value: 18_446_744_073_709_551_615n }],
      ['int64', { type: 'int64', value: -9_223_372_036_854_775_808n }],
      ['float64', { type: 'float64', value: Math.PI }],
      ['strings', { type: 'string', value: ['', 'a', '<|im_end|>'] }],
      ['ints', { type: 'int32', value: [1, -1, 3] }],
      ['floats', { type: 'float32', value: [0.5, -1000] }],
      ['bools', { type: 'bool', value: [true, false] }],
      ['nothing', { type: 'string', value: [] }],
    ])
    const path = folder('metadata.gguf')
    writeGguf(path, metadata, [])
    expect([...readGguf(path).metadata]).toEqual([...metadata])
  })

  it('follows metadata longer than it reads at a time', () => {
    const value = Array.from({ length: 100_000 }, (_, i) => `token ${i} ${'x'.repeat(i % 50)}`)
    const metadata: Metadata = new Map([
      ['tokens', { type: 'string', value }],
      ['long', { type: 'string', value: 'y'.repeat(3_000_000) }],
    ])
    const path = folder('long.gguf')
    writeGguf(path, metadata, [counting('after', [3])])
    const gguf = readGguf(path)
    const tokens = gguf.metadata.get('tokens')?.value as string[]
    expect(tokens.join() === value.join()).toBe(true)
    expect(gguf.metadata.get('long')).toEqual(metadata.get('long'))
    expect([...readTensor(path, gguf.tensors[0]!)]).toEqual([0, 1, 2])
  })

  it('finds each tensor, also those written in several pieces', () => {
    const path = folder('tensors.gguf')
    writeGguf(path, new Map(), [counting('odd', [3]), counting('large', [1000, 300]), counting('after', [5, 1, 2])])
    const { tensors } = readGguf(path)
    expect(tensors.map(({ name, shape, type }) => ({ name, shape, type }))).toEqual([
      { name: 'odd', shape: [3], type: 'F32' },
      { name: 'large', shape: [1000, 300], type: 'F32' },
      { name: 'after', shape: [5, 1, 2], type: 'F32' },
    ])
    for (const tensor of tensors) {
      expect(tensor.offset % 32).toBe(0)
      const length = tensor.shape.reduce((product, n) => product * n)
      expectSame(
        readTensor(path, tensor),
        Float32Array.from({ length }, (_, i) => i),
      )
    }
  })

  it.each([
    ['no GGUF', (path: string) => writeFileSync(path, 'not a model'), /not a GGUF/],
    ['another version', (path: string) => writeFileSync(path, 'GGUF\x02\0\0\0'), /version 3/],
    ['a file cut off', (path: string) => truncateSync(path, 60), /ends too early/],
  ])('refuses %s', (_name, damage, message) => {
    const path = folder('broken.gguf')
    writeGguf(path, new Map([['key', { type: 'string', value: 'v'.repeat(100) }]]), [])
    damage(path)
    expect(() => readGguf(path)).toThrow(message)
  })
})

describe('Q8_0', () => {
  it('makes the block that ggml makes', () => {
    // Largest magnitude 16: scale 16/127, the float16 nearest to it is 0x3008; quants are value × 127/16.
    const values = Float32Array.from({ length: 32 }, (_, i) => [-16, 0, 1, -3.25][i] ?? 15)
    const quants = [-127, 0, 8, -26]
    const bytes = Buffer.from([0x08, 0x30, ...Array.from({ length: 32 }, (_, i) => (quants[i] ?? 119) & 0xff)])
    expect(Buffer.from(quantizeQ8(values))).toEqual(bytes)
  })

  it('keeps a block of zeros', () => {
    expect(quantizeQ8(new Float32Array(32))).toEqual(new Uint8Array(34))
  })

  it.each([1e-7, 1e-3, 1, 3e4])('is within half a step of values around %d', (deviation) => {
    const values = new Float32Array(3200)
    new Random(1).fillNormal(values, deviation)
    const restored = dequantizeQ8(quantizeQ8(values))
    for (let i = 0; i < values.length; i++) {
      const block = values.subarray(i - (i % 32), i - (i % 32) + 32)
      const scale = Math.max(...block.map(Math.abs)) / 127
      // The scale itself is rounded to 11 bits, or to 2⁻²⁵ where float16 is subnormal.
      const bound = scale / 2 + 127 * Math.max(scale * 2 ** -11, 2 ** -25)
      expect(Math.abs(restored[i]! - values[i]!)).toBeLessThanOrEqual(bound * 1.0001)
    }
  })

  it('comes back from a file', () => {
    const path = folder('q8.gguf')
    // Whole multiples of the scale 2⁻³, of a block whose largest value is 127/8, are kept exactly.
    const value = (index: number): number => ((index % 32) * 4 + 3) / 8
    writeGguf(path, new Map(), [generated('w', [64, 4500], 'Q8_0', value)])
    const expected = Float32Array.from({ length: 64 * 4500 }, (_, i) => value(i))
    expectSame(readTensor(path, readGguf(path).tensors[0]!), expected)
  })
})

describe('normal numbers', () => {
  it('have the asked deviation, mean 0 and the share within one deviation', () => {
    const values = new Float32Array(200_000)
    new Random(9).fillNormal(values, 2)
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length)
    expect(Math.abs(mean)).toBeLessThan(0.03)
    expect(Math.abs(deviation - 2)).toBeLessThan(0.03)
    expect(values.filter((v) => Math.abs(v) < 2).length / values.length).toBeCloseTo(0.6827, 2)
  })

  it('differ by seed and by stream', () => {
    const draws = [new Random(1), new Random(2), new Random(1, 'a'), new Random(1, 'b')].map((random) =>
      random.uint32(),
    )
    expect(new Set(draws).size).toBe(4)
  })
})

describe('testModel', () => {
  const names: ModelName[] = ['qwen2-bytes', 'qwen2-vocab', 'llama-spm', 'mamba', 'lfm2', 'olmo2']
  const cache = (name: string): string => folder(name)
  const digest = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex')

  for (const name of names) {
    it(`builds ${name} the same twice, and another for another seed`, () => {
      const first = testModel(name, {}, { cache: cache('first') })
      const second = testModel(name, {}, { cache: cache('second') })
      const other = testModel(name, { seed: 2 }, { cache: cache('first') })
      expect(digest(second)).toBe(digest(first))
      expect(other).not.toBe(first)
      expect(digest(other)).not.toBe(digest(first))
    })
  }

  it('builds once and leaves nothing unfinished behind', () => {
    const path = testModel('mamba', {}, { cache: cache('once') })
    const { ino } = statSync(path)
    expect(testModel('mamba', {}, { cache: cache('once') })).toBe(path)
    expect(statSync(path).ino).toBe(ino)
    expect(readdirSync(cache('once'))).toHaveLength(1)
  })

  it('writes the options into the file', () => {
    const options = { template: 'T', trainingContext: 99, extraTokens: ['<think>', '</think>'], shape: { layers: 1 } }
    const path = testModel('llama-spm', options, { cache: cache('options') })
    const { metadata, tensors } = readGguf(path)
    const value = (key: string): unknown => metadata.get(key)?.value
    const tokens = value('tokenizer.ggml.tokens') as string[]
    expect(value('tokenizer.chat_template')).toBe('T')
    expect(value('llama.context_length')).toBe(99)
    expect(tokens.slice(-2)).toEqual(['<think>', '</think>'])
    // llama.h: LLAMA_TOKEN_TYPE_USER_DEFINED = 4.
    expect((value('tokenizer.ggml.token_type') as number[]).slice(-2)).toEqual([4, 4])
    expect(value('tokenizer.ggml.scores')).toHaveLength(tokens.length)
    expect(tensors.find(({ name }) => name === 'output.weight')?.shape).toEqual([128, tokens.length])
    expect(tensors.filter(({ name }) => name.endsWith('.attn_q.weight'))).toHaveLength(1)
  })

  it('scales the output row of the end token alone', () => {
    const rows = (endGain: number): Float32Array => {
      const path = testModel('llama-spm', { endGain }, { cache: cache('gain') })
      const output = readGguf(path).tensors.find(({ name }) => name === 'output.weight')
      return readTensor(path, output!)
    }
    // `</s>` is token 2, a row is 128 values.
    const isEnd = (i: number): boolean => i >= 256 && i < 384
    const plain = rows(1)
    for (const gain of [0, 4]) {
      const expected = plain.map((value, i) => (isEnd(i) ? value * gain : value))
      expectSame(rows(gain), expected)
    }
  })

  it('silences every end-of-generation token of the real vocabulary', () => {
    const path = testModel('qwen2-vocab', { endGain: 0 }, { cache: cache('silent') })
    const { metadata, tensors } = readGguf(path)
    const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[]
    const output = readTensor(path, tensors.find(({ name }) => name === 'output.weight')!)
    const silent = tokens.filter((_, id) => output.subarray(id * 64, id * 64 + 64).every((value) => value === 0))
    expect(silent).toEqual(['</s>', '<|endoftext|>', '<|im_end|>'])
  })
})
