/**
 * What random weights cannot show, on a real language model: SmolLM2-135M-Instruct, which scripts/fetch-smollm2.mjs brings.
 * Expectations are a plain loop on llama.cpp's C API, the template on the model's page, or what holds for any text.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ReasonResult, Z1 } from '../../lib/index.js'
import { cases } from '../grammar/schemas.js'
import { reference } from '../support/reference.js'
import { schemaValidator } from '../support/schema-validator.js'

const model = fileURLToPath(new URL('../../out/models/smollm2-135m.gguf', import.meta.url))
const missing = !existsSync(model)
if (missing) console.warn('SmolLM2 is not tested: node scripts/fetch-smollm2.mjs brings it (98 MB)')

/** Answers to each of some fifty schemas. */
const samples = Number(process.env.Z1_SCHEMA_SAMPLES ?? 0)

const contextSize = 1024
const hint = '\n\nI overthought it, the final answer should be:\n\n'
const questions = [
  'A box holds 12 eggs. How many eggs are in 7 boxes?',
  'Tom has 3 apples and buys 5 more, then eats 2. How many has he left?',
  'Name three primary colors, and say why they are called so.',
]

describe.skipIf(missing)('SmolLM2', () => {
  let z1: Z1

  beforeAll(async () => {
    z1 = await Z1.load({ model, contextSize, threads: 1, engine: 'cpu', branches: 2, batchSize: 512 })
  })
  afterAll(() => z1?.dispose())

  test('the prompt is that of the model’s page', async () => {
    const messages = [
      { role: 'user' as const, content: 'Hi' },
      { role: 'assistant' as const, content: 'Hello.' },
      { role: 'user' as const, content: 'Who are you?' },
    ]
    expect(await z1.renderPrompt(messages)).toMatchObject({
      text: [
        '<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face<|im_end|>\n',
        '<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n',
        '<|im_start|>user\nWho are you?<|im_end|>\n<|im_start|>assistant\n',
      ].join(''),
    })
  })

  test('tokens are those of a plain loop, under every window', async () => {
    const cases = []
    for (const [i, question] of questions.entries()) {
      const prompt = await z1.tokenize(question)
      for (const window of [0, 1, 20 + i, 60]) {
        cases.push({ question, prompt, window, maxTokens: 24, hint: await z1.tokenize(hint) })
      }
    }
    const loop = cases.map(({ question: _, ...one }) => ({ contextSize, parallel: 1, batchSize: 512, ...one }))
    const expected = reference(z1.model.engine, model, loop)
    await using alone = await Z1.load({ model, contextSize, threads: 1, engine: 'cpu', batchSize: 512 })
    for (const [i, { question, window, maxTokens }] of cases.entries()) {
      const options = { template: false, thinkingWindow: window, maxTokens, hint, cachePrompt: false }
      const { tokens, ended } = await alone.reason(question, options)
      const { margin: _, ...want } = expected[i] as (typeof expected)[number]
      expect({ ended, reasoning: tokens.reasoning, answer: tokens.answer }, `${question} at ${window}`).toEqual(want)
    }
  })

  test('a cut response: a hint, an answer, usage that adds up, no think tag', async () => {
    for (const question of questions) {
      const result = await z1.reason(question, { thinkingWindow: 16, maxTokens: 24, hint })
      expect(result).toMatchObject({ ended: 'window', usage: { thinkingTokens: 16 } })
      expect(result.answer.trim()).not.toBe('')
      expect(result.text).toBe(result.reasoning + result.hint + result.answer)
      expect(result.text).not.toMatch(/<\/?think/)
      const { reasoning, hint: appended, answer } = result.tokens
      expect(result.usage).toMatchObject({
        thinkingTokens: reasoning.length,
        hintTokens: appended.length,
        answerTokens: answer.length,
      })
    }
  })

  test('cuts of one trajectory are its prefixes', async () => {
    const all = await z1.reason(questions[0] as string, { thinkingWindow: 80, cuts: [0, 24], maxTokens: 16 })
    const [none, some] = all.cuts as [ReasonResult, ReasonResult]
    expect(none.tokens.reasoning).toEqual([])
    expect(some.tokens.reasoning).toEqual(all.tokens.reasoning.slice(0, 24))
    for (const cut of [none, some]) expect(cut.tokens.answer.length).toBeGreaterThan(0)
  })

  test('the next turn decodes only what is new', async () => {
    const first = await z1.reason('Remember the number 41.', { thinkingWindow: 24, maxTokens: 8 })
    const next = await z1.reason(
      [
        { role: 'user', content: 'Remember the number 41.' },
        { role: 'assistant', content: first.text },
        { role: 'user', content: 'Which number was it?' },
      ],
      { thinkingWindow: 8, maxTokens: 8 },
    )
    // All of the first turn but its last tokens, which may be others once a turn ends after them.
    expect(next.usage.cachedTokens).toBeGreaterThanOrEqual(first.usage.promptTokens + first.usage.thinkingTokens - 2)
  })

  test('an answer bound by a schema is of that schema, whatever the model likes to write', async () => {
    const schema = {
      type: 'object',
      properties: { color: { enum: ['red', 'green', 'blue'] }, count: { type: 'integer', minimum: 0, maximum: 99 } },
      required: ['color', 'count'],
      additionalProperties: false,
    } as const
    for (let seed = 1; seed <= 5; seed++) {
      const options = { schema, thinkingWindow: 12, maxTokens: 64, temperature: 1.5, seed }
      const { object, finishReason } = await z1.reason('Choose a color and a count.', options)
      expect(finishReason).toBe('stop')
      const { color, count, ...rest } = object as { color: string; count: number }
      expect(['red', 'green', 'blue']).toContain(color)
      expect(Number.isInteger(count) && count >= 0 && count <= 99).toBe(true)
      expect(rest).toEqual({})
    }
  })

  test('what is drawn at temperature 1.5 is of its schema, unless it was cut short', async () => {
    const ajv = schemaValidator()
    const some = cases.filter(({ schema }) => (schema as { $schema?: string }).$schema === undefined)
    // A few here, all of them many times in .ci/long.
    const asked = samples > 0 ? some : some.filter((_, i) => i % 6 === 0)
    let whole = 0
    for (const { name, schema } of asked) {
      const isValid = ajv.compile(schema as object)
      for (let seed = 0; seed < Math.max(1, samples); seed++) {
        const options = { thinkingWindow: 2, maxTokens: 100, temperature: 1.5, topK: 0, topP: 1, minP: 0, seed }
        const request = { ...options, schema: schema as Record<string, unknown> }
        const { answer, object, finishReason } = await z1.reason('Give me an example.', request)
        if (finishReason === 'length') continue
        whole++
        expect([name, answer, isValid(JSON.parse(answer))]).toEqual([name, answer, true])
        expect(object).toEqual(JSON.parse(answer))
      }
    }
    expect(whole).toBeGreaterThan(asked.length / 3)
  }, 1_800_000)

  test('a text that the model repeats is left, and only then', async () => {
    const question = 'Write the word "again" over and over without an end.'
    const plain = await z1.reason(question, { thinkingWindow: 300, maxTokens: 8, cachePrompt: false })
    const ended = await z1.reason(question, { thinkingWindow: 300, maxTokens: 8, cachePrompt: false, loops: true })
    const { reasoning } = ended.tokens
    expect(plain.tokens.reasoning.slice(0, reasoning.length)).toEqual(reasoning)
    if (ended.ended !== 'loop') expect(reasoning).toEqual(plain.tokens.reasoning)
    const repeats = (period: number) =>
      reasoning.length >= 3 * period &&
      reasoning.slice(-2 * period).every((id, i) => id === reasoning.at(i - 3 * period))
    const periods = Array.from({ length: 125 }, (_, i) => i + 4)
    expect(periods.some(repeats)).toBe(ended.ended === 'loop')
  })
})
