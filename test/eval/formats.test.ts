/** Runs as the first version has written them. */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { compareRuns, evaluate, jsonl, readOutcomes, readRun, readSummary, reportOf } from '../../lib/eval/index.js'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { temporaryFolder } from '../support/folder.js'
import { scripted } from './scripted.js'

const at = temporaryFolder()

const items = [
  { id: '1', question: 'a?', answer: '4', family: 'early', difficulty: 1 },
  { id: '2', question: 'b?', answer: '5', family: 'late', difficulty: 2 },
]
const windows = ['2', 'inf']

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest('hex')

/** A run of the method none over two items: the first is cut at two tokens, and fills the context where it may. */
function writeFormat1(directory: string) {
  const options = {
    task: 'jsonl',
    items: 2,
    itemsSha256: sha256(JSON.stringify(items)),
    modelSha256: sha256(readFileSync(EMBEDDED_MODEL)),
    method: 'none',
    windows,
    hint: null,
    maxTokens: null,
    system: null,
    temperature: 0,
    samples: 1,
    seed: 0,
    contextSize: 64,
  }
  const facts = {
    version: '0.1.0',
    model: { file: basename(EMBEDDED_MODEL), architecture: 'qwen2', quantization: 'Q8_0', parameters: 1, size: 1 },
    engine: '/engine',
    devices: ['CPU'],
    parallel: 1,
    threads: 1,
  }
  const line = (i: number, window: string, thinkingTokens: number, ended: string, extracted: string | null) => {
    const { question, id, answer, family, difficulty } = items[i] as (typeof items)[0]
    return {
      ...{ id, family, difficulty, window, thinkingWindow: window === 'inf' ? null : 2, sample: 0 },
      prompt: [{ role: 'user', content: question }],
      tokens: { reasoning: Array(thinkingTokens).fill(1), hint: [], answer: [] },
      ...{ text: '', extracted, answer, correct: extracted === answer, inForm: null, ended },
      finishReason: ended === 'self' ? 'stop' : 'length',
      usage: { promptTokens: 5, cachedTokens: 0, thinkingTokens, hintTokens: 0, answerTokens: 0 },
      timings: { promptMs: 1, thinkingMs: 1, hintMs: 0, answerMs: 0, totalMs: 2, decodeCalls: 3, threads: 1 },
      seed: 1,
    }
  }
  const lines = [
    line(0, '2', 2, 'length', null),
    line(0, 'inf', 59, 'length', null),
    line(1, '2', 1, 'self', '5'),
    line(1, 'inf', 1, 'self', '5'),
  ]
  mkdirSync(directory)
  writeFileSync(`${directory}/run.json`, JSON.stringify({ options, facts }))
  writeFileSync(`${directory}/results.jsonl`, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return { options, facts }
}

let written: ReturnType<typeof writeFormat1>
beforeAll(() => {
  written = writeFormat1(at('old'))
  writeFileSync(at('items.jsonl'), items.map((item) => `${JSON.stringify(item)}\n`).join(''))
})

describe('a run of format 1', () => {
  it('is read with groups, with an environment, and with the ends that the method none has now', async () => {
    const { options, facts } = written
    expect(readRun(at('old'))).toEqual({ format: 1, options: { ...options, modelName: null }, environment: facts })
    const responses = await readOutcomes(at('old'))
    expect(responses.map(({ id, groups, window, ended }) => [id, groups, window, ended])).toEqual([
      ['1', { family: 'early', difficulty: 1 }, '2', 'window'],
      ['1', { family: 'early', difficulty: 1 }, 'inf', 'length'],
      ['2', { family: 'late', difficulty: 2 }, '2', 'self'],
      ['2', { family: 'late', difficulty: 2 }, 'inf', 'self'],
    ])
    expect(Object.keys(responses[0] ?? {})).not.toContain('family')
  })

  it('is gone on with', async () => {
    const task = jsonl({ file: at('items.jsonl') })
    const options = { task, windows, output: at('old'), method: 'none', threads: 1, contextSize: 64 } as const
    const summary = await evaluate({ ...options, onProgress: () => expect.unreachable() })
    expect(summary.windows[0]).toMatchObject({
      accuracy: 0.5,
      ended: { self: 0.5, window: 0.5, length: 0 },
      groups: {
        family: { early: { accuracy: 0 }, late: { accuracy: 1 } },
        difficulty: { 1: { att: 2 }, 2: { att: 1 } },
      },
    })
    await expect(evaluate({ ...options, windows: [3] })).rejects.toThrow('windows ["2","inf"], not ["3"]')
  })

  it('is compared with one of today over the same items', async () => {
    const task = jsonl({ file: at('items.jsonl') })
    await evaluate({ task, windows, output: at('new'), reasoner: scripted({ thoughts: ['\\boxed{4}'] }) })
    expect(await compareRuns(at('old'), at('new'))).toMatchObject([
      { a: { window: '2', accuracy: 0.5, att: 1.5 }, b: { window: '2', accuracy: 0.5, att: 1 } },
      { a: { window: 'inf', accuracy: 0.5, att: 30 }, b: { window: 'inf', accuracy: 0.5, att: 1 } },
    ])
  })

  it('has a summary that is read like one of today', () => {
    const file = at('old', 'summary.json')
    const summary = readSummary(at('old'))
    const { options, ...rest } = JSON.parse(readFileSync(file, 'utf8'))
    const { modelName, ...before } = options
    const old = rest.windows.map((each: (typeof summary.windows)[0]) => {
      const { groups, hintTokens, probeTokens, totalTokens, ...window } = each
      const { self, window: cut, length } = window.ended
      const ended = { self, window: 0, length: cut + length }
      return { ...window, ended, families: groups.family, difficulties: groups.difficulty }
    })
    writeFileSync(file, JSON.stringify({ ...rest, options: before, windows: old }))
    // Hints were not counted then.
    const unknown = { hintTokens: null, probeTokens: null, totalTokens: null }
    const uncounted = summary.windows.map((window) => ({ ...window, ...unknown }))
    expect(readSummary(at('old'))).toEqual({ ...summary, windows: uncounted })
    expect(reportOf(readSummary(at('old')))).toContain('family, %')
    const none = old.map((window: object) => ({ ...window, families: {}, difficulties: {} }))
    writeFileSync(file, JSON.stringify({ ...rest, options: before, windows: none }))
    expect(readSummary(at('old')).windows[0]?.groups).toEqual({})
    const grouped = summary.windows.map(({ hintTokens, probeTokens, totalTokens, ...window }) => {
      const { self, window: cut, length } = window.ended
      return { ...window, ended: { self, window: cut, length } }
    })
    writeFileSync(file, JSON.stringify({ ...summary, windows: grouped }))
    expect(readSummary(at('old'))).toEqual({ ...summary, windows: uncounted })
  })
})

it('files of a run that an editor has put a byte-order mark before are read', () => {
  mkdirSync(at('marked'))
  for (const name of ['run.json', 'summary.json']) {
    writeFileSync(at('marked', name), `\uFEFF${readFileSync(at('new', name), 'utf8')}`)
  }
  expect(readRun(at('marked'))).toEqual(readRun(at('new')))
  expect(readSummary(at('marked'))).toEqual(readSummary(at('new')))
  writeFileSync(at('marked', 'run.json'), Buffer.from('{}', 'utf16le'))
  expect(() => readRun(at('marked'))).toThrow(`${at('marked', 'run.json')}: bytes of 0, as UTF-16 has, and not UTF-8`)
})

it('a run of a later format is refused', () => {
  mkdirSync(at('later'))
  writeFileSync(at('later', 'run.json'), JSON.stringify({ ...readRun(at('new')), format: 3 }))
  const message = `${at('later')} holds a run of format 3, and this version reads formats up to 2`
  expect(() => readRun(at('later'))).toThrow(message)
})

it('groups of other names are part of what a run is pinned to', async () => {
  const write = (...rows: object[]) =>
    writeFileSync(at('others.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'))
  const run = () => {
    const task = jsonl({ file: at('others.jsonl') })
    return evaluate({ task, windows: [0], output: at('others'), reasoner: scripted({ thoughts: [] }) })
  }
  write({ question: '?', answer: '1', groups: { source: 'web' } })
  await run()
  write({ question: '?', answer: '1', groups: { source: 'book' } })
  await expect(run()).rejects.toThrow('itemsSha256')
})
