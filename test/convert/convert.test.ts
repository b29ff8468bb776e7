/** A checkpoint becomes a file that holds its numbers, in every type, and that the library loads and answers with. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { convert, FILE_TYPE_NAMES, quantize } from '../../lib/convert/index.js'
import { FILE_TYPES } from '../../lib/convert/types.js'
import { Z1 } from '../../lib/index.js'
import { inspectModel } from '../../lib/reason/vocabulary.js'
import { temporaryFolder } from '../support/folder.js'
import { quantizeQ8, readGguf, readTensor } from '../support/gguf.js'
import { chatTemplate, checkpoint, type Json, type Tensor, writeJson } from './checkpoint.js'

const folder = temporaryFolder()()
let model: string
let stored: Map<string, Tensor>
beforeAll(() => {
  const change = (tensors: Map<string, Tensor>) => {
    stored = new Map(tensors)
  }
  model = checkpoint(join(folder, 'Small-Model'), { tied: false, change })
})

const names: [from: string, to: string][] = [
  ['model.embed_tokens.weight', 'token_embd.weight'],
  ['model.norm.weight', 'output_norm.weight'],
  ['lm_head.weight', 'output.weight'],
  ['model.layers.1.self_attn.q_proj.bias', 'blk.1.attn_q.bias'],
  ['model.layers.0.self_attn.o_proj.weight', 'blk.0.attn_output.weight'],
  ['model.layers.0.post_attention_layernorm.weight', 'blk.0.ffn_norm.weight'],
  ['model.layers.1.mlp.down_proj.weight', 'blk.1.ffn_down.weight'],
]

test('F32 keeps every number, under llama.cpp’s names and in its order of dimensions', async () => {
  const { path, ...facts } = await convert({ model })
  expect(path).toBe(join(folder, 'Small-Model-F32.gguf'))
  const { tensors, metadata } = readGguf(path)
  expect(tensors).toHaveLength(stored.size)
  for (const [from, to] of names) {
    const tensor = tensors.find(({ name }) => name === to)
    expect(tensor?.shape, to).toEqual(stored.get(from)?.shape.toReversed())
    expect(Buffer.from(readTensor(path, tensor!).buffer).equals(bytesOf(stored.get(from)!.values)), to).toBe(true)
  }
  expect(metadata.get('general.name')?.value).toBe('Small-Model')
  expect(metadata.get('tokenizer.chat_template')?.value).toBe(chatTemplate)
  const parameters = [...stored.values()].reduce((sum, { values }) => sum + values.length, 0)
  expect(facts).toEqual({ type: 'f32', size: readFileSync(path).length, tensors: stored.size, parameters })
})

describe.each(FILE_TYPE_NAMES)('%s', (type) => {
  test('is what the file says it is, answers, and leaves nothing beside it', async () => {
    const output = join(folder, type, 'model.gguf')
    const progress: number[] = []
    checkpoint(join(folder, type))
    await convert({ model, output: pathToFileURL(output), type, threads: 1, onProgress: (now) => progress.push(now) })
    expect(readdirSync(join(folder, type)).filter((name) => name.startsWith('model.gguf'))).toEqual(['model.gguf'])
    const { quantization } = await inspectModel(output)
    expect(quantization.toLowerCase().replace(/ - /, '_')).toMatch(new RegExp(`^(all )?${type.replace(/_[sml]$/, '')}`))
    expect(fileType(output)).toBe(FILE_TYPES[type])
    expect(progress).toEqual([...progress].sort((a, b) => a - b))
    expect(progress.at(-1)).toBe(1)
    await using z1 = await Z1.load({ model: output, engine: 'cpu', threads: 1, contextSize: 64 })
    const { usage } = await z1.reason('Hi', { thinkingWindow: 2, maxTokens: 2 })
    expect(usage.thinkingTokens).toBeLessThanOrEqual(2)
  })
})

test('the default type is the one of the checkpoint', async () => {
  for (const dtype of ['BF16', 'F16'] as const) {
    const { path, type } = await convert({ model: checkpoint(join(folder, dtype), { dtype }) })
    expect([type, basename(path)]).toEqual([dtype.toLowerCase(), `${dtype}-${dtype}.gguf`])
  }
})

test('q8_0 is made of the F32 numbers, not of rounded ones', async () => {
  const { path } = await convert({ model, type: 'q8_0', threads: 1 })
  const tensor = readGguf(path).tensors.find(({ name }) => name === 'blk.0.ffn_up.weight')!
  const expected = Buffer.from(quantizeQ8(stored.get('model.layers.0.mlp.up_proj.weight')!.values))
  const found = readFileSync(path).subarray(tensor.offset, tensor.offset + expected.length)
  expect(found.equals(expected)).toBe(true)
})

test('to convert and to quantize are to convert to the quantized type', async () => {
  const plain = join(folder, 'plain.gguf')
  const output = join(folder, 'quantized.gguf')
  await convert({ model, output: plain })
  const result = await quantize({ input: plain, output, type: 'q5_k_m', threads: 1 })
  const { path } = await convert({ model, type: 'q5_k_m', threads: 1 })
  expect(readFileSync(output).equals(readFileSync(path))).toBe(true)
  expect(result).toEqual({ path: output, type: 'q5_k_m', size: readFileSync(output).length })
})

test('a tied matrix that is there twice is kept', async () => {
  const change = (tensors: Map<string, Tensor>) => {
    tensors.set('lm_head.weight', tensors.get('model.embed_tokens.weight') as Tensor)
  }
  const { path } = await convert({ model: checkpoint(join(folder, 'twice'), { change }) })
  expect(readGguf(path).tensors.map(({ name }) => name)).toContain('output.weight')
})

test('templates with names get keys of their own', async () => {
  const named = checkpoint(join(folder, 'named'), {
    tokenizerConfig: {
      chat_template: [
        { name: 'default', template: 'one' },
        { name: 'tool-use', template: 'two' },
      ],
    },
    transformers: 4,
  })
  const { path } = await convert({ model: named })
  const { metadata } = readGguf(path)
  expect(metadata.get('tokenizer.chat_template')?.value).toBe('one')
  expect(metadata.get('tokenizer.chat_template.tool_use')?.value).toBe('two')
  expect(metadata.get('tokenizer.chat_templates')?.value).toEqual(['tool_use'])
})

test('byte-order marks at the beginning of its files are no part of them', async () => {
  const [plain, marked] = [checkpoint(join(folder, 'plain')), checkpoint(join(folder, 'marked'))]
  for (const name of readdirSync(marked).filter((name) => /\.(?:json|jinja)$/.test(name))) {
    writeFileSync(join(marked, name), `\uFEFF${readFileSync(join(marked, name), 'utf8')}`)
  }
  const expected = readGguf((await convert({ model: plain })).path).metadata
  const { metadata } = readGguf((await convert({ model: marked })).path)
  expect(metadata.get('tokenizer.chat_template')?.value).toBe(chatTemplate)
  for (const name of ['general.name', 'general.basename']) {
    expected.delete(name)
    metadata.delete(name)
  }
  expect(metadata).toEqual(expected)
})

test('BOS and EOS that the post-processor adds are added', async () => {
  const special = (id: string) => ({ SpecialToken: { id, type_id: 0 } })
  const text = { Sequence: { id: 'A', type_id: 0 } }
  const adding = checkpoint(join(folder, 'adding'), {
    tokenizer: {
      post_processor: {
        type: 'TemplateProcessing',
        single: [special('<|im_start|>'), text, special('<|im_end|>')],
        pair: [],
        special_tokens: {},
      },
    },
    tokenizerConfig: { bos_token: { content: '<|im_start|>', special: true } },
  })
  const { path } = await convert({ model: adding })
  const { metadata } = readGguf(path)
  const tokens = metadata.get('tokenizer.ggml.tokens')?.value as string[]
  expect(metadata.get('tokenizer.ggml.bos_token_id')?.value).toBe(tokens.indexOf('<|im_start|>'))
  expect(metadata.get('tokenizer.ggml.add_bos_token')?.value).toBe(true)
  expect(metadata.get('tokenizer.ggml.add_eos_token')?.value).toBe(true)
})

test('what a checkpoint does not say has the default of transformers, and a Sequence is what is in it', async () => {
  const NFC = { type: 'NFC' }
  const sequence = (...normalizers: object[]) => ({ type: 'Sequence', normalizers })
  const changes = [
    {},
    { tokenizer: { normalizer: null } },
    { tokenizer: { normalizer: sequence() } },
    { tokenizer: { normalizer: sequence(NFC) } },
    { tokenizer: { normalizer: sequence(sequence(NFC)) } },
    { config: { tie_word_embeddings: undefined } },
  ]
  const outputs = await Promise.all(
    changes.map((change, i) => {
      const same = checkpoint(join(folder, `defaults-${i}`, 'same'), { tied: false, ...change })
      return convert({ model: same, output: join(folder, `defaults-${i}.gguf`) })
    }),
  )
  const [first, ...others] = outputs.map(({ path }) => readFileSync(path))
  for (const other of others) expect(other.equals(first as Buffer)).toBe(true)

  // Without the key the matrices are two: of a checkpoint that has one, the other is missing.
  const tied = checkpoint(join(folder, 'tied'), { tied: true, config: { tie_word_embeddings: undefined } })
  await expect(convert({ model: tied })).rejects.toThrow('the tensor lm_head.weight is missing')

  const plain = checkpoint(join(folder, 'unsaid', 'same'), { tied: false })
  const file = join(plain, 'tokenizer.json')
  const tokenizer = JSON.parse(readFileSync(file, 'utf8'))
  for (const token of tokenizer.added_tokens) if (!token.special) delete token.special
  writeFileSync(file, JSON.stringify(tokenizer))
  const { path } = await convert({ model: plain, output: join(folder, 'unsaid.gguf') })
  expect(readFileSync(path).equals(first as Buffer)).toBe(true)
})

function bytesOf(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength)
}

/** Of a file whose tensors may be of types that the tests' reader does not know. */
function fileType(path: string): number {
  const key = Buffer.from('general.file_type')
  const bytes = readFileSync(path)
  return bytes.readUInt32LE(bytes.indexOf(key) + key.length + 4)
}

describe('generation_config.json', () => {
  const sampled = { temperature: 0.6, top_k: 20, top_p: 0.95, min_p: 0.25, repetition_penalty: 1.05 }
  const converted = async (name: string, content: Json) => {
    const model = checkpoint(join(folder, name))
    writeJson(model, 'generation_config.json', content)
    const { path } = await convert({ model })
    const keys = [...readGguf(path).metadata].filter(([key]) => key.startsWith('general.sampling.'))
    return { keys: Object.fromEntries(keys), sampling: (await inspectModel(path)).sampling }
  }

  test.each([
    ['true', { do_sample: true }],
    ['not said', {}],
    ['null', { do_sample: null }],
  ])('is what the file recommends: do_sample is %s', async (name, given) => {
    const { keys, sampling } = await converted(`sampled-${name}`, { ...given, ...sampled })
    expect(keys).toEqual({
      'general.sampling.temp': { type: 'float32', value: Math.fround(0.6) },
      'general.sampling.top_k': { type: 'int32', value: 20 },
      'general.sampling.top_p': { type: 'float32', value: Math.fround(0.95) },
      'general.sampling.min_p': { type: 'float32', value: 0.25 },
      'general.sampling.penalty_repeat': { type: 'float32', value: Math.fround(1.05) },
    })
    expect(sampling).toEqual({ temperature: 0.6, topK: 20, topP: 0.95, minP: 0.25, repeatPenalty: 1.05 })
  })

  test('recommends no sampling where do_sample is false', async () => {
    expect(await converted('greedy', { do_sample: false, ...sampled })).toEqual({ keys: {}, sampling: {} })
  })

  test.each([
    ['do_sample', 'no', 'Expected boolean for do_sample but received "no"'],
    ['top_k', 2 ** 31, 'Expected integer between -2147483648 and 2147483647 for top_k but received 2147483648'],
    ['top_k', 20.5, 'Expected integer between -2147483648 and 2147483647 for top_k but received 20.5'],
    ['top_p', 1e39, 'Expected finite number for top_p but received 1e+39'],
  ])('is refused: %s %j', async (key, value, message) => {
    const refused = converted(`refused-${key}-${value}`, { [key]: value })
    await expect(refused).rejects.toMatchObject({ code: 'MODEL_INVALID', message: expect.stringContaining(message) })
  })
})
