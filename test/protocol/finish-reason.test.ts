import { expect, it } from 'vitest'
import { chatFinishReason, messagesStop, modelFinishReason, responsesStatus } from '../../lib/protocol/finish-reason.js'

const table = [
  ['stop', null, 'stop', 'completed', 'end_turn', null, 'stop'],
  ['stop', 'END', 'stop', 'completed', 'stop_sequence', 'END', 'stop'],
  ['length', null, 'length', 'incomplete', 'max_tokens', null, 'length'],
  ['loop', null, 'length', 'incomplete', 'max_tokens', null, 'other'],
  ['tool_calls', null, 'tool_calls', 'completed', 'tool_use', null, 'tool-calls'],
  ['abort', null, 'stop', 'completed', 'end_turn', null, 'other'],
] as const

it.each(
  table,
)('of %s with the stop string %s', (finishReason, stopString, chat, responses, stop, sequence, unified) => {
  const ending = { finishReason, stopString }
  expect(chatFinishReason(ending)).toBe(chat)
  const details = responses === 'incomplete' ? { reason: 'max_output_tokens' } : null
  expect(responsesStatus(ending)).toEqual({ status: responses, incomplete_details: details })
  expect(messagesStop(ending)).toEqual({ stop_reason: stop, stop_sequence: sequence })
  expect(modelFinishReason(ending)).toEqual({ unified, raw: finishReason })
})
