/** Duplicates, near duplicates and contamination: planted ones are found, and nothing else. */
import { describe, expect, it } from 'vitest'
import { clean } from '../../lib/data/clean.js'
import { MinHashIndex } from '../../lib/data/minhash.js'
import { OverlapIndex } from '../../lib/data/overlap.js'
import { temporaryFolder } from '../support/folder.js'
import { readLines, writeJsonl } from '../support/lines.js'
import { Random } from '../support/random.js'

const path = temporaryFolder()

/** Words that no other text has. */
function texts(count: number, length: number): string[][] {
  const random = new Random(5, 'texts')
  return Array.from({ length: count }, () => Array.from({ length }, () => `w${random.uint32()}`))
}

/** Jaccard's index of the sets of word runs, by the definition. */
function jaccard(a: string[], b: string[], n = 3): number {
  const runs = (words: string[]) => new Set(words.slice(n - 1).map((_, i) => words.slice(i, i + n).join(' ')))
  const [x, y] = [runs(a), runs(b)]
  const common = [...x].filter((run) => y.has(run)).length
  return common / (x.size + y.size - common)
}

/** The text with every word from `from` on another one. */
function altered(words: string[], from: number): string[] {
  return words.map((word, i) => (i < from ? word : `${word}x`))
}

describe('MinHashIndex', () => {
  it('estimates similarity within the error that a signature of its size has', () => {
    const index = new MinHashIndex()
    for (const [i, words] of texts(20, 100).entries()) {
      const other = altered(words, 5 * i)
      const [a, b] = [index.signatureOf(words.join(' ')), index.signatureOf(other.join(' '))]
      const estimate = a.filter((value, at) => value === b[at]).length / a.length
      // 4.5 standard deviations of 0.5 / √128 at most.
      expect(Math.abs(estimate - jaccard(words, other))).toBeLessThan(0.2)
    }
  })

  it('finds each of 300 planted copies among 3,000 texts, and which it is', () => {
    const index = new MinHashIndex()
    const all = texts(3000, 40)
    for (const words of all) index.add(index.signatureOf(words.join(' ')))
    for (let i = 0; i < 3000; i += 10) {
      const copy = [...all[i]!, 'and', 'more']
      expect(jaccard(all[i]!, copy)).toBeGreaterThan(0.9)
      expect(index.find(index.signatureOf(copy.join(' ')))).toBe(i)
    }
  })

  it('finds nothing where half of the words are others', () => {
    const index = new MinHashIndex()
    const all = texts(2000, 40)
    for (const words of all) index.add(index.signatureOf(words.join(' ')))
    const found = all.filter((words) => index.find(index.signatureOf(altered(words, 20).join(' '))) >= 0)
    expect(found).toEqual([])
  })

  it('goes by its threshold', () => {
    const words = texts(1, 200)[0]!
    const similar = altered(words, 150).join(' ')
    // 148 common runs of 248.
    for (const [threshold, found] of [
      [0.4, 0],
      [0.8, -1],
    ] as const) {
      const index = new MinHashIndex({ threshold })
      index.add(index.signatureOf(words.join(' ')))
      expect(index.find(index.signatureOf(similar))).toBe(found)
    }
  })

  const apples =
    'Tom has 12 red apples and buys 35 more at the market near his school. How many apples does he have now?'
  it.each([
    ['a number', '35', '53'],
    ['all numbers', /\d+/g, '7'],
    ['its sign', '35', '-35'],
    ['a decimal', '35', '3.5'],
    ['a number that was a word', '35', 'seventy'],
  ])('takes for another one a problem that differs in %s', (_name, from, to) => {
    const index = new MinHashIndex({ threshold: 0.1 })
    index.add(index.signatureOf(apples))
    expect(index.find(index.signatureOf(apples.replace(from, to)))).toBe(-1)
  })

  it.each([
    ['in other words', apples, apples.replace('his school', 'the school')],
    ['with numbers in other forms', apples.replace('12', '1,000'), apples.replace('12', '1000')],
    ['with numbers as words', apples.replace('12', '3'), apples.replace('12', 'three')],
    [
      'in Chinese',
      '小明在学校附近的市场上先买了十二个红苹果，后来又买了三十五个青苹果，请问他现在一共有多少个苹果？',
      '小明在学校附近的市场上先买了十二个红苹果，后来又买了三十五个青苹果，那么他现在一共有多少个苹果？',
    ],
    [
      'in Thai',
      'สมชายมีแอปเปิ้ลสีแดง 12 ลูก และซื้อเพิ่มอีก 35 ลูกที่ตลาดใกล้โรงเรียนของเขา ตอนนี้เขามีแอปเปิ้ลทั้งหมดกี่ลูก',
      'สมชายมีแอปเปิ้ลสีเขียว 12 ลูก และซื้อเพิ่มอีก 35 ลูกที่ตลาดใกล้โรงเรียนของเขา ตอนนี้เขามีแอปเปิ้ลทั้งหมดกี่ลูก',
    ],
  ])('finds the same problem %s', (_name, text, other) => {
    const index = new MinHashIndex({ threshold: 0.6 })
    index.add(index.signatureOf(text))
    expect(index.find(index.signatureOf(other))).toBe(0)
  })

  it('takes for another one a problem in Chinese that differs in a number', () => {
    const index = new MinHashIndex({ threshold: 0.1 })
    const text = '小明先买了三个红苹果，后来又买了五个青苹果，请问他现在一共有多少个苹果？'
    index.add(index.signatureOf(text))
    expect(index.find(index.signatureOf(text.replace('五', '六')))).toBe(-1)
  })

  it.each([{ threshold: 0 }, { threshold: 1.1 }, { runLength: 0 }])('refuses %o', (options) => {
    expect(() => new MinHashIndex(options)).toThrow(RangeError)
  })
})

describe('OverlapIndex', () => {
  const long = 'A train leaves at nine and runs for three hours; when does it arrive, and how far did it go?'
  const index = new OverlapIndex()
  for (const question of [long, 'How many primes are below 100?', 'Why?', '2 + 2 = ?']) index.add(question)

  it.each([
    ['the same, in other case, spacing and form', `  ${long.toUpperCase().replaceAll(' ', '\n')}`],
    ['13 words in a row of a long one', `Once more: ${long.split(' ').slice(2, 16).join(' – ')}! Thanks.`],
    ['a short one, whole, in other text', 'Say: how many primes are below 100? And why is that so, do you think?'],
    ['a very short one, as it is', 'why?'],
    ['signs that stand apart', '2 + 2 = ?'],
  ])('has %s', (_name, question) => {
    expect(index.has(question)).toBe(true)
  })

  it.each([
    ['12 words in a row', long.split(' ').slice(2, 14).join(' ')],
    ['13 words, one of them another', long.split(' ').slice(2, 16).join(' ').replace('three', 'four')],
    ['a part of a short one', 'How many primes are below 1000?'],
    ['a very short one within other text', 'Why? And 2 - 2 = ?'],
    ['nothing', ''],
  ])('has not %s', (_name, question) => {
    expect(index.has(question)).toBe(false)
  })

  const chinese = '鸡和兔子关在同一个笼子里，从上面数一共有三十五个头，从下面数一共有九十四只脚，问鸡和兔子各有多少只？'
  const thai = 'สมชายมีแอปเปิ้ลสีแดงสิบสองลูกและซื้อเพิ่มอีกสามสิบห้าลูกที่ตลาดใกล้โรงเรียนตอนนี้เขามีแอปเปิ้ลทั้งหมดกี่ลูก'
  const unspaced = new OverlapIndex()
  for (const question of [chinese, thai, '一百以内有多少个质数？', '求值。']) unspaced.add(question)

  it.each([
    ['a clause of a long one, in other text', `题目：${chinese.slice(13)}请写出过程。`],
    ['a long one in Thai, in other text', `โจทย์ ${thai} จงแสดงวิธีทำ`],
    ['a short one, whole, in other text', '请问一百以内有多少个质数？并说明理由。'],
    ['a very short one, as it is', '求值。'],
  ])('has, where there are no spaces, %s', (_name, question) => {
    expect(unspaced.has(question)).toBe(true)
  })

  it.each([
    ['a clause alone', '鸡和兔子关在同一个笼子里，谁先出来？'],
    ['a part of a short one', '一百以内有多少个合数？'],
    ['a very short one within other text', '已知 x = 3，求值。'],
  ])('has not, where there are no spaces, %s', (_name, question) => {
    expect(unspaced.has(question)).toBe(false)
  })

  it('refuses a run of no words', () => {
    expect(() => new OverlapIndex(0)).toThrow(RangeError)
  })
})

describe('clean', () => {
  it('keeps the first of equals and counts why the others go', async () => {
    const words = texts(6, 30).map((text) => text.join(' '))
    const [a, b, c, d, tested, problem] = words as [string, string, string, string, string, string]
    const questions = [a, b, a.toUpperCase(), `${b} too`, c, `so: ${tested}`, d, `${c}  `, problem, `${d}.`]
    const input = writeJsonl(
      path('in.jsonl'),
      questions.map((question, i) => ({ id: i, question, response: 'r', other: [i] })),
    )
    const against = [
      writeJsonl(path('test-1.jsonl'), [{ question: tested }]),
      writeJsonl(path('test-2.jsonl'), [{ problem }]),
    ]
    const output = path('out.jsonl')
    expect(await clean({ inputs: [input], output, against })).toEqual({
      read: 10,
      kept: 4,
      dropped: { duplicate: 2, 'near duplicate': 2, contaminated: 2 },
      examples: {
        duplicate: [`${input}:3`, `${input}:8`],
        'near duplicate': [`${input}:4`, `${input}:10`],
        contaminated: [`${input}:6`, `${input}:9`],
      },
    })
    expect(readLines(output)).toEqual(
      [0, 1, 4, 6].map((i) => ({ id: i, question: questions[i], response: 'r', other: [i] })),
    )

    const exact = await clean({ inputs: [input], output, near: false, force: true })
    expect(exact.dropped).toEqual({ duplicate: 2 })
  })

  it('names the row without a question', async () => {
    const input = writeJsonl(path('bare.jsonl'), [{ question: 'q' }, { question: ' ' }])
    await expect(clean({ inputs: [input], output: path('bare-out.jsonl') })).rejects.toThrow(
      `${input}:2: expected text in question but found blank text`,
    )
  })
})
