import type { Random } from '../base/random.js'

/** A problem with its solution, before it becomes a record. */
export interface Problem {
  /** What is asked, without its wording: problems of the train and test splits never share one. */
  key: string
  question: string
  /** Lines of the trajectory, the answer not included. */
  steps: string[]
  answer: string
  /** A Python program that prints the answer, found without the trajectory. */
  program: string
}

/** Makes a problem of a difficulty from 1 to 8. */
export type Maker = (random: Random, difficulty: number) => Problem

/** The entry for a difficulty in a table of eight. */
export function at<T>(table: readonly T[], difficulty: number): T {
  return table[difficulty - 1] as T
}
