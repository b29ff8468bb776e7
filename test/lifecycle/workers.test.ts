import { beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { testModel } from '../support/models.js'
import { node, run } from './process.js'

const model = testModel('qwen2-bytes', { endGain: 0 })
const COUNT = 40

/** How a worker ends that was told to end in each way. */
const ends: Record<string, RegExp> = {
  terminate: /^1$/,
  // Node says 0 of a thread that had not begun.
  'terminate early': /^[01]$/,
  exit: /^7$/,
  throw: /^1: thrown on purpose$/,
  return: /^0$/,
  dispose: /^0$/,
}

/** The answer of a process that does nothing else. */
let alone: string

beforeAll(async () => {
  await using z1 = await Z1.load({ model, threads: 1, contextSize: 8192, parallel: 2 })
  alone = (await z1.reason('Once more', { template: false, thinkingWindow: 100, maxTokens: 20, cachePrompt: false }))
    .text
})

describe.each(['main', 'worker'])('the %s thread', (where) => {
  it(`answers as if alone while ${COUNT} workers end in every way`, async () => {
    const { stdout, ...ending } = await run([...node('workers.mjs'), where, model, String(COUNT)])
    expect(ending).toEqual({ code: 0, signal: null, stderr: '' })
    const { answers, n, endings } = JSON.parse(stdout) as { answers: string[]; n: number; endings: string[] }
    expect(answers).toEqual([alone])
    expect(n).toBeGreaterThan(5)
    expect(endings).toHaveLength(COUNT)
    for (const line of endings) {
      const [, how = '', result] = /^(\D+) (.*)$/.exec(line) ?? []
      expect(result).toMatch(ends[how]!)
    }
  })
})
