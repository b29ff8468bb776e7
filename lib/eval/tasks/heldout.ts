/** The task `heldout`: generated problems that no training data holds, by family and difficulty. */
import { count } from '../../base/checks.js'
import { type Option, option, readOptions } from '../../base/options.js'
import { GENERATE_OPTIONS, generateProblems } from '../../problems/generate.js'
import { gradeNearness } from '../grade.js'
import type { Item, Task } from '../task.js'

/** Problems drawn for each that is asked for, at most: of the simplest kinds there are not many. */
const DRAWS = 10

export interface HeldoutOptions {
  /**
   * Problems in all, no two the same in other words, shared evenly by families and difficulties; fewer if there are no more.
   * Default 600.
   */
  count?: number | undefined
  /** Of the generator: the same seed gives the same problems. Default 0. */
  seed?: number | undefined
  /** Default: all. */
  families?: string[] | undefined
  /** The lowest and the highest. Default: the generator's. */
  difficulty?: [number, number] | undefined
  /** Of the generator: `unseen` puts the questions in words that no training data has. Default `seen`. */
  wordings?: 'seen' | 'unseen' | undefined
}

const HELDOUT_OPTIONS = {
  count: option(count(1), 600),
  seed: option(GENERATE_OPTIONS.seed, 0),
  families: option(GENERATE_OPTIONS.families),
  difficulty: option(GENERATE_OPTIONS.difficulty),
  wordings: option(GENERATE_OPTIONS.wordings),
} satisfies Record<keyof HeldoutOptions, Option<unknown>>

/** @throws {TypeError|RangeError} for options that are invalid; for a family or difficulty that does not exist, the items. */
export function heldout(options?: HeldoutOptions): Task {
  const { count, seed, families, difficulty, wordings } = readOptions(HELDOUT_OPTIONS, options)
  return {
    name: 'heldout',
    async *items(): AsyncGenerator<Item> {
      const draws = { seed, families, difficulty, wordings, split: 'test' as const, count: count * DRAWS }
      const asked = new Set<string>()
      // Each of the first draws opens a place; a problem that was there already leaves it to a later one of its kind.
      const places = new Map<string, number>()
      let drawn = 0
      for (const { record, key } of generateProblems(draws)) {
        const { id, question, answer, family, difficulty } = record
        if (answer === undefined || key === null)
          throw new RangeError(`Expected families with answers but received ${family}`)
        const kind = `${family} ${difficulty}`
        const free = (places.get(kind) ?? 0) + (drawn++ < count ? 1 : 0)
        const isTaken = free > 0 && !asked.has(key)
        places.set(kind, isTaken ? free - 1 : free)
        if (!isTaken) continue
        asked.add(key)
        yield { id, question, answer, groups: { family: family as string, difficulty: difficulty as number } }
        if (asked.size === count) return
      }
    },
    prompt: ({ question }) => ({ messages: [{ role: 'user', content: question }] }),
    grade: gradeNearness,
  }
}
