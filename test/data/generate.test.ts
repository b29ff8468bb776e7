import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { checkProblems, FAMILIES, generate, generateProblems } from '../../lib/data/generate/index.js'

const hasPython = spawnSync('python3', ['--version']).status === 0

describe('generated problems', () => {
  it.runIf(hasPython)('have the answers that Python gives', async () => {
    expect(await checkProblems(generateProblems({ seed: 11, count: 2400 }))).toBe(2400)
    expect(await checkProblems(generateProblems({ seed: 12, count: 480, split: 'test' }))).toBe(480)
  })
  if (!hasPython) console.warn('python3 cannot be run here: the answers of generated problems were not checked with it')

  it.runIf(hasPython)('are refused where Python gives another answer', async () => {
    const [problem] = [...generateProblems({ seed: 1, count: 1 })]
    if (!problem) throw new Error('no problem')
    const wrong = { ...problem, record: { ...problem.record, answer: 'x' } }
    await expect(checkProblems([wrong])).rejects.toThrow(
      `${wrong.record.id} says x, Python says ${problem.record.answer}`,
    )
    await expect(checkProblems([{ ...problem, program: '1/0' }])).rejects.toThrow('ZeroDivisionError')
    await expect(checkProblems([problem], 'no-such-python')).rejects.toThrow('Cannot run no-such-python')
  })

  it('end with their answer in a box, and no delimiter stands between reasoning and answer', () => {
    for (const { response, answer } of generate({ seed: 2, count: 500 })) {
      expect(response.endsWith(`\n\nThe answer is\n\\boxed{${answer}}`)).toBe(true)
      expect(response).not.toMatch(/<\/?think>/)
    }
  })

  it('take steps of arithmetic that are right', () => {
    let equations = 0
    for (const { response } of generate({ seed: 3, count: 2000 })) {
      for (const [all, left, right] of response.matchAll(/(?<![\d+*=-])(\d+(?:[-+*]\d+)+)=(\d+(?:[*+]\d+)*)/g)) {
        equations++
        expect(evaluate(right as string), all).toBe(evaluate(left as string))
      }
      for (const [all, left, right] of response.matchAll(/= (\d+ [-+*] \d+) = (\d+)(?![ \d]* [-+*])/g)) {
        equations++
        expect(evaluate(right as string), all).toBe(evaluate(left as string))
      }
    }
    expect(equations).toBeGreaterThan(3000)
  })

  it('are the same for the same seed, wherever a run starts', () => {
    const all = [...generate({ seed: 4, count: 120 })]
    expect([...generate({ seed: 4, count: 120 })]).toEqual(all)
    expect([...generate({ seed: 4, count: 20, start: 70 })]).toEqual(all.slice(70, 90))
    expect([...generate({ seed: 5, count: 120 })].map((r) => r.question)).not.toEqual(all.map((r) => r.question))
  })

  it('hold no question of one split in the other', () => {
    const train = new Set([...generate({ seed: 6, count: 6000, difficulty: [1, 2] })].map((r) => r.question))
    const test = [...generate({ seed: 6, count: 1200, difficulty: [1, 2], split: 'test' })]
    expect(test.filter((r) => train.has(r.question))).toEqual([])
  })

  it('cover every family and difficulty in turn', () => {
    const records = [...generate({ seed: 7, count: FAMILIES.length * 8, families: FAMILIES })]
    expect(new Set(records.map((r) => `${r.family} ${r.difficulty}`)).size).toBe(FAMILIES.length * 8)
    expect(() => [...generate({ seed: 7, count: 1, families: ['poems'] })]).toThrow(/received poems/)
    expect(() => [...generate({ seed: 7, count: 1, difficulty: [0, 3] })]).toThrow(/received 0-3/)
  })

  it('reason longer about harder ones', () => {
    for (const family of FAMILIES) {
      const mean = (difficulty: number) => {
        const lengths = [...generate({ seed: 8, count: 60, families: [family], difficulty: [difficulty, difficulty] })]
        return lengths.reduce((sum, r) => sum + r.token_num_qwen, 0) / lengths.length
      }
      expect(mean(8), family).toBeGreaterThan(2 * mean(1))
    }
  })

  it('have the reasoning twice between think tags in the delimited style', () => {
    const options = { seed: 9, count: 12 }
    const plain = [...generate(options)]
    for (const [i, { response }] of [...generate({ ...options, style: 'delimited' })].entries()) {
      const [, thought, check, answer] =
        /^<think>\n(.*)\n\nWait, check this again\n(.*)\n<\/think>\n\n(.*)$/s.exec(response) ?? []
      expect(check).toBe(thought)
      expect(`${thought}\n\n${answer}`).toBe(plain[i]?.response)
    }
  })
})

/** A product or sum of non-negative numbers. */
function evaluate(text: string): number {
  const parts = text.replaceAll(' ', '').split(/(?=[-+])/)
  return parts.reduce((sum, part) => {
    const product = part
      .replace(/^[-+]/, '')
      .split('*')
      .reduce((p, factor) => p * Number(factor), 1)
    return part.startsWith('-') ? sum - product : sum + product
  }, 0)
}
