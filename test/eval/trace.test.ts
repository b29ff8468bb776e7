/**
 * Policies that are tried on a trace are those of live runs, item by item. Tokens of both are grouped alike where a step decodes
 * one of them (batchSize is not an option of a run), so a greedy token may differ: of what differs, the items are counted.
 */
import { readFileSync, writeFileSync } from 'node:fs'
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
import { Replay } from '../../lib/eval/trace/replay.js'
import { readTraces } from '../../lib/eval/trace/run.js'
import { temporaryFolder } from '../support/folder.js'

const folder = temporaryFolder()
const task = heldout({ count: 64, seed: 5 })
const shared = { threads: 1, engine: 'cpu', maxTokens: 48, contextSize: 1024 } as const
const windows = [0, 16, 48, 'inf'] as const

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

describe('64 items of the embedded model', () => {
  it.each<[string, Partial<EvaluateOptions>, string[]]>([
    ['cut', {}, ['window', 'self']],
    ['stated', { stated: 'keep' }, ['window', 'stated', 'self']],
    ['margin=9', { earlyExit: { margin: 9 } }, ['early', 'self']],
    ['probe=0.8', { earlyExit: { probe: 0.8 } }, ['early', 'self']],
    ['loops', { loops: true }, ['window', 'self']],
    ['landing', { landing: 'line' }, ['window', 'self']],
    [
      'loops+stated+margin=5+probe=0.99',
      { loops: true, stated: 'keep', earlyExit: { margin: 5, probe: 0.99 } },
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
      for (const replay of replays) {
        for (const window of windows) {
          const response = live.find(
            (each) => each.id === replay.id && each.window === String(window),
          ) as ScoredResponse
          expect
            .soft(replay.run(policy, Number(window === 'inf' ? Infinity : window)), `${replay.id} at ${window}`)
            .toEqual(figuresOf(response))
          seen.add(response.ended)
        }
      }
      expect([...seen]).toEqual(expect.arrayContaining(endings))
    },
    600_000,
  )
})
