/** Data files by their names: which format a file has, and its rows. */
import { readJsonl } from './jsonl.js'
import { readParquet } from './parquet.js'
import type { Position, Row } from './rows.js'

export type Format = 'jsonl' | 'parquet'

/**
 * @param otherwise What a name without a known extension is taken for. Default: it is refused.
 * @throws {TypeError} for a name without a known extension.
 */
export function formatOf(path: string, otherwise?: Format): Format {
  if (path === '-' || /\.(jsonl|ndjson)(\.gz)?$/i.test(path)) return 'jsonl'
  if (/\.parquet$/i.test(path)) return 'parquet'
  if (otherwise !== undefined) return otherwise
  throw new TypeError(`Expected a file named .jsonl, .jsonl.gz or .parquet, or - for a pipe, but received ${path}`)
}

/** The same for a file to write. */
export function outputFormatOf(path: string): Format {
  const format = formatOf(path)
  if (!/\.gz$/i.test(path)) return format
  throw new TypeError(`Expected a file named .jsonl or .parquet to write, or -, but received ${path}`)
}

/** The rows of a file with all their columns, from a position on that an earlier row named as its next. */
export function readRows(path: string, from?: Position, otherwise?: Format): AsyncGenerator<Row> {
  return formatOf(path, otherwise) === 'parquet' ? readParquet(path, from) : readJsonl(path, from)
}
