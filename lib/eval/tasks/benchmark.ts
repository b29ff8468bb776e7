/** Benchmarks that others published, each read from a file of its own. None comes with this package. */
import { isString, kind } from '../../base/checks.js'
import { readRows } from '../../base/formats.js'
import { readOptions, required } from '../../base/options.js'
import type { Row } from '../../base/rows.js'
import { gradeMathematics } from '../grade.js'
import type { Item, Task } from '../task.js'

export interface BenchmarkOptions {
  /** `.jsonl`, `.jsonl.gz`, `.parquet`, or `-` for standard input; any other name is read as JSON Lines. */
  file: string
}

/** The paper's system text for questions whose answer is a value or a choice. */
const SYSTEM = 'Please reason step by step, and put your final answer within \\boxed{}.'

export const fileName = kind('file name', isString, { isValid: (value) => value !== '' })

export const BENCHMARK_OPTIONS = { file: required(fileName) }

/** The columns of a row, each checked when it is asked for. */
export class Columns {
  readonly #row: Row

  constructor(row: Row) {
    this.#row = row
  }

  get location(): string {
    return this.#row.location
  }

  /** A text, or a number as its text. */
  text(name: string): string {
    const value = this.#row.columns[name]
    const text = typeof value === 'number' ? String(value) : value
    if (typeof text !== 'string' || text.trim() === '') throw this.wrong('a text', name)
    return text
  }

  /** The text of the first of these columns that is there. */
  either(name: string, other: string): string {
    return this.text(this.#row.columns[name] === undefined || this.#row.columns[name] === null ? other : name)
  }

  integer(name: string): number {
    const value = this.#row.columns[name]
    if (!Number.isSafeInteger(value)) throw this.wrong('an integer', name)
    return value as number
  }

  /** '' for none. */
  textOrNone(name: string): string {
    const value = this.#row.columns[name] ?? ''
    if (!isString(value)) throw this.wrong('a text', name)
    return value
  }

  texts(name: string): string[] {
    const value = this.#row.columns[name]
    if (!Array.isArray(value) || !value.every(isString)) throw this.wrong('texts', name)
    return value
  }

  /** Default of an id: the number of the line or row. */
  get line(): number {
    return this.#row.next.line
  }

  wrong(expected: string, name: string): Error {
    return new Error(`${this.location}: Expected ${expected} for ${name}`)
  }
}

/** A task that reads its items from a file, and asks them with the paper's system text. */
export function benchmark(
  name: string,
  read: (columns: Columns) => Item,
  grade: Task['grade'] = gradeMathematics,
): (options: BenchmarkOptions) => Task {
  return (options) => {
    const { file } = readOptions(BENCHMARK_OPTIONS, options)
    return {
      name,
      symbolic: grade === gradeMathematics,
      async *items(): AsyncGenerator<Item> {
        for await (const row of readRows(file, undefined, 'jsonl')) yield read(new Columns(row))
      },
      prompt: ({ question }) => ({ messages: [{ role: 'user', content: question }], system: SYSTEM }),
      grade,
    }
  }
}

/** GSM8K's answers work the value out and end with it: `…\n#### 72`. A solution with a box is left to the grader. */
export function goldOf(answer: string): string {
  const value = /(?:^|\n)[ \t]*####[ \t]*([^\n]+?)[ \t\r]*$/.exec(answer.trimEnd())?.[1]
  return value ?? answer
}
