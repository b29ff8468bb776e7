/** Cases worked out from LiveCodeBench's rules: lines without outer white space, then numbers as Python's Decimal. */
import { describe, expect, it } from 'vitest'
import { sameOutput } from '../../../lib/grading/execution/outputs.js'

describe('sameOutput', () => {
  it.each([
    ['3\n', '3'],
    ['  3  \r\n 4\n\n', '3\n4'],
    ['1.50 2', '1.5 2.0'],
    ['1e3', '1000'],
    ['-0', '0'],
    ['+5', '5'],
    ['.5', '0.50'],
    ['007', '7'],
    ['1_000', '1000'],
    ['inf', 'Infinity'],
    ['0.1   0.2', '0.1 0.2'],
    ['YES', 'YES'],
    ['', '\n'],
    ['1E-7', '0.0000001'],
  ])('%j is %j', (output, expected) => expect(sameOutput(output, expected)).toBe(true))

  it.each([
    ['50000000000000001', '50000000000000000'],
    ['3\n\n4', '3\n4'],
    ['3 4', '3\n4'],
    ['yes', 'YES'],
    ['1 2', '1 2 3'],
    ['a  b', 'a b'],
    ['nan', 'NaN'],
    ['-1', '1'],
    ['1.0000001', '1'],
    ['1 x', '1.0 x'],
    ['.', '0'],
    ['', '0'],
    ['0x10', '16'],
  ])('%j is not %j', (output, expected) => expect(sameOutput(output, expected)).toBe(false))
})
