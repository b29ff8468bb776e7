/** Records through files: both formats there and back, in odd pieces, and what is said of files that are broken. */
import { existsSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { parquetMetadata } from 'hyparquet'
import { describe, expect, it } from 'vitest'
import { LineWriter } from '../../lib/base/jsonl.js'
import { RecordWriter, readRecords, readRows } from '../../lib/data/io.js'
import { writeParquet } from '../../lib/data/parquet.js'
import type { TrajectoryRecord } from '../../lib/problems/record.js'
import { collect, jsonl, recordsOf, temporaryFolder, writeJsonl } from './files.js'

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
      expect(rest.map(({ columns, place }) => [columns, place])).toEqual(
        rows.slice(from + 1).map(({ columns, place }) => [columns, place]),
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

describe('JSON Lines', () => {
  it('is read across the borders of chunks, with blank lines, CRLF and a byte order mark', async () => {
    const records = recordsOf(300, 8000)
    const text = `\uFEFF${records.map((record) => JSON.stringify(record)).join('\r\n\n  \n')}`
    writeFileSync(path('chunks.jsonl'), text)
    expect(text.length).toBeGreaterThan(2 ** 21)
    expect(await collect(readRecords(path('chunks.jsonl')))).toEqual(records)
  })

  it('is unpacked, from any row on', async () => {
    const records = recordsOf(3000)
    writeFileSync(path('packed.jsonl.gz'), gzipSync(jsonl(records)))
    const rows = await collect(readRows(path('packed.jsonl.gz')))
    expect(rows.map(({ columns }) => columns)).toEqual(records)
    const rest = await collect(readRows(path('packed.jsonl.gz'), rows[1999]?.next))
    expect(rest.map(({ place }) => place)).toEqual(rows.slice(2000).map(({ place }) => place))
  })

  it('hands on the very line', async () => {
    const line = '{"id":1.0,"question":"\\u0041","big":12345678901234567890,  "response":"b"}'
    writeFileSync(path('very.jsonl'), `${line}\n`)
    expect((await collect(readRows(path('very.jsonl')))).map(({ json }) => json)).toEqual([line])
  })

  const good = JSON.stringify(odd[0])
  it.each([
    ['no JSON', `${good}\n\n{"id": \n`, /:3: not JSON/],
    ['a last line cut short', `${good}\n${good.slice(0, 20)}`, /:2: not JSON/],
    ['a list', `${good}\n[]\n`, /:2: expected a JSON object/],
    ['no UTF-8', Buffer.concat([Buffer.from(`${good}\n`), Buffer.from([0x22, 0xff, 0x22])]), /:2: not UTF-8/],
  ])('names the line that is %s', async (_name, content, message) => {
    writeFileSync(path('broken.jsonl'), content)
    await expect(collect(readRows(path('broken.jsonl')))).rejects.toThrow(message)
  })

  it('says that a packed file is cut short', async () => {
    const packed = gzipSync(jsonl(recordsOf(500)))
    writeFileSync(path('cut.jsonl.gz'), packed.subarray(0, packed.length / 2))
    await expect(collect(readRows(path('cut.jsonl.gz')))).rejects.toThrow(/Cannot read .*cut\.jsonl\.gz/)
  })

  it('is written on from where it is certain', async () => {
    writeFileSync(path('torn.jsonl'), '{"a":1}\n{"b":2}\n{"c"')
    const writer = await LineWriter.open(path('torn.jsonl'), 8)
    await writer.write('{"d":4}')
    await writer.flush()
    expect(writer.bytes).toBe(16)
    await writer.close()
    expect(readFileSync(path('torn.jsonl'), 'utf8')).toBe('{"a":1}\n{"d":4}\n')
  })

  it.skipIf(!existsSync('/dev/full'))('fails for good once a disk is full', async () => {
    const writer = await LineWriter.open('/dev/full')
    await writer.write('{}')
    await expect(writer.flush()).rejects.toThrow('Cannot write /dev/full: ENOSPC')
    await expect(writer.flush()).rejects.toThrow('Cannot write /dev/full: ENOSPC')
    await writer.close()
  })

  it('refuses names that tell no format, and writing packed files', async () => {
    expect(() => readRows('data.json')).toThrow(TypeError)
    await expect(RecordWriter.open(path('a.jsonl.gz'))).rejects.toThrow(TypeError)
  })
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
    expect(rest.map(({ place }) => place)).toEqual(rows.slice(1001).map(({ place }) => place))
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
    expect([existsSync(`${file}.partial`), existsSync(`${file}.partial.jsonl`)]).toEqual([false, false])
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
