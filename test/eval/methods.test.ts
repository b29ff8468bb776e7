/** What each method asks of a reasoner, and what it makes of the result. */
import { describe, expect, it } from 'vitest'
import { methodName, methodOf } from '../../lib/eval/methods/index.js'
import type { Question, ResolvedMethod } from '../../lib/eval/methods/method.js'
import { BOXED_HINT, PLAIN_HINT } from '../../lib/reason/options.js'
import { scripted } from './scripted.js'

const prompt = [{ role: 'user', content: '2 + 2?' }]
const thoughts = ['Two ', 'and ', 'two: ', '\\boxed{4}']

function question(thinkingWindow: number): Question {
  return { prompt, thinkingWindow, windows: [thinkingWindow], temperature: 0.5, seed: 7 }
}

async function ask(method: ResolvedMethod, thinkingWindow: number) {
  const reasoner = scripted({ thoughts, answer: ['\\boxed{', '5}'] })
  const result = await method.ask(reasoner, question(thinkingWindow))
  expect(reasoner.asked.map(({ input }) => input)).toEqual([prompt])
  return { result, options: reasoner.asked[0]?.options }
}

describe.each([
  ['window', 'ban', '\n\nso:'],
  ['delimited', 'keep', '\n\nso:</think>'],
] as const)('%s', (name, tags, hint) => {
  const method = methodOf(name).resolve({ hint: '\n\nso:', maxTokens: 9 })

  it('appends the hint at the cut, and takes the answer after it', async () => {
    const { result, options } = await ask(method, 2)
    const request = { thinkingWindow: 2, hint: '\n\nso:', maxTokens: 9, tags, temperature: 0.5, seed: 7 }
    expect(options).toEqual(request)
    expect(result).toMatchObject({
      ended: 'window',
      finishReason: 'stop',
      hint,
      answer: '\\boxed{5}',
      finalAnswer: '5',
    })
    expect(result.text).toBe(`Two and ${hint}\\boxed{5}`)
  })

  it('leaves alone what ends by itself', async () => {
    const { result } = await ask(method, Infinity)
    expect(result).toMatchObject({ ended: 'self', hint: '', finalAnswer: '4', usage: { thinkingTokens: 4 } })
  })

  it('is pinned to the texts, and has those of z1.reason() for defaults', () => {
    expect(method.pinned).toEqual({ hint: '\n\nso:', maxTokens: 9 })
    expect(methodOf(name).resolve({}).pinned).toEqual({ hint: PLAIN_HINT, maxTokens: 1024 })
    expect(methodOf(name).resolve({ hint: 'boxed' }).pinned).toMatchObject({ hint: BOXED_HINT })
    expect(() => methodOf(name).resolve({ hint: '' })).toThrow('for hint but received ""')
    expect(() => methodOf(name).resolve({ maxTokens: 0 })).toThrow('Expected integer ≥ 1 for maxTokens but received 0')
  })

  it('leaves room for hint, close tag and answer', async () => {
    const tags = { open: '<think>', close: '</think>' }
    // 512 less a prompt of 100, a hint of 5, an answer of 9, and 8 for line feeds; a close tag takes another 8.
    expect(await method.room(scripted({ thoughts }, { contextSize: 512 }), 100)).toBe(390)
    expect(await method.room(scripted({ thoughts }, { tags, contextSize: 512 }), 100)).toBe(382)
    expect(await method.room(scripted({ thoughts }, { contextSize: 512 }), 500)).toBe(0)
  })
})

describe('budget-forcing', () => {
  const wait = { times: 1, text: 'Wait', until: Infinity }

  it("asks for s1's texts, between the model's tags where it has them", async () => {
    const method = methodOf('budget-forcing').resolve({})
    const hint = '\n\nFinal Answer: '
    const plain = scripted({ thoughts, answer: ['5'] })
    expect((await method.ask(plain, question(2))).hint).toBe(hint)
    expect(plain.asked[0]?.options).toMatchObject({ hint, wait, tags: 'ban', thinkingWindow: 2 })
    const tagged = scripted({ thoughts, answer: ['5'] }, { tags: { open: '<think>', close: '</think>' } })
    await method.ask(tagged, question(2))
    expect(tagged.asked[0]?.options).toMatchObject({ hint, wait, tags: 'keep' })
  })

  it('takes others, and leaves room for them', async () => {
    const method = methodOf('budget-forcing').resolve({ hint: 'So:', wait: { ...wait, times: 3 }, maxTokens: 9 })
    // 512 less a prompt of 100, a hint of 3, three times 4, an answer of 9, and 8 for line feeds.
    expect(await method.room(scripted({ thoughts }, { contextSize: 512 }), 100)).toBe(380)
    expect(method.pinned).toEqual({ hint: 'So:', maxTokens: 9, policies: { wait: { ...wait, times: 3, until: null } } })
  })
})

describe('policies', () => {
  const policies = { stated: 'keep', earlyExit: { margin: 0.5 }, landing: 'line', loops: true } as const

  it('are asked for and pinned with the window', async () => {
    const method = methodOf('window').resolve({ hint: '\n\nso:', maxTokens: 9, ...policies })
    expect((await ask(method, 2)).options).toMatchObject(policies)
    expect(method.pinned).toEqual({ hint: '\n\nso:', maxTokens: 9, policies })
  })

  it('have no place without a hint', () => {
    expect(() => methodOf('none').resolve({ stated: 'keep' })).toThrow('Expected no stated with the method none')
  })
})

describe('none', () => {
  const method = methodOf('none').resolve({})

  it('ends at the window, and drops what a cut brings', async () => {
    const { result, options } = await ask(method, 2)
    expect(options).toMatchObject({ thinkingWindow: 2, tags: 'ban', temperature: 0.5, seed: 7 })
    expect(result).toMatchObject({
      text: 'Two and ',
      reasoning: 'Two and ',
      hint: '',
      answer: 'Two and',
      finalAnswer: null,
      message: { role: 'assistant', content: 'Two and ' },
      ended: 'window',
      finishReason: 'length',
      tokens: { reasoning: [0, 1], hint: [], answer: [] },
      usage: { thinkingTokens: 2, hintTokens: 0, answerTokens: 0 },
    })
  })

  it('takes an answer that was stated by then', async () => {
    expect((await ask(method, 4)).result).toMatchObject({ ended: 'window', finishReason: 'length', finalAnswer: '4' })
  })

  it('leaves alone what ends by itself', async () => {
    const { result } = await ask(method, Infinity)
    expect(result).toMatchObject({ ended: 'self', finishReason: 'stop', finalAnswer: '4' })
  })

  it('has neither hint nor answer', () => {
    expect(method.pinned).toEqual({ hint: null, maxTokens: null })
    expect(() => methodOf('none').resolve({ hint: 'plain' })).toThrow('Expected neither hint nor maxTokens')
    expect(() => methodOf('none').resolve({ maxTokens: 5 })).toThrow(RangeError)
  })
})

describe('direct', () => {
  it('asks for the answer at once', async () => {
    const method = methodOf('direct').resolve({ hint: '\n\nso:', maxTokens: 9 })
    const { result, options } = await ask(method, 0)
    expect(options).toMatchObject({ thinkingWindow: 0, hint: '\n\nso:', maxTokens: 9, tags: 'ban' })
    expect(result).toMatchObject({ ended: 'window', finalAnswer: '5', usage: { thinkingTokens: 0 } })
    expect(methodOf('direct').windows).toEqual(['0'])
  })
})

describe('unlimited', () => {
  const method = methodOf('unlimited').resolve({})

  it('lets the model end by itself, in its tags where it has them', async () => {
    const { result, options } = await ask(method, Infinity)
    expect(options).toMatchObject({ thinkingWindow: Infinity, hint: null, tags: 'ban' })
    expect(result).toMatchObject({ ended: 'self', hint: '', finalAnswer: '4', usage: { thinkingTokens: 4 } })
    expect(methodOf('unlimited').windows).toEqual(['inf'])
    const tagged = scripted({ thoughts }, { tags: { open: '<think>', close: '</think>' } })
    await method.ask(tagged, question(Infinity))
    expect(tagged.asked[0]?.options).toMatchObject({ thinkingWindow: Infinity, hint: null, tags: 'keep' })
  })

  it('has neither hint nor answer', () => {
    expect(method.pinned).toEqual({ hint: null, maxTokens: null })
    expect(() => methodOf('unlimited').resolve({ hint: 'plain' })).toThrow('Expected neither hint nor maxTokens')
  })
})

it('there is no other', () => {
  expect(() => methodName.read('some', 'method')).toThrow(
    'Expected window, delimited, none, direct, unlimited, budget-forcing for method but received "some"',
  )
})
