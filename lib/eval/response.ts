/** One response: the prompt and the seed of a cell, the method's answer to it, the grade, and the record of all that. */
import { createHash } from 'node:crypto'
import { Z1Error } from '../base/errors.js'
import { extractFinalAnswer } from '../reason/answer.js'
import type { ChatMessage } from '../reason/messages.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonResult } from '../reason/result.js'
import type { Question } from './methods/method.js'
import type { ResolvedOptions } from './options.js'
import type { ResultRecord } from './records.js'
import type { Cell } from './schedule.js'
import type { Item, Task } from './task.js'

/** @throws {Z1Error} as `z1.reason()` does, with the item and the window. */
export async function respond(
  reasoner: Reasoner,
  options: Pick<ResolvedOptions, 'task' | 'method' | 'system' | 'temperature' | 'seed'>,
  { item, sample, window, thinkingWindow, windows }: Cell,
  signal: AbortSignal,
): Promise<ResultRecord> {
  const { task, method, system, temperature } = options
  const prompt = promptOf(task, item, system)
  const seed = seedOf(options.seed, item.id, sample)
  const question: Question = { prompt, thinkingWindow, windows, temperature, seed, signal }
  const result = await method.ask(reasoner, question).catch((error) => {
    if (!(error instanceof Z1Error)) throw error
    throw new Z1Error(error.code, `Item ${item.id} at window ${window}: ${error.message}`, { cause: error })
  })
  const { correct, extracted } = await task.grade(item, result)
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
    extracted,
    answer,
    correct,
    inForm: result.hint === '' ? null : followsHint(result),
    ended: result.ended,
    finishReason: result.finishReason,
    usage: result.usage,
    ...(result.confidence !== null && { confidence: result.confidence }),
    timings: result.timings,
    seed,
  }
}

function promptOf(task: Task, item: Item, runSystem: string | undefined): ChatMessage[] {
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
function seedOf(seed: number, id: string, sample: number): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, id, sample]))
    .digest()
  return digest.readUInt32LE(0) % (2 ** 32 - 1)
}
