/** The vocabulary of a model on the native surface: what is not tokenized, and what is no longer. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { TextSegment } from '../../lib/native/binding.js'
import { openEngine } from '../../lib/native/engine.js'
import { Model } from '../../lib/native/model.js'
import { temporaryFolder } from '../support/folder.js'
import type { Metadata, MetadataValue } from '../support/gguf.js'
import { type ModelName, testModel } from '../support/models.js'
import { Random } from '../support/random.js'
import { codeOf } from '../support/rejection.js'
import { tableModel } from '../support/table-model.js'
import { tokensOf } from '../support/tokenizer.js'

const load = (name: ModelName) =>
  Model.load({ path: testModel(name), gpuLayers: 0, contextCells: 0, weights: true, mmap: true })
const segment = (text: string): TextSegment => ({ text, parseSpecial: true, continuation: false })
/** Ten megabytes: some seconds of work. */
const long = 'some words\n'.repeat(1e6)

const folder = temporaryFolder()
let engine: string
let words: Model
beforeAll(async () => {
  engine = (await openEngine('cpu')).engine.directory
  words = await load('qwen2-vocab')
})
afterAll(() => words.close())

describe('tokenize() with a limit', () => {
  it.each<ModelName>(['qwen2-vocab', 'qwen2-bytes', 'llama-spm'])('refuses no text that fits: %s', async (name) => {
    const model = await load(name)
    const { longestToken, specialTokens } = model.metadata
    for (const { id, text } of specialTokens) {
      expect(Buffer.byteLength(text)).toBeLessThanOrEqual(longestToken)
      const tokens = await model.tokenize([segment(text.repeat(100))], { most: 100 })
      expect(Array.from(tokens)).toEqual(Array(100).fill(id))
    }
    const blanks = await model.tokenize([segment(' '.repeat(5000))])
    expect(await model.tokenize([segment(' '.repeat(5000))], { most: blanks.length })).toEqual(blanks)
    await model.close()
  })

  it('refuses one that cannot fit before it is tokenized', async () => {
    const { longestToken } = words.metadata
    const sentence =
      `The context is too small: a text of ${longestToken * 7 + 1} characters has at least 8 tokens, ` +
      'contextSize is 7'
    const most = { most: 7 }
    const refused = words.tokenize([segment('x'), segment('x'.repeat(longestToken * 7))], most)
    await expect(refused).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL', message: sentence })
  })

  it('refuses one that has more while it is tokenized', async () => {
    const refused = words.tokenize([segment('one two three'), segment('four')], { most: 2 })
    const message = 'The context is too small: a text has more than 3 tokens, contextSize is 2'
    await expect(refused).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL', message })
  })
})

describe('a long text', () => {
  it.each<ModelName>([
    'qwen2-vocab',
    'qwen2-bytes',
    'llama-spm',
  ])('has the tokens that it has at once: %s', async (name) => {
    const model = await load(name)
    const specials = model.metadata.specialTokens.map((token) => token.text)
    const random = new Random(1)
    const parts = [...specials, ...specials, 'the answer', ' a', '\n', '  \n', 'é', '<', '>', '7', '.', ' ▁x']
    for (const parseSpecial of [true, false]) {
      let text = ''
      while (text.length < 3.6e4) text += parts[random.below(parts.length)]
      const tokens = await model.tokenize([{ text, parseSpecial, continuation: false }])
      const expected = tokensOf(engine, testModel(name), [{ text, special: parseSpecial, begin: false }])[0]
      expect(Array.from(tokens)).toEqual(expected)
    }
    await model.close()
  })
})

describe('tokenizing ends', () => {
  it('when its signal is aborted', async () => {
    const controller = new AbortController()
    const { signal } = controller
    const working = codeOf(words.tokenize([segment(long)], { signal }))
    controller.abort()
    expect(await working).toBe('ABORTED')
    expect(await codeOf(words.tokenize([segment('x')], { signal }))).toContain('AbortError')
    expect((await words.tokenize([segment('x')])).length).toBe(1)
  })

  it('when the model is closed, which takes until all of it has ended', async () => {
    const model = await load('qwen2-vocab')
    // More than the pool has threads, so that some have not begun.
    const working = Promise.all(Array.from({ length: 6 }, () => codeOf(model.tokenize([segment(long)]))))
    await model.close()
    const inThisTurn = new Promise((resolve) => setImmediate(resolve, 'no'))
    expect(await Promise.race([working, inThisTurn])).toEqual(Array(6).fill('DISPOSED'))
    expect(await codeOf(model.tokenize([segment('x')]))).toBe('DISPOSED')
  })
})

describe('the sampling that a file recommends', () => {
  const sampling = async (keys: Record<string, MetadataValue>) => {
    const metadata: Metadata = new Map(Object.entries(keys).map(([key, value]) => [`general.sampling.${key}`, value]))
    const path = tableModel(folder(), 'recommends', { rows: {}, metadata })
    const model = await Model.load({ path, gpuLayers: 0, contextCells: 0, weights: false, mmap: true })
    await model.close()
    return model.metadata.sampling
  }

  it.each<[MetadataValue, number]>([
    [{ type: 'int32', value: -1 }, -1],
    [{ type: 'uint32', value: 4294967295 }, 4294967295],
    [{ type: 'int64', value: -20n }, -20],
    [{ type: 'uint64', value: 20n }, 20],
    [{ type: 'float32', value: 0.5 }, 0.5],
    [{ type: 'float64', value: 0.95 }, 0.95],
  ])('is a number of any type: %o', async (value, number) => {
    expect(await sampling({ top_k: value, temp: value })).toEqual({ top_k: number, temp: number })
  })

  it.each<MetadataValue>([
    { type: 'string', value: '0.5' },
    { type: 'bool', value: true },
    { type: 'float32', value: [0.5] },
  ])('is nothing else: %o', async (value) => {
    expect(await sampling({ top_k: value, temp: value })).toEqual({})
  })
})
