/** Every command refuses what it does not know, and says in one sentence what a value should have been. */
import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  clean,
  distill,
  findLoop,
  generate,
  generateFile,
  importRecords,
  select,
  selectRows,
  stats,
} from '../../lib/data/index.js'
import { temporaryFolder } from '../support/folder.js'
import { writeJsonl } from '../support/lines.js'
import { recordsOf } from './records.js'

const path = temporaryFolder()
const output = path('out.jsonl')
const input = path('in.jsonl')
const inputs = [input]

const commands: [name: string, run: (options: object) => Promise<unknown>, options: object][] = [
  ['clean', (options) => clean(options as never), { inputs, output }],
  ['distill', (options) => distill(options as never), { inputs, output }],
  ['generateFile', (options) => generateFile(options as never), { seed: 1, count: 1, output }],
  ['importRecords', (options) => importRecords(options as never), { inputs, output }],
  ['select', (options) => select(options as never), { inputs, output, tokens: 1, mode: 'longest' }],
  ['stats', (options) => stats(options as never), { inputs }],
  ['generate', async (options) => [...generate(options as never)], { seed: 1, count: 1 }],
  ['selectRows', async (options) => selectRows([1], options as never), { tokens: 1, mode: 'longest' }],
  ['findLoop', async (options) => findLoop([1], options as never), {}],
]

describe.each(commands)('%s', (name, run, options) => {
  it('refuses an option that it does not know', async () => {
    writeJsonl(input, recordsOf(1))
    await expect(run({ ...options, colour: 1 })).rejects.toThrow(
      expect.objectContaining({
        name: 'TypeError',
        message: expect.stringMatching(/^Unknown option colour: expected/),
      }),
    )
    expect(existsSync(output)).toBe(false)
  })

  it.each(Object.keys(options))('needs %s', async (option) => {
    await expect(run({ ...options, [option]: undefined })).rejects.toThrow(
      new RegExp(`^Expected .* for ${option} but received undefined$`),
    )
    expect([name, existsSync(output)]).toEqual([name, false])
  })
})

describe('a wrong value', () => {
  const from = Object.fromEntries(commands.map(([name, run, options]) => [name, { run, options }]))
  it.each<[string, object, string]>([
    ['clean', { inputs: input }, 'TypeError: Expected array of file names for inputs but received '],
    ['clean', { inputs: [5] }, 'TypeError: Expected file name for inputs[0] but received 5'],
    ['clean', { treshold: 1 }, 'TypeError: Unknown option treshold: did you mean threshold?'],
    ['clean', { threshold: 2 }, 'RangeError: Expected number > 0 and ≤ 1 for threshold but received 2'],
    ['clean', { overlap: 0 }, 'RangeError: Expected integer ≥ 1 for overlap but received 0'],
    ['clean', { near: 'yes' }, 'TypeError: Expected boolean for near but received "yes"'],
    ['clean', { output: '' }, 'RangeError: Expected file name for output but received ""'],
    ['distill', { limit: 0.5 }, 'RangeError: Expected integer ≥ 1 for limit but received 0.5'],
    ['distill', { parallel: 65 }, 'RangeError: Expected integer between 1 and 64 for parallel but received 65'],
    ['distill', { temperature: -1 }, 'RangeError: Expected number between 0 and 100 for temperature but received -1'],
    ['distill', { server: 'http://x' }, 'TypeError: Expected name for model with server but received undefined'],
    ['distill', { onProgress: 1 }, 'TypeError: Expected function for onProgress but received 1'],
    ['generateFile', { seed: -1 }, 'RangeError: Expected integer between 0 and 4294967295 for seed but received -1'],
    ['generateFile', { split: 'dev' }, 'RangeError: Expected train or test for split but received "dev"'],
    ['generateFile', { difficulty: 3 }, 'TypeError: Expected pair of integers for difficulty but received 3'],
    ['generate', { difficulty: [3, 2] }, 'RangeError: Expected difficulties from 1 to 8 but received 3-2'],
    ['importRecords', { idField: 1 }, 'TypeError: Expected string for idField but received 1'],
    ['select', { mode: 'middle' }, 'RangeError: Expected longest, shortest, random for mode but received "middle"'],
    ['select', { signal: {} }, 'TypeError: Expected AbortSignal for signal but received an object'],
    ['stats', { trigrams: -1 }, 'RangeError: Expected integer ≥ 0 for trigrams but received -1'],
    ['findLoop', { maxPeriod: 3 }, 'RangeError: Expected integer ≥ minPeriod, 4, for maxPeriod but received 3'],
  ])('of %s: %o', async (name, wrong, sentence) => {
    const { run, options } = from[name]!
    const error = await run({ ...options, ...wrong }).catch((reason) => reason)
    expect(String(error).slice(0, sentence.length)).toBe(sentence)
    expect(existsSync(output)).toBe(false)
  })
})
