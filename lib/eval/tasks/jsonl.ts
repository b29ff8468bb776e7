/** The task `jsonl`: a file with a question and its answer in each row. */
import { count, isPlainObject, isString } from '../../base/checks.js'
import { readRows } from '../../base/formats.js'
import { oneLine } from '../../base/one-line.js'
import { type Option, option, readOptions, required } from '../../base/options.js'
import type { Row } from '../../base/rows.js'
import { gradeFinalAnswer } from '../grade.js'
import type { Item, Task } from '../task.js'
import { fileName, goldOf } from './benchmark.js'

export interface JsonlOptions {
  /**
   * `.jsonl`, `.jsonl.gz`, `.parquet`, or `-` for standard input; any other name is read as JSON Lines. Rows with
   * `question` (or `problem`) and `answer` (a text or a number; of one that is worked out as GSM8K's are, what stands after
   * the last `####`), and perhaps `id` (default: the number of the line or row), `family`, `difficulty`, and an object
   * `groups` of others. A null is the same as nothing.
   */
  file: string
  /** Take no more items than that. Default: all. */
  count?: number | undefined
}

const JSONL_OPTIONS = {
  file: required(fileName),
  count: option(count(1), Infinity),
} satisfies Record<keyof JsonlOptions, Option<unknown>>

/** @throws {TypeError|RangeError} for options that are invalid. */
export function jsonl(options: JsonlOptions): Task {
  const { file, count } = readOptions(JSONL_OPTIONS, options)
  return {
    name: 'jsonl',
    symbolic: true,
    async *items(): AsyncGenerator<Item> {
      let taken = 0
      for await (const row of readRows(file, undefined, 'jsonl')) {
        yield readItem(row)
        if (++taken >= count) return
      }
    },
    prompt: ({ question }) => ({ messages: [{ role: 'user', content: question }] }),
    grade: gradeFinalAnswer,
  }
}

function readItem({ columns, location, next }: Row): Item {
  const { id, question, problem, answer } = columns
  const groups = groupsOf(columns, location)
  return {
    id: String(id ?? next.line),
    question: textOf(question ?? problem, 'question', location),
    answer: goldOf(textOf(answer, 'answer', location)),
    ...(Object.keys(groups).length > 0 && { groups }),
  }
}

function groupsOf(columns: Row['columns'], location: string): Record<string, string | number> {
  const [family, difficulty] = [columns.family ?? undefined, columns.difficulty ?? undefined]
  if (family !== undefined && typeof family !== 'string') throw new Error(`${location}: Expected a string for family`)
  if (difficulty !== undefined && typeof difficulty !== 'number') {
    throw new Error(`${location}: Expected a number for difficulty`)
  }
  const given = columns.groups ?? {}
  if (!isPlainObject(given)) throw new Error(`${location}: Expected an object for groups`)
  const groups = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null))
  for (const [name, value] of Object.entries(groups)) {
    if (!isString(value) && !Number.isFinite(value)) {
      throw new Error(oneLine(`${location}: Expected a string or a number for the group ${name}`))
    }
  }
  return { ...(family !== undefined && { family }), ...(difficulty !== undefined && { difficulty }), ...groups }
}

function textOf(value: unknown, name: string, location: string): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text.trim() === '') throw new Error(`${location}: Expected a text for ${name}`)
  return text
}
