/** Which repetitions count as a loop: by the rule (blocks of 4 to 128, three times), on hand-made sequences. */
import { describe, expect, it } from 'vitest'
import { findLoop, LoopDetector } from '../../lib/base/loops.js'
import { Random } from '../support/random.js'

const block = (length: number, first = 0) => Array.from({ length }, (_, i) => first + i)
const times = <T>(count: number, items: T[]) => Array.from({ length: count }, () => items).flat()

describe('findLoop', () => {
  it.each([
    ['three times a block of 4', times(3, block(4)), { start: 0, period: 4 }],
    ['three times a block of 128', times(3, block(128)), { start: 0, period: 128 }],
    ['a loop after other text', [...block(50, 1000), ...times(3, block(7))], { start: 50, period: 7 }],
    ['a loop that other text follows', [...times(3, block(9)), ...block(500, 1000)], { start: 0, period: 9 }],
    ['the shorter one, of a block made of blocks', times(6, block(5)), { start: 0, period: 5 }],
    ['a short unit, once it fills three of the longest blocks', times(384, [7]), { start: 0, period: 1 }],
    ['a block that ends in a row of one', times(3, [...block(8), ...times(12, [99])]), { start: 0, period: 20 }],
    ['words', times(3, 'let me check that again'.split(' ')), { start: 0, period: 5 }],
  ])('finds %s', (_name, items, loop) => {
    expect(findLoop(items)).toEqual(loop)
  })

  it.each([
    ['nothing', []],
    ['twice and almost a third time', times(3, block(10)).slice(0, -1)],
    ['a block of 129', times(4, block(129))],
    ['a block of 3', times(20, block(3))],
    ['a row of one, not yet three of the longest blocks', times(383, [7])],
    ['blocks that differ in one place', [...block(20), ...block(19), 99, ...block(20), ...block(19), 98]],
    ['counting', Array.from({ length: 900 }, (_, i) => (i % 3 === 0 ? i : i % 3))],
  ])('lets pass %s', (_name, items) => {
    expect(findLoop(items as (string | number)[])).toBeNull()
  })

  it('agrees with the definition, tried at every place', () => {
    const options = { minPeriod: 2, maxPeriod: 6, repeats: 3 }
    for (let seed = 0; seed < 300; seed++) {
      const random = new Random(seed, 'loops')
      const items = Array.from({ length: 40 }, () => random.below(2))
      expect({ seed, end: endOf(items, options) }).toEqual({ seed, end: endByDefinition(items, options) })
    }
  })

  it.each([{ minPeriod: 0 }, { maxPeriod: 3 }, { repeats: 1 }, { minPeriod: Number.NaN }])('refuses %o', (options) => {
    expect(() => new LoopDetector(options)).toThrow(RangeError)
  })
})

type Numbers = { minPeriod: number; maxPeriod: number; repeats: number }

/** Items after which the first loop is complete. */
function endOf(items: number[], options: Numbers): number | null {
  const detector = new LoopDetector(options)
  const at = items.findIndex((item) => detector.push(item) !== null)
  return at < 0 ? null : at + 1
}

function endByDefinition(items: number[], { minPeriod, maxPeriod, repeats }: Numbers): number | null {
  const repeatsBy = (part: number[], period: number) => part.every((item, i) => i < period || part[i - period] === item)
  const unit = (part: number[]) => {
    for (let period = 1; period < minPeriod; period++) if (repeatsBy(part, period)) return period
    return null
  }
  for (let end = 1; end <= items.length; end++) {
    for (let period = minPeriod; period <= maxPeriod; period++) {
      const length = period * repeats
      if (end < length) continue
      const part = items.slice(end - length, end)
      if (repeatsBy(part, period) && unit(part) === null) return end
    }
    const longest = maxPeriod * repeats
    if (end >= longest && unit(items.slice(end - longest, end)) !== null) return end
  }
  return null
}
