/** Folders of runs with responses that are written by hand. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ResultRecord, Run, RunEnvironment, RunOptions } from '../../../lib/eval/records.js'

/** A response: what matters to a test; the rest is made to fit. */
export interface Given extends Partial<Omit<ResultRecord, 'text' | 'parts' | 'usage'>> {
  id: string
  window: string
  reasoning: string
  hint?: string
  after?: string
  thinkingTokens?: number
  question?: string
}

export function record({ reasoning, hint = '', after = '', thinkingTokens, question, ...more }: Given): ResultRecord {
  const { window, correct = false } = more
  const thinkingWindow = window === 'inf' || window.endsWith('%') ? null : Number(window)
  const isCut = hint !== ''
  return {
    thinkingWindow,
    sample: 0,
    prompt: [{ role: 'user', content: question ?? `What is ${more.id}?` }],
    tokens: { reasoning: [], hint: [], answer: [] },
    text: reasoning + hint + after,
    parts: { reasoning: reasoning.length, hint: hint.length },
    extracted: correct ? '7' : '8',
    answer: '7',
    correct,
    inForm: isCut ? true : null,
    ended: isCut ? 'window' : 'self',
    finishReason: 'stop',
    usage: {
      promptTokens: 5,
      cachedTokens: 0,
      thinkingTokens: thinkingTokens ?? (isCut ? (thinkingWindow ?? 0) : 20),
      hintTokens: isCut ? 3 : 0,
      answerTokens: isCut ? 2 : 0,
    },
    timings: {} as ResultRecord['timings'],
    seed: 0,
    ...more,
  }
}

export function writeRun(directory: string, given: readonly (Given | ResultRecord)[], more: Partial<RunOptions> = {}) {
  const records = given.map((each) => ('usage' in each ? (each as ResultRecord) : record(each as Given)))
  const windows = [...new Set(records.map(({ window }) => window))]
  const options: RunOptions = {
    task: 'hand',
    items: new Set(records.map(({ id }) => id)).size,
    itemsSha256: '',
    modelSha256: null,
    modelName: 'by-hand',
    method: 'window',
    windows,
    hint: ' So: ',
    maxTokens: 8,
    system: null,
    temperature: 0,
    samples: 1,
    seed: 0,
    contextSize: null,
    ...more,
  }
  const run: Run = { format: 2, options, environment: {} as RunEnvironment }
  mkdirSync(directory, { recursive: true })
  writeFileSync(join(directory, 'run.json'), JSON.stringify(run))
  writeFileSync(join(directory, 'results.jsonl'), records.map((each) => `${JSON.stringify(each)}\n`).join(''))
}
