/** Answers that are bound by a grammar or a schema: what is bound, what is not, and what comes of it. */
import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { cases } from '../grammar/schemas.js'
import { temporaryFolder } from '../support/folder.js'
import { schemaValidator } from '../support/schema-validator.js'
import { tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
const raw = { template: false, cachePrompt: false }
let z1: Z1
let noise: Z1
beforeAll(async () => {
  // It says x, then ab for ever; after a dot it would end at once, after an exclamation mark go on with digits.
  const rows = { x: 'a', a: 'b', b: 'a', '!': '7', '7': '8', '8': '7', q: 'u' }
  const path = tableModel(folder(), 'table', { rows, rest: -10 })
  z1 = await Z1.load({ model: path, contextSize: 256, threads: 1, engine: 'cpu' })
  // Every byte is as likely as any other, but for some that keep JSON short.
  const short = { '"': 3, ']': 3, '}': 3, ',': 1, '0': 1, a: 1 }
  const noisy = tableModel(folder(), 'noise', { rows: {}, otherwise: short, rest: 0 })
  noise = await Z1.load({ model: noisy, contextSize: 600, threads: 1, engine: 'cpu' })
})
afterAll(async () => {
  await z1.dispose()
  await noise.dispose()
})

describe('what a grammar binds', () => {
  it('the answer after a cut, and not the thinking', async () => {
    const grammar = 'root ::= "{" [0-9]+ "}"'
    const result = await z1.reason('x', { ...raw, thinkingWindow: 5, maxTokens: 6, hint: '!', grammar })
    expect(result).toMatchObject({ reasoning: 'ababa', hint: '!', ended: 'window', finishReason: 'length' })
    // The likeliest of what is allowed: a brace, whatever digit, then as the model would go on.
    expect(result.answer).toMatch(/^\{[0-9]{5}$/)
  })

  it('nothing of a choice that it allows anyhow', async () => {
    const options = { ...raw, thinkingWindow: 3, maxTokens: 9, hint: '!' }
    const free = await z1.reason('x', options)
    const bound = await z1.reason('x', { ...options, grammar: 'root ::= [0-9]*' })
    expect([bound.answer, bound.tokens]).toEqual([free.answer, free.tokens])
    expect(free.answer).toBe('787878787')
  })

  it('all of a reply that is the answer', async () => {
    const result = await z1.reason('x', { ...raw, grammar: 'root ::= "yes" | "no"' })
    expect(result).toMatchObject({ reasoning: '', hint: '', ended: 'self', finishReason: 'stop', object: null })
    expect(['yes', 'no']).toContain(result.answer)
  })

  it('that the answer ends where it is whole', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 2, hint: '!', grammar: 'root ::= "787"' })
    expect(result).toMatchObject({ answer: '787', finishReason: 'stop', usage: { answerTokens: 3 } })
  })
})

describe('a model that ends its thinking by itself', () => {
  it('is given the hint in place of its last token, and answers', async () => {
    const events: string[] = []
    const stream = z1.stream('q', { ...raw, thinkingWindow: 50, hint: '!', maxTokens: 4, schema: { type: 'integer' } })
    for await (const event of stream) events.push(event.type)
    expect(await stream.result).toMatchObject({ reasoning: 'u', hint: '!', ended: 'self', answer: '7878' })
    expect(events.filter((type, i) => type !== events[i - 1])).toEqual(['thinking', 'cut', 'answer', 'done'])
  })

  it('may not end again before it has answered', async () => {
    // After a dot the table has only the end, which this grammar allows; it is banned for one draw.
    const result = await z1.reason('q', { ...raw, thinkingWindow: 50, hint: '.', grammar: 'root ::= [ab]?' })
    expect(result).toMatchObject({ ended: 'self', finishReason: 'stop' })
    expect(['a', 'b']).toContain(result.answer)
  })

  it('ends without a hint where nothing is bound', async () => {
    const result = await z1.reason('q', { ...raw, thinkingWindow: 50, hint: '!' })
    expect(result).toMatchObject({ reasoning: 'u', hint: '', answer: 'u', ended: 'self', finishReason: 'stop' })
  })
})

describe('object', () => {
  const schema = { type: 'object', properties: { n: { type: 'integer', minimum: 5, maximum: 5 } }, required: ['n'] }

  it('is the value of the answer', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 2, schema })
    expect([result.object, result.warnings, result.finishReason]).toEqual([{ n: 5 }, [], 'stop'])
  })

  it('is null where the answer was cut short', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 2, maxTokens: 3, schema })
    expect([result.object, result.finishReason]).toEqual([null, 'length'])
  })

  it('comes of a schema of a library', async () => {
    const library = { '~standard': { jsonSchema: { input: ({ target }: { target: string }) => ({ const: target }) } } }
    const { object } = await z1.reason('x', { ...raw, thinkingWindow: 2, schema: library })
    expect(object).toBe('draft-2020-12')
  })

  it('comes with what its schema could not be held to', async () => {
    const { warnings } = await z1.reason('x', {
      ...raw,
      thinkingWindow: 2,
      maxTokens: 3,
      schema: { type: 'array', uniqueItems: true },
    })
    expect(warnings).toEqual([{ path: '', keyword: 'uniqueItems', message: 'items may be the same' }])
  })
})

describe('refused before anything runs', () => {
  it.each([
    [{ schema: 3 }, 'Expected JSON Schema or Standard JSON Schema for schema but received 3'],
    [{ schema: [] }, 'Expected JSON Schema or Standard JSON Schema for schema but received an array'],
    [{ grammar: 3 }, 'Expected string for grammar but received 3'],
    [{ schema: {}, grammar: 'root ::= "a"' }, 'Expected nothing for grammar with schema but received'],
    [{ schema: {}, hint: null }, 'Expected text for hint with schema but received null'],
  ])('%j', (options, message) => {
    expect(() => z1.stream('x', options as object)).toThrow(TypeError)
    expect(() => z1.stream('x', options as object)).toThrow(message)
  })

  it.each([
    [{ grammar: 'root ::= (' }, 'GRAMMAR_INVALID'],
    [{ schema: { type: 'kaboom' } }, 'SCHEMA_INVALID'],
    [
      {
        schema: {
          '~standard': {
            jsonSchema: {
              input: () => {
                throw new Error('no')
              },
            },
          },
        },
      },
      'SCHEMA_INVALID',
    ],
  ])('%#: %s', async (options, code) => {
    await expect(z1.reason('x', options)).rejects.toThrow(expect.objectContaining({ code }))
  })

  it('a grammar with which no token can go on ends the request, and only that', async () => {
    const options = { ...raw, grammar: 'root ::= "ab"', logitBias: { 98: -Infinity } }
    await expect(z1.reason('x', options)).rejects.toThrow('The grammar allows none of the tokens')
    expect((await z1.reason('x', { ...raw, grammar: 'root ::= "a"' })).answer).toBe('a')
  })
})

it('bad schemas and grammars leave nothing on stderr', () => {
  const script = `
    import { Z1 } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)}
    const z1 = await Z1.load({ threads: 1, contextSize: 512 })
    const bad = [...'(){}[]*+?<!"'].map((grammar) => ({ grammar: 'root ::= ' + grammar }))
    for (const text of ['a', 'root', 'root ::= root', 'root ::= x', 'root ::= "a"{3,2}', 'root ::= ("a"|)*', 'root ::= "\\0"', '=']) bad.push({ grammar: text })
    for (const type of ['x', 1, {}, null, ['string', 'x']]) bad.push({ schema: { type } }, { schema: { items: { type } } }, { schema: { properties: { a: { type } } } })
    for (const schema of [false, { not: {} }, { enum: [] }, { pattern: '(' }, { pattern: '[b-a]' }, { patternProperties: { '*': {} } }, { const: 1, type: 'string' }]) bad.push({ schema })
    for (const schema of ['x', 1, null, [], () => {}, new Date(0), Symbol.iterator, 1n]) bad.push({ schema })
    let refused = 0
    for (const options of bad) await z1.reason('x', { maxTokens: 1, ...options }).catch(() => refused++)
    console.log(bad.length, refused)
    await z1.dispose()`
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  expect(child.stderr).toBe('')
  const [tried, refused] = child.stdout.trim().split(' ').map(Number)
  expect(tried).toBeGreaterThanOrEqual(50)
  expect(refused).toBe(tried)
})

/** Z1_SCHEMA_SAMPLES: answers to each of some fifty schemas. */
const samples = Number(process.env.Z1_SCHEMA_SAMPLES ?? 2)

it('what is drawn by chance is valid, unless it was cut short', async () => {
  const ajv = schemaValidator()
  let whole = 0
  for (const { name, schema } of cases) {
    if ((schema as { $schema?: string }).$schema !== undefined) continue
    const isValid = ajv.compile(schema as object)
    for (let seed = 0; seed < samples; seed++) {
      const options = { ...raw, thinkingWindow: 4, maxTokens: 250, temperature: 1.5, topK: 0, topP: 1, minP: 0, seed }
      const { answer, object, finishReason } = await noise.reason('x', {
        ...options,
        schema: schema as Record<string, unknown>,
      })
      if (finishReason !== 'stop') continue
      whole++
      expect([name, answer, isValid(JSON.parse(answer))]).toEqual([name, answer, true])
      expect(object).toEqual(JSON.parse(answer))
    }
  }
  expect(whole).toBeGreaterThan(samples * 25)
})
