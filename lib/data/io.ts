/** Records in files of either format, and where the lines of an output are collected. */
import { lstat, rm } from 'node:fs/promises'
import { removeLeftovers, TemporaryFile } from '../base/files.js'
import { outputFormatOf, readRows } from '../base/formats.js'
import { AppendLog } from '../base/jsonl.js'
import { writeParquet } from '../base/parquet.js'
import { countOf, type Row, textOf } from '../base/rows.js'
import type { TrajectoryRecord } from '../problems/record.js'

/**
 * The records of one file or of several: `.jsonl`, `.jsonl.gz`, `.parquet`, or `-` for JSON Lines on standard input.
 * Columns beyond those of a record are kept. Holds one row (Parquet: one row group) at a time.
 * @throws {Error} naming file and line of a row that is not a record.
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
  readonly #lines: AppendLog
  /** The lines that a Parquet file will be made of: it cannot be appended to. */
  readonly #collected: TemporaryFile | null

  private constructor(path: string, lines: AppendLog, collected: TemporaryFile | null) {
    this.#path = path
    this.#lines = lines
    this.#collected = collected
  }

  static async open(path: string): Promise<RecordWriter> {
    if (outputFormatOf(path) === 'jsonl') return new RecordWriter(path, await AppendLog.open(path), null)
    await removeLeftovers(path)
    const collected = await TemporaryFile.beside(path)
    return new RecordWriter(path, await AppendLog.open(collected.path), collected)
  }

  async write(record: TrajectoryRecord): Promise<void> {
    await this.#lines.append(JSON.stringify(record))
  }

  /** Completes the file. A Parquet file comes to be only here. */
  async close(): Promise<void> {
    await using collected = this.#collected
    try {
      await this.#lines.flush()
    } finally {
      await this.#lines.close()
    }
    if (collected) await writeParquet(collected.path, this.#path)
  }
}

/** Where a run that can be resumed collects its lines: those of a Parquet output have a file of their own. */
export function linesPath(output: string): string {
  return outputFormatOf(output) === 'parquet' ? `${output}.partial.jsonl` : output
}

/** Makes a Parquet output of its lines, whole or not at all. */
export async function finishFile(output: string): Promise<void> {
  const lines = linesPath(output)
  if (lines !== output) await writeParquet(lines, output)
}

/** Removes what a finished Parquet output was made of: `bytes` of lines. Another file of that name stays. */
export async function removeLines(output: string, bytes: number): Promise<void> {
  const lines = linesPath(output)
  const there = lines === output ? null : await lstat(lines).catch(() => null)
  if (there?.isFile() && there.size === bytes) await rm(lines)
}
