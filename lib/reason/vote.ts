/**
 * Several samples of one prompt: when the rest need not go on, and which one is the result. How answers are compared is handed
 * in: this room knows no grading.
 */
import { isDeepStrictEqual } from 'node:util'
import { misuse } from '../base/checks.js'
import type { ReasonResult, SampleResult, Usage, Vote } from './result.js'
import type { Samples } from './sample-options.js'
import type { ReasonStream } from './stream.js'

/** Whether two answers are the same, the right one first. */
type SameAnswer = (expected: string, given: string) => boolean

let loadSameAnswer: () => Promise<SameAnswer> = async () => {
  throw new Error('Nobody has handed in how answers are compared')
}

/** Hands in what compares answers. */
export function compareAnswersWith(load: () => Promise<SameAnswer>): void {
  loadSameAnswer = load
}

/** Samples that give the same answer, by their indices. */
type Candidate = Vote['answers'][number]

/**
 * The result of samples that run, with all of them in it. Ends those that are not needed any more.
 * @param streams One for each sample, in order.
 * @throws What the first one that fails does, and what a function that votes throws; the others go on until they are aborted.
 */
export async function resultOfSamples<T>(
  { vote, first, whenDecided }: Samples,
  streams: readonly ReasonStream<T>[],
): Promise<ReasonResult<T>> {
  const same = vote === 'majority' ? await loadSameAnswer() : null
  const ended: (SampleResult<T> | undefined)[] = streams.map(() => undefined)
  let nEnded = 0
  let isOver = false
  const follow = async (stream: ReasonStream<T>, index: number): Promise<SampleResult<T>> => {
    const result = await stream.result
    ended[index] = result
    nEnded += 1
    if (!isOver && (nEnded >= first || (whenDecided && same && isDecided(candidatesOf(ended, same), ended)))) {
      isOver = true
      for (const other of streams) other.stop()
    }
    return result
  }
  const samples = await Promise.all(streams.map(follow))
  const answers = same ? candidatesOf(samples, same) : []
  const winner = typeof vote === 'function' ? indexOf(await vote(samples), samples) : (answers[0]?.samples[0] ?? 0)
  const chosen = samples[winner] as SampleResult<T>
  return { ...chosen, samples, vote: { winner, answers }, cost: costOf(samples) }
}

/** What a sample votes for; null: it states no answer, or was ended before it did. */
function answerOf({ finishReason, object, finalAnswer }: SampleResult): unknown {
  return finishReason === 'abort' ? null : (object ?? finalAnswer)
}

/** The one with the most votes first, and of those with as many the one with the earliest sample. */
export function candidatesOf(samples: readonly (SampleResult | undefined)[], same: SameAnswer): Candidate[] {
  const candidates: Candidate[] = []
  for (const [index, sample] of samples.entries()) {
    const answer = sample ? answerOf(sample) : null
    if (answer === null) continue
    const known = candidates.find((one) =>
      typeof one.answer === 'string' && typeof answer === 'string'
        ? same(one.answer, answer)
        : isDeepStrictEqual(one.answer, answer),
    )
    if (known) known.samples.push(index)
    else candidates.push({ answer, samples: [index] })
  }
  return candidates.sort((a, b) => b.samples.length - a.samples.length || earliest(a) - earliest(b))
}

const earliest = ({ samples }: Candidate): number => samples[0] as number

/** Whether the first of the candidates wins, whatever the samples that have not ended yet say. */
export function isDecided(candidates: readonly Candidate[], samples: readonly unknown[]): boolean {
  const [leader, ...rivals] = candidates
  if (!leader) return false
  const running = samples.flatMap((sample, index) => (sample === undefined ? [index] : []))
  if (running.length === 0) return true
  const next = running[0] as number
  // All that still run may give the rival's answer, or one that nobody has given.
  return [...rivals, { answer: null, samples: [] }].every((rival) => {
    const most = rival.samples.length + running.length
    const votes = leader.samples.length
    return votes > most || (votes === most && earliest(leader) < Math.min(next, rival.samples[0] ?? next))
  })
}

/** A function may give either. */
function indexOf<T>(chosen: unknown, samples: readonly SampleResult<T>[]): number {
  const index = typeof chosen === 'object' ? samples.indexOf(chosen as SampleResult<T>) : chosen
  if (typeof index === 'number' && Number.isInteger(index) && index >= 0 && index < samples.length) return index
  throw misuse(TypeError, 'a sample or its index', 'what vote returns', chosen)
}

function costOf(samples: readonly SampleResult[]): Usage & { totalMs: number } {
  const sum = (name: keyof Usage) => samples.reduce((total, { usage }) => total + usage[name], 0)
  return {
    promptTokens: sum('promptTokens'),
    cachedTokens: sum('cachedTokens'),
    thinkingTokens: sum('thinkingTokens'),
    hintTokens: sum('hintTokens'),
    answerTokens: sum('answerTokens'),
    nudgeTokens: sum('nudgeTokens'),
    probeTokens: sum('probeTokens'),
    draftedTokens: sum('draftedTokens'),
    acceptedTokens: sum('acceptedTokens'),
    totalMs: Math.max(...samples.map(({ timings }) => timings.totalMs)),
  }
}
