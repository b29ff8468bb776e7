/** Policies that are tried on a trace come to what they come to in live runs, item by item. */
import { readFileSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import {
  type EvaluateOptions,
  evaluate,
  heldout,
  readOutcomes,
  type ScoredResponse,
  traceTask,
  tryPolicies,
} from '../../lib/eval/index.js'
import { readPolicy } from '../../lib/eval/trace/policy.js'
import type { TraceRecord } from '../../lib/eval/trace/records.js'
import { Replay } from '../../lib/eval/trace/replay.js'
import { readTraces } from '../../lib/eval/trace/run.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()
const task = heldout({ count: 64, seed: 5 })
const shared = { threads: 1, engine: 'cpu', maxTokens: 48, contextSize: 1024 } as const
// At 48 one of the items has just stated its answer.
const windows = [0, 32, 48, 'inf'] as const

const replays: Replay[] = []
beforeAll(async () => {
  const output = join(folder(), 'trace')
  expect(await traceTask({ ...shared, task, output, every: 16, margin: 100, lines: true })).toMatchObject({ done: 64 })
  for await (const record of readTraces(output)) replays.push(new Replay(record))
}, 600_000)

const figuresOf = ({ correct, extracted, ended, usage }: ScoredResponse) => ({
  ...{ correct, extracted, ended },
  ...{ thinkingTokens: usage.thinkingTokens, hintTokens: usage.hintTokens, answerTokens: usage.answerTokens },
  probeTokens: usage.probeTokens,
})

/** Of 256 responses, those whose forced answer may be another one. */
const MOST_TIES = 3

/** What no forced answer changes. */
const TRUNK = ['ended', 'thinkingTokens', 'hintTokens', 'probeTokens'] as const

function pick<T extends object>(figures: T, names: readonly (keyof T)[] = Object.keys(figures) as (keyof T)[]) {
  return Object.fromEntries(names.map((name) => [name, figures[name]]))
}

describe('64 items of the embedded model', () => {
  it.each<[string, Partial<EvaluateOptions>, string[]]>([
    ['cut', {}, ['window', 'self']],
    ['stated', { stated: 'keep' }, ['window', 'stated', 'self']],
    ['end', { stated: 'end' }, ['window', 'stated', 'self']],
    ['margin=16', { earlyExit: { margin: 16 } }, ['early', 'self']],
    ['probe=0.999', { earlyExit: { probe: 0.999 } }, ['early', 'self']],
    ['loops', { loops: true }, ['window', 'self']],
    ['landing', { landing: 'line' }, ['window', 'self']],
    [
      'loops+stated+margin=15+probe=0.99',
      { loops: true, stated: 'keep', earlyExit: { margin: 15, probe: 0.99 } },
      ['stated', 'self'],
    ],
  ])(
    '%s',
    async (name, options, endings) => {
      const output = join(folder(), name)
      await evaluate({ ...shared, ...options, task, windows: [...windows], output })
      const live = await readOutcomes(output)
      expect(live).toHaveLength(4 * 64)
      const policy = readPolicy(name)
      const seen = new Set<string>()
      let differences = 0
      for (const replay of replays) {
        for (const window of windows) {
          const response = live.find(
            (each) => each.id === replay.id && each.window === String(window),
          ) as ScoredResponse
          const replayed = replay.run(policy, Number(window === 'inf' ? Infinity : window))
          const figures = figuresOf(response)
          // A guess whose two best tokens are nearly equal depends on what is decoded together with it.
          const isGuess =
            response.ended === 'window' && replayed.extracted !== figures.extracted && differences++ < MOST_TIES
          const compared = isGuess ? TRUNK : undefined
          expect.soft(pick(replayed, compared), `${replay.id} at ${window}`).toEqual(pick(figures, compared))
          seen.add(response.ended)
        }
      }
      expect([...seen]).toEqual(expect.arrayContaining(endings))
    },
    600_000,
  )
})

describe('a run', () => {
  const few = heldout({ count: 5, seed: 1, difficulty: [1, 2] })
  const options = { ...shared, task: few, window: 24, every: 8 }
  const bytes = (directory: string) => readFileSync(join(directory, 'trace.jsonl'), 'utf8')
  const untimed = (directory: string) => bytes(directory).replaceAll(/"totalMs":[\d.]+/g, '')

  it('goes on where it was killed', async () => {
    const output = join(folder(), 'killed')
    expect(await traceTask({ ...options, output })).toEqual({ done: 5, total: 5, computed: 5 })
    const before = untimed(output)
    const whole = bytes(output)
    truncateSync(join(output, 'trace.jsonl'), Math.floor(Buffer.byteLength(whole) / 2))
    const { computed } = await traceTask({ ...options, output })
    expect(computed).toBeGreaterThan(0)
    expect(computed).toBeLessThan(5)
    expect(untimed(output)).toBe(before)
    expect(await traceTask({ ...options, output })).toEqual({ done: 5, total: 5, computed: 0 })
    await expect(traceTask({ ...options, every: 4, output })).rejects.toThrow('holds a run with trace')
  })

  it('is the same in shards', async () => {
    const [whole, ...shards] = ['whole', '1', '2'].map((name) => join(folder(), name)) as [string, string, string]
    await traceTask({ ...options, output: whole })
    for (const [i, output] of shards.entries()) await traceTask({ ...options, shard: `${i + 1}/2`, output })
    const [one, both] = [await tryPolicies([whole]), await tryPolicies(shards)]
    expect(both.policies).toEqual(one.policies)
    expect(one.items).toBe(5)
    expect(one.policies.filter(({ policy }) => policy === 'cut').map(({ window }) => window)).toEqual([
      '0',
      '8',
      '16',
      '24',
    ])
    await expect(tryPolicies([whole, shards[1] as string])).rejects.toThrow('Two traces of')
  })

  it('tells what its traces cannot', async () => {
    const output = join(folder(), 'limits')
    await traceTask({ ...options, output })
    for (const [given, message] of [
      [{ windows: [12] }, 'Expected windows that are multiples of 8'],
      [{ windows: ['inf'] }, 'The window inf is larger than that of the traces, 24'],
      [{ windows: ['50%', 24] }, 'Expected windows in tokens but received 50%'],
      [{ policies: ['margin=3'] }, 'The traces have answers up to a margin of 2, not 3'],
      [{ policies: ['landing'] }, 'The traces have no answers at the ends of lines'],
      [{ policies: ['probe=2'] }, 'Expected probe= and a number from 0 to 1'],
      [{ policies: ['probes'] }, 'Expected cut, or loops, landing'],
    ] as const) {
      await expect(tryPolicies([output], given)).rejects.toThrow(message)
    }
    await expect(
      traceTask({ ...options, output, loops: true } as object as typeof options & { output: string }),
    ).rejects.toThrow('Expected no loops: a trace is greedy')
  })
})

describe('Replay', () => {
  const answer = (thinkingTokens: number, correct: boolean, more: object = {}) => ({
    ...{ thinkingTokens, correct, extracted: String(thinkingTokens), hintTokens: 3, answerTokens: 2, text: '' },
    ...{ ended: 'window' as const, finishReason: 'stop' as const, probe: { tokens: 2, confidence: 0.5 }, ...more },
  })
  const record: TraceRecord = {
    ...{ id: 'a', prompt: [], answer: '1', tokens: [1, 2, 3, 4, 5, 6], text: '', ended: 'self', finishReason: 'stop' },
    natural: { correct: true, extracted: 'natural' },
    endProbability: [],
    margin: [null, 9, 1, 9, 0.5, 9, 0],
    sentences: [2, 4],
    settled: [4],
    probes: [3, 4],
    lines: [],
    loops: [5, 6],
    stated: [{ thinkingTokens: 4, correct: false, extracted: 'stated' }],
    answers: [
      answer(0, false),
      answer(2, true, { loop: { answerTokens: 1, correct: false, extracted: 'loop' } }),
      answer(3, false, { probe: { tokens: 0, confidence: null } }),
      answer(4, true),
      answer(5, false),
    ],
    usage: { promptTokens: 1 },
    timings: { totalMs: 0 },
  }

  it.each([
    // policy, window, then: extracted, ended, tokens of thinking, hint, answer, probes
    ['cut', 0, '0', 'window', 0, 3, 2, 0],
    ['cut', Infinity, 'natural', 'self', 6, 0, 0, 0],
    ['loops', Infinity, '5', 'loop', 5, 3, 2, 0],
    ['loops', 2, 'loop', 'window', 2, 3, 1, 0],
    ['stated', 4, 'stated', 'stated', 4, 0, 0, 0],
    ['stated', 5, '5', 'window', 5, 3, 2, 0],
    ['end', Infinity, 'stated', 'stated', 4, 0, 0, 0],
    ['end', 3, '3', 'window', 3, 3, 2, 0],
    ['margin=1', Infinity, '2', 'early', 2, 3, 2, 0],
    ['margin=0.9', Infinity, '4', 'early', 4, 3, 2, 0],
    ['margin=0.4', Infinity, 'natural', 'self', 6, 0, 0, 0],
    // One that gave no token costs nothing; one is paid for where it does not end the thinking, too.
    ['probe=0.5', Infinity, '4', 'early', 4, 3, 2, 5],
    ['probe=0.6', Infinity, 'natural', 'self', 6, 0, 0, 5],
    ['probe=0.6+margin=0.5+stated', Infinity, 'stated', 'stated', 4, 0, 0, 5],
    ['probe=0.5', 4, '4', 'window', 4, 3, 2, 0],
    ['oracle', Infinity, '2', 'early', 2, 3, 2, 0],
  ])('%s at %s', (policy, window, extracted, ended, thinkingTokens, hintTokens, answerTokens, probeTokens) => {
    expect(new Replay(record).run(readPolicy(policy), window)).toMatchObject({
      ...{ extracted, ended, thinkingTokens, hintTokens, answerTokens, probeTokens },
    })
  })

  it('says where a trace has no answer', () => {
    expect(() => new Replay(record).run(readPolicy('cut'), 1)).toThrow('The trace of a has no answer after 1 tokens')
  })
})
