import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { ensureOpenTag, findTags, KNOWN_TAGS, stripOpenTag } from '../../lib/reason/tags.js'

const template = (name: string) => readFileSync(new URL(`../fixtures/templates/${name}.jinja`, import.meta.url), 'utf8')
const tokens = (...texts: string[]) => texts.map((text) => ({ text }))

const think = { open: '<think>', close: '</think>', opening: '<think>\n' }
const bracket = { open: '[THINK]', close: '[/THINK]', opening: '[THINK]' }

describe('findTags', () => {
  it.each(['qwen3', 'qwen3.5', 'qwq', 'r1-distill-qwen'])('finds the think tags of %s', (name) => {
    expect(findTags(template(name), [])).toEqual(think)
  })

  it.each(['qwen2.5', 'mistral-nemo', 'llama-3', 'gemma'])('finds none in %s', (name) => {
    expect(findTags(template(name), tokens('<|im_start|>', '<|im_end|>'))).toBeNull()
  })

  it('finds tags that are tokens of the vocabulary, in any order', () => {
    expect(findTags(null, tokens('</think>', '<|im_end|>', '<think>'))).toEqual(think)
    expect(findTags('{{ messages }}', tokens('[THINK]', '[/THINK]'))).toEqual(bracket)
  })

  it('wants both tags in the vocabulary, but either in the template', () => {
    expect(findTags(null, tokens('<think>'))).toBeNull()
    expect(findTags("{{ content.split('</think>')[-1] }}", [])).toEqual(think)
  })

  it("prefers the template's tags to the vocabulary's", () => {
    expect(findTags("{{ '[THINK]' }}", tokens('<think>', '</think>'))).toEqual(bracket)
  })

  it('opens as the template does', () => {
    expect(findTags("{{ '<think>' }}", [])?.opening).toBe('<think>')
    expect(findTags("{{ '<think>\\n' }}", [])?.opening).toBe('<think>\n')
    expect(findTags('<think>\n{{ x }}', [])?.opening).toBe('<think>\n')
  })

  it('knows each tag once, and no tag within another', () => {
    const all = KNOWN_TAGS.flat()
    for (const tag of all) expect(all.filter((other) => other.includes(tag))).toEqual([tag])
  })
})

describe('stripOpenTag', () => {
  it.each([
    ['<|im_start|>assistant\n<think>\n', '<|im_start|>assistant\n'],
    ['<|im_start|>assistant\n<think>', '<|im_start|>assistant\n'],
    ['<|im_start|>assistant\n<think>\n\n</think>\n\n', '<|im_start|>assistant\n'],
    ['<｜Assistant｜><think></think>', '<｜Assistant｜>'],
    ['<｜Assistant｜></think>', '<｜Assistant｜>'],
    ['<think>one</think>two</think>', '<think>one</think>two'],
    ['<assistant>\n  </think>\n', '<assistant>\n  '],
    ['before  <think> \t\n', 'before  '],
    ['<think>', ''],
  ])('strips %j to %j', (prompt, stripped) => {
    expect(stripOpenTag(prompt, think)).toBe(stripped)
  })

  it.each([
    '',
    '\n',
    '<|im_start|>assistant\n',
    'a <think> b',
    '<think>\nthoughts\n</think>\nanswer\n',
    '<think>\nno budget\n</think>\n',
    '<thin',
    '[THINK]',
  ])('leaves %j', (prompt) => {
    expect(stripOpenTag(prompt, think)).toBe(prompt)
  })

  it('takes off one block only', () => {
    expect(stripOpenTag('<think></think><think>\n', think)).toBe('<think></think>')
  })

  it('leaves what was thought: the block is not empty', () => {
    expect(stripOpenTag('<think>so', think)).toBe('<think>so')
  })
})

describe('ensureOpenTag', () => {
  it.each([
    ['<|im_start|>assistant\n', '<|im_start|>assistant\n<think>\n'],
    ['<|im_start|>assistant\n<think>\n', '<|im_start|>assistant\n<think>\n'],
    ['<|im_start|>assistant\n<think>', '<|im_start|>assistant\n<think>'],
    ['<think>\nI already know', '<think>\nI already know'],
    ['<|im_start|>assistant\n<think>\n\n</think>\n\n', '<|im_start|>assistant\n<think>\n'],
    ['<｜Assistant｜></think>', '<｜Assistant｜><think>\n'],
    ['', '<think>\n'],
  ])('makes of %j %j', (prompt, opened) => {
    expect(ensureOpenTag(prompt, think)).toBe(opened)
  })

  it("uses the model's own tags", () => {
    expect(ensureOpenTag('[/INST]', bracket)).toBe('[/INST][THINK]')
  })
})
