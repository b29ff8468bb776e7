/** The grader of tasks whose answers are values. */
import { sameAnswer } from '../grading/answers.js'
import type { ReasonResult } from '../reason/result.js'
import type { Grade, Item } from './task.js'

/** Grades the final answer of a response; one without any is wrong. */
export function gradeFinalAnswer({ answer }: Item, { finalAnswer }: ReasonResult): Grade {
  return { correct: finalAnswer !== null && sameAnswer(answer, finalAnswer), extracted: finalAnswer }
}
