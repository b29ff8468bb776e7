/** The graders of tasks whose answers are values or choices. */
import { sameAnswer } from '../grading/answers.js'
import { choiceOf, lastChoice } from '../grading/multiple-choice.js'
import type { ReasonResult } from '../reason/result.js'
import type { Grade, Item } from './task.js'

/** Grades the final answer of a response; one without any is wrong. */
export function gradeFinalAnswer({ answer }: Item, { finalAnswer }: ReasonResult): Grade {
  return { correct: finalAnswer !== null && sameAnswer(answer, finalAnswer), extracted: finalAnswer }
}

/** The shares of a number by which an answer may miss it, for a third of the score each: 10%, 1%, not at all. */
const NEAR = [0.1, 0.01]

/** The same, with a score for answers that are nearly or partly right. */
export function gradeNearness(item: Item, result: ReasonResult): Grade {
  const grade = gradeFinalAnswer(item, result)
  return { ...grade, score: grade.correct ? 1 : nearness(item.answer, grade.extracted ?? '') }
}

/**
 * Of a wrong answer, 0 … 1: to an integer of two digits or more, a third for being within 10%, another for 1%; to values between
 * commas, the share that are right in their places. What may be binary is no number here.
 */
function nearness(expected: string, given: string): number {
  const parts = expected.split(', ')
  if (parts.length > 1) {
    const found = given.split(/\s*,\s*/)
    const right = parts.filter((part, i) => found[i] !== undefined && sameAnswer(part, found[i]))
    return right.length / Math.max(parts.length, found.length)
  }
  if (!/^-?\d{2,}$/.test(expected) || /^[01]{3,}$/.test(expected) || !/^-?\d+(\.\d+)?$/.test(given)) return 0
  const distance = Math.abs(Number(given) - Number(expected)) / Math.abs(Number(expected))
  return NEAR.filter((share) => distance <= share).length / (NEAR.length + 1)
}

/** As `gradeFinalAnswer` for mathematics, where `-2, 1` and `1, -2` are the same roots. */
export function gradeMathematics({ answer }: Item, { finalAnswer }: ReasonResult): Grade {
  const correct = finalAnswer !== null && sameAnswer(answer, finalAnswer, { anyOrder: true })
  return { correct, extracted: finalAnswer }
}

/** Grades the choice of a response, by its letter or its text; without a final answer, the last choice that it states. */
export function gradeChoice({ answer, choices = [] }: Item, result: ReasonResult): Grade {
  const { finalAnswer } = result
  const letter = (finalAnswer !== null && choiceOf(finalAnswer, choices)) || lastChoice(result.answer, choices)
  return { correct: letter === answer, extracted: letter ?? finalAnswer }
}
