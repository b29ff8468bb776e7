import { readFileSync, writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { writeParquet } from '../../lib/base/parquet.js'
import type { Item, Task } from '../../lib/eval/index.js'
import { heldout, jsonl } from '../../lib/eval/index.js'
import { generate } from '../../lib/problems/generate.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()
afterAll(() => {})

async function itemsOf(task: Task): Promise<Item[]> {
  const items = []
  for await (const item of task.items()) items.push(item)
  return items
}

describe('heldout', () => {
  it('takes the test split, evenly by family and difficulty', async () => {
    const items = await itemsOf(heldout({ count: 24, families: ['lists', 'letters'], difficulty: [2, 4] }))
    const counts = new Map<string, number>()
    for (const { groups } of items) {
      const kind = `${groups?.family} ${groups?.difficulty}`
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
    }
    expect([...counts].sort()).toEqual(
      ['letters 2', 'letters 3', 'letters 4', 'lists 2', 'lists 3', 'lists 4'].map((kind) => [kind, 4]),
    )
    const trained = new Set(
      [...generate({ seed: 0, count: 500, families: ['lists', 'letters'] })].map(({ question }) => question),
    )
    expect(items.filter(({ question }) => trained.has(question))).toEqual([])
  })

  it('asks nothing twice in other words, and as much of every kind as there is', async () => {
    const options = { seed: 1, families: ['numbers', 'arithmetic'], difficulty: [1, 1] as [number, number] }
    // The same numbers with the same answer are the same problem, but for the operation: read from the questions.
    const asked = ({ question, answer }: { question: string; answer?: string | undefined }) =>
      `${(question.match(/\d+/g) ?? []).sort()} ${answer}`
    const drawn = [...generate({ ...options, count: 60, split: 'test' })]
    expect(new Set(drawn.map(asked)).size).toBeLessThan(55)
    const items = await itemsOf(heldout({ ...options, count: 60 }))
    expect(new Set(items.map(({ id }) => id)).size).toBe(60)
    expect(new Set(items.map(asked)).size).toBeGreaterThan(55)
    expect(items.filter(({ groups }) => groups?.family === 'numbers')).toHaveLength(30)
    // Fewer where there are no more.
    const all = await itemsOf(heldout({ ...options, families: ['arithmetic'], count: 2000 }))
    expect(all.length).toBeLessThan(300)
  })

  it('puts the same problems in other words', async () => {
    const seen = await itemsOf(heldout({ count: 40, seed: 3 }))
    const unseen = await itemsOf(heldout({ count: 40, seed: 3, wordings: 'unseen' }))
    expect(unseen.map(({ question }) => question)).not.toEqual(seen.map(({ question }) => question))
    const questions = new Set([...generate({ seed: 3, count: 400, split: 'test' })].map(({ question }) => question))
    expect(seen.every(({ question }) => questions.has(question))).toBe(true)
    expect(unseen.filter(({ question }) => questions.has(question))).toEqual([])
  })

  it('is the same for the same seed, and not for another', async () => {
    const first = await itemsOf(heldout({ count: 12, seed: 3 }))
    expect(await itemsOf(heldout({ count: 12, seed: 3 }))).toEqual(first)
    expect(await itemsOf(heldout({ count: 12, seed: 4 }))).not.toEqual(first)
  })

  it('refuses problems without an answer', async () => {
    await expect(itemsOf(heldout({ count: 2, families: ['outside'] }))).rejects.toThrow(RangeError)
  })
})

describe('jsonl', () => {
  const write = (text: string) => {
    const file = folder('items.jsonl')
    writeFileSync(file, text)
    return file
  }

  it('reads lines', async () => {
    const file = write(
      '{"question":"1+1?","answer":2}\r\n\n{"id":7,"question":"a?","answer":"b","family":"f","difficulty":3,"x":1}',
    )
    expect(await itemsOf(jsonl({ file }))).toEqual([
      { id: '1', question: '1+1?', answer: '2' },
      { id: '7', question: 'a?', answer: 'b', groups: { family: 'f', difficulty: 3 } },
    ])
    expect(await itemsOf(jsonl({ file, count: 1 }))).toHaveLength(1)
  })

  it('reads packed files and Parquet alike', async () => {
    const file = write(
      '{"question":"1+1?","answer":2}\n\n{"id":7,"question":"a?","answer":"b","family":"f","difficulty":3}\n',
    )
    const items = await itemsOf(jsonl({ file }))
    expect(items.map(({ id }) => id)).toEqual(['1', '7'])
    const [packed, parquet] = [folder('items.jsonl.gz'), folder('items.parquet')]
    writeFileSync(packed, gzipSync(readFileSync(file)))
    expect(await itemsOf(jsonl({ file: packed }))).toEqual(items)
    await writeParquet(file, parquet)
    // Where there is no id, it is the number of the row.
    expect(await itemsOf(jsonl({ file: parquet }))).toEqual(items)
  })

  it('keeps long integers, and takes no byte-order mark for text', async () => {
    const file = write('\uFEFF{"id":12345678901234567890,"question":"?","answer":98765432109876543210}\n')
    const items = [{ id: '12345678901234567890', question: '?', answer: '98765432109876543210' }]
    expect(await itemsOf(jsonl({ file }))).toEqual(items)
  })

  it('takes files of any other name for JSON Lines, and reads no further than it is told', async () => {
    const file = folder('items.txt')
    writeFileSync(file, '{"question":"1+1?","answer":2}\nnonsense\n')
    expect(await itemsOf(jsonl({ file, count: 1 }))).toEqual([{ id: '1', question: '1+1?', answer: '2' }])
  })

  it('takes any other groups', async () => {
    const file = write(
      '{"question":"?","answer":"b","family":"f","groups":{"source":"web","year":2024}}\n' +
        '{"question":"?","answer":"b","groups":{}}\n',
    )
    expect((await itemsOf(jsonl({ file }))).map(({ groups }) => groups)).toEqual([
      { family: 'f', source: 'web', year: 2024 },
      undefined,
    ])
  })

  it.each([
    ['Natalia sold 48/2 = <<48/2=24>>24 clips in May.\nShe sold 48+24 = <<48+24=72>>72 clips.\n#### 72', '72'],
    ['It is 1,000 in all.\r\n#### 1,000\r\n', '1,000'],
    ['#### -5', '-5'],
    ['It is #### here, and no more', 'It is #### here, and no more'],
    [72, '72'],
    [0.5, '0.5'],
    ['\\frac{1}{2}', '\\frac{1}{2}'],
  ])('of an answer that is worked out takes what stands after its ####: %j', async (answer, gold) => {
    const file = write(JSON.stringify({ question: '?', answer }))
    expect((await itemsOf(jsonl({ file }))).map(({ answer }) => answer)).toEqual([gold])
  })

  it('reads problem for question', async () => {
    const file = write('{"problem":"1+1?","answer":2}\n{"question":"2+2?","problem":"no","answer":4}')
    expect((await itemsOf(jsonl({ file }))).map(({ question }) => question)).toEqual(['1+1?', '2+2?'])
  })

  it('takes null for nothing', async () => {
    const file = write(
      '{"id":null,"question":null,"problem":"?","answer":"b","family":null,"difficulty":null,"groups":null}\n' +
        '{"id":null,"question":"?","answer":"b","family":"f","groups":{"source":null,"year":1}}\n',
    )
    expect(await itemsOf(jsonl({ file }))).toEqual([
      { id: '1', question: '?', answer: 'b' },
      { id: '2', question: '?', answer: 'b', groups: { family: 'f', year: 1 } },
    ])
  })

  it('refuses bytes that are no UTF-8, as data does', async () => {
    const file = write('')
    writeFileSync(file, Buffer.from('{"question":"caf\xe9","answer":"b"}\n', 'latin1'))
    await expect(itemsOf(jsonl({ file }))).rejects.toThrow(`${file}:1: not UTF-8`)
  })

  it.each([
    ['not JSON', '{"question":'],
    ['no object', '5'],
    ['no question', '{"answer":"2"}'],
    ['no answer', '{"question":"?"}'],
    ['an empty answer', '{"question":"?","answer":" "}'],
    ['a family that is no text', '{"question":"?","answer":"2","family":3}'],
    ['a difficulty that is no number', '{"question":"?","answer":"2","difficulty":"3"}'],
    ['groups that are no object', '{"question":"?","answer":"2","groups":["a"]}'],
    ['a group that is neither text nor number', '{"question":"?","answer":"2","groups":{"a":true}}'],
  ])('names the line with %s', async (_what, line) => {
    const file = write(`{"question":"?","answer":"1"}\n${line}\n`)
    await expect(itemsOf(jsonl({ file }))).rejects.toThrow(`${file}:2: `)
  })

  it('fails where there is no file', async () => {
    await expect(itemsOf(jsonl({ file: folder('none.jsonl') }))).rejects.toThrow('ENOENT')
  })
})
