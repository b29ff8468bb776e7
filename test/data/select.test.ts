/** Both selection rules against tables worked out by hand, and what the command writes. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { type SelectionOptions, select, selectRows } from '../../lib/data/select.js'
import { temporaryFolder } from '../support/folder.js'
import { jsonl, readLines, writeJsonl } from '../support/lines.js'
import { recordsOf } from './records.js'

const path = temporaryFolder()

describe('selectRows', () => {
  //               0   1  2   3   4  5
  const lengths = [30, 5, 50, 20, 5, 40]
  // Longest first: 2 (50), 5 (40), 0 (30), 3 (20), 1 (5), 4 (5). Shortest first: 1 (5), 4 (5), 3 (20), 0 (30), 5, 2.
  it.each<[SelectionOptions['mode'], NonNullable<SelectionOptions['rule']>, number, number[]]>([
    ['longest', 'script', 0, []],
    ['longest', 'script', 1, [2]],
    ['longest', 'script', 50, [2]],
    ['longest', 'script', 51, [2, 5]],
    ['longest', 'script', 100, [0, 2, 5]],
    ['longest', 'script', 145, [0, 1, 2, 3, 5]],
    ['longest', 'script', 146, [0, 1, 2, 3, 4, 5]],
    ['longest', 'script', 1e9, [0, 1, 2, 3, 4, 5]],
    ['shortest', 'script', 6, [1, 4]],
    ['shortest', 'script', 31, [0, 1, 3, 4]],
    ['longest', 'algorithm1', 4, []],
    ['longest', 'algorithm1', 50, [2]],
    ['longest', 'algorithm1', 49, [1, 5]],
    ['longest', 'algorithm1', 60, [1, 2, 4]],
    ['longest', 'algorithm1', 75, [1, 2, 3]],
    ['longest', 'algorithm1', 150, [0, 1, 2, 3, 4, 5]],
    ['shortest', 'algorithm1', 29, [1, 4]],
    ['shortest', 'algorithm1', 60, [0, 1, 3, 4]],
  ])('%s by %s within %i', (mode, rule, tokens, rows) => {
    const taken = selectRows(lengths, { mode, rule, tokens })
    expect([...taken.keys()].filter((i) => taken[i])).toEqual(rows)
  })

  it('draws differently by seed, equally by the same', () => {
    const many = Array.from({ length: 1000 }, () => 10)
    const drawn = (seed: number) => selectRows(many, { mode: 'random', tokens: 2500, seed })
    expect(drawn(1)).toEqual(drawn(1))
    expect(drawn(1)).not.toEqual(drawn(2))
    expect(drawn(1).reduce((sum, taken) => sum + taken, 0)).toBe(250)
    // Each row is as likely as any other: of 200 draws of a quarter, 50 are expected, and 6 standard deviations are 37.
    const counts = many.map(() => 0)
    for (let seed = 0; seed < 200; seed++) {
      for (const [i, taken] of drawn(seed).entries()) counts[i]! += taken
    }
    expect(Math.max(...counts)).toBeLessThan(50 + 37)
    expect(Math.min(...counts)).toBeGreaterThan(50 - 37)
  })

  it('draws what the same seed drew before', () => {
    const taken = selectRows(
      Array.from({ length: 40 }, (_, i) => i + 1),
      { mode: 'random', tokens: 100, seed: 42 },
    )
    expect([...taken.keys()].filter((i) => taken[i])).toEqual([2, 8, 13, 19, 20, 28, 30])
  })

  it.each([{ tokens: -1 }, { tokens: Number.NaN }, { mode: 'middle' }, { rule: 'both' }])('refuses %o', (wrong) => {
    const options = { mode: 'longest', tokens: 1, ...wrong } as SelectionOptions
    expect(() => selectRows([1], options)).toThrow(RangeError)
  })
})

describe('select', () => {
  it('writes the very lines of the selected records, in the order of the inputs', async () => {
    const records = recordsOf(9).map((record, i) => ({ ...record, token_num_qwen: [3, 1, 4, 1, 5, 9, 2, 6, 5][i] }))
    const inputs = [path('a.jsonl'), path('b.jsonl')]
    writeFileSync(inputs[0]!, jsonl(records.slice(0, 4)).replaceAll('":', '" :  '))
    writeFileSync(inputs[1]!, jsonl(records.slice(4)))
    const output = path('out.jsonl')
    const report = await select({ inputs, output, tokens: 20, mode: 'longest' })
    // 9, 6, 5: 20 is reached, not exceeded.
    expect(report).toMatchObject({ read: 9, kept: 3, dropped: { 'not selected': 6 } })
    expect(readLines(output).map(({ id }) => id)).toEqual(['r4', 'r5', 'r7'])
    await select({ inputs, output, tokens: 1, mode: 'shortest', force: true })
    expect(readFileSync(output, 'utf8')).toBe(readFileSync(inputs[0]!, 'utf8').split('\n')[1]!.concat('\n'))
  })

  it('names the row without a length, and wants files', async () => {
    const input = writeJsonl(path('bare.jsonl'), [recordsOf(1)[0], { id: 'x' }])
    const options = { output: path('x.jsonl'), tokens: 5, mode: 'longest' } as const
    await expect(select({ ...options, inputs: [input] })).rejects.toThrow(`${input}:2: expected an integer ≥ 0`)
    await expect(select({ ...options, inputs: ['-'] })).rejects.toThrow(TypeError)
  })
})
