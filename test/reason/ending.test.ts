/** How a request ends where it asked for no hint, or to be watched for loops. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
let z1: Z1
beforeAll(async () => {
  // After x the letters a to d go round for ever, as they do after an exclamation mark; after a dot it says yes.
  const rows = { x: 'a', a: 'b', b: 'c', c: 'd', d: 'a', '.': 'y', y: 'e', e: 's', '!': 'a' }
  z1 = await Z1.load({ model: tableModel(folder(), 'round', { rows }), contextSize: 128, threads: 1, engine: 'cpu' })
})
afterAll(async () => {
  await z1.dispose()
})

const raw = { template: false, cachePrompt: false }

describe('hint: null', () => {
  it('ends the response at the window: no cut, no answer', async () => {
    const stream = z1.stream('x', { ...raw, thinkingWindow: 6, hint: null })
    const types = new Set<string>()
    for await (const event of stream) types.add(event.type)
    expect([...types]).toEqual(['thinking', 'done'])
    expect(await stream.result).toMatchObject({
      text: 'abcdab',
      reasoning: 'abcdab',
      hint: '',
      message: { role: 'assistant', content: 'abcdab' },
      ended: 'window',
      finishReason: 'length',
      usage: { thinkingTokens: 6, hintTokens: 0, answerTokens: 0 },
    })
  })

  it('needs no room for what follows the window', async () => {
    const { ended, usage } = await z1.reason('x', { ...raw, thinkingWindow: 127, hint: null })
    expect([ended, usage.thinkingTokens]).toEqual(['window', 127])
    await expect(z1.reason('x', { ...raw, thinkingWindow: 128, hint: null })).rejects.toThrow(
      'The context is too small: 1 tokens of prompt, a window of 128 need 129 tokens, contextSize is 128',
    )
  })

  it('with a window of 0 gives nothing', async () => {
    const { text, ended, finishReason } = await z1.reason('x', { ...raw, thinkingWindow: 0, hint: null })
    expect([text, ended, finishReason]).toEqual(['', 'window', 'length'])
  })
})

describe('loops: true', () => {
  it('closes the window at the third round, and the hint follows', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 60, maxTokens: 8, hint: '.', loops: true })
    expect(result).toMatchObject({ reasoning: 'abcdabcdabcd', answer: 'yes', ended: 'loop', finishReason: 'stop' })
  })

  it('ends an answer at the third round', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 2, maxTokens: 40, hint: '!', loops: true })
    expect(result).toMatchObject({ answer: 'abcdabcdabcd', ended: 'window', finishReason: 'loop' })
  })

  it('without a hint ends the response', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 60, hint: null, loops: true })
    expect(result).toMatchObject({ text: 'abcdabcdabcd', ended: 'loop', finishReason: 'loop' })
  })

  it('is not the default', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 60, hint: null })
    expect(result).toMatchObject({ ended: 'window', finishReason: 'length', usage: { thinkingTokens: 60 } })
  })
})

describe('no window: an ordinary chat model', () => {
  it('answers in text only', async () => {
    const stream = z1.stream('.', { ...raw })
    const types = new Set<string>()
    for await (const event of stream) types.add(event.type)
    expect([...types]).toEqual(['answer', 'done'])
    expect(await stream.result).toMatchObject({
      text: 'yes',
      reasoning: '',
      hint: '',
      answer: 'yes',
      message: { role: 'assistant', content: 'yes' },
      ended: 'self',
      finishReason: 'stop',
      usage: { thinkingTokens: 0, hintTokens: 0, answerTokens: 3 },
    })
  })

  it('is bound by maxTokens', async () => {
    const result = await z1.reason('x', { ...raw, maxTokens: 6 })
    expect(result).toMatchObject({
      answer: 'abcdab',
      ended: 'self',
      finishReason: 'length',
      usage: { answerTokens: 6 },
    })
  })

  it('ends at a stop string, and at a loop that is watched for', async () => {
    const stopped = await z1.reason('x', { ...raw, stop: 'cd' })
    expect(stopped).toMatchObject({ answer: 'ab', ended: 'self', finishReason: 'stop', stopString: 'cd' })
    const looped = await z1.reason('x', { ...raw, loops: true })
    expect(looped).toMatchObject({ answer: 'abcdabcdabcd', ended: 'self', finishReason: 'loop' })
  })

  it('has no thinking to end', async () => {
    const stream = z1.stream('x', { ...raw, maxTokens: 20 })
    stream.endThinking()
    expect(await stream.result).toMatchObject({ usage: { answerTokens: 20 }, hint: '', ended: 'self' })
    // Also where the prompt is long enough to be read in parts.
    const long = z1.stream('x'.repeat(90), { ...raw, maxTokens: 3 })
    long.endThinking()
    expect(await long.result).toMatchObject({ answer: 'abc', ended: 'self' })
  })

  it('thinks when it is asked to, Infinity included', async () => {
    expect(await z1.reason('.', { ...raw, thinkingWindow: Infinity })).toMatchObject({
      reasoning: 'yes',
      ended: 'self',
    })
    expect(await z1.reason('.', { ...raw, thinkingWindow: 2, hint: '.' })).toMatchObject({
      reasoning: 'ye',
      answer: 'yes',
      ended: 'window',
    })
  })
})

describe('stop strings', () => {
  it('are for the answer', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 6, hint: '.', stop: ['cd', 's'] })
    expect(result).toMatchObject({ reasoning: 'abcdab', answer: 'ye', stopString: 's', ended: 'window' })
  })

  it('with stopInThinking end the thinking too', async () => {
    const options = { ...raw, thinkingWindow: 6, hint: '.', stop: ['cd', 's'], stopInThinking: true }
    expect(await z1.reason('x', options)).toMatchObject({ text: 'ab', stopString: 'cd', ended: 'stop' })
  })

  it('end a response that no window can cut', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: Infinity, stop: 'cd' })
    expect(result).toMatchObject({ text: 'ab', stopString: 'cd', ended: 'stop' })
  })
})
