/**
 * Recognizes the pre-tokenizer in a tokenizer.json: how text is split before pairs are merged. llama.cpp has one built
 * in for each name that a model file may state (src/llama-vocab.cpp, llm_tokenizer_bpe); only those are here whose
 * splits equal the original's, and nothing else passes.
 */
import { boolean } from '../base/checks.js'
import { unsupported } from './failure.js'
import { type Section, string } from './json.js'

const QWEN2 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|" +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'
const QWEN35 =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|" +
  '\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+'

/** llama.cpp's names by the steps of the pre-tokenizer. `gpt2` is the split that ByteLevel makes itself. */
const NAMES = new Map([
  [`split ${QWEN2}, bytes`, 'qwen2'],
  [`split ${QWEN35}, bytes`, 'qwen35'],
  ['gpt2, bytes', 'gpt-2'],
  ['digits, gpt2, bytes', 'smollm'],
])

/** Value of `tokenizer.ggml.pre`. @throws {Z1Error} MODEL_UNSUPPORTED */
export function preTokenizerName(tokenizer: Section): string {
  const steps = stepsOf(tokenizer.section('pre_tokenizer')).join(', ')
  const name = NAMES.get(steps)
  if (name === undefined) throw unsupported(tokenizer.path, `its pre-tokenizer is not supported: ${steps}`)
  return name
}

function stepsOf(step: Section): string[] {
  const type = step.read('type', string)
  if (type === 'Sequence') return step.sections('pretokenizers').flatMap(stepsOf)
  if (type === 'ByteLevel' && step.read('add_prefix_space', boolean) === false) {
    return (step.find('use_regex', boolean) ?? true) ? ['gpt2', 'bytes'] : ['bytes']
  }
  if (type === 'Digits' && step.read('individual_digits', boolean)) return ['digits']
  if (type === 'Split' && step.read('behavior', string) === 'Isolated' && !step.read('invert', boolean)) {
    const pattern = step.section('pattern')
    if (pattern.has('Regex')) return [`split ${pattern.read('Regex', string)}`]
  }
  return [JSON.stringify(step.fields)]
}
