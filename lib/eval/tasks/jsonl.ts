/** The task `jsonl`: a file with a question and its answer in each line. */
import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { gradeFinalAnswer } from '../grade.js'
import type { Item, Task } from '../task.js'

export interface JsonlOptions {
  /** Lines with `question` and `answer`, and perhaps `id` (default: the line's number), `family`, `difficulty`. */
  file: string
  /** Take no more items than that. Default: all. */
  count?: number | undefined
}

export function jsonl({ file, count = Infinity }: JsonlOptions): Task {
  return {
    name: 'jsonl',
    async *items(): AsyncGenerator<Item> {
      let line = 0
      let taken = 0
      for await (const text of createInterface({ input: createReadStream(file, 'utf8'), crlfDelay: Infinity })) {
        line++
        if (text.trim() === '') continue
        if (taken++ >= count) return
        yield readItem(text, `${file}:${line}`, String(line))
      }
    },
    prompt: ({ question }) => ({ messages: [{ role: 'user', content: question }] }),
    grade: gradeFinalAnswer,
  }
}

function readItem(text: string, place: string, line: string): Item {
  let fields: Record<string, unknown>
  try {
    fields = JSON.parse(text)
  } catch (cause) {
    throw new Error(`${place}: ${(cause as Error).message}`, { cause })
  }
  if (typeof fields !== 'object' || fields === null) throw new Error(`${place}: Expected an object`)
  const { id = line, family, difficulty } = fields
  if (family !== undefined && typeof family !== 'string') throw new Error(`${place}: Expected a string for family`)
  if (difficulty !== undefined && typeof difficulty !== 'number') {
    throw new Error(`${place}: Expected a number for difficulty`)
  }
  return {
    id: String(id),
    question: textOf(fields.question, 'question', place),
    answer: textOf(fields.answer, 'answer', place),
    ...(family !== undefined && { family }),
    ...(difficulty !== undefined && { difficulty }),
  }
}

function textOf(value: unknown, name: string, place: string): string {
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || text.trim() === '') throw new Error(`${place}: Expected a text for ${name}`)
  return text
}
