/**
 * How much of its reasoning a problem gets: a simple one a guess that is tried out, where it can be, and the procedure only
 * if the guess fails; a hard one the procedure, and then a check by another method.
 */
import type { Random } from '../base/random.js'
import type { Problem } from './problem.js'

/** The difficulty up to which a problem is simple, and from which on it is hard. */
const SIMPLE = 2
const HARD = 6

/** How often a simple problem begins with a guess, how often that is right, and how often a hard one is checked. */
const GUESSED = 0.6
const RIGHT = 0.75
const CHECKED = 0.7

/** The lines of the reasoning, the answer not included. */
export function trajectory(problem: Problem, random: Random, difficulty: number): string[] {
  const { task, steps, answer, check, nearMiss } = problem
  const begin = task === undefined ? [] : [task]
  if (check && nearMiss && difficulty <= SIMPLE && random.chance(GUESSED)) {
    const guess = random.chance(RIGHT) ? answer : nearMiss(random)
    const { lines, holds } = check(guess)
    return [...begin, `Guess ${guess}`, ...lines, ...(holds ? ['Holds'] : ['Fails', ...steps])]
  }
  if (check && difficulty >= HARD && random.chance(CHECKED)) {
    return [...begin, ...steps, `Check ${answer}`, ...check(answer).lines, 'Holds']
  }
  return [...begin, ...steps]
}
