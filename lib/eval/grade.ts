/** The graders of tasks whose answers are values or choices. */
import { sameAnswer } from '../grading/answers.js'
import { choiceOf, lastChoice } from '../grading/multiple-choice.js'
import type { ReasonResult } from '../reason/result.js'
import type { Grade, Item } from './task.js'

/** Grades the final answer of a response; one without any is wrong. */
export function gradeFinalAnswer({ answer }: Item, { finalAnswer }: ReasonResult): Grade {
  return { correct: finalAnswer !== null && sameAnswer(answer, finalAnswer), extracted: finalAnswer }
}

/** The same for mathematics, where `-2, 1` and `1, -2` are the same roots. */
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
