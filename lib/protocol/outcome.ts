/**
 * What of a response is reasoning, what is text, and what is neither. Thinking is reasoning, the continuation after a cut is
 * text, and the hint is metadata.
 *
 * A response that ended by itself has no boundary: all of it is reasoning, and its answer is repeated as text, so that text is
 * never empty where the model said anything. The same where nothing followed the hint.
 */
import type { SampledLogprob } from '../native/binding.js'
import { closingPart } from '../reason/answer.js'
import type { ReasonEvent, ReasonResult } from '../reason/result.js'
import type { ToolCallDelta } from '../reason/tool-calls.js'

/** What travels beside reasoning and text, in the field `z1`. */
export interface Metadata {
  ended: ReasonResult['ended']
  /** What was appended to the thinking; '' if nothing was. */
  hint: string
  thinkingTokens: number
  hintTokens: number
  seed: number
  /** Whether the text is a part of the reasoning, told again. */
  answerRepeats: boolean
}

export interface Outcome {
  reasoning: string
  text: string
  metadata: Metadata
}

export function outcomeOf(result: ReasonResult): Outcome {
  const { reasoning, hint, ended, usage, seed } = result
  const rest = result.text.slice(reasoning.length + hint.length)
  // Where nothing followed, the answer is a part of the reasoning; calls of tools are no text.
  const followed = rest === '' ? '' : result.answer
  const answerRepeats = rest.trim() === '' && reasoning.trim() !== ''
  return {
    reasoning,
    text: answerRepeats ? followed + closingPart(reasoning) : followed,
    metadata: {
      ended,
      hint,
      thinkingTokens: usage.thinkingTokens,
      hintTokens: usage.hintTokens,
      seed,
      answerRepeats,
    },
  }
}

/** What a stream shows of a response. The reasonings together are the outcome's, and so are the texts. */
export type Part =
  | { type: 'reasoning'; text: string; logprobs?: SampledLogprob[] }
  /** The thinking is over; `hint` was appended to it. */
  | { type: 'cut'; ended: ReasonResult['ended']; thinkingTokens: number; hint: string }
  /** `repeats`: it stands in the reasoning already. */
  | { type: 'text'; text: string; repeats?: true; logprobs?: SampledLogprob[] }
  | { type: 'toolCall'; deltas: readonly ToolCallDelta[] }
  | { type: 'end'; result: ReasonResult; outcome: Outcome }

/** Turns a stream's events into parts, in constant time for each but the last. */
export class PartReader {
  #sent = 0

  take(event: ReasonEvent): Part[] {
    switch (event.type) {
      case 'nudge': // stands in the reasoning, between what the model thought before and after it
        return event.text === '' ? [] : [{ type: 'reasoning', text: event.text }]
      case 'thinking':
        if (event.text === '' && !event.logprobs) return []
        return [{ type: 'reasoning', text: event.text, ...(event.logprobs && { logprobs: event.logprobs }) }]
      case 'cut':
        return [event]
      case 'answer':
        this.#sent += event.text.length
        // Tokens of which no character is whole yet may be told of, too.
        if (event.text === '' && !event.logprobs) return []
        return [{ type: 'text', text: event.text, ...(event.logprobs && { logprobs: event.logprobs }) }]
      case 'toolCall':
        return event.deltas.length === 0 ? [] : [{ type: 'toolCall', deltas: event.deltas }]
      case 'branch': // no protocol has a place for answers to smaller windows
        return []
      case 'done': {
        const outcome = outcomeOf(event.result)
        const rest = outcome.text.slice(this.#sent)
        const end: Part = { type: 'end', result: event.result, outcome }
        return rest === '' ? [end] : [{ type: 'text', text: rest, repeats: true }, end]
      }
    }
  }
}
