/** One response, or all of an item: the prompt and the seed, the method's answer, the grade, and the record of all that. */
import { createHash } from 'node:crypto'
import { Z1Error } from '../base/errors.js'
import { extractFinalAnswer } from '../reason/answer.js'
import type { ChatMessage } from '../reason/messages.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonResult } from '../reason/result.js'
import type { Question, ResolvedMethod } from './methods/method.js'
import type { ResolvedOptions } from './options.js'
import type { ResultRecord } from './records.js'
import type { Cell } from './schedule.js'
import type { Item, Task } from './task.js'

type AskOptions = Pick<ResolvedOptions, 'task' | 'method' | 'system' | 'temperature' | 'seed' | 'speculation'>

/** @throws {Z1Error} as `z1.reason()` does, with the item and the window. */
export async function respond(
  reasoner: Reasoner,
  options: AskOptions,
  cell: Cell,
  signal: AbortSignal,
): Promise<ResultRecord> {
  const question = questionOf(options, cell, signal)
  const result = await options.method.ask(reasoner, question).catch(failedAt(cell, `window ${cell.window}`))
  return record(options, cell, question, result)
}

/**
 * The responses to all windows that are asked for together with the cell's, from one request.
 * @param names Of these windows.
 * @throws {Z1Error} as `z1.reason()` does, with the item.
 */
export async function respondToAll(
  reasoner: Reasoner,
  options: AskOptions & { method: Required<ResolvedMethod> },
  cell: Cell,
  names: readonly string[],
  signal: AbortSignal,
): Promise<ResultRecord[]> {
  const { thinkingWindow, ...question } = questionOf(options, cell, signal)
  const asked = options.method.askAll(reasoner, question).catch(failedAt(cell, `windows ${names.join(', ')}`))
  const records: ResultRecord[] = []
  for (const [i, result] of (await asked).entries()) {
    const own = { ...cell, window: names[i] as string, thinkingWindow: cell.windows[i] as number }
    records.push(await record(options, own, question, result))
  }
  return records
}

function questionOf(
  { task, system, temperature, seed, speculation }: AskOptions,
  { item, sample, thinkingWindow, windows }: Cell,
  signal: AbortSignal,
): Question {
  const prompt = promptOf(task, item, system)
  const asked = { prompt, thinkingWindow, windows, temperature, seed: seedOf(seed, item.id, sample), signal }
  return speculation ? { ...asked, speculation } : asked
}

export function failedAt({ item }: Pick<Cell, 'item'>, where: string) {
  return (error: unknown): never => {
    if (!(error instanceof Z1Error)) throw error
    throw new Z1Error(error.code, `Item ${item.id} at ${where}: ${error.message}`, { cause: error })
  }
}

async function record(
  { task }: AskOptions,
  { item, sample, window, thinkingWindow }: Cell,
  { prompt, seed, signal }: Omit<Question, 'thinkingWindow'>,
  result: ReasonResult,
): Promise<ResultRecord> {
  const { correct, score, extracted, reason } = await task.grade(item, result, signal)
  const { id, groups, answer } = item
  return {
    id,
    ...(groups && { groups }),
    window,
    thinkingWindow: thinkingWindow === Infinity ? null : thinkingWindow,
    sample,
    prompt,
    tokens: result.tokens,
    text: result.text,
    parts: { reasoning: result.reasoning.length, hint: result.hint.length },
    extracted,
    answer,
    correct,
    ...(score !== undefined && { score }),
    ...(reason !== undefined && { reason }),
    inForm: result.hint === '' ? null : followsHint(result),
    ended: result.ended,
    finishReason: result.finishReason,
    usage: result.usage,
    ...(result.confidence !== null && { confidence: result.confidence }),
    timings: result.timings,
    seed,
  }
}

export function promptOf(task: Task, item: Item, runSystem: string | undefined): ChatMessage[] {
  const { messages, system } = task.prompt(item)
  const content = runSystem ?? system
  return content === undefined ? messages : [{ role: 'system', content }, ...messages]
}

/** A hint that names a box asks for one; any other asks for a final answer. */
function followsHint({ hint, answer, finalAnswer }: ReasonResult): boolean {
  if (!hint.includes('\\boxed')) return finalAnswer !== null
  const box = answer.lastIndexOf('\\boxed')
  return box >= 0 && extractFinalAnswer(answer.slice(box)) !== null
}

/** The same for all windows of an item, so that they begin alike. 2³² − 1 stands for a random one in llama.cpp. */
export function seedOf(seed: number, id: string, sample: number): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, id, sample]))
    .digest()
  return digest.readUInt32LE(0) % (2 ** 32 - 1)
}
