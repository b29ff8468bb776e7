/** The task `jsonl`: a file with a question and its answer in each row. */
import { readRows } from '../../base/formats.js'
import type { Row } from '../../base/rows.js'
import { gradeFinalAnswer } from '../grade.js'
import type { Item, Task } from '../task.js'

export interface JsonlOptions {
  /**
   * `.jsonl`, `.jsonl.gz`, `.parquet`, or `-` for standard input; any other name is read as JSON Lines. Rows with
   * `question` and `answer`, and perhaps `id` (default: the number of the line or row), `family`, `difficulty`.
   */
  file: string
  /** Take no more items than that. Default: all. */
  count?: number | undefined
}

export function jsonl({ file, count = Infinity }: JsonlOptions): Task {
  return {
    name: 'jsonl',
    async *items(): AsyncGenerator<Item> {
      let taken = 0
      if (count <= taken) return
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
  const { id = next.line, family, difficulty } = columns
  if (family !== undefined && typeof family !== 'string') throw new Error(`${location}: Expected a string for family`)
  if (difficulty !== undefined && typeof difficulty !== 'number') {
    throw new Error(`${location}: Expected a number for difficulty`)
  }
  return {
    id: String(id),
    question: textOf(columns.question, 'question', location),
    answer: textOf(columns.answer, 'answer', location),
    ...(family !== undefined && { family }),
    ...(difficulty !== undefined && { difficulty }),
  }
}

function textOf(value: unknown, name: string, location: string): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text.trim() === '') throw new Error(`${location}: Expected a text for ${name}`)
  return text
}
