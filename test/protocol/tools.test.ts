import { describe, expect, it } from 'vitest'
import { chatCallDelta, chatCalls, chatTools, messagesTools, responsesTools } from '../../lib/protocol/tools.js'

const parameters = { type: 'object' }
const body = (fields: object) => new Map(Object.entries(fields))
const tool = { name: 'f', description: 'd', parameters }

describe('tools as options', () => {
  it('of chat completions', () => {
    const tools = [{ type: 'function', function: { ...tool, strict: true } }]
    expect(chatTools(body({}))).toEqual({})
    expect(chatTools(body({ tools: [], tool_choice: null }))).toEqual({})
    expect(chatTools(body({ tools }))).toEqual({ tools: [tool] })
    const choice = { type: 'function', function: { name: 'f' } }
    const all = { tools, tool_choice: choice, parallel_tool_calls: false }
    expect(chatTools(body(all))).toEqual({ tools: [tool], toolChoice: { name: 'f' }, parallelToolCalls: false })
    expect(chatTools(body({ tools, tool_choice: 'required' }))).toMatchObject({ toolChoice: 'required' })
  })

  it('of responses', () => {
    const tools = [
      { type: 'function', ...tool, strict: null },
      { type: 'function', name: 'g', parameters: null },
    ]
    const expected = [tool, { name: 'g', description: undefined, parameters: undefined }]
    expect(responsesTools(body({ tools, tool_choice: { type: 'function', name: 'g' } }))).toEqual({
      tools: expected,
      toolChoice: { name: 'g' },
    })
  })

  it.each([
    [{ type: 'auto' }, { toolChoice: 'auto' }],
    [
      { type: 'any', disable_parallel_tool_use: true },
      { toolChoice: 'required', parallelToolCalls: false },
    ],
    [{ type: 'tool', name: 'f' }, { toolChoice: { name: 'f' } }],
    [{ type: 'none' }, { toolChoice: 'none' }],
    [null, {}],
  ])('of messages, with the choice %j', (choice, expected) => {
    const tools = [{ name: 'f', description: 'd', input_schema: parameters, cache_control: {} }]
    expect(messagesTools(body({ tools, tool_choice: choice }))).toEqual({ tools: [tool], ...expected })
  })

  it.each<[() => unknown, string, string]>([
    [() => chatTools(body({ tools: 5 })), 'tools', 'Expected an array for tools'],
    [() => chatTools(body({ tools: [5] })), 'tools', 'Expected an object for tools[0]'],
    [() => chatTools(body({ tools: [{ type: 'function' }] })), 'tools', 'Expected an object for tools[0].function'],
    [() => chatTools(body({ tools: [{ type: 'custom' }] })), 'tools', 'tools[0] of the type "custom" is not supported'],
    [() => chatTools(body({ tool_choice: 5 })), 'tool_choice', 'Expected an object for tool_choice'],
    [() => responsesTools(body({ tools: [{ type: 'mcp' }] })), 'tools', 'of the type "mcp" is not supported'],
    [() => responsesTools(body({ tool_choice: { type: 'allowed_tools' } })), 'tool_choice', '"allowed_tools"'],
    [
      () => messagesTools(body({ tool_choice: { type: 'toString' } })),
      'tool_choice',
      'Expected auto, any, tool or none',
    ],
  ])('%s is refused', (read, param, message) => {
    expect(read).toThrow(expect.objectContaining({ param, status: 400, message: expect.stringContaining(message) }))
  })
})

it('calls of chat completions', () => {
  expect(chatCalls([{ id: 'call_1', name: 'f', arguments: { a: 'b' } }])).toEqual([
    { id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":"b"}' } },
  ])
  const delta = { index: 1, id: 'call_1', name: 'f' }
  expect(chatCallDelta({ ...delta, arguments: '' })).toEqual({
    index: 1,
    id: 'call_1',
    type: 'function',
    function: { name: 'f', arguments: '' },
  })
  expect(chatCallDelta({ ...delta, arguments: '{"' })).toEqual({ index: 1, function: { arguments: '{"' } })
})
