import { expect, it } from 'vitest'
import { gradeFinalAnswer } from '../../lib/eval/grade.js'
import type { ReasonResult } from '../../lib/index.js'

it('a response without an answer is wrong', () => {
  const item = { id: '1', question: '?', answer: '4' }
  const grade = (finalAnswer: string | null) => gradeFinalAnswer(item, { finalAnswer } as ReasonResult)
  expect(grade(null)).toEqual({ correct: false, extracted: null })
  expect(grade('4.0')).toEqual({ correct: true, extracted: '4.0' })
  expect(grade('5')).toEqual({ correct: false, extracted: '5' })
})
