import { describe, expect, it } from 'vitest'
import { partsOf } from '../../../lib/eval/html/parts.js'
import type { ResultRecord } from '../../../lib/eval/records.js'

const run = { hint: '\n\nSo: ', method: 'window' } as const

function response(
  text: string,
  tokens: [thinking: number, hint: number, answer: number],
  parts?: ResultRecord['parts'],
) {
  const [thinkingTokens, hintTokens, answerTokens] = tokens
  const usage = { promptTokens: 1, cachedTokens: 0, thinkingTokens, hintTokens, answerTokens }
  return { text, usage, ...(parts && { parts }) }
}

/** The text in its parts. */
function split(given: ReturnType<typeof response>, options: Parameters<typeof partsOf>[1] = run): string[] {
  const { reasoning, hint } = partsOf(given, options)
  return [
    given.text.slice(0, reasoning),
    given.text.slice(reasoning, reasoning + hint),
    given.text.slice(reasoning + hint),
  ]
}

describe('partsOf', () => {
  it('believes the result', () => {
    expect(split(response('abcdef', [1, 1, 1], { reasoning: 2, hint: 3 }))).toEqual(['ab', 'cde', 'f'])
  })

  it.each([
    { reasoning: 5, hint: 2 },
    { reasoning: -1, hint: 0 },
    { reasoning: 1.5, hint: 0 },
    { reasoning: '1', hint: 0 },
  ])('but not where it cannot be: %j', (parts) => {
    expect(split(response('abcdef', [6, 0, 0], parts as ResultRecord['parts']))).toEqual(['abcdef', '', ''])
  })

  it('finds the hint in a result that does not say', () => {
    expect(split(response('one two\n\nSo: 3', [2, 3, 1]))).toEqual(['one two', '\n\nSo: ', '3'])
    expect(split(response('\n\nSo: 3', [0, 3, 1]))).toEqual(['', '\n\nSo: ', '3'])
    expect(split(response('one two three', [3, 0, 0]))).toEqual(['one two three', '', ''])
    expect(split(response('cut', [3, 0, 0]), { hint: null, method: 'none' })).toEqual(['cut', '', ''])
    expect(split(response('without it', [3, 3, 1]))).toEqual(['without it', '', ''])
  })

  it('takes the place where the tokens say, of several', () => {
    const text = 'a\n\nSo: b\n\nSo: c\n\nSo: d'
    expect(split(response(text, [1, 3, 20]))[0]).toBe('a')
    expect(split(response(text, [7, 3, 4]))[0]).toBe('a\n\nSo: b')
    expect(split(response(text, [20, 3, 1]))[0]).toBe('a\n\nSo: b\n\nSo: c')
  })

  it('counts the closing tag of delimited thinking to the hint', () => {
    const text = 'one\n\nSo:\n</think>\n\n3'
    expect(split(response(text, [1, 5, 1]), { ...run, method: 'delimited' })).toEqual([
      'one',
      '\n\nSo:\n</think>\n\n',
      '3',
    ])
  })
})
