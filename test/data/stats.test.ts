/** Statistics against sets small enough to count by hand, and the chart as XML. */
import { describe, expect, it } from 'vitest'
import { chartOf } from '../../lib/data/chart.js'
import { stats } from '../../lib/data/stats.js'
import { TrigramCounter } from '../../lib/data/trigrams.js'
import { temporaryFolder } from '../support/folder.js'
import { writeJsonl } from '../support/lines.js'
import { Random } from '../support/random.js'

const path = temporaryFolder()

describe('stats', () => {
  const lengths = [4, 100, 8, 15, 16, 23, 42, 1, 99, 50]
  const records = lengths.map((token_num_qwen, i) => ({
    id: `${i}`,
    question: 'q',
    response: i % 2 ? 'So I  need\nto see' : 'I NEED to see.',
    token_num_qwen,
    ...(i < 4 ? { family: ['b', 'a'][i % 2], difficulty: [10, 2][i % 2] } : {}),
  }))

  it('counts', async () => {
    const inputs = [writeJsonl(path('a.jsonl'), records.slice(0, 7)), writeJsonl(path('b.jsonl'), records.slice(7))]
    const found = await stats({ inputs, trigrams: 3 })
    expect(found).toEqual({
      records: 10,
      tokens: 358,
      mean: 35.8,
      min: 1,
      max: 100,
      // Nearest rank, of 1 4 8 15 16 23 42 50 99 100.
      quantiles: { 0.05: 1, 0.25: 8, 0.5: 16, 0.75: 50, 0.95: 100, 0.99: 100 },
      histogram: expect.any(Array),
      families: { a: { records: 2, tokens: 115, mean: 57.5 }, b: { records: 2, tokens: 12, mean: 6 } },
      difficulties: { 2: { records: 2, tokens: 115, mean: 57.5 }, 10: { records: 2, tokens: 12, mean: 6 } },
      trigrams: [
        { text: 'i need to', count: 10 },
        { text: 'need to see', count: 5 },
        { text: 'need to see.', count: 5 },
      ],
      trigramError: 0,
    })
    expect(found.histogram[0]?.from).toBe(0)
    for (const { from, to, records: count } of found.histogram) {
      expect(count).toBe(lengths.filter((length) => length >= from && length < to).length)
    }
    expect(found.histogram.reduce((sum, bin) => sum + bin.records, 0)).toBe(10)
  })

  it('has something to say of nothing', async () => {
    const found = await stats({ inputs: [writeJsonl(path('none.jsonl'), [])] })
    expect(found).toMatchObject({ records: 0, tokens: 0, mean: 0, min: 0, max: 0, histogram: [], trigrams: [] })
    expect(chartOf(found)).not.toMatch(/NaN|Infinity|undefined/)
  })

  it('names the row without a length', async () => {
    const input = writeJsonl(path('bare.jsonl'), [{ response: 'r' }])
    await expect(stats({ inputs: [input] })).rejects.toThrow(`${input}:1: expected an integer ≥ 0 in token_num_qwen`)
  })
})

describe('TrigramCounter', () => {
  it('counts words where a script has no spaces', () => {
    const counter = new TrigramCounter()
    counter.add('小明有3个苹果。小红有5个苹果。')
    expect(counter.top(1)).toEqual([{ text: '个 苹果 。', count: 2 }])
  })

  it('finds the frequent ones exactly in bounded memory', () => {
    const random = new Random(1, 'trigrams')
    const [bounded, exact] = [new TrigramCounter(500), new TrigramCounter(1e9)]
    for (let i = 0; i < 5000; i++) {
      const text = `in any case ${i} ${random.uint32()} that is why ${i % 3 ? '' : 'we need to'} ${random.uint32()}`
      bounded.add(text)
      exact.add(text)
    }
    expect(exact.error).toBe(0)
    expect(bounded.error).toBeGreaterThan(0)
    expect(bounded.top(3)).toEqual(exact.top(3))
    expect(exact.top(3)).toEqual([
      { text: 'in any case', count: 5000 },
      { text: 'that is why', count: 5000 },
      { text: 'is why we', count: 1667 },
    ])
    const truth = new Map(exact.top(1e9).map(({ text, count }) => [text, count]))
    for (const { text, count } of bounded.top(500)) {
      expect(count - truth.get(text)!).toBeLessThanOrEqual(bounded.error)
      expect(count).toBeGreaterThanOrEqual(truth.get(text)!)
    }
  })
})

describe('chartOf', () => {
  it('is XML with a bar for each bin and trigram, whatever the words', async () => {
    const odd = ['<b>&"', "it's", '\u0001]]>', '🙂', 'x'.repeat(80), '\ud800', 'end']
    const records = [5, 7, 900].map((token_num_qwen) => ({ response: odd.join(' '), token_num_qwen }))
    const found = await stats({ inputs: [writeJsonl(path('odd.jsonl'), records)] })
    const svg = chartOf(found, 'A & B <c>')
    expect(svg).toMatch(/^<svg [^<]*>\n<title>A &#38; B &#60;c&#62;<\/title>/)
    const bars = found.histogram.filter((bin) => bin.records > 0).length + found.trigrams.length
    expect(svg.match(/<rect (?!width="100%")/g)).toHaveLength(bars)
    // Every element is closed, nothing else has an angle bracket, and no character is one that XML forbids.
    const rest = svg
      .replace(/<(\w+)( [\w-]+="[^"<]*"|\n [\w-]+="[^"<]*")*\/>/g, '')
      .replace(/<(title|text)[^<>]*>[^<>]*<\/\1>/g, '')
    expect(rest.replace(/^<svg [^<>]*>|<\/svg>/g, '').trim()).toBe('')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(svg).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]|\p{Surrogate}|NaN|undefined/u)
  })
})
