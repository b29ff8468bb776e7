/** Some of a task's items: those of a group, and a sample of them. */
import { count, integer, isPlainObject, kind } from '../base/checks.js'
import { type Option, option, readOptions } from '../base/options.js'
import { Random } from '../base/random.js'
import type { Item, Task } from './task.js'

export interface SelectionOptions {
  /** Of each group that is named, the values to keep; numbers also as a range, both ends included. */
  filter?: Readonly<Record<string, GroupFilter>> | undefined
  /** A sample of as many items, drawn with the seed; all of them if there are no more. Default: all. */
  limit?: number | undefined
  /** 0 … 4294967294. Default 0. */
  seed?: number | undefined
}

export type GroupFilter = readonly (string | number)[] | { readonly min: number; readonly max: number }

const filters = kind('object of groups', isPlainObject, {
  convert: (value) => value as Readonly<Record<string, GroupFilter>>,
})

const SELECTION_OPTIONS = {
  filter: option(filters),
  limit: option(count(1)),
  seed: option(integer(0, 2 ** 32 - 2), 0),
} satisfies Record<keyof SelectionOptions, Option<unknown>>

/**
 * The same task with fewer items, in their order.
 * @throws {TypeError|RangeError} for options that are invalid; for a group that no item has, the items.
 */
export function selectItems(task: Task, options: SelectionOptions): Task {
  const { filter = {}, limit, seed } = readOptions(SELECTION_OPTIONS, options)
  return {
    ...task,
    async *items(): AsyncGenerator<Item> {
      const all: Item[] = []
      for await (const item of task.items()) all.push(item)
      for (const name of Object.keys(filter)) {
        if (all.some(({ groups }) => groups?.[name] !== undefined)) continue
        throw new RangeError(`The task ${task.name} has no group ${name}${groupNames(all)}`)
      }
      const kept = all.filter(({ groups }) =>
        Object.entries(filter).every(([name, wanted]) => matches(groups?.[name], wanted)),
      )
      yield* limit === undefined ? kept : sampleOf(kept, limit, seed)
    },
  }
}

function matches(value: string | number | undefined, wanted: GroupFilter): boolean {
  if ('min' in wanted) return typeof value === 'number' && value >= wanted.min && value <= wanted.max
  return value !== undefined && wanted.some((each) => String(each) === String(value))
}

function sampleOf(items: Item[], limit: number, seed: number): Item[] {
  if (limit >= items.length) return items
  const places = new Random(seed).sample([...items.keys()], limit).sort((a, b) => a - b)
  return places.map((place) => items[place] as Item)
}

function groupNames(items: Item[]): string {
  const names = [...new Set(items.flatMap(({ groups }) => Object.keys(groups ?? {})))]
  return names.length > 0 ? `: it has ${names.join(', ')}` : ''
}
