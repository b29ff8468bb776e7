/** Python's == between a function's result, as the harness encodes it, and a test's JSON. */
import { describe, expect, it } from 'vitest'
import { type Encoded, parseExpected, sameResult } from '../../../lib/grading/execution/values.js'

const int = (value: bigint): Encoded => ({ i: value.toString(16) })
const float = (value: string): Encoded => ({ f: value })

describe('sameResult', () => {
  it.each<[Encoded, string]>([
    [3, '3'],
    [-3, '-3.0'],
    [1, 'true'],
    [int(3n), '3'],
    [int(-255n), '-255'],
    [float('3.0'), '3'],
    [int(3n), '3.0'],
    [true, '1'],
    [false, '0.0'],
    [int(1n), 'true'],
    [int(10n ** 40n), `1${'0'.repeat(40)}`],
    [float('inf'), '1e999'],
    ['a', '"a"'],
    [null, 'null'],
    [[int(1n), [float('2.5'), 'x']], '[1, [2.5, "x"]]'],
    [{ t: [int(1n), int(2n)] }, '[1, 2]'],
    [
      {
        d: [
          ['a', int(1n)],
          ['b', []],
        ],
      },
      '{"b": [], "a": 1}',
    ],
  ])('%j is %s', (result, json) => expect(sameResult(result, parseExpected(json))).toBe(true))

  it.each<[Encoded, string]>([
    [int(2n ** 53n + 1n), String(2 ** 53)],
    [int(2n ** 53n + 1n), `${2 ** 53}.0`],
    [float('0.30000000000000004'), '0.3'],
    [float('nan'), '0'],
    ['1', '1'],
    [1, '"1"'],
    [1, '2'],
    [1, '[1]'],
    [int(1n), '"1"'],
    [null, '0'],
    [null, 'false'],
    ['', 'null'],
    [[], 'null'],
    [[{ t: [int(1n)] }], '[[1]]'],
    [[int(1n)], '[1, 2]'],
    [[int(1n), int(2n)], '[1]'],
    [{ s: [int(1n)] }, '[1]'],
    [{ d: [[int(1n), 'x']] }, '{"1": "x"}'],
    [
      {
        d: [
          ['a', 'x'],
          ['a', 'x'],
        ],
      },
      '{"a": "x"}',
    ],
    [{ d: [] }, '{"a": 1}'],
    [{ d: [] }, '[]'],
    [{ o: 'generator' }, '[]'],
    [{ i: 'zz' }, '0'],
    [{ i: '' }, '0'],
    [{ f: '' }, '0'],
  ])('%j is not %s', (result, json) => expect(sameResult(result, parseExpected(json))).toBe(false))

  it('takes what an answer sends for what it is', () => {
    for (const result of [{ i: null }, { f: {} }, { t: 5 }, { d: 'x' }, { d: [1] }, { d: [[]] }, {}] as Encoded[]) {
      for (const json of ['0', '[]', '{}', '[1]', '{"a": 1}', 'null', '"x"']) {
        expect(sameResult(result, parseExpected(json))).toBe(false)
      }
    }
  })
})
