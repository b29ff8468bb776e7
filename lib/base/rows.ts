/** A row of a data file, whatever its format: its columns, where it stands, and where the next one begins. */
import { basename } from 'node:path'
import { oneLine } from './one-line.js'

/** Where in a file a row begins. */
export interface Position {
  /** JSON Lines: bytes before it (unpacked, if the file is packed). Parquet: rows before it. */
  offset: number
  /** Lines, or rows, before it. */
  line: number
}

export const START: Position = { offset: 0, line: 0 }

export interface Row {
  columns: Record<string, unknown>
  /** The columns as JSON on one line; of JSON Lines the very line, so that what is passed on is not altered. */
  readonly json: string
  /** File and line (Parquet: row), from 1, for messages. */
  location: string
  next: Position
  /** Share of the file that was read with this row, 0 … 1; 0 if its size is not known. */
  fraction: number
}

/** Text of a column. @throws {Error} naming the location if it is absent, blank or not text. */
export function textOf({ columns, location }: Row, name: string): string {
  const value = columns[name]
  if (typeof value === 'string' && value.trim() !== '') return value
  throw new Error(oneLine(`${location}: expected text in ${name} but found ${describe(value)}`))
}

/** Integer ≥ 0 in a column. @throws {Error} naming the location if there is none. */
export function countOf({ columns, location }: Row, name: string): number {
  const value = columns[name]
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number
  throw new Error(oneLine(`${location}: expected an integer ≥ 0 in ${name} but found ${describe(value)}`))
}

/** The text or number in a column, as text; undefined if it is absent, blank or neither. */
export function scalarOf({ columns }: Row, name: string): string | undefined {
  const value = columns[name]
  if (typeof value === 'number') return String(value)
  return typeof value === 'string' && value.trim() !== '' ? value : undefined
}

/** What a row is called by a column; where that says nothing, by its file and number. */
export function idOf(row: Row, name = 'id'): string {
  return scalarOf(row, name) ?? basename(row.location).replace(/[:\s]+/g, '-')
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return 'nothing'
  if (typeof value === 'string' && value.trim() === '') return 'blank text'
  const json = JSON.stringify(value) ?? String(value)
  return json.length > 60 ? `${json.slice(0, 60)}…` : json
}
