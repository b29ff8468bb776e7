/** The folder of a run: what is kept of it, whatever ended the process that wrote it. */
import { appendFileSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import type { ResultRecord, RunEnvironment, RunOptions } from '../../lib/eval/records.js'
import { ResultsFolder, readOutcomes } from '../../lib/eval/results.js'
import { temporaryFolder } from '../support/folder.js'

const path = temporaryFolder()
const options = { task: 't', windows: ['0', 'inf'], samples: 1 } as RunOptions

function record(id: string, window = '0', more: object = {}): ResultRecord {
  const usage = { promptTokens: 1, thinkingTokens: 2, hintTokens: 0, answerTokens: 3 }
  return { id, window, sample: 0, correct: true, usage, text: 'x'.repeat(100_000), ...more } as ResultRecord
}

it('keeps results that are appended at the same time, each as one line, in the order of the calls', async () => {
  const folder = await ResultsFolder.open(path('parallel'), options)
  const records = Array.from({ length: 20 }, (_, i) => record(`${i}`))
  await Promise.all(records.map((each) => folder.append(each)))
  await folder.close()
  const text = readFileSync(path('parallel', 'results.jsonl'), 'utf8')
  expect(text).toBe(records.map((each) => `${JSON.stringify(each)}\n`).join(''))
  expect(folder.responses.map(({ id }) => id)).toEqual(records.map(({ id }) => id))
})

it('goes on after a torn line, which readers do not see either', async () => {
  const directory = path('torn')
  const first = await ResultsFolder.open(directory, options)
  await first.begin({} as RunEnvironment)
  await first.append(record('1'))
  await first.close()
  appendFileSync(join(directory, 'results.jsonl'), JSON.stringify(record('2')).slice(0, 50))
  expect((await readOutcomes(directory)).map(({ id }) => id)).toEqual(['1'])
  const second = await ResultsFolder.open(directory, options)
  expect(second.responses.map(({ id }) => id)).toEqual(['1'])
  await second.append(record('2'))
  await second.close()
  expect((await readOutcomes(directory)).map(({ id }) => id)).toEqual(['1', '2'])
  expect(readdirSync(directory).sort()).toEqual(['results.jsonl', 'run.json'])
})

it('may be opened again after a run that had not begun', async () => {
  const directory = path('unbegun')
  await (await ResultsFolder.open(directory, options)).close()
  await (await ResultsFolder.open(directory, { ...options, seed: 1 })).close()
  writeFileSync(join(directory, 'results.jsonl'), `${JSON.stringify(record('1'))}\n`)
  await expect(ResultsFolder.open(directory, options)).rejects.toThrow('holds results without run.json')
})

it('is one run at a time', async () => {
  const directory = path('busy')
  const first = await ResultsFolder.open(directory, options)
  await expect(ResultsFolder.open(directory, options)).rejects.toThrow(
    `${join(directory, 'results.jsonl')} is being written by another run of this process`,
  )
  await first.append(record('1'))
  await first.close()
  expect(readdirSync(directory)).toEqual(['results.jsonl'])
  // What could not be opened is free again.
  for (const _ of [1, 2]) await expect(ResultsFolder.open(directory, options)).rejects.toThrow('without run.json')
})
