/**
 * How much of its reasoning a problem gets: a simple one a guess that is tried out, where it can be, and the procedure only
 * if the guess fails; a hard one the procedure, and then a check by another method.
 */
import type { Random } from '../base/random.js'
import type { Problem } from './problem.js'

/** The difficulty up to which a problem is simple, and from which on it is hard. */
const SIMPLE = 2
const HARD = 6

/** How often someone who always thinks long misreads what is asked at first, where a check can tell. */
const MISREAD = 0.15

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

/**
 * Always long, however simple: the procedure, now and then misread at first, and a check: by another method where there is
 * one, else by the procedure once more.
 */
export function longTrajectory(problem: Problem, random: Random): string[] {
  const { task, steps, answer, check, slip } = problem
  const begin = task === undefined ? [] : [task]
  if (!check) return [...begin, ...steps, 'Wait, check this again', ...steps]
  const checked = [...steps, `Check ${answer}`, ...check(answer).lines, 'Holds']
  if (!slip || !random.chance(MISREAD)) return [...begin, ...checked]
  const { steps: wrong, value } = slip(random)
  return [...begin, ...wrong, `Check ${value}`, ...check(value).lines, 'Fails', ...checked]
}
