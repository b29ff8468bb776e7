/** Runs on a reasoner that is there already, wherever its model is. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { expect, it } from 'vitest'
import { type EvaluateOptions, evaluate, readRun, type Task } from '../../lib/eval/index.js'
import { Z1 } from '../../lib/index.js'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { testAdapter } from '../support/adapter.js'
import { temporaryFolder } from '../support/folder.js'
import { scripted } from './scripted.js'

const at = temporaryFolder()

const task: Task = {
  name: 'sums',
  async *items() {
    for (let n = 1; n <= 3; n++) yield { id: String(n), question: `${n} + 1?`, answer: String(n + 1) }
  },
  prompt: ({ question }) => ({ messages: [{ role: 'user', content: question }] }),
  grade: ({ answer }, { finalAnswer }) => ({ correct: finalAnswer === answer, extracted: finalAnswer }),
}

/** Thinks as many tokens as the number in the question, and then says the answer. */
function counting() {
  return scripted((question) => {
    const n = Number.parseInt(question, 10)
    const boxed = `\\boxed{${n + 1}}`
    return { thoughts: [...Array(n).fill('hm '), boxed], answer: [boxed] }
  })
}

it('asks the reasoner, and leaves it as it was', async () => {
  const reasoner = counting()
  const summary = await evaluate({
    task,
    reasoner,
    windows: [1, 'inf'],
    output: at('asks'),
    seed: 4,
    hint: 'so:',
    maxTokens: 64,
  })
  expect(summary.windows).toMatchObject([
    { window: '1', accuracy: 1, att: 1, cuts: 3 },
    { window: 'inf', accuracy: 1, att: 3, cuts: 0 },
  ])
  expect(reasoner.asked.map(({ input, options }) => [input, options.thinkingWindow, options.hint])).toEqual(
    ['1 + 1?', '2 + 1?', '3 + 1?'].flatMap((content) => [
      [[{ role: 'user', content }], 1, 'so:'],
      [[{ role: 'user', content }], Infinity, 'so:'],
    ]),
  )
  expect(reasoner.disposed).toBe(false)
})

it('asks as many at once as the reasoner takes', async () => {
  const reasoner = { ...counting(), model: { ...counting().model, parallel: 2 } }
  let [running, most] = [0, 0]
  const reason: typeof reasoner.reason = async (...question) => {
    most = Math.max(most, ++running)
    const result = await counting().reason(...question)
    running--
    return result
  }
  await evaluate({ task, reasoner: { ...reasoner, reason }, windows: [0, 1, 2], output: at('parallel') })
  expect(most).toBe(2)
})

it('is pinned to the name of a model that runs elsewhere', async () => {
  const options: EvaluateOptions = { task, reasoner: counting(), windows: [1], output: at('elsewhere') }
  await evaluate(options)
  const { format, options: pinned, environment } = readRun(at('elsewhere'))
  expect(format).toBe(2)
  expect(pinned).toMatchObject({ modelName: 'far-away/model', modelSha256: null, contextSize: 2048 })
  expect(environment).toMatchObject({ model: { file: 'far-away/model' }, parallel: 1 })
  const other = scripted({ thoughts: [] }, { path: 'far-away/other' })
  await expect(evaluate({ ...options, reasoner: other })).rejects.toThrow(
    'modelName "far-away/model", not "far-away/other"',
  )
  await expect(evaluate({ task, windows: [1], output: at('elsewhere') })).rejects.toThrow('modelSha256 null')
})

it('gives with a Z1 what a run that loads the same model gives', async () => {
  const options = { task, windows: [3], maxTokens: 8 }
  const loaded = await evaluate({ ...options, output: at('loaded'), threads: 1, contextSize: 256 })
  const z1 = await Z1.load({ threads: 1, contextSize: 256 })
  expect(await evaluate({ ...options, output: at('given'), reasoner: z1 })).toEqual(loaded)
  // It goes on where the other one ended: here, with nothing to do.
  expect(await evaluate({ ...options, output: at('loaded'), reasoner: z1 })).toEqual(loaded)
  expect(readRun(at('given'))).toEqual(readRun(at('loaded')))
  expect(readRun(at('given')).environment.model.file).toBe(basename(EMBEDDED_MODEL))
  expect(readFileSync(at('given', 'run.json'), 'utf8')).toMatch(/"modelSha256": "[0-9a-f]{64}"/)
  await z1.tokenize('still there')
  await z1.dispose()
})

it('is pinned to the adapters with their scales and to the type of the cache, where they are not the default', async () => {
  const adapter = testAdapter(at(), 'adapter.gguf', EMBEDDED_MODEL, { rank: 2 })
  const loaded = {
    threads: 1,
    contextSize: 256,
    lora: { path: adapter, scale: 0.5 },
    cacheType: { k: 'q8_0' },
  } as const
  const options: EvaluateOptions = { task, windows: [3], maxTokens: 8, output: at('adapter') }
  await evaluate({ ...options, ...loaded })
  const sha256 = createHash('sha256').update(readFileSync(adapter)).digest('hex')
  expect(readRun(at('adapter')).options).toMatchObject({
    lora: [{ sha256, scale: 0.5 }],
    cacheType: { k: 'q8_0', v: 'f16' },
  })
  await using z1 = await Z1.load(loaded)
  await evaluate({ ...options, reasoner: z1 })
  for (const [changed, name] of [
    [{ lora: { path: adapter, scale: 0.25 } }, 'lora'],
    [{ lora: undefined }, 'lora'],
    [{ cacheType: undefined }, 'cacheType'],
  ] as const) {
    await expect(evaluate({ ...options, ...loaded, ...changed })).rejects.toThrow(`holds a run with ${name} `)
  }
  const missing = at('no-adapter.gguf')
  await expect(evaluate({ ...options, ...loaded, lora: missing })).rejects.toMatchObject({ code: 'ADAPTER_INVALID' })
})

it('asks with speculation where it is asked to, and is pinned to that', async () => {
  await using z1 = await Z1.load({ threads: 1, contextSize: 256 })
  const options: EvaluateOptions = { task, windows: [30], maxTokens: 8, output: at('drafts'), reasoner: z1 }
  await evaluate({ ...options, speculation: true })
  expect(readRun(at('drafts')).options).toMatchObject({ speculation: true })
  const lines = readFileSync(at('drafts', 'results.jsonl'), 'utf8').trim().split('\n')
  const drafted = lines.map((line) => JSON.parse(line).usage.draftedTokens)
  expect(Math.max(...drafted)).toBeGreaterThan(0)
  await expect(evaluate(options)).rejects.toThrow('holds a run with speculation ')
  await evaluate({ ...options, output: at('no-drafts') })
  expect(readRun(at('no-drafts')).options).not.toHaveProperty('speculation')
})

it('refuses a model beside it, and what is none', async () => {
  const options: EvaluateOptions = { task, windows: [1], output: at('refused'), reasoner: counting() }
  const refused = evaluate({ ...options, contextSize: 2048 })
  await expect(refused).rejects.toThrow('Expected no contextSize beside a reasoner: its model is loaded')
  await expect(refused).rejects.toThrow(TypeError)
  const none = evaluate({ ...options, reasoner: 'z1' as never })
  await expect(none).rejects.toThrow('Expected Reasoner for reasoner but received "z1"')
})
