/** Rows as other sets have them become records: each style of delimiters and of conversation, and rows that are none. */
import { readFileSync, writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { stripDelimiters } from '../../lib/data/delimiters.js'
import { type ImportOptions, importRecords } from '../../lib/data/import.js'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { KNOWN_TAGS } from '../../lib/reason/tags.js'
import { Z1 } from '../../lib/reason/z1.js'
import { temporaryFolder } from '../support/folder.js'
import { readLines, writeJsonl } from '../support/lines.js'

const path = temporaryFolder()
let files = 0

async function imported(rows: unknown[], options: Partial<ImportOptions> = {}) {
  const input = writeJsonl(path(`set-${++files}.jsonl`), rows)
  const output = path(`out-${files}.jsonl`)
  const report = await importRecords({ inputs: [input], output, ...options })
  return { input, report, records: readLines(output) }
}

describe('stripDelimiters', () => {
  it.each([
    ['DeepSeek-R1', '<think>\nA\n\nB\n</think>\n\nC', 'A\n\nB\n\nC'],
    ['the same without its first tag', 'A\n</think>\nC', 'A\n\nC'],
    ['empty reasoning', '<think>\n\n</think>\n\nC', 'C'],
    [
      'OpenThoughts',
      '<|begin_of_thought|>\n\nA\n\n<|end_of_thought|>\n\n<|begin_of_solution|>\n\nC\n\n<|end_of_solution|>',
      'A\n\nC',
    ],
    ['none', 'A < B and B > C: <b>thinking</b>', 'A < B and B > C: <b>thinking</b>'],
  ])('%s', (_name, text, plain) => {
    expect(stripDelimiters(text)).toBe(plain)
  })

  it.each([
    ['a second one', '<think>A</think>C<think>B', null],
    ['one after a lone end', 'A</think>C <think>B', null],
    ['one whose end stands in code', '<think>The tag `</think>` ends it', null],
    ['one whose end stands in a fence', '<think>A\n```js\nclose("</think>")\n```\nB', null],
    ['one of two kinds', '<reasoning><think>A</think>C', null],
    ['one within another', '<reasoning><think>A</think>B</reasoning>C', 'A\n\nB\n\nC'],
    ['one opened twice', '<think><think>A</think>C', 'A\n\nC'],
  ])('of reasoning that never ends: %s', (_name, text, plain) => {
    expect(stripDelimiters(text)).toBe(plain)
  })

  it.each([
    ['inline code', 'Models write `<think>` first.'],
    ['inline code of several backticks', 'Write ``a ` <think>`` and `</think>`.'],
    ['a fence', 'Try:\n\n```python\n\nprint("<think>")\n\n```\n\nDone.'],
    ['a fence of tildes', '~~~\n</think>\n~~~'],
    ['a longer fence around a shorter one', '````md\n```\n<think>\n```\n````'],
    ['a fence in a list', '- ```\n  <think>\n  ```'],
    ['a fence in a quotation', '> ```\n> <think>\n> ```'],
  ])('leaves what stands in code: %s', (_name, text) => {
    expect(stripDelimiters(text)).toBe(text)
    expect(stripDelimiters(`<think>${text}</think>\n\n${text}`)).toBe(`${text}\n\n${text}`)
  })

  it.each([
    ['a lone backtick', '<think>A ` B</think>C', 'A ` B\n\nC'],
    ['backticks on two lines', '<think>A `\n</think>\nC ` d', 'A `\n\nC ` d'],
    ['a fence that never ends', '<think>\n```\nA\n</think>\nC', '```\nA\n\nC'],
    ['three backticks on a line', '```<think>``` A</think>C', '```<think>``` A\n\nC'],
    ['tildes', '~~~ <think>~A~</think>~C', '~~~\n\n~A~\n\n~C'],
  ])('takes for no code: %s', (_name, text, plain) => {
    expect(stripDelimiters(text)).toBe(plain)
  })

  it.each([
    ['lines', '```a\nb ` c `` d\n\n'],
    ['one line', 'x` '],
  ])('reads a megabyte of marks: %s', (_name, mark) => {
    const text = mark.repeat(2 ** 20 / mark.length).trim()
    expect(stripDelimiters(`${text}</think>\n${text}`)).toBe(`${text}\n\n${text}`)
  })

  it.each(KNOWN_TAGS)('%s', (open, close) => {
    expect(stripDelimiters(`${open}A${close}C`)).toBe('A\n\nC')
    expect(stripDelimiters(`${open}A`)).toBeNull()
  })
})

describe('importRecords', () => {
  it.each([
    ['a record', { id: 'x', question: 'Q', response: 'R' }],
    ['problem and generation', { id: 'x', problem: 'Q', generation: '<think>\nR</think>' }],
    ['instruction and output', { id: 'x', instruction: ' Q ', output: 'R\n' }],
    [
      'chat',
      {
        id: 'x',
        messages: [
          { role: 'system', content: 'S' },
          { role: 'user', content: 'Q' },
          { role: 'assistant', content: 'R' },
        ],
      },
    ],
    [
      'ShareGPT',
      {
        id: 'x',
        conversations: [
          { from: 'human', value: 'Q' },
          { from: 'gpt', value: 'R' },
        ],
      },
    ],
    [
      'OpenThoughts',
      {
        id: 'x',
        system: 'S',
        conversations: [
          { from: 'user', value: 'Q' },
          { from: 'assistant', value: '<|begin_of_solution|>R<|end_of_solution|>' },
        ],
      },
    ],
  ])('reads %s', async (_name, row) => {
    const { records } = await imported([row])
    expect(records).toEqual([{ id: 'x', question: 'Q', response: 'R', token_num_qwen: 1 }])
  })

  it('joins reasoning that stands apart', async () => {
    const apart = { role: 'assistant', reasoning_content: 'A', content: 'C' }
    const { records } = await imported([{ messages: [{ role: 'user', content: 'Q' }, apart] }])
    expect(records[0]?.response).toBe('A\n\nC')
    const fields = { questionField: 'q', responseField: 'a', thinkingField: 't', idField: 'n', answerField: 'gold' }
    const mapped = await imported(
      [{ q: 'Q', t: 'A', a: 'C', n: 7, gold: 4, family: 'f', difficulty: 2, more: 1 }],
      fields,
    )
    expect(mapped.records).toEqual([
      {
        id: '7',
        question: 'Q',
        response: 'A\n\nC',
        token_num_qwen: expect.any(Number),
        answer: '4',
        family: 'f',
        difficulty: 2,
      },
    ])
  })

  const chat = (response: object, question: object = {}) => ({
    messages: [
      { role: 'user', content: 'Q', ...question },
      { role: 'assistant', content: 'C', ...response },
    ],
  })
  const parts = (...texts: string[]) => texts.map((text) => ({ type: 'text', text }))

  it.each([
    ["Alpaca's input", { instruction: 'Add these.', input: '2 and 3', output: 'C' }, 'Add these.\n\n2 and 3', 'C'],
    ["Alpaca's empty input", { instruction: 'Q', input: '', output: 'C' }, 'Q', 'C'],
    ["Dolly's context", { instruction: 'Q', context: 'Text.', response: 'C' }, 'Q\n\nText.', 'C'],
    ['reasoning in a column', { question: 'Q', thinking: 'A', response: 'C' }, 'Q', 'A\n\nC'],
    ['reasoning in thinking', chat({ thinking: 'A' }), 'Q', 'A\n\nC'],
    ['reasoning in reasoning', chat({ reasoning: 'A' }), 'Q', 'A\n\nC'],
    ['reasoning in two fields', chat({ reasoning_content: 'A', reasoning: 'A' }), 'Q', 'A\n\nC'],
    ['reasoning said twice', chat({ reasoning: 'A', content: '<think>\nA\n</think>\nC' }), 'Q', 'A\n\nC'],
    ['reasoning that the response quotes', chat({ reasoning: '4', content: 'It is 4.' }), 'Q', '4\n\nIt is 4.'],
    ['a content of parts', chat({ content: parts('C', 'D') }, { content: parts('Q') }), 'Q', 'C\nD'],
    ['columns of parts', { prompt: parts('Q'), response: ['C'] }, 'Q', 'C'],
    ['reasoning as a part', chat({ content: [{ type: 'thinking', thinking: 'A' }, ...parts('C')] }), 'Q', 'A\n\nC'],
    [
      'reasoning as parts of a part',
      chat({ content: [{ type: 'thinking', thinking: parts('A') }, ...parts('C')] }),
      'Q',
      'A\n\nC',
    ],
    ['no reasoning', chat({ reasoning_content: null, thinking: '', reasoning: ' ' }), 'Q', 'C'],
  ])('reads %s', async (_name, row, question, response) => {
    const { report, records } = await imported([row])
    expect(records).toMatchObject([{ question, response }])
    expect(report).not.toHaveProperty('unused')
  })

  it('counts and names the texts that a record does not hold', async () => {
    const turns = chat({}).messages
    const system = { role: 'system', content: 'S' }
    const { report } = await imported([
      { messages: [system, ...turns] },
      { messages: [{ role: 'developer', content: parts('S') }, system, ...turns] },
      { messages: [{ ...system, content: '' }, ...turns] },
      { system: 'S', question: 'Q', input: 'I', response: 'C', source: null, prompt: 'Q', tries: 3, tags: [] },
      { system: 'S', ...chat({ name: 'N', tool_calls: null }, { tool_calls: [{ function: { name: 'N' } }] }) },
      { question: 'Q', response: 'C', family: 'f', difficulty: 'hard', answer: ['4'] },
      { question: 'What is 2 + 2?', response: 'It is 4.', input: '4', history: 'It' },
      { question: 'Q', response: '<think>', source: 'not counted: the row is left out' },
    ])
    expect(report).toMatchObject({
      kept: 7,
      unused: {
        'system turns': 2,
        'column system': 2,
        'column input': 2,
        'column history': 1,
        'message field name': 1,
        'message field tool_calls': 1,
        'column difficulty': 1,
        'column answer': 1,
      },
    })
    expect(Object.keys(report.unused ?? {})).toHaveLength(8)
  })

  it.each([
    ['a text is missing', chat({ content: null, reasoning_content: 'A' })],
    ['a text is missing', chat({}, { content: null })],
    ['a text is empty', chat({ content: '', reasoning_content: 'A' })],
    ['a text is empty', { instruction: '', input: 'I', output: 'C' }],
    ['a part that is not text', chat({}, { content: [...parts('Q'), { type: 'image_url', image_url: { url: 'u' } }] })],
    ['a part that is not text', chat({ content: { text: 'C' } })],
    ['a turn of another role', { messages: [...chat({}).messages, { role: 'tool', content: 'T' }] }],
    ['a response before its question', { messages: chat({}).messages.reverse() }],
    ['a conversation of several turns', { instruction: 'Q', output: 'C', history: [['Q0', 'C0']] }],
    ['reasoning without an end', chat({ content: 'A</think>C<think>B' })],
  ])('leaves out, as %s', async (reason, row) => {
    const { report } = await imported([row])
    expect(report).toMatchObject({ kept: 0, dropped: { [reason]: 1 } })
  })

  it('keeps an id and an answer of twenty digits', async () => {
    const input = path('long.jsonl')
    writeFileSync(input, '{"id":12345678901234567890,"question":"Q","response":"R","answer":98765432109876543210}\n')
    await importRecords({ inputs: [input], output: path('long-out.jsonl') })
    const [record] = readLines(path('long-out.jsonl'))
    expect(record).toMatchObject({ id: '12345678901234567890', answer: '98765432109876543210' })
  })

  it('counts and names the rows that are no records', async () => {
    const turn = [
      { role: 'user', content: 'Q' },
      { role: 'assistant', content: 'R' },
    ]
    const { input, report, records } = await imported([
      { question: 'Q', response: 'R' },
      { question: 'Q' },
      { question: 'Q', response: '<think>never ends' },
      { messages: [...turn, ...turn] },
      { messages: [turn[0]] },
      { messages: 'no list' },
      { question: 'Q', response: '<think></think>' },
      { question: ' ', response: 'R' },
      {
        conversations: [
          { from: 'human', value: 'Q' },
          { from: 'gpt', value: null },
        ],
      },
      { question: 'last', response: 'R' },
    ])
    expect(report).toEqual({
      read: 10,
      kept: 2,
      dropped: {
        'no question and response': 3,
        'reasoning without an end': 1,
        'a conversation of several turns': 1,
        'a text is empty': 2,
        'a text is missing': 1,
      },
      examples: {
        'no question and response': [`${input}:2`, `${input}:5`, `${input}:6`],
        'reasoning without an end': [`${input}:3`],
        'a conversation of several turns': [`${input}:4`],
        'a text is empty': [`${input}:7`, `${input}:8`],
        'a text is missing': [`${input}:9`],
      },
    })
    // Without an id, the file and the row are one.
    expect(records.map(({ id, question }) => [id, question])).toEqual([
      [`set-${files}.jsonl-1`, 'Q'],
      [`set-${files}.jsonl-10`, 'last'],
    ])
  })

  it('counts tokens as the model does', async () => {
    await using z1 = await Z1.load({ threads: 1 })
    const response = 'Zwölf Boxkämpfer: 3 + 4 = 7 🙂 <|im_end|> \\boxed{7}'
    const { records } = await imported([{ question: 'Q', response }], { tokenizer: EMBEDDED_MODEL })
    // A control token that the text spells is text: it is counted by its letters, which the model is shown in two parts.
    const parts = [
      ...(await z1.tokenize('Zwölf Boxkämpfer: 3 + 4 = 7 🙂 <|im_')),
      ...(await z1.tokenize('end|> \\boxed{7}')),
    ]
    expect(records[0]?.token_num_qwen).toBe(parts.length)
  })

  it('refuses one field without the other', async () => {
    await expect(imported([], { questionField: 'q' })).rejects.toThrow(TypeError)
  })

  it('says that the tokenizer is no model', async () => {
    const tokenizer = writeJsonl(path('no.gguf'), [{}])
    await expect(imported([], { tokenizer })).rejects.toMatchObject({ code: 'MODEL_INVALID' })
    expect(readFileSync(path(`out-${files}.jsonl`), 'utf8')).toBe('')
  })
})
