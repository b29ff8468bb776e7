import { describe, expect, it } from 'vitest'
import { sameAnswer } from '../../lib/grading/answers.js'
import { DIFFERENT, DIFFERENT_ONE_WAY, type Pair, SAME } from './verdicts.js'

describe.each(Object.entries(SAME))('the same: %s', (_rule, pairs) => {
  it.each<Pair>(pairs)('%j, %j', (expected, given) => {
    expect(sameAnswer(expected, given)).toBe(true)
  })
})

describe.each(Object.entries(DIFFERENT))('different: %s', (_rule, pairs) => {
  it.each<Pair>(pairs)('%j, %j', (expected, given) => {
    expect(sameAnswer(expected, given)).toBe(false)
    expect(sameAnswer(given, expected)).toBe(false)
  })
})

it.each<Pair>(DIFFERENT_ONE_WAY)('different, the right one first: %j, %j', (expected, given) => {
  expect(sameAnswer(expected, given)).toBe(false)
})

it('every answer is itself', () => {
  for (const pair of [SAME, DIFFERENT].flatMap((rules) => Object.values(rules)).flat()) {
    for (const answer of pair) expect([answer, sameAnswer(answer, answer)]).toEqual([answer, true])
  }
})

it('the table is as long as it is meant to be', () => {
  const pairs = [SAME, DIFFERENT].flatMap((rules) => Object.values(rules)).flat()
  expect(new Set(pairs.map((pair) => JSON.stringify(pair))).size).toBeGreaterThanOrEqual(250)
})

it.each([
  ['a tower of powers', '9^9^9^9^9'],
  ['factorials', `9${'!'.repeat(100_000)}`],
  ['parentheses', '('.repeat(100_000)],
  ['closed parentheses', `${'('.repeat(50_000)}1${')'.repeat(50_000)}`],
  ['fractions', '\\frac'.repeat(20_000)],
  ['fractions that a reader may take', '\\frac'.repeat(100)],
  ['signs', '\\pm 1'.repeat(20_000)],
  ['few signs', '1 \\pm '.repeat(40)],
  ['digits', '9'.repeat(100_000)],
  ['thousands', `1${',000'.repeat(25_000)}`],
  ['lists in lists', '[1,'.repeat(30_000) + ']'.repeat(30_000)],
  ['a long set', `\\{${Array.from({ length: 900 }, (_, i) => i).join(',')}\\}`],
  ['inequalities', 'x<'.repeat(50_000)],
  ['equations', 'x='.repeat(50_000)],
  ['dots', `${'.'.repeat(100_000)}x`],
  ['spaces', `x${' '.repeat(100_000)}x`],
  ['styles', '\\text{'.repeat(20_000)],
  ['matrices', '\\begin{pmatrix}'.repeat(7_000)],
  ['rows', `\\begin{align*}${'x &= 1 \\\\ '.repeat(9_000)}\\end{align*}`],
  ['environments', '\\begin{align}x'.repeat(300)],
  ['repeating decimals', '0.1\\overline{3}'.repeat(300)],
  ['exponents', '1e9'.repeat(1_500)],
  ['unions', `\\{1\\}${'\\cup\\{1\\}'.repeat(400)}`],
  ['holes', `x \\ne 0${', x \\ne 1'.repeat(300)}`],
  ['sums of matrices', `\\begin{pmatrix}1\\\\2\\end{pmatrix}${'+\\begin{pmatrix}1\\\\2\\end{pmatrix}'.repeat(80)}`],
  ['joined formulas', `it is ${'$x=1$ and '.repeat(5_000)}$x=2$`],
  ['sentences', 'it is 5 and '.repeat(9_000)],
  ['formulas', 'it is $5$ '.repeat(10_000)],
])('is over soon for %s', (_, text) => {
  expect(sameAnswer(text, text)).toBe(true)
  expect(sameAnswer('5', text)).toBe(false)
  sameAnswer(text, '5')
  expect(sameAnswer(text, `${text}+2`)).toBe(false)
})
