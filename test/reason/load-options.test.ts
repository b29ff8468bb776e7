/**
 * What a load may be told beside the model: each option changes what it says, and the tokens are those of a plain loop on
 * llama.cpp's C API that is told the same (test/native/reference.cpp).
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { type LoadOptions, Z1 } from '../../lib/index.js'
import type { EngineInfo } from '../../lib/native/binding.js'
import { devicesOf } from '../../lib/reason/load-checks.js'
import { type AdapterOptions, testAdapter } from '../support/adapter.js'
import { temporaryFolder } from '../support/folder.js'
import type { MetadataValue, TensorSource } from '../support/gguf.js'
import { testModel } from '../support/models.js'
import { type ReferenceLoad, reference } from '../support/reference.js'
import { codeOf } from '../support/rejection.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()
const model = testModel('qwen2-bytes')
const size = { contextSize: 512, batchSize: 32, threads: 1, engine: 'cpu' } as const
const texts = ['What is the sum?', 'x = [3, 1, 2]', 'a', 'für naïve 数学', 'the largest of 13, 19, 11 is']

/** Tokens of the thinking over the texts: as they are here, and as the plain loop has them. */
async function tokensOf(options: LoadOptions, load: ReferenceLoad = {}) {
  await using z1 = await Z1.load({ model, ...size, ...options })
  const cases = texts.map((text) => ({
    contextSize: size.contextSize,
    parallel: 1,
    batchSize: size.batchSize,
    window: 40,
    maxTokens: 10,
    prompt: [...Buffer.from(text)],
    hint: [...Buffer.from(' so')],
  }))
  const expected = reference(z1.model.engine, z1.model.path, cases, load).map(({ reasoning, answer }) => ({
    reasoning,
    answer,
  }))
  const ours = []
  for (const text of texts) {
    const { tokens } = await z1.reason(text, {
      template: false,
      thinkingWindow: 40,
      maxTokens: 10,
      hint: ' so',
      cachePrompt: false,
    })
    ours.push({ reasoning: tokens.reasoning, answer: tokens.answer })
  }
  return { ours, expected, info: z1.model }
}

describe('cacheType and flashAttention', () => {
  it.each<[LoadOptions, ReferenceLoad]>([
    [{ cacheType: 'q8_0' }, { cacheType: { k: 'q8_0', v: 'q8_0' } }],
    [{ cacheType: 'q4_0' }, { cacheType: { k: 'q4_0', v: 'q4_0' } }],
    [{ cacheType: { v: 'q4_0' } }, { cacheType: { k: 'f16', v: 'q4_0' } }],
    [
      { cacheType: { k: 'q8_0' }, flashAttention: false },
      { cacheType: { k: 'q8_0', v: 'f16' }, flashAttention: false },
    ],
    [{ flashAttention: false }, { flashAttention: false }],
    [{ flashAttention: true }, { flashAttention: true }],
  ])('%j gives the tokens of the plain loop', async (options, load) => {
    const { ours, expected, info } = await tokensOf(options, load)
    expect(ours).toEqual(expected)
    expect(info.cacheType).toEqual(load.cacheType ?? { k: 'f16', v: 'f16' })
    expect(info.flashAttention).toBe(options.flashAttention ?? 'auto')
  })

  it('of a coarser type changes the tokens', async () => {
    const [fine, coarse] = await Promise.all([tokensOf({}), tokensOf({ cacheType: 'q4_0' })])
    expect(fine.ours).toEqual(fine.expected)
    expect(coarse.ours).not.toEqual(fine.ours)
  })

  it('makes the context smaller that memory is looked for', async () => {
    // 4 layers × 2 heads × (32 + 32) values: in F16 1024 bytes, in q4_0 18/64 of that, and 52 of the cell itself.
    const needed = async (cacheType: 'f16' | 'q4_0') => {
      const options = { model, ...size, cacheType, contextSize: 2 ** 24, parallel: 64 }
      const error: unknown = await Z1.load(options).catch((reason: unknown) => reason)
      return Number(/needs at least ([\d.]+) GiB/.exec((error as Error).message)?.[1])
    }
    expect(await needed('f16')).toBeCloseTo(1024 + 52, 0)
    expect(await needed('q4_0')).toBeCloseTo(288 + 52, 0)
  })

  it.each([
    { k: 'q8_0' },
    { v: 'q4_0' },
  ] as const)('refuses heads that are no multiple of 32: %j', async (cacheType) => {
    const narrow = testModel('qwen2-bytes', { shape: { width: 64, heads: 4, kvHeads: 2 } })
    const [[name, type]] = Object.entries(cacheType) as [[string, string]]
    for (const flashAttention of ['v' in cacheType ? 'auto' : false, true] as const) {
      await expect(Z1.load({ model: narrow, ...size, cacheType, flashAttention })).rejects.toMatchObject({
        code: 'MODEL_UNSUPPORTED',
        message:
          `${narrow} cannot have ${type} for ${name.toUpperCase()} in cacheType: its heads have 16 values, ` +
          `and ${type} needs a multiple of 32`,
      })
    }
    await using z1 = await Z1.load({ model: narrow, ...size })
    expect((await z1.reason('q', { thinkingWindow: 2, maxTokens: 2 })).usage.hintTokens).toBeGreaterThan(0)
  })

  it('refuses a quantized V without flash attention', async () => {
    const refused = Z1.load({ model, ...size, cacheType: { v: 'q8_0' }, flashAttention: false })
    await expect(refused).rejects.toThrow(
      new RangeError(
        "Expected flashAttention 'auto' or true with q8_0 for V in cacheType: a quantized V needs flash attention",
      ),
    )
  })

  it('leaves a recurrent state as it is', async () => {
    await using z1 = await Z1.load({ model: testModel('mamba'), ...size, cacheType: 'q8_0' })
    expect((await z1.reason('q', { thinkingWindow: 2, maxTokens: 2 })).usage.hintTokens).toBeGreaterThan(0)
  })
})

describe.runIf(process.platform === 'linux')('mlock', () => {
  const locked = () => Number(/VmLck:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

  // mlock(2) gives EAGAIN when the kernel does not get all pages at that moment.
  it.each([true, false])('locks the weights, with mmap: %s', { retry: 3 }, async (mmap) => {
    const before = locked()
    const z1 = await Z1.load({ model, ...size, mlock: true, mmap })
    expect((locked() - before) * 1024).toBeGreaterThan(0.9 * z1.model.size)
    await z1.dispose()
    // Memory that was allocated may stay with the allocator; a mapping is gone.
    if (mmap) expect(locked()).toBe(before)
  })

  it('fails where the system does not let them be locked', () => {
    // The superuser may lock what it wants, unless it gives that up.
    const asUser = process.getuid?.() === 0 ? ['setpriv', '--bounding-set=-ipc_lock', '--inh-caps=-ipc_lock'] : []
    const command = [
      ...asUser,
      'prlimit',
      '--memlock=65536',
      process.execPath,
      program,
      'ask',
      '--mlock',
      '--threads',
      '1',
      'q',
    ]
    const run = spawnSync(command[0] as string, command.slice(1), { encoding: 'utf8' })
    expect(run.stdout).toBe('')
    expect(run.stderr).toContain('z1-mini.gguf in memory: the limit of locked memory (ulimit -l) is lower')
    expect(run.status).toBe(1)
  })
})

describe('devices', () => {
  const device = (name: string, type: 'cpu' | 'gpu' | 'igpu') => {
    return { name, type, description: '', backend: '', memoryFree: 0, memoryTotal: 0 }
  }
  const two: EngineInfo = {
    directory: '/engine',
    refused: [],
    devices: [device('CUDA0', 'gpu'), device('Vulkan1', 'igpu'), device('CPU', 'cpu')],
  }

  it('are those that are named, and the CPU', () => {
    const names = (given: string[] | undefined) => devicesOf(two, given).map(({ name }) => name)
    expect(names(undefined)).toEqual(['CUDA0', 'Vulkan1', 'CPU'])
    expect(names(['Vulkan1'])).toEqual(['Vulkan1', 'CPU'])
    expect(names([])).toEqual(['CPU'])
  })

  it.each(['CUDA1', 'CPU'])('refuses %s, and lists those there are', (name) => {
    const sentence = `Expected GPU devices (CUDA0, Vulkan1) for devices but received "${name}"`
    expect(() => devicesOf(two, ['CUDA0', name])).toThrow(new RangeError(sentence))
  })

  it('refuses any where there is no GPU, and may be none', async () => {
    await using z1 = await Z1.load({ model, ...size, devices: [] })
    const { engine } = z1.model
    const sentence = `Expected no names: ${engine} has no GPU device, for devices but received "CUDA0"`
    await expect(Z1.load({ model, ...size, devices: ['CUDA0'] })).rejects.toThrow(new RangeError(sentence))
  })
})

describe('lora', () => {
  it('gives the tokens of the plain loop, which are others', async () => {
    const path = testAdapter(folder(), 'one.gguf', model)
    const base = await tokensOf({})
    const { ours, expected, info } = await tokensOf({ lora: path }, { lora: [{ path, scale: 1 }] })
    expect(ours).toEqual(expected)
    expect(ours).not.toEqual(base.ours)
    expect(info.lora).toEqual([{ path, scale: 1 }])
  })

  it('adds up, each with its scale', async () => {
    const lora = [
      { path: testAdapter(folder(), 'one.gguf', model), scale: 0.5 },
      { path: testAdapter(folder(), 'two.gguf', model, { seed: 2, rank: 32, type: 'Q8_0' }), scale: -0.25 },
    ]
    const { ours, expected } = await tokensOf({ lora }, { lora })
    expect(ours).toEqual(expected)
    const first = await tokensOf({ lora: lora.slice(0, 1) }, { lora: lora.slice(0, 1) })
    expect(first.ours).toEqual(first.expected)
    expect(first.ours).not.toEqual(ours)
  })

  it('at scale 0 gives the tokens of the model', async () => {
    const lora = { path: testAdapter(folder(), 'one.gguf', model), scale: 0 }
    const { ours, expected } = await tokensOf({ lora })
    expect(ours).toEqual(expected)
  })

  const text = (value: string): MetadataValue => ({ type: 'string', value })
  const reshaped = (name: string, shape: number[]) => (tensors: TensorSource[]) =>
    tensors.map((tensor) => (tensor.name === name ? { ...tensor, shape } : tensor))
  it.each<[string, AdapterOptions, string]>([
    [
      'another architecture',
      { metadata: new Map([['general.architecture', text('llama')]]) },
      'another architecture than qwen2',
    ],
    ['no adapter', { metadata: new Map([['general.type', text('model')]]) }, 'it is no LoRA adapter'],
    ['a control vector', { metadata: new Map([['adapter.type', text('control')]]) }, 'it is no LoRA adapter'],
    [
      'no number as its type',
      { metadata: new Map([['general.type', { type: 'uint32', value: 1 }]]) },
      'it is no LoRA adapter',
    ],
    ['an alpha that is no number', { alpha: NaN }, 'adapter.lora.alpha is not a number'],
    [
      'an activated LoRA',
      { metadata: new Map([['adapter.alora.invocation_tokens', { type: 'uint32', value: [1] }]]) },
      'it is an activated LoRA',
    ],
    [
      'a tensor that the model does not have',
      { tensors: ['blk.9.attn_q.weight'] },
      'the model has no tensor blk.9.attn_q.weight',
    ],
    ['no tensors', { tensors: [] }, 'it has no tensors'],
    ['one matrix of two', { edit: (tensors) => tensors.slice(1) }, 'it has only one of the two matrices'],
    [
      'a rank of its own in each matrix',
      { tensors: ['blk.0.attn_q.weight'], edit: reshaped('blk.0.attn_q.weight.lora_b', [5, 128]) },
      'the shape of blk.0.attn_q.weight',
    ],
    [
      'a third dimension',
      { tensors: ['blk.0.attn_q.weight'], edit: reshaped('blk.0.attn_q.weight.lora_a', [128, 4, 2]) },
      'the shape of blk.0.attn_q.weight',
    ],
    [
      'a norm',
      { edit: (tensors) => tensors.map((one) => ({ ...one, name: one.name.replace('.lora_a', '') })) },
      'is no part of a LoRA adapter',
    ],
  ])('refuses %s', async (name, options, reason) => {
    const path = testAdapter(folder(), `${name}.gguf`, model, options)
    const error: unknown = await Z1.load({ model, ...size, lora: path }).catch((reason: unknown) => reason)
    expect(error).toMatchObject({ code: 'ADAPTER_INVALID' })
    expect((error as Error).message).toContain(reason)
  })

  it('refuses an adapter of another model', async () => {
    const other = testModel('qwen2-bytes', { shape: { width: 64, heads: 4, kvHeads: 2 } })
    const path = testAdapter(folder(), 'other.gguf', other)
    await expect(Z1.load({ model, ...size, lora: path })).rejects.toThrow('so it was made for another one')
  })

  it('refuses what is no such file, and one that is cut short', async () => {
    const whole = testAdapter(folder(), 'one.gguf', model)
    const cut = join(folder(), 'cut.gguf')
    writeFileSync(cut, readFileSync(whole).subarray(0, -5000))
    const words = join(folder(), 'words.gguf')
    writeFileSync(words, 'no adapter')
    for (const lora of [cut, words, folder(), join(folder(), 'missing.gguf'), model]) {
      expect(await codeOf(Z1.load({ model, ...size, lora }))).toBe('ADAPTER_INVALID')
    }
  })

  it('changes embeddings where they are not the output, too', async () => {
    // Turned around: A has a row for each token, B one for each value (llama-adapter.cpp).
    const turned = (width: number, tokens: number) => (pairs: TensorSource[]) =>
      pairs.map((one) => ({ ...one, shape: one.name.endsWith('a') ? [4, tokens] : [4, width] }))
    const tied = testModel('qwen2-bytes', { shape: { tied: true } })
    await using z1 = await Z1.load({ model, ...size })
    const edit = turned(128, z1.model.vocabularySize)
    const lora = testAdapter(folder(), 'embeddings.gguf', model, { tensors: ['token_embd.weight'], edit })
    const { ours, expected } = await tokensOf({ lora }, { lora: [{ path: lora, scale: 1 }] })
    expect(ours).toEqual(expected)
    await expect(Z1.load({ model: tied, ...size, lora })).rejects.toMatchObject({
      code: 'ADAPTER_INVALID',
      message: expect.stringContaining('it changes the embeddings, which this model also uses as its output'),
    })
  })
})
