/** JSON Lines: read in odd pieces, from any line on, and what is said of files that are broken; logs that go on. */

import { spawnSync } from 'node:child_process'
import { existsSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { readRows } from '../../lib/base/formats.js'
import { AppendLog, readJsonl, readLog } from '../../lib/base/jsonl.js'
import { recordsOf } from '../data/records.js'
import { temporaryFolder } from '../support/folder.js'
import { collect, jsonl } from '../support/lines.js'

const path = temporaryFolder()

describe('JSON Lines', () => {
  it('is read across the borders of chunks, with blank lines, CRLF and a byte order mark', async () => {
    const records = recordsOf(300, 8000)
    const text = `\uFEFF${records.map((record) => JSON.stringify(record)).join('\r\n\n  \n')}`
    writeFileSync(path('chunks.jsonl'), text)
    expect(text.length).toBeGreaterThan(2 ** 21)
    expect((await collect(readJsonl(path('chunks.jsonl')))).map(({ columns }) => columns)).toEqual(records)
  })

  it('is unpacked, from any row on', async () => {
    const records = recordsOf(3000)
    writeFileSync(path('packed.jsonl.gz'), gzipSync(jsonl(records)))
    const rows = await collect(readJsonl(path('packed.jsonl.gz')))
    expect(rows.map(({ columns }) => columns)).toEqual(records)
    const rest = await collect(readJsonl(path('packed.jsonl.gz'), rows[1999]?.next))
    expect(rest.map(({ location }) => location)).toEqual(rows.slice(2000).map(({ location }) => location))
  })

  it('hands on the very line', async () => {
    const line = '{"id":1.0,"question":"\\u0041","big":12345678901234567890,  "response":"b"}'
    writeFileSync(path('very.jsonl'), `${line}\n`)
    expect((await collect(readJsonl(path('very.jsonl')))).map(({ json }) => json)).toEqual([line])
  })

  it.each([
    ['an id of 20 digits', '{"id":12345678901234567890}', { id: '12345678901234567890' }],
    [
      'the first that a number rounds',
      '{"a":9007199254740993,"b":-9007199254740993}',
      { a: '9007199254740993', b: '-9007199254740993' },
    ],
    ['one within lists and objects', '{"a":[{"b":98765432109876543210}]}', { a: [{ b: '98765432109876543210' }] }],
    [
      'beside numbers that are exact',
      '{"a":9007199254740991,"b":0.1234567890123456789,"c":12345678901234567e3,"d":-0,"e":12345678901234567890}',
      {
        a: 9007199254740991,
        b: Number('0.1234567890123456789'),
        c: Number('12345678901234567e3'),
        d: -0,
        e: '12345678901234567890',
      },
    ],
    [
      'digits of a text',
      '{"a":"12345678901234567890 \\"12345678901234567890"}',
      { a: '12345678901234567890 "12345678901234567890' },
    ],
    ['the last of equal names', '{"a":1,"a":12345678901234567890,"a":2}', { a: 2 }],
  ])('keeps integers that no number holds: %s', async (_name, line, columns) => {
    writeFileSync(path('long.jsonl'), line)
    expect((await collect(readJsonl(path('long.jsonl'))))[0]?.columns).toEqual(columns)
  })

  const good = JSON.stringify({ id: 'a', question: '  "quoted"\n\ttabs ', response: '\u2028 𝕏 \0 \\' })
  it.each([
    ['no JSON', `${good}\n\n{"id": \n`, /:3: not JSON/],
    ['a last line cut short', `${good}\n${good.slice(0, 20)}`, /:2: not JSON/],
    ['a list', `${good}\n[]\n`, /:2: expected a JSON object/],
    ['no UTF-8', Buffer.concat([Buffer.from(`${good}\n`), Buffer.from([0x22, 0xff, 0x22])]), /:2: not UTF-8/],
    ['UTF-16', Buffer.from(`\uFEFF${good}\n`, 'utf16le'), /:1: UTF-16, and not UTF-8/],
    ['UTF-16 without a mark', Buffer.from(`${good}\n`, 'utf16le'), /:1: bytes of 0, as UTF-16 has, and not UTF-8/],
  ])('names the line that is %s', async (_name, content, message) => {
    writeFileSync(path('broken.jsonl'), content)
    await expect(collect(readJsonl(path('broken.jsonl')))).rejects.toThrow(message)
  })

  it('is read as text when it is unpacked, too', async () => {
    writeFileSync(path('marked.jsonl.gz'), gzipSync('\uFEFF{"a":1}\n\uFEFF{"a":2}\n'))
    const rows = await collect(readJsonl(path('marked.jsonl.gz')))
    expect(rows.map(({ json }) => json)).toEqual(['{"a":1}', '{"a":2}'])
    writeFileSync(path('wide.jsonl.gz'), gzipSync(Buffer.from('{"a":1}\n', 'utf16le')))
    await expect(collect(readJsonl(path('wide.jsonl.gz')))).rejects.toThrow(/wide\.jsonl\.gz:1: bytes of 0/)
  })

  it.runIf(existsSync('/dev/zero'))('is not read from what is no file', async () => {
    for (const name of ['endless.jsonl', 'endless.jsonl.gz', 'endless.parquet']) {
      symlinkSync('/dev/zero', path(name))
      await expect(collect(readRows(path(name)))).rejects.toThrow(`Cannot read ${path(name)}: not a regular file`)
      rmSync(path(name))
      spawnSync('mkfifo', [path(name)])
      await expect(collect(readRows(path(name)))).rejects.toThrow(`Cannot read ${path(name)}: not a regular file`)
    }
  })

  it('says that a packed file is cut short', async () => {
    const packed = gzipSync(jsonl(recordsOf(500)))
    writeFileSync(path('cut.jsonl.gz'), packed.subarray(0, packed.length / 2))
    await expect(collect(readJsonl(path('cut.jsonl.gz')))).rejects.toThrow(/Cannot read .*cut\.jsonl\.gz/)
  })
})

describe('AppendLog', () => {
  it('is written on from where it is certain', async () => {
    writeFileSync(path('torn.jsonl'), '{"a":1}\n{"b":2}\n{"c"')
    const writer = await AppendLog.open(path('torn.jsonl'), 8)
    await writer.append('{"d":4}')
    await writer.flush()
    expect(writer.bytes).toBe(16)
    await writer.close()
    expect(readFileSync(path('torn.jsonl'), 'utf8')).toBe('{"a":1}\n{"d":4}\n')
  })

  it('leaves alone what is linked to its name', async () => {
    const [precious, hard, soft] = [path('precious.jsonl'), path('hard.jsonl'), path('soft.jsonl')]
    writeFileSync(precious, '{"a":1}\n')
    linkSync(precious, hard)
    symlinkSync(precious, soft)
    for (const name of [hard, soft]) {
      const writer = await AppendLog.open(name)
      await writer.append('{"z":26}')
      await writer.flush()
      await writer.close()
      expect([readFileSync(precious, 'utf8'), readFileSync(name, 'utf8')]).toEqual(['{"a":1}\n', '{"z":26}\n'])
    }
    symlinkSync(precious, path('again.jsonl'))
    await expect(AppendLog.open(path('again.jsonl'), 4)).rejects.toThrow('ELOOP')
    expect(readFileSync(precious, 'utf8')).toBe('{"a":1}\n')
  })

  it.skipIf(!existsSync('/dev/full'))('fails for good once a disk is full', async () => {
    const writer = await AppendLog.open('/dev/full')
    await writer.append('{}')
    await expect(writer.flush()).rejects.toThrow('Cannot write /dev/full: ENOSPC')
    await expect(writer.flush()).rejects.toThrow('Cannot write /dev/full: ENOSPC')
    await writer.close()
  })

  it.each([
    ['nothing', '', ''],
    ['whole lines', '{"a":1}\n{"b":2}\n', '{"a":1}\n{"b":2}\n'],
    ['a torn line', '{"a":1}\n{"b":2}', '{"a":1}\n'],
    ['a torn line alone', '{"a":1}', ''],
    ['a torn line longer than what is read at once', `{"a":1}\n${'x'.repeat(200_000)}`, '{"a":1}\n'],
  ])('resumes after the last line feed of %s, as its reader does', async (_name, content, kept) => {
    const file = path('resumed.jsonl')
    writeFileSync(file, content)
    const rows = await collect(readLog(file))
    expect(rows.map(({ json }) => `${json}\n`).join('')).toBe(kept)
    const log = await AppendLog.resume(file)
    expect(log.bytes).toBe(kept.length)
    await log.append('{"z":26}')
    await log.flush()
    await log.close()
    expect(readFileSync(file, 'utf8')).toBe(`${kept}{"z":26}\n`)
  })

  it('creates the file that it resumes', async () => {
    const log = await AppendLog.resume(path('new.jsonl'))
    await log.close()
    expect(readFileSync(path('new.jsonl'), 'utf8')).toBe('')
  })

  it('keeps lines whole and in order that are appended at the same time', async () => {
    const log = await AppendLog.open(path('parallel.jsonl'))
    const records = Array.from({ length: 200 }, (_, i) => ({ i, text: 'é'.repeat(i * 100) }))
    const append = async (record: object) => {
      await log.append(JSON.stringify(record))
      await log.flush()
    }
    await Promise.all(records.map(append))
    await log.close()
    expect(readFileSync(path('parallel.jsonl'), 'utf8')).toBe(jsonl(records))
    expect(log.bytes).toBe(Buffer.byteLength(jsonl(records)))
  })
})
