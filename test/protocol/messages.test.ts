import { describe, expect, it } from 'vitest'
import { anthropicMessages, chatMessages, joined, responsesMessages, signatureOf } from '../../lib/protocol/messages.js'
import { outcomeOf } from '../../lib/protocol/outcome.js'
import { resultOf } from './results.js'

const cut = resultOf({ thoughts: ['a', 'b'], hint: ' So: ', answer: ['42'] })
const selfEnded = resultOf({ thoughts: ['It is 5.\n\n', 'So \\boxed{5}'] })
const chatted = resultOf({ answer: ['42'] })

describe('what was generated comes back, so that it continues the KV cache', () => {
  it.each([
    ['after a cut', cut],
    ['self-ended', selfEnded],
    ['without thinking', chatted],
  ])('%s', (_, result) => {
    const { reasoning, text, metadata } = outcomeOf(result)
    expect(joined(reasoning, metadata.hint, text)).toBe(result.text)
    const message = { role: 'assistant', content: text, reasoning_content: reasoning, z1: metadata }
    expect(chatMessages([message])).toEqual([{ role: 'assistant', content: result.text }])
    const thinking = { type: 'thinking', thinking: reasoning, signature: signatureOf(metadata.hint) }
    const blocks = reasoning === '' ? [] : [thinking]
    const anthropic = { role: 'assistant', content: [...blocks, { type: 'text', text }] }
    expect(anthropicMessages([anthropic], undefined)).toEqual([{ role: 'assistant', content: result.text }])
    const item = { type: 'reasoning', content: [{ type: 'reasoning_text', text: reasoning }], z1: metadata }
    const said = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] }
    expect(responsesMessages([item, said], undefined)).toEqual([{ role: 'assistant', content: result.text }])
  })

  it('without its reasoning, if the client drops that', () => {
    expect(chatMessages([{ role: 'assistant', content: '42' }])).toEqual([{ role: 'assistant', content: '42' }])
  })

  it('without the hint, if the client drops that', () => {
    expect(chatMessages([{ role: 'assistant', content: '42', reasoning: 'ab' }])).toEqual([
      { role: 'assistant', content: 'ab42' },
    ])
  })
})

describe('chat completions', () => {
  it('texts, parts and names for system messages', () => {
    const messages = [
      { role: 'developer', content: 'Be brief.' },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
        name: 'x',
      },
      { role: 'assistant', content: null, refusal: null, tool_calls: [], audio: null },
    ]
    expect(chatMessages(messages)).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'ab' },
      { role: 'assistant', content: '' },
    ])
  })

  it.each([
    ['no list', {}, 'messages'],
    ['an empty list', [], 'messages'],
    ['no object', ['hi'], 'messages[0]'],
    ['no role', [{ content: 'a' }], 'messages[0].role'],
    ['a role that is no text', [{ role: 1, content: 'a' }], 'messages[0].role'],
    ['a number', [{ role: 'user', content: 5 }], 'messages[0].content'],
    [
      'an image',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: '' } }] }],
      'messages[0].content[0]',
    ],
    ['a part without text', [{ role: 'user', content: [{ type: 'text' }] }], 'messages[0].content[0].text'],
    ['a function', [{ role: 'function', content: 'a' }], 'messages[0]'],
    ['a call of nothing', [{ role: 'assistant', tool_calls: [{}] }], 'messages[0].tool_calls[0].function'],
    ['an id that is no text', [{ role: 'tool', content: 'a', tool_call_id: 1 }], 'messages[0].tool_call_id'],
  ])('%s is refused', (_, messages, param) => {
    expect(() => chatMessages(messages)).toThrow(expect.objectContaining({ param, status: 400 }))
  })
})

describe('responses', () => {
  it('a text, with instructions', () => {
    expect(responsesMessages('hi', 'Be brief.')).toEqual([
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: 'hi' },
    ])
  })

  it('items without a type are messages; reasoning that no answer follows is dropped', () => {
    const reasoning = { type: 'reasoning', summary: [], content: [{ type: 'reasoning_text', text: 'hm' }] }
    const input = [reasoning, { role: 'user', content: [{ type: 'input_text', text: 'hi' }] }]
    expect(responsesMessages(input, undefined)).toEqual([{ role: 'user', content: 'hi' }])
  })

  it.each([
    ['nothing', undefined, 'input'],
    ['a reference', [{ type: 'item_reference', id: 'x' }], 'input[0]'],
    ['a call', [{ type: 'function_call' }], 'input[0].name'],
    ['a file', [{ role: 'user', content: [{ type: 'input_file' }] }], 'input[0].content[0]'],
  ])('%s is refused', (_, input, param) => {
    expect(() => responsesMessages(input, undefined)).toThrow(expect.objectContaining({ param }))
  })
})

describe('messages', () => {
  it('a system text or blocks before them', () => {
    const messages = [{ role: 'user', content: 'hi' }]
    const expected = [{ role: 'system', content: 'ab' }, ...messages]
    expect(anthropicMessages(messages, 'ab')).toEqual(expected)
    const blocks = [
      { type: 'text', text: 'a', cache_control: { type: 'ephemeral' } },
      { type: 'text', text: 'b' },
    ]
    expect(anthropicMessages(messages, blocks)).toEqual(expected)
  })

  it("another server's signature is no hint", () => {
    const thinking = { type: 'thinking', thinking: 'ab', signature: 'EqQBCkYI' }
    const message = { role: 'assistant', content: [thinking, { type: 'text', text: '42' }] }
    expect(anthropicMessages([message], undefined)).toEqual([{ role: 'assistant', content: 'ab42' }])
  })

  it.each([
    ['a number for system', [{ role: 'user', content: 'a' }], 5, 'system'],
    ['an image', [{ role: 'user', content: [{ type: 'image' }] }], undefined, 'messages[0].content[0]'],
    [
      'an image from a tool',
      [{ role: 'user', content: [{ type: 'tool_result', content: [{ type: 'image' }] }] }],
      undefined,
      'messages[0].content[0].content[0]',
    ],
  ])('%s is refused', (_, messages, system, param) => {
    expect(() => anthropicMessages(messages, system)).toThrow(expect.objectContaining({ param }))
  })
})

describe('calls of tools and what they gave', () => {
  const call = { id: 'call_1', name: 'f', arguments: { a: 1 } }
  const given = { role: 'tool', content: 'b', toolCallId: 'call_1' }

  it('of chat completions', () => {
    const calls = [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }]
    const messages = [
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', content: [{ type: 'text', text: 'b' }], tool_call_id: 'call_1' },
      { role: 'assistant', content: 'c', reasoning_content: 'd', z1: { hint: '-' }, tool_calls: calls },
    ]
    expect(chatMessages(messages)).toEqual([
      { role: 'assistant', content: '', toolCalls: [call] },
      given,
      { role: 'assistant', content: 'd-c', toolCalls: [call] },
    ])
  })

  it('of responses, where each is an item of its own', () => {
    const item = { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":1}' }
    const output = { type: 'function_call_output', call_id: 'call_1', output: 'b' }
    const reasoning = {
      type: 'reasoning',
      summary: [],
      content: [{ type: 'reasoning_text', text: 'd' }],
      z1: { hint: '-' },
    }
    const message = { role: 'assistant', content: [{ type: 'output_text', text: 'c' }] }
    expect(responsesMessages([message, item, item, output, reasoning, item, output], undefined)).toEqual([
      { role: 'assistant', content: 'c', toolCalls: [call, call] },
      given,
      { role: 'assistant', content: 'd-', toolCalls: [call] },
      given,
    ])
    expect(() => responsesMessages([{ ...item, arguments: '{' }], undefined)).toThrow('Expected an object as JSON')
  })

  it('of messages, where results stand before what the user says', () => {
    const use = { type: 'tool_use', id: 'call_1', name: 'f', input: { a: 1 } }
    const result = { type: 'tool_result', tool_use_id: 'call_1', content: 'b' }
    const messages = [
      { role: 'assistant', content: [{ type: 'text', text: 'c' }, use] },
      { role: 'user', content: [result, { ...result, content: [{ type: 'text', text: 'b' }] }] },
      { role: 'user', content: [result, { type: 'text', text: 'e' }] },
    ]
    expect(anthropicMessages(messages, undefined)).toEqual([
      { role: 'assistant', content: 'c', toolCalls: [call] },
      ...[given, given, given],
      { role: 'user', content: 'e' },
    ])
  })
})
