import { describe, expect, it } from 'vitest'
import {
  count,
  fieldsOf,
  filePath,
  integer,
  listOf,
  misuse,
  number,
  oneOf,
  text,
  unknownName,
} from '../../lib/base/checks.js'

describe('the sentence', () => {
  it.each([
    [-1, '-1'],
    [0.1, '0.1'],
    [NaN, 'NaN'],
    [Infinity, 'Infinity'],
    ['x', '"x"'],
    ['', '""'],
    ['a "b"\n', '"a \\"b\\"\\n"'],
    ['x'.repeat(61), `"${'x'.repeat(60)}…"`],
    [true, 'true'],
    [null, 'null'],
    [undefined, 'undefined'],
    [5n, '5n'],
    [Symbol('s'), 'a symbol'],
    [() => 1, 'a function'],
    [class {}, 'a function'],
    [[1], 'an array'],
    [{}, 'an object'],
    [new Date(0), 'an object'],
  ])('names what it received: %#', (value, said) => {
    expect(misuse(TypeError, 'string', 'system', value).message).toBe(`Expected string for system but received ${said}`)
  })

  it('is of the class that was asked for', () => {
    expect(misuse(TypeError, 'a', 'b', 1)).toBeInstanceOf(TypeError)
    expect(misuse(RangeError, 'a', 'b', 1)).toBeInstanceOf(RangeError)
  })
})

describe('unknownName', () => {
  const known = ['thinkingWindow', 'maxTokens', 'topK', 'topP', 'seed', 'stop']

  it.each([
    ['thinkingwindow', 'thinkingWindow'],
    ['thinking_window', 'thinkingWindow'],
    ['thinkingWidnow', 'thinkingWindow'],
    ['max_tokens', 'maxTokens'],
    ['maxToken', 'maxTokens'],
    ['top-p', 'topP'],
    ['topk', 'topK'],
    ['sead', 'seed'],
    ['stops', 'stop'],
    ['stp', 'stop'],
    ['thinkingWind', 'thinkingWindow'],
    ['topqq', 'topK'],
  ])('takes %s for %s', (name, meant) => {
    expect(unknownName(`option ${name}`, name, known).message).toBe(`Unknown option ${name}: did you mean ${meant}?`)
  })

  it.each([
    'x',
    'zz',
    'sp',
    'thinkingWin',
    '',
    'temperature',
    'thinking',
    'x'.repeat(1_000_000),
  ])('lists all for %.12s', (name) => {
    const list = 'expected one of thinkingWindow, maxTokens, topK, topP, seed, stop'
    expect(unknownName('option', name, known).message).toBe(`Unknown option: ${list}`)
  })
})

describe('fieldsOf', () => {
  it('reads each value once, and leaves out undefined ones', () => {
    let reads = 0
    const object = {
      get a() {
        return ++reads
      },
      b: undefined,
      c: null,
    }
    expect([...fieldsOf(object, 'options')]).toEqual([
      ['a', 1],
      ['c', null],
    ])
    expect(reads).toBe(1)
  })

  it('lets what a getter throws through', () => {
    const object = {
      get a() {
        throw new Error('mine')
      },
    }
    expect(() => fieldsOf(object, 'options')).toThrow('mine')
  })

  it('takes any plain object', async () => {
    const { runInNewContext } = await import('node:vm')
    expect([...fieldsOf(Object.assign(Object.create(null), { a: 1 }), 'options')]).toEqual([['a', 1]])
    expect([...fieldsOf(runInNewContext('({ a: 1 })'), 'options')]).toEqual([['a', 1]])
  })

  it.each([
    [null, 'null'],
    [1, '1'],
    ['a', '"a"'],
    [[], 'an array'],
    [new Map(), 'an object'],
    [new (class Options {})(), 'an object'],
    [() => ({}), 'a function'],
  ])('refuses %j', (value, said) => {
    const sentence = `Expected plain object for options but received ${said}`
    expect(() => fieldsOf(value, 'options')).toThrow(new TypeError(sentence))
  })
})

describe('kinds', () => {
  it('bounds are within the range', () => {
    expect([number(-1, 1).read(-1, 'x'), number(-1, 1).read(1, 'x')]).toEqual([-1, 1])
    expect([integer(1, 3).read(1, 'x'), integer(1, 3).read(3, 'x')]).toEqual([1, 3])
    expect(() => number(-1, 1).read(1.0001, 'x')).toThrow(RangeError)
    expect(() => integer(1, 3).read(4, 'x')).toThrow(RangeError)
    expect(() => integer(1, 3).read(1.5, 'x')).toThrow(RangeError)
  })

  it('a count is kept within 32 bits', () => {
    expect(count(0).read(2 ** 31 - 1, 'x')).toBe(2147483647)
    expect(count(0).read(2 ** 31, 'x')).toBe(2147483647)
    expect(count(0).read(Number.MAX_VALUE, 'x')).toBe(2147483647)
    expect(() => count(0).read(Infinity, 'x')).toThrow(
      new RangeError('Expected integer ≥ 0 for x but received Infinity'),
    )
  })
  it('one of a few words', () => {
    expect(oneOf(['a', 'b']).read('b', 'x')).toBe('b')
    expect(() => oneOf(['a', 'b']).read('c', 'x')).toThrow(new RangeError('Expected a or b for x but received "c"'))
    expect(() => oneOf(['a', 'b', 'c']).read(1, 'x')).toThrow(new TypeError('Expected a, b, c for x but received 1'))
  })

  it('a list names the item that is wrong', () => {
    const counts = listOf(count(1), 'array of counts')
    expect(counts.read([1, 2], 'x')).toEqual([1, 2])
    expect(() => counts.read([1, 0], 'x')).toThrow(new RangeError('Expected integer ≥ 1 for x[1] but received 0'))
    expect(() => counts.read('1', 'x')).toThrow(new TypeError('Expected array of counts for x but received "1"'))
  })

  it('a path may be a file: URL', () => {
    const path = filePath()
    expect(['/a b', 'file:///a%20b', new URL('file:///a%20b')].map((value) => path.read(value, 'x'))).toEqual([
      '/a b',
      '/a b',
      '/a b',
    ])
    expect(() => path.read('', 'x')).toThrow(RangeError)
    expect(() => path.read(new URL('http://a/b'), 'x')).toThrow(RangeError)
    expect(() => path.read(5, 'x')).toThrow(TypeError)
  })

  it.each([
    ['\ud800', 0],
    ['ab\udc00', 2],
    ['😀\ud83d', 2],
    ['a\udc00\ud800b', 1],
  ])('text is well-formed: %j', (value, index) => {
    const sentence = `Expected well-formed UTF-16 for x but received a lone surrogate at index ${index}`
    expect(() => text.read(value, 'x')).toThrow(new TypeError(sentence))
  })

  it('text may be anything else', () => {
    for (const value of ['', '\0', '😀', 'ﬀ\u0301']) expect(text.read(value, 'x')).toBe(value)
  })
})
