/** Calls of tools: where they begin, what binds them, what comes of them, and which templates know them. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ReasonEvent, ReasonOptions, Tool, Z1 } from '../../lib/index.js'
import { callFormProblem } from '../../lib/reason/call-form.js'
import { ChatTemplate } from '../../lib/reason/template.js'
import { ToolCallReader } from '../../lib/reason/tool-calls.js'
import { temporaryFolder } from '../support/folder.js'
import { END, type TableOptions } from '../support/table-model.js'
import { fixture, loadCaller, callRows as rows, callTags as tags } from '../support/tool-model.js'

const folder = temporaryFolder()
const loaded: Z1[] = []
async function load(name: string, options: Partial<TableOptions> = {}): Promise<Z1> {
  const one = await loadCaller(folder(), name, options)
  loaded.push(one)
  return one
}
let z1: Z1
beforeAll(async () => {
  z1 = await load('calls')
})
afterAll(() => Promise.all(loaded.map((one) => one.dispose())))

const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const tools: Tool[] = [
  { name: 'get_time', description: 'The time in a city', parameters: city },
  { name: 'get.weather', parameters: city },
]
const named = { toolChoice: { name: 'get.weather' }, tools } satisfies ReasonOptions
const called = '<tool_call>\n{"name": "get.weather", "arguments": {"city":"P"}}\n</tool_call>'
const call = { id: expect.stringMatching(/^call_[0-9a-f]{24}$/), name: 'get.weather', arguments: { city: 'P' } }

async function run(one: Z1, options: ReasonOptions) {
  const events: ReasonEvent[] = []
  const stream = one.stream('x', { cachePrompt: false, ...options })
  for await (const event of stream) events.push(event)
  const result = await stream.result
  const texts = events.map((event) => ('text' in event ? event.text : event.type === 'cut' ? event.hint : ''))
  expect(texts.join('')).toBe(result.text)
  const tokens = events.flatMap((event) => ('tokens' in event ? event.tokens : []))
  expect(tokens).toEqual([...result.tokens.reasoning, ...result.tokens.answer])
  return { events, result, kinds: events.map(({ type }) => type).filter((type, i, all) => type !== all[i - 1]) }
}

describe('a call that the model opens', () => {
  it('in its answer: the text before it stays free', async () => {
    const { result, kinds, events } = await run(z1, { tools })
    expect(result.text).toMatch(
      /^ so<tool_call>\n\{"name": "get[._]\w+", "arguments": \{"city": ?"P"\}\}\n<\/tool_call>$/,
    )
    expect(result).toMatchObject({
      answer: ' so',
      reasoning: '',
      finishReason: 'tool_calls',
      ended: 'self',
      object: null,
    })
    expect(result.toolCalls).toEqual([{ ...call, name: expect.stringMatching(/^get/) }])
    expect(result.message).toEqual({ role: 'assistant', content: ' so', toolCalls: result.toolCalls })
    expect(kinds).toEqual(['answer', 'toolCall', 'done'])
    const deltas = events.flatMap((event) => (event.type === 'toolCall' ? event.deltas : []))
    const { id, name } = result.toolCalls[0] ?? {}
    expect(deltas[0]).toEqual({ index: 0, id, name, arguments: '' })
    expect(JSON.parse(deltas.map((delta) => delta.arguments).join(''))).toEqual({ city: 'P' })
    expect(deltas.length).toBeGreaterThan(1)
  })

  it('in its thinking ends the thinking', async () => {
    const { result, kinds } = await run(z1, { tools, thinkingWindow: 50 })
    expect(kinds).toEqual(['thinking', 'cut', 'toolCall', 'done'])
    expect(result).toMatchObject({ reasoning: ' so', hint: '', answer: '', ended: 'self', finishReason: 'tool_calls' })
    expect(result.usage).toMatchObject({ thinkingTokens: 1, hintTokens: 0, answerTokens: result.tokens.answer.length })
    expect(result.toolCalls).toHaveLength(1)
  })

  it('after a cut', async () => {
    const { result } = await run(z1, { tools, thinkingWindow: 1, hint: ' so' })
    expect(result).toMatchObject({ reasoning: ' so', hint: ' so', ended: 'window', finishReason: 'tool_calls' })
    expect(result.toolCalls).toHaveLength(1)
  })

  it('by several tokens, none of which is thinking', async () => {
    const { '<tool_call>': _, ...others } = rows
    const split = {
      ...others,
      '\n': { ' so': 9, '</tool_call>': 8 },
      ' so': '<tool',
      '<tool': '_call>',
      '_call>': '\n',
    }
    const two = await load('split', { rows: split, extraTokens: ['<tool', '_call>', '</tool_call>', ' so'] })
    const { result } = await run(two, { tools, thinkingWindow: 50 })
    expect(result).toMatchObject({ reasoning: ' so', finishReason: 'tool_calls', usage: { thinkingTokens: 1 } })
    expect(result.text).toMatch(/^ so<tool_call>\n/)
    // The window closes within the tag: it is thinking then.
    const within = await run(two, { tools, thinkingWindow: 2, hint: '.', maxTokens: 3 })
    expect(within.result).toMatchObject({ reasoning: ' so<tool', hint: '.', ended: 'window', toolCalls: [] })
  })

  it('by no token that goes on after the tag', async () => {
    const eager = { ...rows, ' so': { '<tool_call>x': 3, '<tool_call>': 2 } }
    const one = await load('eager', { rows: eager, extraTokens: [...tags, ' so', '<tool_call>x'] })
    expect((await run(one, { tools })).result).toMatchObject({ answer: ' so', finishReason: 'tool_calls' })
  })

  it('by control tokens, which other texts do not show', async () => {
    const one = await load('control', { controlTokens: tags })
    const { result } = await run(one, { ...named, thinkingWindow: 0, hint: ' so' })
    expect(result.text.replaceAll(' ', '')).toBe(`so${called}`.replaceAll(' ', ''))
    expect(result.toolCalls).toEqual([call])
  })

  it('that is cut short is none', async () => {
    const { result } = await run(z1, { tools, maxTokens: 40 })
    expect(result).toMatchObject({ finishReason: 'length', toolCalls: [], answer: ' so' })
    expect(result.message).toEqual({ role: 'assistant', content: ' so' })
  })
})

describe('toolChoice', () => {
  it('required: the answer is a call, after a cut or without one', async () => {
    const { result, kinds } = await run(z1, { tools, toolChoice: 'required' })
    expect(result.text).toMatch(/^<tool_call>\n.*\n<\/tool_call>$/)
    expect([kinds, result.answer, result.finishReason]).toEqual([['toolCall', 'done'], '', 'tool_calls'])
    const cut = await run(z1, { ...named, thinkingWindow: 0, hint: 'Call:' })
    expect(cut.result).toMatchObject({ hint: 'Call:', ended: 'window', toolCalls: [call] })
  })

  it('required: a model that ends by itself has the hint in place of its end', async () => {
    const silent = await load('silent', { rows: { ...rows, ' so': END } })
    const free = await run(silent, { tools, thinkingWindow: 50 })
    expect(free.result).toMatchObject({
      reasoning: ' so',
      hint: '',
      ended: 'self',
      finishReason: 'stop',
      toolCalls: [],
    })
    const { result } = await run(silent, { ...named, thinkingWindow: 50, hint: '!' })
    expect(result).toMatchObject({ reasoning: ' so', hint: '!', ended: 'self', toolCalls: [call] })
  })

  it('none: the tag is banned, though the prompt has the tools', async () => {
    const other = await load('none', { rows: { ...rows, ' so': { '<tool_call>': 2, [END]: 1 } } })
    for (const thinkingWindow of [undefined, 50]) {
      const options = { tools, thinkingWindow }
      expect((await other.reason('x', options)).text).toContain('<tool_call>')
      expect(await other.reason('x', { ...options, toolChoice: 'none' })).toMatchObject({ text: ' so', toolCalls: [] })
    }
    expect((await other.renderPrompt('x', { tools, toolChoice: 'none' })).text).toContain('get.weather')
  })

  it('without tools the tag is banned in the thinking alone', async () => {
    const other = loaded.at(-1) as Z1
    expect((await other.reason('x', { thinkingWindow: 9 })).text).toBe(' so')
    expect((await other.reason('x', { maxTokens: 2 })).text).toBe(' so<tool_call>')
    const cut = await other.reason('x', { thinkingWindow: 1, hint: ' so', maxTokens: 1 })
    expect(cut).toMatchObject({ reasoning: ' so', answer: '<tool_call>', toolCalls: [] })
    // Tools that a caller hands to the template are its own affair.
    const own = { thinkingWindow: 3, hint: null, templateVariables: { tools: [{ name: 'f' }] } }
    expect((await other.reason('x', own)).text).toBe(' so<tool_call>\n')
  })
})

describe('several calls', () => {
  const again = { rows: { ...rows, '</tool_call>': '\n' } }

  it('are read one by one, up to a limit', async () => {
    const one = await load('again', again)
    const { result, events } = await run(one, { tools, maxTokens: 200 })
    expect(result.finishReason).toBe('length')
    expect(result.toolCalls.length).toBeGreaterThan(1)
    expect(new Set(result.toolCalls.map(({ id }) => id)).size).toBe(result.toolCalls.length)
    const indices = events.flatMap((event) => (event.type === 'toolCall' ? event.deltas.map(({ index }) => index) : []))
    expect([...new Set(indices)]).toEqual(Array.from({ length: Math.max(...indices) + 1 }, (_, i) => i))
  })

  it('are one with parallelToolCalls: false', async () => {
    const { result } = await run(loaded.at(-1) as Z1, { tools, maxTokens: 200, parallelToolCalls: false })
    expect(result).toMatchObject({ finishReason: 'tool_calls' })
    expect(result.toolCalls).toHaveLength(1)
  })

  it.each([1, 2, 7, 1000])('are read from pieces of %i characters', (size) => {
    const second = '<tool_call>\n{"name": "get_time", "arguments": {"a":[{"}":"\\"]"}],"b":{}}}\n</tool_call>'
    const text = `${called}\n${second}`
    const reader = new ToolCallReader()
    const deltas = []
    for (let at = 0; at < text.length; at += size) deltas.push(...reader.push(text.slice(at, at + size)))
    expect(reader.calls).toEqual([call, { ...call, name: 'get_time', arguments: { a: [{ '}': '"]' }], b: {} } }])
    for (const [index, { id, arguments: given }] of reader.calls.entries()) {
      const own = deltas.filter((delta) => delta.index === index)
      expect(own.every((delta) => delta.id === id)).toBe(true)
      expect(JSON.parse(own.map((delta) => delta.arguments).join(''))).toEqual(given)
    }
  })
})

describe('beside a schema', () => {
  it('the answer is a value of it, or calls', async () => {
    const other = await load('either', { rows: { ...rows, '\n': { '"': 3, '<tool_call>': 2, '</tool_call>': 1 } } })
    const value = await run(other, { tools, schema: { type: 'string' } })
    expect(value.result).toMatchObject({ object: 'P', toolCalls: [], finishReason: 'stop' })
    const calls = await run(other, { tools, schema: { type: 'integer' } })
    expect(calls.result).toMatchObject({ object: null, answer: '', finishReason: 'tool_calls' })
  })

  it('a tag in a text of its value is no call', async () => {
    const spells = await load('spells', { rows: { ...rows, '\n': '"', '"': '<tool_call>', '<tool_call>': '"' } })
    const { result, kinds } = await run(spells, { tools, schema: { type: 'string', minLength: 1 } })
    expect(result).toMatchObject({ object: '<tool_call>', answer: '"<tool_call>"', toolCalls: [] })
    expect(kinds).toEqual(['answer', 'done'])
  })
})

it('calls of a model that says anything are valid', async () => {
  const noise = await load('noise', { rows: {}, otherwise: { '"': 3, '}': 3, ']': 3, ',': 1, '0': 1, a: 1 }, rest: 0 })
  const parameters = {
    type: 'object',
    properties: {
      unit: { enum: ['C', 'F'] },
      days: { type: 'integer', minimum: 1, maximum: 14 },
      places: { type: 'array', items: { $ref: '#/$defs/place' }, maxItems: 3 },
    },
    required: ['unit', 'days'],
    additionalProperties: false,
    $defs: { place: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] } },
  }
  const both: Tool[] = [{ name: 'forecast', parameters }, { name: 'ping' }]
  const isValid = new Ajv2020().compile(parameters)
  const seen = new Set<string>()
  for (let seed = 0; seed < 30; seed++) {
    const options = { tools: both, toolChoice: 'required', temperature: 1.5, topK: 0, topP: 1, minP: 0, seed } as const
    const { toolCalls, finishReason } = await noise.reason('x', { ...options, maxTokens: 600 })
    if (finishReason !== 'length') expect(toolCalls.length).toBeGreaterThan(0)
    for (const { name, arguments: given } of toolCalls) {
      seen.add(name)
      if (name === 'forecast') expect(isValid(given), JSON.stringify(given)).toBe(true)
      else expect([name, given]).toEqual(['ping', {}])
    }
  }
  expect([...seen].sort()).toEqual(['forecast', 'ping'])
})

describe('templates', () => {
  const facts = { bosText: '<s>', eosText: '</s>' }
  it.each(['qwen2.5', 'qwen3', 'qwq'])('%s knows calls in this form', (name) => {
    expect(callFormProblem(fixture(name), new ChatTemplate(fixture(name), facts))).toBe(null)
  })

  it.each([
    ['llama-3', 'it has no <tool_call> tags'],
    ['r1-distill-qwen', 'it has no <tool_call> tags'],
    ['gemma', 'it has no <tool_call> tags'],
    ['qwen3.5', 'it writes calls in another form'],
  ])('%s does not', (name, why) => {
    expect(callFormProblem(fixture(name), new ChatTemplate(fixture(name), facts))).toContain(why)
  })

  it('that do not are refused with the reason', async () => {
    const other = z1.reason('x', { tools, chatTemplate: fixture('llama-3') })
    await expect(other).rejects.toMatchObject({
      code: 'TOOLS_UNSUPPORTED',
      message: expect.stringContaining('it has no <tool_call> tags'),
    })
  })

  it('show tools, calls and what they gave', async () => {
    const [first] = tools as [Tool]
    const { text } = await z1.renderPrompt(
      [
        { role: 'user', content: 'What time is it in Rome?' },
        { role: 'assistant', content: 'Let me see.', toolCalls: [{ name: 'get_time', arguments: { city: 'Rome' } }] },
        { role: 'tool', content: '12:30', toolCallId: 'call_0' },
      ],
      { tools: [first] },
    )
    expect(text).toContain(
      '<tools>\n{"type": "function", "function": {"name": "get_time", "description": "The time in a city", "parameters": ' +
        '{"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}\n</tools>',
    )
    expect(text.slice(text.indexOf('<|im_start|>user'))).toBe(
      '<|im_start|>user\nWhat time is it in Rome?<|im_end|>\n<|im_start|>assistant\nLet me see.\n<tool_call>\n' +
        '{"name": "get_time", "arguments": {"city": "Rome"}}\n</tool_call><|im_end|>\n<|im_start|>user\n<tool_response>\n' +
        '12:30\n</tool_response><|im_end|>\n<|im_start|>assistant\n',
    )
  })

  it('that leave calls out are refused', async () => {
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: 'a', toolCalls: [{ name: 'f', arguments: {} }] },
    ]
    const chatTemplate = '{% for message in messages %}{{ message.content }}{% endfor %}'
    const refused = z1.reason(messages, { chatTemplate })
    await expect(refused).rejects.toThrow('leaves out the tool calls of message 1')
  })
})

describe('what cannot be', () => {
  const tool = tools[0] as Tool
  it.each<[string, unknown, string]>([
    ['no list', { tools: {} }, 'Expected array of tools for tools'],
    ['no name', { tools: [{}] }, 'for tools[0].name'],
    ['a name with spaces', { tools: [{ name: 'a b' }] }, 'Expected 1 to 128 letters'],
    ['an unknown key', { tools: [{ name: 'a', parameter: {} }] }, 'did you mean parameters'],
    ['a name twice', { tools: [tool, tool] }, 'Expected no name twice for tools'],
    ['too many', { tools: Array.from({ length: 129 }, (_, i) => ({ name: `f${i}` })) }, 'at most 128 tools'],
    ['parameters that are no schema', { tools: [{ name: 'a', parameters: 5 }] }, 'JSON Schema'],
    ['another word', { tools, toolChoice: 'any' }, 'Expected auto, none, required for toolChoice'],
    ['a tool that there is not', { tools, toolChoice: { name: 'f' } }, 'the name of one of the tools'],
    ['a choice without tools', { toolChoice: 'required' }, 'Expected tools beside toolChoice'],
    ['a raw prompt', { tools, template: false }, 'Expected true for template with tools'],
    ['tools twice', { tools, templateVariables: { tools: [] } }, 'Expected no tools in templateVariables'],
    ['a grammar', { tools, grammar: 'root ::= "a"' }, 'Expected nothing for grammar with tools'],
    ['cuts', { tools, cuts: [1], thinkingWindow: 2 }, 'Expected no cuts beside tools'],
    ['no hint', { ...named, hint: null }, 'Expected text for hint with toolChoice'],
    ['a probe', { tools, earlyExit: { probe: 0.5 } }, 'Expected no earlyExit.probe beside tools'],
    ['a stated answer', { tools, stated: 'keep' }, "Expected no stated 'keep' beside tools"],
  ])('%s', async (_, options, message) => {
    await expect(z1.reason('x', options as ReasonOptions)).rejects.toThrow(message)
  })

  it('a schema of no object', async () => {
    const wrong = z1.reason('x', { tools: [{ name: 'f', parameters: { type: 'string' } }] })
    await expect(wrong).rejects.toMatchObject({ code: 'SCHEMA_INVALID' })
  })

  it.each<[string, unknown, string]>([
    ['calls of a user', [{ role: 'user', content: '', toolCalls: [] }], 'input[0].toolCalls'],
    ['a call without a name', [{ role: 'assistant', content: '', toolCalls: [{ arguments: {} }] }], '[0].name'],
    [
      'arguments as text',
      [{ role: 'assistant', content: '', toolCalls: [{ name: 'f', arguments: '{}' }] }],
      'arguments',
    ],
    ['an id that is no text', [{ role: 'tool', content: '', toolCallId: 5 }], 'input[0].toolCallId'],
  ])('%s in messages', async (_, messages, message) => {
    await expect(z1.reason(messages as never)).rejects.toThrow(message)
  })
})
