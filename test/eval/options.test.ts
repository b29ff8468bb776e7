/** What evaluate() and the tasks refuse, and how they say it. */
import { describe, expect, it } from 'vitest'
import { evaluate, heldout, jsonl } from '../../lib/eval/index.js'
import { resolveOptions } from '../../lib/eval/options.js'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { BOXED_HINT, PLAIN_HINT } from '../../lib/reason/options.js'
import { temporaryFolder } from '../support/folder.js'
import { scripted } from './scripted.js'

const task = heldout({ count: 1 })
const output = temporaryFolder()('run')
const given = { task, windows: ['25%', 8], output }

describe('evaluate', () => {
  it('has defaults', () => {
    const { load, method, ...checked } = resolveOptions({ task, windows: [8], output })
    expect(checked).toEqual({
      ...{ task, output, methodName: 'window', samples: 1, seed: 0, temperature: 0 },
      windows: [{ name: '8', tokens: 8, percent: null }],
      ...{ reasoner: undefined, system: undefined, signal: undefined, onProgress: undefined },
    })
    expect(load.model).toBe(EMBEDDED_MODEL)
    expect(method.pinned).toEqual({ hint: PLAIN_HINT, maxTokens: 1024 })
    expect(resolveOptions({ ...given, hint: 'boxed', maxTokens: 3 }).method.pinned).toEqual({
      hint: BOXED_HINT,
      maxTokens: 3,
    })
  })

  it('takes the windows of a method that has its own', () => {
    const names = (method: 'direct' | 'unlimited') =>
      resolveOptions({ task, output, method }).windows.map(({ name }) => name)
    expect(names('direct')).toEqual(['0'])
    expect(names('unlimited')).toEqual(['inf'])
    expect(resolveOptions({ task, output, method: 'direct', windows: [0] }).windows).toHaveLength(1)
  })

  it.each([
    [
      'a window that a method has not',
      { method: 'direct' },
      RangeError,
      'Expected the window 0 with the method direct but received 25%, 8, inf',
    ],
    ['a misspelt name', { window: [8] }, TypeError, 'Unknown option window: did you mean windows?'],
    ['the command line’s name', { 'max-tokens': 8 }, TypeError, 'did you mean maxTokens?'],
    ['no windows', { windows: undefined }, TypeError, 'Expected array of windows for windows but received undefined'],
    [
      'a text for windows',
      { windows: '8,inf' },
      TypeError,
      'Expected array of windows for windows but received "8,inf"',
    ],
    ['an empty list', { windows: [] }, RangeError, 'Expected at least one window'],
    ['no window', { windows: [8, 'all'] }, RangeError, 'or inf for windows[1] but received "all"'],
    ['a window of another type', { windows: [null] }, TypeError, 'or inf for windows[0] but received null'],
    ['no output', { output: undefined }, TypeError, 'Expected folder name for output but received undefined'],
    ['an empty output', { output: '' }, RangeError, 'Expected folder name for output but received ""'],
    ['no task', { task: 'heldout' }, TypeError, 'Expected Task for task but received "heldout"'],
    [
      'half a task',
      { task: { ...task, grade: undefined } },
      TypeError,
      'Expected Task for task but received an object',
    ],
    [
      'half a reasoner',
      { reasoner: { model: {} } },
      TypeError,
      'Expected Reasoner for reasoner but received an object',
    ],
    ['an unknown method', { method: 'some' }, RangeError, 'for method but received "some"'],
    ['no samples', { samples: 0 }, RangeError, 'Expected integer ≥ 1 for samples but received 0'],
    ['samples of another type', { samples: '2' }, TypeError, 'Expected integer ≥ 1 for samples but received "2"'],
    ['greedy samples', { samples: 2 }, RangeError, 'Expected a temperature above 0 with more than one sample'],
    ['the seed that means random', { seed: 2 ** 32 - 1 }, RangeError, 'for seed but received 4294967295'],
    ['a temperature of another type', { temperature: '0' }, TypeError, 'for temperature but received "0"'],
    ['a hint for none', { method: 'none', hint: 'so:' }, RangeError, 'Expected neither hint nor maxTokens'],
    ['no answer', { maxTokens: 0 }, RangeError, 'Expected integer ≥ 1 for maxTokens but received 0'],
    ['no context', { contextSize: 1 }, RangeError, 'for contextSize but received 1'],
    ['an engine that is none', { engine: 'gpu' }, TypeError, 'for engine but received "gpu"'],
    ['a model beside a reasoner', { reasoner: scripted({ thoughts: [] }), model: 'x' }, TypeError, 'Expected no model'],
    ['a signal that is none', { signal: 5 }, TypeError, 'Expected AbortSignal for signal but received 5'],
    ['progress to no function', { onProgress: true }, TypeError, 'Expected function for onProgress but received true'],
  ])('refuses %s', async (_what, more, Misuse, message) => {
    const refused = evaluate({ ...given, ...more } as never)
    await expect(refused).rejects.toThrow(Misuse)
    await expect(refused).rejects.toThrow(message)
  })
})

describe('tasks', () => {
  it.each([
    [
      'a misspelt name',
      () => heldout({ familys: ['lists'] } as never),
      'Unknown option familys: did you mean families?',
    ],
    ['no count', () => heldout({ count: 0 }), 'Expected integer ≥ 1 for count but received 0'],
    ['a text for families', () => heldout({ families: 'lists' as never }), 'for families but received "lists"'],
    ['one difficulty', () => heldout({ difficulty: 3 as never }), 'for difficulty but received 3'],
    ['a broken seed', () => heldout({ seed: -1 }), 'for seed but received -1'],
    ['no options', () => jsonl(undefined as never), 'Expected file name for file but received undefined'],
    ['no file', () => jsonl({ file: '' }), 'Expected file name for file but received ""'],
    ['another name', () => jsonl({ file: 'x', counts: 3 } as never), 'Unknown option counts: did you mean count?'],
    ['a broken count', () => jsonl({ file: 'x', count: 1.5 }), 'Expected integer ≥ 1 for count but received 1.5'],
  ])('refuse %s', (_what, make, message) => {
    expect(make).toThrow(message)
  })
})
