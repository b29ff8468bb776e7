/** Whatever is wrong with a checkpoint is told in one sentence that names the file, and no file is written. */
import { spawnSync } from 'node:child_process'
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { type ConvertOptions, convert, type QuantizeOptions, quantize } from '../../lib/convert/index.js'
import { temporaryFolder } from '../support/folder.js'
import {
  type CheckpointOptions,
  checkpoint,
  type Json,
  readJsonFile,
  splitOn,
  type Tensor,
  writeJson,
} from './checkpoint.js'

const folder = temporaryFolder()()

let count = 0
const next = () => join(folder, `${count++}`)

async function refusal(
  model: string,
  options: Partial<ConvertOptions> = {},
): Promise<[code: unknown, message: string]> {
  const output = `${model}.gguf`
  const error = await convert({ model, output, ...options }).catch((reason) => reason)
  expect(error).toBeInstanceOf(Error)
  expect(readdirSync(folder).filter((name) => name.includes('.gguf'))).toEqual([])
  expect(error.message).toContain(model)
  return [error.code, error.message.replaceAll(`${model}/`, '').replaceAll(model, 'FOLDER')]
}

const tensors = (change: (tensors: Map<string, Tensor>) => void): CheckpointOptions => ({ change })
const edit = (name: string, change: (tensor: Tensor) => void) => {
  return tensors((all) => change(all.get(name) as Tensor))
}
const up = 'model.layers.1.mlp.up_proj.weight'

const invalid: Record<string, [CheckpointOptions, message: string]> = {
  'a tensor is missing': [tensors((all) => all.delete(up)), `FOLDER: the tensor ${up} is missing`],
  'several tensors are missing': [
    tensors((all) => {
      for (const name of [...all.keys()]) if (name.includes('layers.0')) all.delete(name)
    }),
    'FOLDER: the tensor model.layers.0.input_layernorm.weight and 11 more is missing',
  ],
  'the output matrix is missing': [
    { tied: false, change: (all) => all.delete('lm_head.weight') },
    'FOLDER: the tensor lm_head.weight is missing',
  ],
  'a tensor of another layer': [
    tensors((all) => all.set(up.replace('1', '2'), all.get(up) as Tensor)),
    'model.safetensors: the tensor model.layers.2.mlp.up_proj.weight is not of a Qwen2 model of 2 layers',
  ],
  'a matrix lies on its side': [
    edit(up, (tensor) => tensor.shape.reverse()),
    `model.safetensors: the tensor ${up} is 64 × 96; by config.json it is 96 × 64`,
  ],
  'a weight is not a number': [
    edit(up, ({ values }) => values.fill(NaN, 77, 78)),
    `model.safetensors: the tensor ${up} holds NaN or infinity`,
  ],
  'a tied matrix that is another one': [
    tensors((all) => {
      const { shape, values, dtype } = all.get('model.embed_tokens.weight') as Tensor
      all.set('lm_head.weight', { shape, values: values.map((value, i) => (i === 20_000 ? value + 1 : value)), dtype })
    }),
    'model.safetensors: the tensors model.embed_tokens.weight and lm_head.weight differ, but config.json says that they ' +
      'are one',
  ],
  'a token that is half a character': [
    { tokenizerModel: { vocab: { '\ud83d': 7 } } },
    'tokenizer.json: the token "\\ud83d" is not well-formed text',
  ],
  'a key is missing': [{ config: { rms_norm_eps: undefined } }, 'config.json: rms_norm_eps is missing'],
  'a number is none': [
    { config: { hidden_size: '64' } },
    'config.json: Expected integer between 1 and 2147483647 for hidden_size but received "64"',
  ],
  'heads do not divide the width': [
    { config: { num_key_value_heads: 3 } },
    'config.json: hidden_size 64 does not divide into 4 heads and 3 key-value heads',
  ],
  'two bases of the rotation': [
    { config: { rope_theta: 1e4 } },
    'config.json: rope_theta is 10000, but rope_parameters.rope_theta is 1000000',
  ],
  'no base of the rotation': [{ config: { rope_parameters: null } }, 'config.json: rope_theta is missing'],
  'YaRN without its original length': [
    { config: { rope_parameters: { rope_type: 'yarn', factor: 2, rope_theta: 1e4 } } },
    'config.json: rope_parameters.original_max_position_embeddings is missing',
  ],
  'fewer rows than tokens': [
    { config: { vocab_size: 400 } },
    `tokenizer.json: the token "'s" is number 400, but vocab_size is 400`,
  ],
  'two tokens with a number': [
    { tokenizer: { added_tokens: [{ id: 5, content: '<|im_end|>', special: true }] } },
    'tokenizer.json: the tokens "ą" and "<|im_end|>" are both number 5',
  ],
  'a merge of no token': [
    { tokenizerModel: { merges: [['q', 'q']] } },
    'tokenizer.json: model.merges[0] needs the token "qq"',
  ],
  'a merge that is none': [
    { tokenizerModel: { merges: ['a b c'] } },
    'tokenizer.json: model.merges[0] is not a pair: "a b c"',
  ],
  'an end that is no token': [
    { tokenizerConfig: { eos_token: '<end>' } },
    'tokenizer_config.json: eos_token is "<end>", which is not an added token of tokenizer.json',
  ],
  'two lists of added tokens': [
    { transformers: 4, tokenizerConfig: { added_tokens_decoder: { 7: { content: '<|im_end|>', special: true } } } },
    'tokenizer_config.json: the added token "<|im_end|>" is another one in tokenizer.json',
  ],
  'two chat templates': [
    { tokenizerConfig: { chat_template: 'another' } },
    "tokenizer_config.json: its chat template default is another one than the file's; remove one of them",
  ],
}

const unsupported: Record<string, [CheckpointOptions, message: string]> = {
  'another architecture': [
    { config: { architectures: ['LlamaForCausalLM'] } },
    'config.json: its architecture is LlamaForCausalLM; only Qwen2ForCausalLM is supported',
  ],
  'another activation': [
    { config: { hidden_act: 'gelu' } },
    'config.json: its activation is gelu; llama.cpp computes silu',
  ],
  'attention that slides': [
    { config: { use_sliding_window: true, sliding_window: 512, layer_types: undefined } },
    'config.json: its attention slides over 512 tokens; llama.cpp computes full attention',
  ],
  'layers whose attention slides': [
    { config: { layer_types: ['full_attention', 'sliding_attention'], sliding_window: 512 } },
    'config.json: its attention slides over 512 tokens; llama.cpp computes full attention',
  ],
  'heads wider than the model': [
    { config: { head_dim: 32 } },
    'config.json: 4 heads of 32 are not as wide as hidden_size, 64',
  ],
  'weights that are quantized': [
    { config: { quantization_config: { bits: 4 } } },
    'config.json: its weights are quantized; convert the model that they were made from',
  ],
  'another rotation': [
    { config: { rope_parameters: { rope_type: 'dynamic', factor: 2, rope_theta: 1e4 } } },
    'config.json: its rope_type is dynamic; only default, linear and yarn are supported',
  ],
  'a rotation with more to it': [
    { config: { rope_parameters: { rope_type: 'linear', factor: 2, rope_theta: 1e4, mscale: 1 } } },
    'config.json: rope_parameters.mscale is unknown for rope_type linear',
  ],
  'YaRN that llama.cpp computes otherwise': [
    {
      config: {
        rope_parameters: {
          rope_type: 'yarn',
          factor: 2,
          rope_theta: 1e4,
          original_max_position_embeddings: 512,
          beta_fast: 24,
        },
      },
    },
    'config.json: rope_parameters.beta_fast is 24; llama.cpp computes 32',
  ],
  integers: [
    edit(up, (tensor) => {
      tensor.dtype = 'I32'
    }),
    `model.safetensors: the tensor ${up} is of the type I32; only F32, F16 and BF16 are supported`,
  ],
  'a vocabulary of pieces': [
    { tokenizerModel: { type: 'Unigram' } },
    'tokenizer.json: its vocabulary is of the type Unigram; only byte-level BPE is supported',
  ],
  'a vocabulary with byte fallback': [
    { tokenizerModel: { byte_fallback: true } },
    'tokenizer.json: model.byte_fallback is true; only false is supported',
  ],
  'an unknown token': [
    { tokenizerModel: { unk_token: '<unk>' } },
    'tokenizer.json: model.unk_token is "<unk>"; only null is supported',
  ],
  'a byte without a token': [
    { tokenizerModel: { vocab: { a: 0 }, merges: [] } },
    'tokenizer.json: no token is the byte that "Ā" stands for',
  ],
  'another pre-tokenizer': [
    { preTokenizer: splitOn('\\p{L}+|.') },
    'tokenizer.json: its pre-tokenizer is not supported: split \\p{L}+|., bytes',
  ],
  'a pre-tokenizer with a space before the text': [
    { preTokenizer: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true } },
    'tokenizer.json: its pre-tokenizer is not supported: {"type":"ByteLevel","add_prefix_space":true,' +
      '"trim_offsets":true,"use_regex":true}',
  ],
  'a normalizer of several steps': [
    { tokenizer: { normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] } } },
    'tokenizer.json: its normalizer is Lowercase; only NFC or none is supported',
  ],
  'another normalizer': [
    { tokenizer: { normalizer: { type: 'NFKC' } } },
    'tokenizer.json: its normalizer is NFKC; only NFC or none is supported',
  ],
  'another decoder': [
    { tokenizer: { decoder: { type: 'Metaspace' } } },
    'tokenizer.json: its decoder is Metaspace; only ByteLevel is supported',
  ],
  'a token that takes the spaces beside it': [
    { tokenizer: { added_tokens: [{ id: 406, content: '<x>', special: true, lstrip: true }] } },
    'tokenizer.json: the token "<x>" uses lstrip, which llama.cpp does not support',
  ],
  'another post-processor': [
    { tokenizer: { post_processor: { type: 'BertProcessing' } } },
    'tokenizer.json: its post-processor is BertProcessing',
  ],
  'tokens of an encoder': [
    { tokenizerConfig: { cls_token: '<|im_start|>' } },
    'tokenizer_config.json: cls_token is a token of encoders, which are not supported',
  ],
}

describe('MODEL_INVALID', () => {
  test.each(Object.entries(invalid))('%s', async (_, [options, message]) => {
    expect(await refusal(checkpoint(next(), options))).toEqual(['MODEL_INVALID', message])
  })
})

describe('MODEL_UNSUPPORTED', () => {
  test.each(Object.entries(unsupported))('%s', async (_, [options, message]) => {
    expect(await refusal(checkpoint(next(), options))).toEqual(['MODEL_UNSUPPORTED', message])
  })
})

test('a number that F16 does not hold', async () => {
  const model = checkpoint(
    next(),
    edit(up, ({ values }) => values.fill(-70_000, 3, 4)),
  )
  const message = `model.safetensors: the tensor ${up} holds -70000, which is too large for F16; bf16 and f32 hold it`
  expect(await refusal(model, { type: 'f16' })).toEqual(['MODEL_INVALID', message])
})

const folderWith = (change: (folder: string) => void, options: CheckpointOptions = {}) => {
  const model = checkpoint(next(), options)
  change(model)
  return model
}

const index = (change: (map: Record<string, string>, model: string) => void) => {
  return folderWith(
    (model) => {
      const file: Json = readJsonFile(model, 'model.safetensors.index.json')
      change(file.weight_map as Record<string, string>, model)
      writeJson(model, 'model.safetensors.index.json', file)
    },
    { shards: 2 },
  )
}

describe('files', () => {
  const weights = (model: string) => join(model, 'model.safetensors')

  test('no folder', async () => {
    const [code, message] = await refusal(join(folder, 'nowhere'))
    expect([code, message.slice(0, 28)]).toEqual(['MODEL_NOT_FOUND', 'No model at FOLDER: ENOENT: n'.slice(0, 28)])
  })

  test('a folder of PyTorch files, and one of an adapter in them', async () => {
    const withFiles = (...names: string[]) => {
      return folderWith((model) => {
        rmSync(join(model, 'model.safetensors'))
        for (const name of names) writeFileSync(join(model, name), '')
      })
    }
    const torch = 'FOLDER holds its weights as pytorch_model.bin alone: save it as safetensors '
    for (const [model, message] of [
      [withFiles('pytorch_model.bin'), torch],
      [withFiles('pytorch_model.bin.index.json', 'pytorch_model-00001-of-00002.bin'), torch],
      [withFiles('adapter_config.json', 'adapter_model.bin'), 'FOLDER: it has no adapter_model.safetensors, '],
    ] as const) {
      const [code, told] = await refusal(model)
      expect([code, told.slice(0, message.length)]).toEqual(['MODEL_UNSUPPORTED', message])
    }
  })

  test('a file in the place of the folder', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    expect(await refusal(file)).toEqual([
      'MODEL_INVALID',
      'FOLDER: not a directory (to re-quantize a GGUF file use z1 quantize)',
    ])
  })

  test.each(['config.json', 'model.safetensors', 'tokenizer.json'])('no %s', async (name) => {
    const [code, message] = await refusal(folderWith((model) => rmSync(join(model, name))))
    expect(code).toBe(name === 'tokenizer.json' ? 'MODEL_UNSUPPORTED' : 'MODEL_INVALID')
    expect(message).toMatch(new RegExp(`^FOLDER: it has n.*${name}`))
  })

  test('cut short, at any place', async () => {
    const whole = readFileSync(weights(checkpoint(next()))).length
    for (const length of [0, 7, 8, 100, 3000, whole - 1]) {
      const [code, message] = await refusal(folderWith((model) => truncateSync(weights(model), length)))
      expect(code).toBe('MODEL_INVALID')
      expect(message).toMatch(/^model\.safetensors: (it is cut short|not a safetensors file: it is shorter)/)
    }
  })

  test('with bytes after its end', async () => {
    const model = folderWith((model) => writeFileSync(weights(model), 'x', { flag: 'a' }))
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(/^model\.safetensors: it has \d+ bytes, but its tensors end at \d+$/)
  })

  /** Writes the header anew, of the same length. */
  const header = (change: (header: Record<string, { data_offsets: number[]; shape: unknown[] }>) => void) => {
    return folderWith((model) => {
      const bytes = readFileSync(weights(model))
      const length = Number(bytes.readBigUInt64LE())
      const json = JSON.parse(bytes.subarray(8, 8 + length).toString())
      change(json)
      writeFileSync(
        weights(model),
        Buffer.concat([
          bytes.subarray(0, 8),
          Buffer.from(JSON.stringify(json).padEnd(length)),
          bytes.subarray(8 + length),
        ]),
      )
    })
  }

  test('tensors that overlap', async () => {
    const model = header((tensors) => {
      const [first, second] = ['model.norm.weight', 'model.layers.0.input_layernorm.weight']
      tensors[first as string]!.data_offsets = tensors[second as string]!.data_offsets
    })
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(/^model\.safetensors: the tensor \S+ begins at byte \d+, expected \d+$/)
  })

  test('a name of megabytes and of several lines', async () => {
    const model = next()
    const name = 'x\n\u001b[2J'.repeat(300_000)
    checkpoint(
      model,
      tensors((all) => all.set(name, all.get(up) as Tensor)),
    )
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(
      /^model\.safetensors: the tensor x\\n\\u001b\[2Jx[^\n]*…[^\n]*x\\n\\u001b\[2J is not of a Qwen2 model of 2 layers$/,
    )
    expect(message.length).toBeLessThanOrEqual(2000)
  })

  test('a tensor of another size than its shape', async () => {
    const model = header((tensors) => {
      tensors['model.norm.weight']!.shape = [63]
    })
    const message = 'model.safetensors: the tensor model.norm.weight has 256 bytes, but its shape and type need 252'
    expect(await refusal(model)).toEqual(['MODEL_INVALID', message])
  })

  test('a shape that is none', async () => {
    const model = header((tensors) => {
      tensors['model.norm.weight']!.shape = [-1]
    })
    expect(await refusal(model)).toEqual(['MODEL_INVALID', 'model.safetensors: the shape of model.norm.weight is [-1]'])
  })

  test('a header that is no JSON', async () => {
    const model = folderWith((model) => {
      const bytes = readFileSync(weights(model))
      bytes[8] = 0x20
      bytes[9] = 0x7d
      writeFileSync(weights(model), bytes)
    })
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(/^model\.safetensors: not valid JSON: /)
  })

  test('an index that names no file of the folder', async () => {
    const message = 'model.safetensors.index.json: it names ../x.safetensors, which is not a file of this folder'
    const model = index((map) => {
      map[up] = '../x.safetensors'
    })
    expect(await refusal(model)).toEqual(['MODEL_INVALID', message])
  })

  test('an index that names the wrong file', async () => {
    const model = index((map) => {
      map[up] = map[up]!.replace('-00001', '-0000x').replace('-00002-', '-00001-').replace('x', '2')
    })
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(new RegExp(`^model.safetensors.index.json: \\S+ does not hold the tensor ${up}$`))
  })

  test('a tensor that the index does not name', async () => {
    const model = index((map) => {
      delete map[up]
    })
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(new RegExp(`: the tensor ${up} is not in model.safetensors.index.json$`))
  })

  test('a file of the index that is not there', async () => {
    const model = index((_, model) => rmSync(join(model, 'model-00002-of-00002.safetensors')))
    const [code, message] = await refusal(model)
    expect(code).toBe('MODEL_INVALID')
    expect(message).toMatch(/^model-00002-of-00002\.safetensors: it cannot be read: ENOENT/)
  })

  test('a tensor in two files', async () => {
    const model = index((_, model) => {
      copyFileSync(join(model, 'model-00001-of-00002.safetensors'), join(model, 'model-00002-of-00002.safetensors'))
    })
    expect((await refusal(model))[0]).toBe('MODEL_INVALID')
  })

  test('one file, and an index of several', async () => {
    const model = index((_, model) => writeFileSync(weights(model), ''))
    const message = 'model.safetensors.index.json: model.safetensors is there too; remove the one that is old'
    expect(await refusal(model)).toEqual(['MODEL_INVALID', message])
  })

  test.each([
    ['config.json', Buffer.of(0x7b, 0xff, 0x7d), 'not UTF-8'],
    ['config.json', Buffer.from('\uFEFF{}', 'utf16le'), 'UTF-16, and not UTF-8'],
    ['chat_template.jinja', Buffer.from('a', 'utf16le'), 'bytes of 0, as UTF-16 has, and not UTF-8'],
  ])('text in %s that is no UTF-8', async (name, content, message) => {
    const model = folderWith((model) => writeFileSync(join(model, name), content))
    expect(await refusal(model)).toEqual(['MODEL_INVALID', `${name}: ${message}`])
  })
})

describe('what is not there is not counted on:', () => {
  test.each([
    [{ num_hidden_layers: 2147483647 }, 'config.json: Expected integer between 1 and 512 for num_hidden_layers'],
    [{ num_hidden_layers: 512 }, 'FOLDER: the tensor model.layers.2.input_layernorm.weight and 6119 more is missing'],
    [{ vocab_size: 2147483647 }, 'config.json: vocab_size is 2147483647, but tokenizer.json has only '],
    [{ vocab_size: 100_000_000 }, 'config.json: vocab_size is 100000000, but tokenizer.json has only '],
  ])('%o', async (config, message) => {
    const [code, told] = await refusal(checkpoint(next(), { config }))
    expect([code, told.slice(0, message.length)]).toEqual(['MODEL_INVALID', message])
  })

  const many = (entry: unknown) => Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`t${i}`, entry]))

  test('tensors by the thousands that are empty', async () => {
    const model = folderWith((model) => {
      const header = Buffer.from(JSON.stringify(many({ dtype: 'F32', shape: [0], data_offsets: [0, 0] })))
      const length = Buffer.alloc(8)
      length.writeBigUInt64LE(BigInt(header.length))
      writeFileSync(join(model, 'model.safetensors'), Buffer.concat([length, header]))
    })
    const message = 'model.safetensors: it names 20000 tensors; no Qwen2 model has so many'
    expect(await refusal(model)).toEqual(['MODEL_INVALID', message])
  })

  test('an index of them', async () => {
    const model = index((map) => Object.assign(map, many('model-00001-of-00002.safetensors')))
    const [code, message] = await refusal(model)
    expect([code, message]).toEqual(['MODEL_INVALID', expect.stringMatching(/index\.json: it names 200\d\d tensors;/)])
  })
})

describe.runIf(process.platform === 'linux')('what is no file is not opened:', () => {
  const files = [
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'generation_config.json',
    'chat_template.jinja',
    'chat_template.json',
    'model.safetensors.index.json',
    'model.safetensors',
    'additional_chat_templates/x.jinja',
  ]
  test.each(files)('%s', async (name) => {
    for (const put of [
      (path: string) => spawnSync('mkfifo', [path]),
      (path: string) => symlinkSync('/dev/zero', path),
    ]) {
      const model = folderWith((model) => {
        mkdirSync(join(model, 'additional_chat_templates'))
        rmSync(join(model, name), { force: true })
        put(join(model, name))
      })
      expect(await refusal(model)).toEqual(['MODEL_INVALID', `${name}: it cannot be read: not a regular file`])
    }
  })
})

describe('output', () => {
  test('the weights themselves', async () => {
    const model = checkpoint(next())
    const output = join(model, '..', model.split('/').at(-1) as string, 'model.safetensors')
    await expect(convert({ model, output })).rejects.toThrow(TypeError)
    await convert({ model, output: `${model}.gguf` })
    rmSync(`${model}.gguf`)
  })

  test('any other file of the checkpoint, by whatever name', async () => {
    const model = checkpoint(next())
    for (const name of ['config.json', 'tokenizer.json', 'model.safetensors']) {
      const [file, link] = [join(model, name), next()]
      linkSync(file, link)
      const before = readFileSync(file)
      for (const output of [file, link]) await expect(convert({ model, output })).rejects.toThrow(TypeError)
      expect(readFileSync(file).equals(before)).toBe(true)
    }
  })

  test('a folder that is not there', async () => {
    const output = join(folder, 'not', 'there.gguf')
    const failed = convert({ model: checkpoint(next()), output })
    await expect(failed).rejects.toThrow(`Cannot write ${output}: ENOENT`)
  })

  test('a folder of that name', async () => {
    const output = next()
    mkdirSync(output)
    for (const type of ['f32', 'q8_0'] as const) {
      const failed = convert({ model: checkpoint(next()), output, type })
      await expect(failed).rejects.toThrow(`Cannot write ${output}: not a regular file`)
    }
  })

  test('a disk that is full leaves what was there before', async () => {
    // A limit on the size of files stands in for one: Linux's way, in which a write fails where its signal is ignored.
    if (process.platform !== 'linux') return
    const model = checkpoint(next())
    const place = next()
    mkdirSync(place)
    const output = join(place, 'model.gguf')
    const plain = join(place, 'plain.gguf')
    await convert({ model, output: plain })
    writeFileSync(output, 'before')
    const index = JSON.stringify(new URL('../../dist/convert/index.js', import.meta.url))
    for (const [limit, call] of [
      [64, `convert(${JSON.stringify({ model, output })})`],
      [64, `convert(${JSON.stringify({ model, output, type: 'q8_0', threads: 1 })})`],
      [64, `quantize(${JSON.stringify({ input: plain, output, type: 'q8_0', threads: 1 })})`],
    ] as const) {
      const program = `
        import { convert, quantize } from ${index}
        await ${call}.then(() => console.log('written'), ({ message }) => console.log(message))`
      const limited = `trap '' XFSZ; ulimit -f ${limit}; exec "$0" "$@"`
      const args = ['-c', limited, process.execPath, '--input-type=module', '--eval', program]
      const { stdout } = spawnSync('sh', args, { encoding: 'utf8' })
      expect(stdout).toMatch(/^Cannot write \S+\/model\.gguf(\.\S+\.tmp)?: /)
      expect(readdirSync(place).sort()).toEqual(['model.gguf', 'plain.gguf'])
      expect(readFileSync(output, 'utf8')).toBe('before')
    }
  })
})

describe('quantize', () => {
  let plain: string
  let place: string
  beforeAll(async () => {
    place = next()
    mkdirSync(place)
    plain = join(place, 'plain.gguf')
    await convert({ model: checkpoint(next()), output: plain })
  })

  async function failure(options: Partial<QuantizeOptions>): Promise<[code: unknown, message: string]> {
    const given = { input: plain, output: join(place, 'out.gguf'), type: 'q8_0', threads: 1, ...options }
    const error = await quantize(given as QuantizeOptions).catch((reason) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(readdirSync(place).filter((name) => name.startsWith('out.gguf'))).toEqual([])
    return [error.code, error.message]
  }

  test('no file', async () => {
    expect((await failure({ input: join(place, 'nowhere') }))[0]).toBe('MODEL_NOT_FOUND')
  })

  test('no GGUF file', async () => {
    const input = join(place, 'text')
    writeFileSync(input, 'text')
    expect((await failure({ input }))[0]).toBe('MODEL_INVALID')
  })

  test('a file that is cut short', async () => {
    const input = join(place, 'short')
    copyFileSync(plain, input)
    truncateSync(input, readFileSync(plain).length - 40)
    expect((await failure({ input }))[0]).toBe('MODEL_INVALID')
  })

  test('a file that is quantized already', async () => {
    const input = join(place, 'quantized')
    await quantize({ input: plain, output: input, type: 'q4_0', threads: 1 })
    const [code, message] = await failure({ input })
    expect(code).toBe('MODEL_UNSUPPORTED')
    expect(message).toMatch(/requantizing from type q4_0 is disabled/)
  })

  test('the file itself as output, under any of its names', async () => {
    const [hard, soft] = [join(place, 'hard.gguf'), join(place, 'soft.gguf')]
    linkSync(plain, hard)
    symlinkSync(plain, soft)
    for (const output of [plain, hard, soft]) {
      const error = await quantize({ input: plain, output, type: 'q8_0' }).catch((reason) => reason)
      expect(error).toBeInstanceOf(TypeError)
    }
  })

  test.each([
    [{ type: 'q9' }, 'Expected one of'],
    [{ type: undefined }, 'Expected one of'],
    [{ threads: 0 }, 'Expected integer between 1 and 512 for threads but received 0'],
    [{ input: '' }, 'Expected file path or file: URL for input but received ""'],
    [{ treads: 1 }, 'Unknown option treads: did you mean threads?'],
  ])('%o', async (options, message) => {
    const [code, told] = await failure(options as Partial<QuantizeOptions>)
    expect([code, told.slice(0, message.length)]).toEqual([undefined, message])
  })
})
