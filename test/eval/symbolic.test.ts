/** Runs with the symbolic engine, which dist/ has, and without it: lib/ has no compiled thread to start. */
import { readFileSync, writeFileSync } from 'node:fs'
import { beforeAll, expect, it } from 'vitest'
import * as built from '../../dist/eval/index.js'
import * as evaluation from '../../lib/eval/index.js'
import type { EvaluateOptions } from '../../lib/eval/options.js'
import { temporaryFolder } from '../support/folder.js'
import { scripted } from './scripted.js'

const compiled = built as unknown as typeof evaluation
const folder = temporaryFolder()
const { evaluate, heldout, jsonl, readRun, reportOf } = evaluation
const NOTE = 'Answers were compared without @cortex-js/compute-engine, which is not installed'

function options(output: string, from = { jsonl }): EvaluateOptions {
  const reasoner = scripted({ thoughts: ['\\boxed{\\sum_{k=1}^{4} k}'] })
  return { task: from.jsonl({ file: folder('items.jsonl') }), reasoner, windows: ['inf'], output: folder(output) }
}

beforeAll(() => {
  writeFileSync(folder('items.jsonl'), `${JSON.stringify({ question: '1 + 2 + 3 + 4?', answer: '10' })}\n`)
})

it('a run loads it, says which one, and goes on with it only', async () => {
  const summary = await compiled.evaluate(options('with', compiled))
  const { version } = JSON.parse(
    readFileSync(new URL('../../node_modules/@cortex-js/compute-engine/package.json', import.meta.url), 'utf8'),
  )
  expect(summary).toMatchObject({ symbolic: version, windows: [{ accuracy: 1 }] })
  expect(readRun(folder('with')).environment.symbolic).toBe(version)
  expect(reportOf(summary)).not.toContain(NOTE)
  writeFileSync(folder('with', 'results.jsonl'), '')
  await expect(evaluate(options('with'))).rejects.toThrow(`npm install @cortex-js/compute-engine@${version}`)
})

it('a report says that it was missing, and the run goes on without it', async () => {
  const summary = await evaluate(options('without'))
  expect(summary).toMatchObject({ symbolic: null, windows: [{ accuracy: 0 }] })
  expect(reportOf(summary)).toContain(NOTE)
  writeFileSync(folder('without', 'results.jsonl'), '')
  expect(await compiled.evaluate(options('without', compiled))).toMatchObject({ symbolic: null })
})

it('a task that does not need it says nothing', async () => {
  const { reasoner } = options('none')
  const summary = await evaluate({ task: heldout({ count: 1 }), reasoner, windows: ['inf'], output: folder('none') })
  expect(summary).not.toHaveProperty('symbolic')
  expect(readRun(folder('none')).environment).not.toHaveProperty('symbolic')
  expect(reportOf(summary)).not.toContain(NOTE)
})
