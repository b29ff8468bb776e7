import { expect, it } from 'vitest'
import { gradeFinalAnswer, gradeNearness } from '../../lib/eval/grade.js'
import type { ReasonResult } from '../../lib/index.js'

it('a response without an answer is wrong', () => {
  const item = { id: '1', question: '?', answer: '4' }
  const grade = (finalAnswer: string | null) => gradeFinalAnswer(item, { finalAnswer } as ReasonResult)
  expect(grade(null)).toEqual({ correct: false, extracted: null })
  expect(grade('4.0')).toEqual({ correct: true, extracted: '4.0' })
  expect(grade('5')).toEqual({ correct: false, extracted: '5' })
})

it.each([
  ['4559', '4559', true, 1],
  ['4559', '4550', false, 2 / 3],
  ['4559', '4500', false, 1 / 3],
  ['4559', '4000', false, 0],
  ['4559', '-4559', false, 0],
  ['-60', '-63', false, 1 / 3],
  ['4559', 'about 4550', false, 0],
  ['4559', null, false, 0],
  // One digit: near is wrong.
  ['8', '9', false, 0],
  // Binary, whose digits read as a number would be near by chance.
  ['1011', '1010', false, 0],
  ['c0', 'c1', false, 0],
  ['73, 1', '73, 2', false, 1 / 2],
  ['73, 1', '73, 1', true, 1],
  ['73, 1, 5', '73, 1', false, 2 / 3],
  ['73, 1', '73, 1, 5', false, 2 / 3],
  ['4, 7, 9', '4,9,7', false, 1 / 3],
  ['4, 7, 9', '4', false, 1 / 3],
])('an answer of %s gives %s the score it has', (answer, finalAnswer, correct, score) => {
  const grade = gradeNearness({ id: '1', question: '?', answer }, { finalAnswer } as ReasonResult)
  expect(grade.correct).toBe(correct)
  expect(grade.score).toBeCloseTo(score)
  expect(grade.extracted).toBe(finalAnswer)
})
