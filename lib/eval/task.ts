/** What an evaluation asks: the shape of a task. Each task is one small file in lib/eval/tasks/. */
import type { ChatMessage } from '../reason/options.js'
import type { ReasonResult } from '../reason/result.js'

/** One problem of a task. */
export interface Item {
  /** Unique in its task, and the same in every run: runs are resumed and compared by it. */
  id: string
  question: string
  /** The right answer, as the task's grader reads it. */
  answer: string
  /** What kind of problem it is; figures are given for each. */
  family?: string
  /** How hard it is; figures are given for each. */
  difficulty?: number
}

export interface Grade {
  correct: boolean
  /** What was taken for the answer; null: the response has none. */
  extracted: string | null
}

/** Items, the prompt for each, and the grader of what came back. */
export interface Task {
  name: string
  items(): AsyncIterable<Item>
  /** The conversation to continue. `system` is replaced by a run's own system text. */
  prompt(item: Item): { messages: ChatMessage[]; system?: string }
  grade(item: Item, result: ReasonResult): Grade | Promise<Grade>
}
