/**
 * A conversion is what the originals say it should be: the logits are transformers', the token ids are tokenizers', and
 * the file is, key by key and tensor by tensor, that of llama.cpp's convert_hf_to_gguf.py of the same release. Needs
 * Python with PyTorch and transformers (Z1_PYTHON, else python3), and says so where there is none.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { convert, type FileType } from '../../lib/convert/index.js'
import { openEngine } from '../../lib/native/engine.js'
import { temporaryFolder } from '../support/folder.js'
import { tokensOf } from '../support/tokenizer.js'
import { type CheckpointOptions, checkpoint, multilingual, splitOn } from './checkpoint.js'
import { missing, runPython } from './python.js'

interface Case extends CheckpointOptions {
  /** What our file calls a pre-tokenizer that llama.cpp's converter has no hash for. */
  pre?: string
  type?: FileType
  /** Saved again by the installed transformers before it is converted. */
  resaved?: boolean
}

const QWEN35_REGEX =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const gpt2 = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true }
const digits = { type: 'Digits', individual_digits: true }
const yarn = { rope_type: 'yarn', factor: 4.0, original_max_position_embeddings: 512, beta_fast: 32, rope_theta: 1e4 }

const cases: Record<string, Case> = {
  'transformers 5, tied, F32, a vocabulary of its own': { pre: 'qwen2' },
  'saved by the installed transformers, sharded': { pre: 'qwen2', resaved: true, tied: false, dtype: 'BF16' },
  'transformers 4, untied, sharded, BF16': { pre: 'qwen2', transformers: 4, tied: false, shards: 3, dtype: 'BF16' },
  'the vocabulary of Qwen2, transformers 4': { vocabulary: 'qwen2', transformers: 4 },
  'YaRN of transformers 5': { pre: 'qwen2', config: { rope_parameters: yarn } },
  'YaRN of transformers 4': {
    pre: 'qwen2',
    transformers: 4,
    config: { rope_scaling: { type: 'yarn', factor: 2.0, original_max_position_embeddings: 1024 } },
  },
  'linear scaling': {
    pre: 'qwen2',
    config: { rope_parameters: { rope_type: 'linear', factor: 2.5, rope_theta: 1e4 }, head_dim: 16 },
  },
  'pre-tokenizer of Qwen3.5': { pre: 'qwen35', preTokenizer: splitOn(QWEN35_REGEX) },
  'pre-tokenizer of GPT-2': { pre: 'gpt-2', preTokenizer: gpt2 },
  'pre-tokenizer of GPT-2 with single digits': {
    pre: 'smollm',
    preTokenizer: { type: 'Sequence', pretokenizers: [digits, gpt2] },
  },
  'F32 as F16': { pre: 'qwen2', type: 'f16' },
  'F32 as BF16': { pre: 'qwen2', type: 'bf16' },
  'BF16 as F16': { pre: 'qwen2', type: 'f16', dtype: 'BF16' },
  'F16 as BF16': { pre: 'qwen2', type: 'bf16', dtype: 'F16' },
  'F16 as F16': { pre: 'qwen2', type: 'f16', dtype: 'F16' },
  'BF16 as BF16': { pre: 'qwen2', type: 'bf16', dtype: 'BF16' },
}

interface Answer {
  ids: number[][]
  /** The largest absolute difference, and the largest logit. */
  logits?: [difference: number, largest: number]
  differences: string[]
}

const texts = [multilingual, ...multilingual.split('\n')].filter((text) => text !== '')
const tokens = Array.from({ length: 48 }, (_, i) => (i * 71) % 400)

if (missing) console.log(`Conversions were not compared with the originals: ${missing}`)
describe.skipIf(missing)('as the originals', () => {
  const oracle = fileURLToPath(new URL('oracle.py', import.meta.url))
  const answers = new Map<string, Answer>()
  const files = new Map<string, string>()
  const folder = temporaryFolder()()
  let engine: string

  beforeAll(async () => {
    engine = (await openEngine('cpu')).engine.directory
    const requests = []
    for (const [i, [name, options]] of Object.entries(cases).entries()) {
      const { resaved = false, pre = null, type = 'f32' } = options
      let model = checkpoint(join(folder, `${i}`), options)
      if (resaved) {
        const saved = join(folder, `${i}-saved`)
        runPython([oracle, 'save', model, saved])
        model = saved
      }
      const { path: gguf } = await convert({ model, type })
      files.set(name, gguf)
      const logits = type === 'f32' ? logitsOf(engine, gguf, `${gguf}.logits`) : null
      requests.push({ folder: model, gguf, type, pre, texts, tokens, logits })
    }
    const request = JSON.stringify({ converter: llamaConverter(folder), cases: requests })
    const found: Answer[] = JSON.parse(runPython([oracle, 'check'], request))
    for (const [i, name] of Object.keys(cases).entries()) answers.set(name, found[i] as Answer)
  }, 900_000)

  describe.each(Object.keys(cases))('%s', (name) => {
    test('keys and tensors are those of llama.cpp’s converter', () => {
      expect(answers.get(name)?.differences).toEqual([])
    })

    test('texts become the same tokens', () => {
      const found = tokensOf(
        engine,
        files.get(name) as string,
        texts.map((text) => ({ text, special: true })),
      )
      expect(found).toEqual(answers.get(name)?.ids)
    })

    test.skipIf(cases[name]?.type !== undefined)('logits are transformers’', () => {
      const [difference, largest] = answers.get(name)?.logits ?? []
      expect(largest).toBeGreaterThan(1)
      expect(difference).toBeLessThan(1e-3)
    })
  })
})

/** Has llama.cpp compute the logits of the tokens into a file; returns its path. */
function logitsOf(engine: string, gguf: string, path: string): string {
  const program = fileURLToPath(new URL('../../out/build-test/bin/reference', import.meta.url))
  const input = `${tokens.join(' ')}\n`
  const { status, stderr } = spawnSync(program, ['logits', engine, gguf, path], { input, encoding: 'utf8' })
  if (status !== 0) throw new Error(`reference logits failed (npm test builds it): ${stderr}`)
  return path
}

/** Checks llama.cpp's converter out of the source that the engine is of; returns the folder. */
function llamaConverter(folder: string): string {
  if (process.env.LLAMA_CPP_DIR) return process.env.LLAMA_CPP_DIR
  const source = fileURLToPath(new URL('../../out/llama.cpp', import.meta.url))
  const target = join(folder, 'llama.cpp')
  mkdirSync(target)
  const paths = ['convert_hf_to_gguf.py', 'conversion', 'gguf-py']
  const archive = spawnSync('git', ['-C', source, 'archive', 'HEAD', ...paths], { maxBuffer: 1 << 28 })
  const { status } = spawnSync('tar', ['-x', '-C', target], { input: archive.stdout })
  if (archive.status !== 0 || status !== 0) throw new Error(`No converter in ${source}: ${archive.stderr}`)
  return target
}
