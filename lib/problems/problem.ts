import type { Random } from '../base/random.js'
import type { Asking } from './asking.js'

/** A problem with its solution, before it becomes a record. */
export interface Problem {
  /**
   * What is asked, whatever the wording: problems of the train and test splits never share one. The same for operands
   * that are swapped, variables that are renamed, and a number that is converted back.
   */
  key: string
  question: string
  /** First line of every trajectory: the task in one form. Absent where the steps begin with it. */
  task?: string
  /** Lines of the procedure that finds the answer, the answer not included. */
  steps: string[]
  answer: string
  /** A Python program that prints the answer, found without the trajectory. */
  program: string
  /** Tries a value by another method than that of the steps. It holds for the answer and nothing else. */
  check?: (value: string) => Check
  /** A wrong value that is close to the answer. */
  nearMiss?: (random: Random) => string
  /** The procedure by someone who misread what is asked, and the wrong value that comes of it. */
  slip?: (random: Random) => Slip
}

interface Slip {
  steps: string[]
  value: string
}

export interface Check {
  lines: string[]
  holds: boolean
}

/** Makes a problem of a difficulty from 1 to 8. */
export type Maker = (random: Random, difficulty: number, asking: Asking) => Problem

/** The entry for a difficulty in a table of eight. */
export function at<T>(table: readonly T[], difficulty: number): T {
  return table[difficulty - 1] as T
}

/** An integer with exactly this many digits. */
export function digits(random: Random, count: number): number {
  return random.int(count === 1 ? 1 : 10 ** (count - 1), 10 ** count - 1)
}

/** A wrong number close to this one: one digit is another, or it is one or ten off. */
export function nearNumber(random: Random, value: number): string {
  const by = random.pick([1, 1, 2, 10])
  return String(value >= by && random.chance(0.5) ? value - by : value + by)
}

/** The number with one digit one higher or lower, as many digits as before. */
export function misread(random: Random, value: number): number {
  const text = String(value)
  const place = random.int(0, text.length - 1)
  const lowest = place === 0 ? 1 : 0
  const digit = random.pick(
    [Number(text[place]) - 1, Number(text[place]) + 1].filter((each) => each >= lowest && each <= 9),
  )
  return Number(`${text.slice(0, place)}${digit}${text.slice(place + 1)}`)
}
