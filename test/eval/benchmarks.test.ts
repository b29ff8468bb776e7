/** The formats of published benchmarks, in rows written for the tests, and parts of a task's items. */
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  aime24,
  amc23,
  type BenchmarkOptions,
  gpqaDiamond,
  gsm8k,
  type Item,
  math500,
  selectItems,
  type Task,
} from '../../lib/eval/index.js'
import type { ReasonResult } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()

const boxed = 'Please reason step by step, and put your final answer within \\boxed{}.'

async function itemsOf(task: Task): Promise<Item[]> {
  const items = []
  for await (const item of task.items()) items.push(item)
  return items
}

function taskOf(make: (options: BenchmarkOptions) => Task, ...rows: object[]): Task {
  const file = folder(`${rows.length}-${Math.random()}.jsonl`)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return make({ file })
}

const says = (finalAnswer: string | null) => ({ finalAnswer }) as ReasonResult

describe('math500', () => {
  const row = { problem: 'What is $1+1$?', answer: '2', subject: 'Algebra', level: 1, unique_id: 'test/algebra/1.json' }

  it('reads problems, with subject and level as groups', async () => {
    const task = taskOf(math500, row)
    const [item] = await itemsOf(task)
    expect(item).toEqual({
      id: 'test/algebra/1.json',
      question: 'What is $1+1$?',
      answer: '2',
      groups: { subject: 'Algebra', level: 1 },
    })
    expect(task.prompt(item as Item)).toEqual({
      messages: [{ role: 'user', content: 'What is $1+1$?' }],
      system: boxed,
    })
    expect(await task.grade(item as Item, says('2.0'))).toEqual({ correct: true, extracted: '2.0' })
    expect(await task.grade(item as Item, says(null))).toEqual({ correct: false, extracted: null })
  })

  it.each([
    [{ ...row, level: 'hard' }, 'Expected an integer for level'],
    [{ ...row, answer: null }, 'Expected a text for answer'],
    [{ ...row, unique_id: undefined }, 'Expected a text for unique_id'],
  ])('names the line that is wrong: %j', async (wrong, sentence) => {
    await expect(itemsOf(taskOf(math500, row, wrong))).rejects.toThrow(`jsonl:2: ${sentence}`)
  })
})

describe('gsm8k', () => {
  it('takes what stands after the last ####', async () => {
    const rows = [
      { question: 'q', answer: '48/2 = <<48/2=24>>24 clips.\n#### 72' },
      { question: 'r', answer: 'x\n#### 1,000\n' },
    ]
    expect(await itemsOf(taskOf(gsm8k, ...rows))).toEqual([
      { id: '1', question: 'q', answer: '72' },
      { id: '2', question: 'r', answer: '1,000' },
    ])
    await expect(itemsOf(taskOf(gsm8k, { question: 'q', answer: '72' }))).rejects.toThrow(
      'Expected a solution that ends in #### and a value for answer',
    )
  })
})

describe.each([
  ['aime24', aime24],
  ['amc23', amc23],
])('%s', (name, make) => {
  it('reads problems with whole numbers for ids and answers', async () => {
    const task = taskOf(
      make,
      { id: 60, problem: 'p', answer: '204' },
      { id: 61, problem: 'q', question: '-', answer: 27 },
    )
    expect(task.name).toBe(name)
    expect(await itemsOf(task)).toEqual([
      { id: '60', question: 'p', answer: '204' },
      { id: '61', question: 'q', answer: '27' },
    ])
  })
})

describe('gpqa-diamond', () => {
  const rows = Array.from({ length: 200 }, (_, id) => ({
    id,
    question: `Question ${id}?\n`,
    options: ['right', 'wrong 1', 'wrong 2', 'wrong 3'],
  }))

  it('shows the choices in an order of the item, and knows the letter of the first', async () => {
    const items = await itemsOf(taskOf(gpqaDiamond, ...rows))
    for (const { id, question, answer } of items) {
      const lines = question.split('\n')
      expect(lines.slice(0, 2)).toEqual([`Question ${id}?`, ''])
      expect(lines).toHaveLength(6)
      expect(lines).toContain(`${answer}. right`)
      expect(new Set(lines.slice(2).map((line) => line.slice(3)))).toEqual(new Set(rows[0]?.options))
    }
    // By chance 50 each; five standard deviations are 31.
    for (const letter of ['A', 'B', 'C', 'D']) {
      const share = items.filter(({ answer }) => answer === letter).length
      expect(share).toBeGreaterThan(19)
      expect(share).toBeLessThan(81)
    }
  })

  it('shows an item alone as it does among others', async () => {
    const items = await itemsOf(taskOf(gpqaDiamond, ...rows))
    expect(await itemsOf(taskOf(gpqaDiamond, rows[7] as object))).toEqual([items[7]])
  })

  it('is graded by the letter', async () => {
    const task = taskOf(gpqaDiamond, rows[0] as object)
    const [item] = await itemsOf(task)
    const { answer } = item as Item
    const other = answer === 'A' ? 'B' : 'A'
    expect(await task.grade(item as Item, says(`${answer}. right`))).toMatchObject({ correct: true })
    expect(await task.grade(item as Item, says(`(${answer})`))).toMatchObject({ correct: true })
    expect(await task.grade(item as Item, says(other))).toMatchObject({ correct: false })
  })

  it('has four choices', async () => {
    const row = { id: 'x', question: 'q', options: ['a', 'b', 'c'] }
    await expect(itemsOf(taskOf(gpqaDiamond, row))).rejects.toThrow('Expected 4 texts for options')
  })
})

describe('selectItems', () => {
  const rows = Array.from({ length: 60 }, (_, i) => ({
    problem: `p${i}`,
    answer: '1',
    subject: ['Algebra', 'Geometry', 'Number Theory'][i % 3],
    level: 1 + (i % 5),
    unique_id: `${i}`,
  }))
  const all = () => taskOf(math500, ...rows)

  it('keeps the items of groups', async () => {
    const geometry = await itemsOf(selectItems(all(), { filter: { subject: ['Geometry'], level: { min: 1, max: 3 } } }))
    const expected = rows.filter(({ subject, level }) => subject === 'Geometry' && level <= 3)
    expect(geometry.map(({ id }) => id)).toEqual(expected.map((row) => row.unique_id))
    const both = await itemsOf(selectItems(all(), { filter: { subject: ['Algebra', 'Geometry'], level: ['2'] } }))
    expect(both).toHaveLength(8)
  })

  it('draws a sample with the seed, in the order of the task', async () => {
    const ids = async (seed: number, limit = 10) =>
      (await itemsOf(selectItems(all(), { limit, seed }))).map(({ id }) => Number(id))
    const first = await ids(1)
    expect(first).toHaveLength(10)
    expect(first).toEqual([...first].sort((a, b) => a - b))
    expect(await ids(1)).toEqual(first)
    expect(await ids(2)).not.toEqual(first)
    expect(await ids(1, 100)).toEqual(rows.map((_, i) => i))
  })

  it('names the groups there are', async () => {
    await expect(itemsOf(selectItems(all(), { filter: { topic: ['x'] } }))).rejects.toThrow(
      new RangeError('The task math500 has no group topic: it has subject, level'),
    )
  })
})
