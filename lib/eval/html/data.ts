/** What a report in HTML holds of runs: the items with all their responses, and the figures of each run. */
import { basename, resolve } from 'node:path'
import { oneLine } from '../../base/one-line.js'
import type { ChatMessage } from '../../reason/messages.js'
import type { ResultRecord, Run, ScoredResponse, Summary } from '../records.js'
import { readResults, readRun, scoredResponseOf } from '../results.js'
import { summarize, thinkingTokens } from '../summary.js'
import { type Parts, partsOf } from './parts.js'

/** A run as the page's head needs it. */
export interface ReportRun {
  label: string
  run: Run
  summary: Summary
  /** Its windows, the smallest first. */
  windows: string[]
}

/** What the page's script reads; texts are null where they are left out. */
export interface ReportData {
  runs: { label: string; task: string; windows: string[]; samples: number }[]
  items: ReportItem[]
  /** What stood before the question: system texts, earlier messages. No two are the same. */
  contexts: ChatMessage[][]
  responses: ReportResponse[]
}

interface ReportItem {
  task: string
  id: string
  question: string | null
  /** The right answer. */
  answer: string | null
  groups: Record<string, string | number>
}

export interface ReportResponse
  extends Pick<ResultRecord, 'window' | 'thinkingWindow' | 'sample' | 'correct' | 'ended' | 'finishReason'> {
  /** Indices in `runs`, `items` and `contexts`. */
  run: number
  item: number
  context: number
  extracted: string | null
  /** Whether it has no final answer: `extracted` may be left out. */
  unanswered: boolean
  thinkingTokens: number
  hintTokens: number
  answerTokens: number
  /** As average thinking tokens count them: with the answer of a response that got no hint. */
  counted: number
  text: string | null
  parts: Parts
  /** Wrong, and right at a larger window of the same item, run and sample. */
  lost: boolean
  /** Right, and wrong at a larger window. */
  spoiled: boolean
}

/** Characters of texts in a page: browsers take long beyond it, and strings end. */
const MAX_TEXT = 2 ** 27
/** Longer answers are texts too. */
const SHORT_ANSWER = 40

/**
 * @param labels Of the runs; undefined: the names of their folders, or their paths where two have the same name.
 * @param texts false: questions, responses and long answers are left out.
 * @throws {Error} for a folder without results, a line that is not a result, and for more text than a page can hold.
 */
export async function readReport(
  directories: readonly string[],
  labels: readonly string[] | undefined,
  texts: boolean,
): Promise<{ runs: ReportRun[]; data: ReportData }> {
  const names = labels ?? folderNames(directories)
  const runs: ReportRun[] = []
  const data = new DataBuilder(texts)
  for (const [i, directory] of directories.entries()) {
    const run = readRun(directory)
    const scored: ScoredResponse[] = []
    for await (const { record, location } of readResults(directory)) {
      checkTexts(record, location)
      data.add(i, record, run)
      scored.push(scoredResponseOf(record))
    }
    if (scored.length === 0) throw new Error(`${directory} has no responses yet`)
    const windows = [...run.options.windows].sort((a, b) => sizeOf(a) - sizeOf(b))
    runs.push({ label: names[i] as string, run, summary: summarize(run.options, scored), windows })
  }
  const heads = runs.map(({ label, windows, run: { options } }) => {
    return { label: oneLine(label, 200), task: options.task, windows, samples: options.samples }
  })
  return { runs, data: data.finish(heads) }
}

/** Shares after tokens, no end last. */
function sizeOf(window: string): number {
  if (window === 'inf') return Infinity
  return Number.parseFloat(window) + (window.endsWith('%') ? 2 ** 40 : 0)
}

function folderNames(directories: readonly string[]): string[] {
  const names = directories.map((directory) => basename(resolve(directory)))
  return names.map((name, i) => (names.indexOf(name) === names.lastIndexOf(name) ? name : (directories[i] as string)))
}

function checkTexts({ id, text, prompt, answer }: ResultRecord, location: string): void {
  const isMessage = (message: ChatMessage) => typeof message?.content === 'string' && typeof message.role === 'string'
  const isResult = [id, text, answer].every((value) => typeof value === 'string')
  if (!isResult || !Array.isArray(prompt) || !prompt.every(isMessage)) throw new Error(`${location}: Expected a result`)
}

class DataBuilder {
  readonly #texts: boolean
  readonly #items = new Map<string, { item: ReportItem; responses: ReportResponse[] }>()
  readonly #contexts = new Map<string, number>()
  #length = 0

  constructor(texts: boolean) {
    this.#texts = texts
  }

  add(run: number, record: ResultRecord, { options }: Run): void {
    const { id, prompt, answer, groups = {}, usage, text, extracted } = record
    const question = prompt.at(-1)?.content ?? ''
    const key = JSON.stringify([options.task, id, question, answer])
    const entry = this.#items.get(key) ?? {
      item: this.#item(options.task, id, question, answer, groups),
      responses: [],
    }
    this.#items.set(key, entry)
    this.#count(text)
    const { window, thinkingWindow, sample, correct, ended, finishReason } = record
    const { thinkingTokens: thinking, hintTokens, answerTokens } = usage
    entry.responses.push({
      ...{ window, thinkingWindow, sample, correct, ended, finishReason, run },
      item: 0,
      context: this.#context(this.#texts ? prompt.slice(0, -1) : []),
      extracted: extracted === null ? null : this.#answer(extracted),
      unanswered: extracted === null,
      ...{ thinkingTokens: thinking, hintTokens, answerTokens },
      counted: thinkingTokens(record),
      text: this.#texts ? text : null,
      parts: partsOf(record, options),
      lost: false,
      spoiled: false,
    })
  }

  finish(runs: ReportData['runs']): ReportData {
    const natural = new Intl.Collator('en', { numeric: true })
    const entries = [...this.#items.values()].sort(
      (a, b) => natural.compare(a.item.task, b.item.task) || natural.compare(a.item.id, b.item.id),
    )
    for (const [index, { responses }] of entries.entries()) {
      markChanges(responses)
      for (const response of responses) response.item = index
    }
    return {
      runs,
      items: entries.map(({ item }) => item),
      contexts: [...this.#contexts.keys()].map((json) => JSON.parse(json)),
      responses: entries.flatMap(({ responses }) => responses),
    }
  }

  #item(task: string, id: string, question: string, answer: string, groups: ReportItem['groups']): ReportItem {
    this.#count(question)
    return { task, id, question: this.#texts ? question : null, answer: this.#answer(answer), groups }
  }

  #context(messages: ChatMessage[]): number {
    const key = JSON.stringify(messages.map(({ role, content }) => ({ role, content })))
    const index = this.#contexts.get(key) ?? this.#contexts.size
    if (index === this.#contexts.size) this.#count(key)
    this.#contexts.set(key, index)
    return index
  }

  #answer(answer: string): string | null {
    return this.#texts || answer.length <= SHORT_ANSWER ? answer : null
  }

  #count(text: string): void {
    if (this.#texts) this.#length += text.length
    if (this.#length <= MAX_TEXT) return
    throw new Error(
      oneLine(
        `The texts of these runs are more than ${MAX_TEXT} characters: give fewer runs, or --no-texts (texts: false)`,
      ),
    )
  }
}

/** Sets each response of an item against those of the same run and sample under larger windows. */
function markChanges(responses: ReportResponse[]): void {
  const tokensOf = ({ thinkingWindow }: ReportResponse) => thinkingWindow ?? Infinity
  for (const response of responses) {
    const larger = responses.filter(
      (other) => other.run === response.run && other.sample === response.sample && tokensOf(other) > tokensOf(response),
    )
    response.lost = !response.correct && larger.some(({ correct }) => correct)
    response.spoiled = response.correct && larger.some(({ correct }) => !correct)
  }
}
