/**
 * Why a response ended, in the words of each protocol. A loop is an end before the response was complete, which only the AI SDK
 * has a word for; elsewhere it is told as a limit. `abort` is a stop that somebody asked for.
 */
import type { ReasonResult } from '../reason/result.js'

type Ending = Pick<ReasonResult, 'finishReason' | 'stopString'>

/** Whether something cut the response short. */
function isIncomplete({ finishReason }: Ending): boolean {
  return finishReason === 'length' || finishReason === 'loop'
}

/** `finish_reason` of chat completions. */
export function chatFinishReason(ending: Ending): 'stop' | 'length' | 'tool_calls' {
  if (ending.finishReason === 'tool_calls') return 'tool_calls'
  return isIncomplete(ending) ? 'length' : 'stop'
}

/** `status` and `incomplete_details` of a response. */
export function responsesStatus(ending: Ending) {
  return isIncomplete(ending)
    ? { status: 'incomplete' as const, incomplete_details: { reason: 'max_output_tokens' as const } }
    : { status: 'completed' as const, incomplete_details: null }
}

/** `stop_reason` and `stop_sequence` of a message. */
export function messagesStop(ending: Ending) {
  if (isIncomplete(ending)) return { stop_reason: 'max_tokens' as const, stop_sequence: null }
  if (ending.finishReason === 'tool_calls') return { stop_reason: 'tool_use' as const, stop_sequence: null }
  if (ending.stopString === null) return { stop_reason: 'end_turn' as const, stop_sequence: null }
  return { stop_reason: 'stop_sequence' as const, stop_sequence: ending.stopString }
}

/** `finishReason` of the AI SDK's language models. */
export function modelFinishReason({ finishReason }: Ending) {
  const isShared = finishReason === 'stop' || finishReason === 'length'
  const unified = finishReason === 'tool_calls' ? 'tool-calls' : isShared ? finishReason : 'other'
  return { unified, raw: finishReason } as const
}
