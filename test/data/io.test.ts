/** Records through files: both formats there and back, in odd pieces, and what is said of files that are broken. */
import { readdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { readRows } from '../../lib/base/formats.js'
import { writeParquet } from '../../lib/base/parquet.js'
import { RecordWriter, readRecords } from '../../lib/data/io.js'
import type { TrajectoryRecord } from '../../lib/problems/record.js'
import { temporaryFolder } from '../support/folder.js'
import { collect, jsonl, writeJsonl } from '../support/lines.js'
import { recordsOf } from './records.js'

const path = temporaryFolder()

async function write(file: string, records: readonly TrajectoryRecord[]): Promise<string> {
  const writer = await RecordWriter.open(file)
  for (const record of records) await writer.write(record)
  await writer.close()
  return file
}

const odd = [
  { id: 'a', question: '  "quoted"\n\ttabs ', response: '\u2028 𝕏 \0 \\', token_num_qwen: 0 },
  { id: 'b', question: 'ü', response: '日本語', token_num_qwen: 2 ** 53 - 1, answer: '1', family: 'f', difficulty: 3 },
]

describe.each(['jsonl', 'parquet'])('%s', (format) => {
  it('gives back what was written', async () => {
    const records = [...odd, ...recordsOf(3000)]
    const file = await write(path(`round.${format}`), records)
    expect(await collect(readRecords(file))).toEqual(records)
  })

  it('keeps columns that it does not know, of any type', async () => {
    const more = { tags: ['x', 'y'], nested: { a: [1, { b: null }] }, flag: false, score: 0.5, mixed: 1 }
    const records = [{ ...odd[0], ...more, mixed: 'one' }, odd[1], { ...odd[1], ...more }] as TrajectoryRecord[]
    expect(await collect(readRecords(await write(path(`columns.${format}`), records)))).toEqual(records)
  })

  it('holds no records', async () => {
    expect(await collect(readRecords(await write(path(`none.${format}`), [])))).toEqual([])
  })

  it('begins at any row', async () => {
    const records = recordsOf(50)
    const file = await write(path(`any.${format}`), records)
    const rows = await collect(readRows(file))
    for (const from of [0, 1, 24, 49]) {
      const rest = await collect(readRows(file, rows[from]?.next))
      expect(rest.map(({ columns, location }) => [columns, location])).toEqual(
        rows.slice(from + 1).map(({ columns, location }) => [columns, location]),
      )
    }
  })

  it('is read one file after another', async () => {
    const [a, b] = [recordsOf(3), recordsOf(5)]
    const files = [await write(path(`one.${format}`), a), await write(path(`two.${format}`), b)]
    expect(await collect(readRecords(files))).toEqual([...a, ...b])
  })

  it('says what is wrong with a row that is no record', async () => {
    const file = await write(path(`bad.${format}`), [odd[0], { ...odd[1], token_num_qwen: -1 }] as TrajectoryRecord[])
    await expect(collect(readRecords(file))).rejects.toThrow(`${file}:2: expected an integer ≥ 0 in token_num_qwen`)
  })

  it('says that there is no such file', async () => {
    const file = path(`absent.${format}`)
    await expect(collect(readRecords(file))).rejects.toThrow(`Cannot read ${file}: ENOENT`)
  })
})

it('refuses names that tell no format, and writing packed files', async () => {
  expect(() => readRows('data.json')).toThrow(TypeError)
  await expect(RecordWriter.open(path('a.jsonl.gz'))).rejects.toThrow(TypeError)
})

describe('Parquet', () => {
  it('is written in several row groups', async () => {
    const records = recordsOf(1200, 16_000)
    const file = await write(path('groups.parquet'), records)
    const bytes = readFileSync(file)
    const metadata = parquetMetadata(new Uint8Array(bytes).buffer)
    expect(metadata.row_groups.length).toBeGreaterThan(2)
    expect(metadata.schema.map(({ name, type }) => [name, type])).toEqual([
      ['root', undefined],
      ['id', 'BYTE_ARRAY'],
      ['question', 'BYTE_ARRAY'],
      ['response', 'BYTE_ARRAY'],
      ['token_num_qwen', 'INT64'],
    ])
    const rows = await collect(readRows(file))
    expect(rows.map(({ columns }) => columns)).toEqual(records)
    const rest = await collect(readRows(file, rows[1000]?.next))
    expect(rest.map(({ location }) => location)).toEqual(rows.slice(1001).map(({ location }) => location))
  })

  it('is read as pyarrow 26 writes it: Zstandard, groups of two rows, lists of structs, dictionaries, nulls', async () => {
    const file = fileURLToPath(new URL('fixtures/pyarrow.parquet', import.meta.url))
    const rows = await collect(readRows(file))
    const when = new Date('2025-01-01')
    const turns = (i: number) => [
      { from: 'user', value: `Q${i}` },
      { from: 'assistant', value: '<|begin_of_thought|>A<|end_of_thought|>C' },
    ]
    expect(rows.map(({ columns }) => columns)).toEqual([
      { id: String(2n ** 60n + 1n), conversations: turns(0), when, score: 0.5, cat: 'x' },
      { id: 2, conversations: turns(1), when, cat: 'y' },
      { id: 3, conversations: turns(2), when, score: 1.5, cat: 'x' },
    ])
  })

  it('leaves nothing else behind', async () => {
    const file = await write(path('alone.parquet'), recordsOf(3))
    expect(readdirSync(path()).filter((name) => name.startsWith('alone'))).toEqual([basename(file)])
  })

  it('does not come to be if it cannot be completed', async () => {
    const lines = writeJsonl(path('lines.jsonl'), recordsOf(3))
    await expect(writeParquet(lines, path('no/such/folder.parquet'))).rejects.toThrow('Cannot write')
    writeFileSync(lines, `${jsonl(recordsOf(2))}{"torn"`)
    await expect(writeParquet(lines, path('torn.parquet'))).rejects.toThrow(':3: not JSON')
  })

  it.each([
    ['is cut short', (bytes: number) => bytes - 20],
    ['is empty', () => 0],
  ])('says that a file %s', async (_name, length) => {
    const file = await write(path('damaged.parquet'), recordsOf(100))
    truncateSync(file, length(readFileSync(file).length))
    await expect(collect(readRows(file))).rejects.toThrow(`Cannot read ${file}: `)
  })
})
