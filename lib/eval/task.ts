/** What an evaluation asks: the shape of a task. Each task is one small file in lib/eval/tasks/. */
import type { ChatMessage } from '../reason/messages.js'
import type { ReasonResult } from '../reason/result.js'

/** One problem of a task. */
export interface Item {
  /** Unique in its task, and the same in every run: runs are resumed and compared by it. */
  id: string
  question: string
  /** The right answer, as the task's grader reads it. */
  answer: string
  /** Of a question with choices: their texts, that of A first. Shown in the question, too. */
  choices?: string[]
  /**
   * What it belongs to, as in `{ family: 'lists', difficulty: 3 }`: figures are given for each value of each group. The
   * group `difficulty`, where it is a number, is set against the thinking tokens.
   */
  groups?: Record<string, string | number>
  /** Where a response is run against tests: their SHA-256, so that a run knows them again. */
  testsSha256?: string
}

export interface Grade {
  correct: boolean
  /** 0 … 1, where a wrong answer may be a near one; 1 where it is correct. */
  score?: number
  /** What was taken for the answer; null: the response has none. */
  extracted: string | null
  /** Why it is not correct, where there is more to say than that it is another value: `timeout`. */
  reason?: string
}

/** What grades a task's responses, where that is not this package alone. `sandbox` null: programs run without one. */
export type GraderFacts = Readonly<Record<string, string | null>>

/** Items, the prompt for each, and the grader of what came back. */
export interface Task {
  name: string
  /** Whether its grader compares expressions: a run loads the symbolic engine first then, where it is installed. */
  symbolic?: boolean
  items(): AsyncIterable<Item>
  /** The conversation to continue. `system` is replaced by a run's own system text. */
  prompt(item: Item): { messages: ChatMessage[]; system?: string }
  /**
   * Asked once before the first item, and kept in run.json: a run goes on only with the same. Rejects where responses cannot
   * be graded.
   */
  grader?(): Promise<GraderFacts>
  /** @param signal Its abort may end a grading that takes time. */
  grade(item: Item, result: ReasonResult, signal?: AbortSignal): Grade | Promise<Grade>
}
