/** The trace of one item: the request, and the grades of all that is answered in it. */
import { LoopDetector } from '../../base/loops.js'
import type { Reasoner } from '../../reason/reasoner.js'
import type { ReasonResult } from '../../reason/result.js'
import { answeredAt, endedAt, type ReasonTrace, type TracedAnswer } from '../../reason/trace.js'
import type { ResolvedOptions } from '../options.js'
import { failedAt, promptOf, seedOf } from '../response.js'
import type { Grade, Item } from '../task.js'
import type { AnswerRecord, TraceRecord, TraceRunOptions } from './records.js'

/** How all items are asked. */
export interface Asking {
  reasoner: Reasoner
  task: ResolvedOptions['task']
  system: string | undefined
  pinned: Pick<TraceRunOptions, 'hint' | 'maxTokens' | 'seed' | 'trace'>
  /** Infinity: the thinking ends by itself. */
  thinkingWindow: number
}

/** @throws {Z1Error} as `z1.reason()` does, with the item. */
export async function traceItem(asking: Asking, item: Item, signal: AbortSignal): Promise<TraceRecord> {
  const { reasoner, task, system, pinned, thinkingWindow } = asking
  const { seed, trace: options, maxTokens } = pinned
  const hint = pinned.hint as string
  const prompt = promptOf(task, item, system)
  const request = { thinkingWindow, hint, maxTokens: maxTokens ?? undefined, trace: options, signal }
  const result = await reasoner
    .reason(prompt, { ...request, temperature: 0, tags: 'ban', seed: seedOf(seed, item.id, 0) })
    .catch(failedAt({ item }, 'the trace'))
  const trace = result.trace as ReasonTrace
  const { reasoning: tokens } = result.tokens
  const textAt = (place: number) => reasoner.detokenize(tokens.slice(0, place))
  const grade = (changes: Partial<ReasonResult>): Promise<Grade> | Grade =>
    task.grade(item, { ...result, ...changes }, signal)

  const answers: AnswerRecord[] = []
  for (const answer of [...trace.answers, ...ownAnswer(result)]) {
    const { text, thinkingTokens, hintTokens, probabilities, probeTokens, ended, finishReason } = answer
    const reasoning = await textAt(thinkingTokens)
    const graded = (text: string) =>
      grade({ ...(hintTokens > 0 ? answeredAt(reasoning, hint, text) : endedAt(reasoning)), ended, finishReason })
    const n = loopEnd(answer.tokens)
    answers.push({
      ...{ thinkingTokens, hintTokens, answerTokens: answer.tokens.length, text },
      ...(await graded(text)),
      ...{ ended, finishReason },
      ...(probabilities && {
        probe: { tokens: probeTokens, confidence: least(probabilities.slice(0, probeTokens)) },
      }),
      ...(n > 0 && {
        loop: { answerTokens: n, ...(await graded(await reasoner.detokenize(answer.tokens.slice(0, n)))) },
      }),
    })
  }
  const stated: TraceRecord['stated'] = []
  for (const thinkingTokens of trace.stated) {
    stated.push({ thinkingTokens, ...(await grade(endedAt(await textAt(thinkingTokens)))) })
  }
  return {
    id: item.id,
    ...(item.groups && { groups: item.groups }),
    prompt,
    answer: item.answer,
    tokens,
    text: result.reasoning,
    ended: result.ended,
    finishReason: result.finishReason,
    natural: result.usage.hintTokens > 0 ? null : await grade({}),
    endProbability: trace.endProbability.map((value) => Number(value.toPrecision(4))),
    // Nine digits are all that a float has.
    margin: trace.margin.map((value) => (value === Infinity ? null : Number(value.toPrecision(9)))),
    sentences: trace.sentences,
    settled: trace.settled,
    probes: trace.probes,
    lines: trace.lines,
    loops: trace.loops,
    stated,
    answers,
    usage: { promptTokens: result.usage.promptTokens },
    timings: { totalMs: result.timings.totalMs },
  }
}

/** That of the whole window, where it closed. */
function ownAnswer({ usage, answer, tokens, ended, ...result }: ReasonResult): (Omit<TracedAnswer, 'probabilities'> & {
  probabilities?: number[]
})[] {
  if (usage.hintTokens === 0) return []
  const { thinkingTokens, hintTokens } = usage
  // A trace goes beside no tools.
  const finishReason = result.finishReason as TracedAnswer['finishReason']
  return [{ thinkingTokens, hintTokens, text: answer, tokens: tokens.answer, probeTokens: 0, ended, finishReason }]
}

/** Tokens up to where a loop ends an answer; 0: it has none that ends it early. */
function loopEnd(tokens: readonly number[]): number {
  const detector = new LoopDetector()
  const at = tokens.findIndex((token) => detector.push(token) !== null)
  return at + 1 < tokens.length ? at + 1 : 0
}

function least(values: readonly number[]): number | null {
  return values.length > 0 ? Math.min(...values) : null
}
