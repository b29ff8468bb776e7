/** Data files by their names: which format a file has, its rows and records, and a writer of either format. */
import { rename, rm } from 'node:fs/promises'
import { cannotWrite, LineWriter, readJsonl } from '../base/jsonl.js'
import { countOf, type Place, type Row, textOf } from '../base/rows.js'
import type { TrajectoryRecord } from '../problems/record.js'
import { readParquet, writeParquet } from './parquet.js'

export type Format = 'jsonl' | 'parquet'

/** @throws {TypeError} for a name whose end tells no format. */
export function formatOf(path: string): Format {
  if (path === '-' || /\.(jsonl|ndjson)(\.gz)?$/i.test(path)) return 'jsonl'
  if (/\.parquet$/i.test(path)) return 'parquet'
  throw new TypeError(`Expected a file named .jsonl, .jsonl.gz or .parquet, or - for a pipe, but received ${path}`)
}

/** The same for a file to write. */
export function outputFormatOf(path: string): Format {
  const format = formatOf(path)
  if (!/\.gz$/i.test(path)) return format
  throw new TypeError(`Expected a file named .jsonl or .parquet to write, or -, but received ${path}`)
}

/** The rows of a file with all their columns, from a place on that an earlier row named as its next. */
export function readRows(path: string, from?: Place): AsyncGenerator<Row> {
  return formatOf(path) === 'parquet' ? readParquet(path, from) : readJsonl(path, from)
}

/**
 * The records of one file or of several: `.jsonl`, `.jsonl.gz`, `.parquet`, or `-` for JSON Lines on standard input.
 * Columns beyond those of a record are kept. Holds one row (Parquet: one row group) at a time.
 * @throws {Error} naming file and line of a row that is no record.
 */
export async function* readRecords(paths: string | readonly string[]): AsyncGenerator<TrajectoryRecord> {
  for (const path of typeof paths === 'string' ? [paths] : paths) {
    for await (const row of readRows(path)) yield recordOf(row)
  }
}

function recordOf(row: Row): TrajectoryRecord {
  const { id } = row.columns
  return {
    ...row.columns,
    id: typeof id === 'number' ? String(id) : textOf(row, 'id'),
    question: textOf(row, 'question'),
    response: textOf(row, 'response'),
    token_num_qwen: countOf(row, 'token_num_qwen'),
  }
}

/** Writes records to a `.jsonl` or `.parquet` file, or to standard output (`-`). An existing file is replaced. */
export class RecordWriter {
  readonly #path: string
  readonly #lines: LineWriter

  private constructor(path: string, lines: LineWriter) {
    this.#path = path
    this.#lines = lines
  }

  static async open(path: string): Promise<RecordWriter> {
    outputFormatOf(path)
    return new RecordWriter(path, await LineWriter.open(linesPath(path)))
  }

  async write(record: TrajectoryRecord): Promise<void> {
    await this.#lines.write(JSON.stringify(record))
  }

  /** Completes the file. A Parquet file comes to be only here. */
  async close(): Promise<void> {
    try {
      await this.#lines.flush()
    } finally {
      await this.#lines.close()
    }
    await finishFile(this.#path)
    await removeLines(this.#path)
  }
}

/** Where lines are collected: Parquet cannot be appended to, so it is made of them in the end. */
export function linesPath(output: string): string {
  return outputFormatOf(output) === 'parquet' ? `${output}.partial.jsonl` : output
}

/** Makes a Parquet output of its lines, whole or not at all. */
export async function finishFile(output: string): Promise<void> {
  const lines = linesPath(output)
  if (lines === output) return
  const unfinished = `${output}.partial`
  try {
    await writeParquet(lines, unfinished)
    await rename(unfinished, output).catch((error) => {
      throw cannotWrite(output, error)
    })
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** Removes what a finished Parquet output was made of. */
export async function removeLines(output: string): Promise<void> {
  const lines = linesPath(output)
  if (lines !== output) await rm(lines, { force: true })
}
