import { describe, expect, it } from 'vitest'
import { readWindows, windowTokens } from '../../lib/eval/windows.js'

const names = (...values: (string | number)[]) => readWindows(values).map(({ name }) => name)

describe('readWindows', () => {
  it('reads tokens, shares and no end', () => {
    expect(readWindows(['0', 64, 'inf'])).toEqual([
      { name: '0', tokens: 0, percent: null },
      { name: '64', tokens: 64, percent: null },
      { name: 'inf', tokens: Infinity, percent: null },
    ])
    expect(names(Infinity, '12.50%', ' 100% ')).toEqual(['inf', '12.5%', '100%'])
  })

  it('adds the natural length where a share needs it', () => {
    expect(names('50%')).toEqual(['50%', 'inf'])
    expect(names('inf', '50%')).toEqual(['inf', '50%'])
    expect(names('16')).toEqual(['16'])
  })

  it.each(['', '%', '-1', '1.5', '101%', '-5%', 'all', 'NaN', '%50'])('refuses %j', (text) => {
    expect(() => readWindows([text])).toThrow(RangeError)
  })

  it('refuses none, and one twice', () => {
    expect(() => readWindows([])).toThrow(RangeError)
    expect(() => readWindows(['50%', '50.0%'])).toThrow('Duplicate window 50%')
    expect(() => readWindows([8, '8'])).toThrow('Duplicate window 8')
  })
})

it('a share is rounded to the nearest token', () => {
  const at = (window: string, length: number) => windowTokens(readWindows([window])[0]!, length)
  expect([0, 1, 3, 4, 5, 8, 52].map((length) => at('12.5%', length))).toEqual([0, 0, 0, 1, 1, 1, 7])
  expect([1, 2, 3, 51].map((length) => at('50%', length))).toEqual([1, 1, 2, 26])
  expect(at('7%', 100)).toBe(7)
  expect(at('100%', 173)).toBe(173)
  expect(at('64', 10)).toBe(64)
  expect(at('inf', 10)).toBe(Infinity)
})
