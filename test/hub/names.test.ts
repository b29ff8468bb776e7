import { describe, expect, it } from 'vitest'
import { findModel, isSafePath, listed, nameOf, parseModelName, partsOf, showModelName } from '../../lib/hub/names.js'

describe('parseModelName', () => {
  it.each([
    ['user/repo', 'user/repo', null, null],
    ['user/repo:Q4_K_M', 'user/repo', 'Q4_K_M', null],
    ['user/repo:q4_k_m', 'user/repo', 'Q4_K_M', null],
    ['user/repo/file.gguf', 'user/repo', null, 'file.gguf'],
    ['user/repo/folder/file.gguf', 'user/repo', null, 'folder/file.gguf'],
    ['hf:user/repo:Q8_0', 'user/repo', 'Q8_0', null],
    ['hf://user/repo', 'user/repo', null, null],
    ['hf:user/model.gguf', 'user/model.gguf', null, null],
    ['Qwen/Qwen2.5-Coder-7B-Instruct-GGUF:IQ4_XS', 'Qwen/Qwen2.5-Coder-7B-Instruct-GGUF', 'IQ4_XS', null],
  ])('reads %s', (text, repo, quant, file) => {
    expect(parseModelName(text)).toEqual({ repo, quant, file })
  })

  it.each([
    '',
    'model',
    'model.gguf',
    '/root/model.gguf',
    './models/model.gguf',
    '../user/repo',
    'models/model.gguf',
    'user/repo/file.bin',
    'user/repo/../other/file.gguf',
    'user/repo//file.gguf',
    'user/..',
    'user/re--po',
    'user/repo.git',
    'user/repo-',
    '-user/repo',
    'user/repo:',
    'user/repo:a b',
    'C:\\models\\model.gguf',
    'https://huggingface.co/user/repo',
    `user/${'r'.repeat(97)}`,
  ])('takes %j for no name', (text) => {
    expect(parseModelName(text)).toBeNull()
  })

  it('and showModelName() agree', () => {
    for (const text of ['user/repo', 'user/repo:Q4_0', 'user/repo/a/b.gguf']) {
      expect(showModelName(parseModelName(text) as never)).toBe(text)
    }
  })
})

describe('findModel', () => {
  const files = ['README.md', 'm-F16.gguf', 'm-Q4_K_M.gguf', 'm-Q4_K_S.gguf', 'm-Q8_0.gguf', 'mmproj-Q4_K_M.gguf']

  it.each([
    [null, 'm-Q4_K_M.gguf'],
    ['Q4_K_M', 'm-Q4_K_M.gguf'],
    ['Q8_0', 'm-Q8_0.gguf'],
    ['F16', 'm-F16.gguf'],
    // A beginning of a quantization is none.
    ['Q4_K', null],
    ['Q2_K', null],
    // A point is no wildcard.
    ['Q4.K_M', null],
  ])('with the quantization %s finds %s', (quant, found) => {
    expect(findModel(files, { quant, file: null })).toBe(found)
  })

  it('takes Q8_0 where there is no Q4_K_M, and the first model where there is neither', () => {
    expect(findModel(['b-Q8_0.gguf', 'a-F16.gguf'], { quant: null, file: null })).toBe('b-Q8_0.gguf')
    expect(findModel(['b-F32.gguf', 'a-F16.gguf', 'x.bin'], { quant: null, file: null })).toBe('a-F16.gguf')
    expect(findModel(['mmproj.gguf', 'x.bin'], { quant: null, file: null })).toBeNull()
  })

  it('begins a model that was split with its first part', () => {
    const parts = ['d/m-Q4_K_M-00002-of-00002.gguf', 'd/m-Q4_K_M-00001-of-00002.gguf']
    expect(findModel(parts, { quant: 'Q4_K_M', file: null })).toBe(parts[1])
    expect(partsOf(parts[1] as string)).toEqual([parts[1], parts[0]])
    expect(partsOf('m.gguf')).toEqual(['m.gguf'])
  })

  it('a file is taken by its whole path, a companion too', () => {
    expect(findModel(files, { quant: null, file: 'mmproj-Q4_K_M.gguf' })).toBe('mmproj-Q4_K_M.gguf')
    expect(findModel(files, { quant: null, file: 'Q4_K_M.gguf' })).toBeNull()
  })

  it('names what there is', () => {
    expect(nameOf('u/r', files, 'm-Q8_0.gguf')).toBe('u/r:Q8_0')
    expect(nameOf('u/r', ['a-Q8_0.gguf', 'b-Q8_0.gguf'], 'b-Q8_0.gguf')).toBe('u/r/b-Q8_0.gguf')
    expect(nameOf('u/r', ['model.gguf'], 'model.gguf')).toBe('u/r/model.gguf')
    expect(listed('u/r', files)).toBe('it has F16, Q4_K_M, Q4_K_S, Q8_0')
    expect(listed('u/r', ['x.bin'])).toBe('it has no GGUF models')
  })
})

describe('isSafePath', () => {
  it.each(['a', 'a/b.gguf', 'a/..b', '.hidden'])('takes %s', (path) => expect(isSafePath(path)).toBe(true))
  it.each([
    '',
    '/a',
    'a/',
    'a//b',
    '..',
    '../a',
    'a/../b',
    '.',
    'a\\b',
    'c:x',
    'a\0b',
    'a\nb',
    'a.',
    'a ',
    'x'.repeat(2000),
  ])('refuses %j', (path) => expect(isSafePath(path)).toBe(false))
})
