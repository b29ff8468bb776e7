/**
 * What a policy comes to on a trace. The marks of a trace are made by the policies themselves, in the engine; here is only who of
 * them comes first (Generation::add_policies, Generation::sample), and what each response is then.
 */
import type { Ended } from '../../native/binding.js'
import type { TracePolicy } from './policy.js'
import type { AnswerRecord, TraceRecord } from './records.js'

/** What the response of a request with the policy has. */
export interface Replayed {
  correct: boolean
  extracted: string | null
  ended: Ended
  thinkingTokens: number
  hintTokens: number
  answerTokens: number
  probeTokens: number
}

/** A trace with its places made ready to be looked up. */
export class Replay {
  readonly #record: TraceRecord
  readonly #sentences: Set<number>
  readonly #probes: Set<number>
  readonly #settled: Set<number>
  readonly #lines: Set<number>
  readonly #answers: Map<number, AnswerRecord>
  readonly #stated: Map<number, TraceRecord['stated'][number]>

  constructor(record: TraceRecord) {
    this.#record = record
    this.#sentences = new Set(record.sentences)
    this.#probes = new Set(record.probes)
    this.#settled = new Set(record.settled)
    this.#lines = new Set(record.lines)
    this.#answers = new Map(record.answers.map((answer) => [answer.thinkingTokens, answer]))
    this.#stated = new Map(record.stated.map((grade) => [grade.thinkingTokens, grade]))
  }

  get id(): string {
    return this.#record.id
  }

  /**
   * @param window Tokens, or Infinity.
   * @throws {Error} where the thinking ends at a place without an answer in the trace.
   */
  run(policy: TracePolicy, window: number): Replayed {
    const { natural, ended, tokens } = this.#record
    let probeTokens = 0
    for (let place = 0; place <= tokens.length; place++) {
      const closed = this.#closedAt(place, policy, window)
      if (closed) return this.#endAt(place, closed, policy, probeTokens)
      if (policy.probe !== null && this.#probes.has(place)) {
        const { probe, hintTokens } = this.#answerAt(place)
        if (probe && probe.confidence !== null) {
          probeTokens += hintTokens + probe.tokens
          if (probe.confidence >= policy.probe) return this.#endAt(place, 'early', policy, probeTokens)
        }
      }
      if (place === tokens.length && natural) {
        const { correct, extracted } = natural
        return { correct, extracted, ended, ...counts(place, 0, 0, probeTokens) }
      }
      if (this.#isNear(place, policy)) return this.#endAt(place, 'early', policy, probeTokens)
    }
    // The window of the trace closed.
    return this.#endAt(tokens.length, ended, policy, probeTokens)
  }

  /** By what is known of the text so far. */
  #closedAt(place: number, { oracle, landing, loops, end }: TracePolicy, window: number): Ended | null {
    if (oracle && this.#answers.get(place)?.correct) return 'early'
    if (place >= window) return 'window'
    const near = place > 0 && place >= window - Math.floor(window / 10)
    if (landing && near && this.#lines.has(place)) return 'window'
    if (loops && this.#record.loops[0] === place) return 'loop'
    return end && this.#settled.has(place) ? 'stated' : null
  }

  #isNear(place: number, { margin: most }: TracePolicy): boolean {
    const margin = this.#record.margin[place]
    if (most === null || margin === null || margin === undefined || !this.#sentences.has(place)) return false
    return Math.fround(margin) <= Math.fround(most)
  }

  #endAt(place: number, ended: Ended, policy: TracePolicy, probeTokens: number): Replayed {
    const kept = policy.stated || policy.end ? this.#stated.get(place) : undefined
    if (kept) {
      const { correct, extracted } = kept
      return { correct, extracted, ended: 'stated', ...counts(place, 0, 0, probeTokens) }
    }
    const answer = this.#answerAt(place)
    const { correct, extracted, answerTokens } = (policy.loops && answer.loop) || { ...answer }
    // Without room for a hint the context was full.
    const how = answer.hintTokens > 0 ? ended : answer.ended
    return { correct, extracted, ended: how, ...counts(place, answer.hintTokens, answerTokens, probeTokens) }
  }

  #answerAt(place: number): AnswerRecord {
    const answer = this.#answers.get(place)
    if (answer) return answer
    throw new Error(`The trace of ${this.#record.id} has no answer after ${place} tokens`)
  }
}

function counts(thinkingTokens: number, hintTokens: number, answerTokens: number, probeTokens: number) {
  return { thinkingTokens, hintTokens, answerTokens, probeTokens }
}
