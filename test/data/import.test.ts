/** Rows as other sets have them become records: each style of delimiters and of conversation, and rows that are none. */
import { readFileSync } from 'node:fs'
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
