import { describe, expect, it } from 'vitest'
import { oneLine } from '../../lib/base/one-line.js'

describe('oneLine()', () => {
  it.each([
    ['blk.0.attn_q.weight is missing', 'blk.0.attn_q.weight is missing'],
    ['Größe 日本語 🙂 é', 'Größe 日本語 🙂 é'],
    ['a\nb\r\n\tc', 'a\\nb\\r\\n\\tc'],
    ['\u0000\u001b[2J\u007f\u0085', '\\u0000\\u001b[2J\\u007f\\u0085'],
    ['left\u202eright\u2028below\u2066', 'left\\u202eright\\u2028below\\u2066'],
    ['half \ud83d of a pair', 'half \\ud83d of a pair'],
  ])('%j', (text, expected) => {
    expect(oneLine(text)).toBe(expected)
  })

  it('keeps what is just short enough, and the beginning and the end of what is longer', () => {
    expect(oneLine('x'.repeat(2000))).toBe('x'.repeat(2000))
    const cut = oneLine(`The tensor ${'x'.repeat(30_000_000)} is missing`)
    expect(cut).toMatch(/^The tensor x+…x+ is missing$/)
    expect(cut.length).toBe(2000)
    expect(oneLine('0123456789ab', 10)).toBe('012345…9ab')
  })

  it('is as short when all of it is escaped', () => {
    expect(oneLine('\n'.repeat(1e6))).toMatch(/^[\\n…]{1990,2000}$/)
    expect(oneLine('\u0007'.repeat(1999)).length).toBeLessThanOrEqual(2000)
  })

  it('does not cut through a character', () => {
    for (const before of ['', 'a', 'ab']) {
      const cut = oneLine(before + '🙂'.repeat(40), 21)
      expect(cut).toMatch(/^a?b?🙂+…🙂+$/u)
      expect(cut.length).toBeLessThanOrEqual(21)
    }
  })
})
