import { describe, expect, it } from 'vitest'
import { sameAnswer } from '../../lib/grading/answers.js'

describe('sameAnswer', () => {
  it.each([
    ['42', '42'],
    ['42', ' 42 '],
    ['42', '42.'],
    ['Paris', 'paris'],
    ['New  York', 'new york'],
    ['x + 1', 'x+1'],
    ['abc', '"abc"'],
    ['abc', '`abc`'],
    ['5', '\\text{5}'],
    ['5', '5 \\text{ cm}'],
    ['5', '\\$5'],
    ['90', '90^\\circ'],
    ['90', '90°'],
    ['3', 'x = 3'],
    ['7', 'seven'],
    ['-4', '−4'],
    ['(1, 2)', '\\left(1,2\\right)'],
  ])('takes away what says nothing: %j, %j', (expected, given) => {
    expect(sameAnswer(expected, given)).toBe(true)
    expect(sameAnswer(given, expected)).toBe(true)
  })

  it.each([
    ['1234567', '1,234,567'],
    ['1234', '1{,}234'],
    ['42', '42.0'],
    ['42', '+42'],
    ['0.5', '.5'],
    ['0.5', '\\frac{1}{2}'],
    ['0.5', '\\dfrac{1}{2}'],
    ['0.5', '1/2'],
    ['-0.5', '-\\frac{1}{2}'],
    ['2', '4/2'],
    ['3.14159', '3.1416'],
    ['1e3', '1000'],
    ['0.25', '25\\%'],
    ['25%', '25'],
    ['123456789012345678901234567890', '123,456,789,012,345,678,901,234,567,890'],
  ])('reads numbers: %j, %j', (expected, given) => {
    expect(sameAnswer(expected, given)).toBe(true)
  })

  it.each([
    ['42', '43'],
    ['42', '4.2'],
    ['42', '4200'],
    ['42', '-42'],
    ['42', ''],
    ['123456', '123457'],
    ['123456789012345678901234567890', '123456789012345678901234567891'],
    ['0.5', '0.5001'],
    ['0.25', '25'],
    ['1 2 3', '123'],
    ['100, 200', '100200'],
    ['abc', 'abd'],
    ['3 apples', '4 apples'],
  ])('tells apart %j and %j', (expected, given) => {
    expect(sameAnswer(expected, given)).toBe(false)
    expect(sameAnswer(given, expected)).toBe(false)
  })

  it('allows rounding where the right answer is no integer', () => {
    expect(sameAnswer('123456.5', '123456')).toBe(true)
    expect(sameAnswer('123456', '123456.5')).toBe(false)
  })

  it.each([
    ['[1, 2, 3]', '[1,2,3]', true],
    ['[1, 2, 3]', '1, 2, 3', true],
    ['1, 2, 3', '1,2,3', true],
    ['1000, 2', '1000.0, 2', true],
    ['\\{1, 2\\}', '1, 2', true],
    ["['a', 'b']", '[a, b]', true],
    ['[[1, 2], [3]]', '[[1,2],[3.0]]', true],
    ['[5]', '5', true],
    ['[1, 2, 3]', '[1, 3, 2]', false],
    ['[1, 2, 3]', '[1, 2]', false],
    ['[1, 2]', '[1, 2, 3]', false],
    ['(0, 1)', '[0, 1]', false],
    ['[[1, 2], [3]]', '[[1], [2, 3]]', false],
  ])('compares lists element by element: %j, %j: %s', (expected, given, same) => {
    expect(sameAnswer(expected, given)).toBe(same)
  })

  it.each([
    ['B', '(B)', true],
    ['B', 'A or rather B.', true],
    ['B', 'B) Paris', true],
    ['B', 'A', false],
    ['B', 'Bart', false],
  ])('takes the last letter of a choice: %j, %j: %s', (expected, given, same) => {
    expect(sameAnswer(expected, given)).toBe(same)
  })

  it('lets bare lists be in any order where that is asked for', () => {
    expect(sameAnswer('1, -2', '-2, 1')).toBe(false)
    expect(sameAnswer('1, -2', '-2, 1', { anyOrder: true })).toBe(true)
    expect(sameAnswer('(1, -2)', '(-2, 1)', { anyOrder: true })).toBe(false)
    expect(sameAnswer('1, -2', '-2, 2', { anyOrder: true })).toBe(false)
    expect(sameAnswer('1, -2', '-2, 1, 3', { anyOrder: true })).toBe(false)
  })
})
