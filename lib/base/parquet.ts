/**
 * Parquet: read row group by row group, and written from JSON Lines the same way, so that neither holds more than one
 * group. Columns are text, integers (INT64), numbers (DOUBLE), booleans, and JSON for all else.
 */
import type { FileHandle } from 'node:fs/promises'
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, type SchemaElement } from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import { cannotRead, openToRead, replaceFile } from './files.js'
import { readJsonl } from './jsonl.js'
import { type Position, type Row, START } from './rows.js'

/** Characters of JSON in a row group: small enough to be held several times over, large enough to compress well. */
const GROUP_LENGTH = 2 ** 23

/** @throws {Error} naming the file if it is not a Parquet file or is damaged. */
export async function* readParquet(path: string, from: Position = START): AsyncGenerator<Row> {
  let handle: FileHandle | undefined
  try {
    handle = await openToRead(path)
    const file = await bufferOf(handle)
    const metadata = await parquetMetadataAsync(file)
    const rows = Number(metadata.num_rows)
    let end = 0
    for (const group of metadata.row_groups) {
      const begin = end
      end += Number(group.num_rows)
      if (end <= from.offset) continue
      const rowStart = Math.max(begin, from.offset)
      const records = await parquetReadObjects({ file, metadata, compressors, rowStart, rowEnd: end })
      for (const [i, record] of records.entries()) {
        const line = rowStart + i + 1
        yield new ParquetRow(columnsOf(record), `${path}:${line}`, { offset: line, line }, line / rows)
      }
    }
  } catch (error) {
    throw cannotRead(path, error)
  } finally {
    await handle?.close()
  }
}

class ParquetRow implements Row {
  constructor(
    readonly columns: Record<string, unknown>,
    readonly location: string,
    readonly next: Position,
    readonly fraction: number,
  ) {}

  get json(): string {
    return JSON.stringify(this.columns)
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat()
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start)
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
      if (bytesRead < bytes.length) throw new Error('the file is cut short')
      return bytes.buffer
    },
  }
}

/** Parquet has a null wherever a record lacks a column. */
function columnsOf(record: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, plain(value)]),
  )
}

/** A value as JSON can say it: integers of 64 bits that a number cannot hold become decimal text. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : String(value)
  if (Array.isArray(value) || ArrayBuffer.isView(value)) return Array.from(value as Iterable<unknown>, plain)
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(Object.entries(value).map(([name, field]) => [name, plain(field)]))
}

type ColumnType = 'STRING' | 'INT64' | 'DOUBLE' | 'BOOLEAN' | 'JSON'

interface Column {
  type: ColumnType
  /** Rows that have a value. */
  filled: number
}

/**
 * Replaces a file by the rows of a JSON Lines file as Parquet. Reads them twice: the types of all columns come first.
 * @throws {Error} naming the file that could not be read or written.
 */
export async function writeParquet(jsonl: string, path: string): Promise<void> {
  const columns = new Map<string, Column>()
  let rows = 0
  for await (const row of readJsonl(jsonl)) {
    rows += 1
    for (const [name, value] of Object.entries(row.columns)) {
      if (value === null) continue
      const column = columns.get(name)
      const type = typeOf(value)
      columns.set(name, { type: widest(column?.type ?? type, type), filled: (column?.filled ?? 0) + 1 })
    }
  }
  await replaceFile(path, (file) => writeGroups(jsonl, file.path, columns, rows))
}

async function writeGroups(jsonl: string, path: string, columns: Map<string, Column>, rows: number): Promise<void> {
  const writer = new ParquetWriter({ writer: fileWriter(path), schema: schemaOf(columns, rows) })
  const names = [...columns.keys()]
  const types = Array.from(columns.values(), ({ type }) => type)
  let group: unknown[][] = names.map(() => [])
  let size = 0
  let length = 0
  const flush = () => {
    writer.write({ columnData: names.map((name, i) => ({ name, data: group[i] as unknown[] })), rowGroupSize: size })
    group = names.map(() => [])
    size = 0
    length = 0
  }
  for await (const row of readJsonl(jsonl)) {
    for (const [i, name] of names.entries()) group[i]?.push(stored(row.columns[name], types[i]))
    size += 1
    length += row.json.length
    if (length >= GROUP_LENGTH) flush()
  }
  if (size > 0) flush()
  writer.finish()
}

function typeOf(value: unknown): ColumnType {
  switch (typeof value) {
    case 'string':
      return 'STRING'
    case 'boolean':
      return 'BOOLEAN'
    case 'number':
      return Number.isSafeInteger(value) ? 'INT64' : 'DOUBLE'
    default:
      return 'JSON'
  }
}

function widest(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a
  const numbers: ColumnType[] = ['INT64', 'DOUBLE']
  return numbers.includes(a) && numbers.includes(b) ? 'DOUBLE' : 'JSON'
}

function schemaOf(columns: Map<string, Column>, rows: number): SchemaElement[] {
  const leaves = Array.from(columns, ([name, { type, filled }]): SchemaElement => {
    const base = { name, repetition_type: filled === rows ? 'REQUIRED' : 'OPTIONAL' } as const
    if (type === 'STRING') return { ...base, type: 'BYTE_ARRAY', converted_type: 'UTF8' }
    if (type === 'JSON') return { ...base, type: 'BYTE_ARRAY', converted_type: 'JSON' }
    return { ...base, type }
  })
  return [{ name: 'root', num_children: leaves.length }, ...leaves]
}

/** A value as the writer takes it. */
function stored(value: unknown, type: ColumnType | undefined): unknown {
  if (value === null || value === undefined) return undefined
  return type === 'INT64' ? BigInt(value as number) : value
}
