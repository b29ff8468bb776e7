/** What the options of the policies do to a response. The policies themselves are tested in test/native. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { END, tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({
    model: tableModel(folder(), 'policies', {
      rows: {
        // x a b . c d, and then the end; at the dot the end is 0.5 nats less likely than c.
        x: 'a',
        a: 'b',
        b: '.',
        '.': { c: 2, [END]: 1.5 },
        c: 'd',
        // After the hint: y, then e against k at even logits but for one.
        '!': 'y',
        y: { e: 1, k: 0 },
        e: END,
        // What a nudge gives: ? goes on with c.
        '?': 'c',
        // Lines: n goes round with a line feed.
        n: 'm',
        m: '\n',
        '\n': 'n',
      },
    }),
    contextSize: 128,
    threads: 1,
    engine: 'cpu',
  })
})
afterAll(async () => {
  await z1.dispose()
})

const raw = { template: false, cachePrompt: false, hint: '!', thinkingWindow: 40 } as const

describe('earlyExit', () => {
  it('ends the thinking where a sentence ends and the end is near', async () => {
    const stream = z1.stream('x', { ...raw, earlyExit: { margin: 0.51 } })
    const cuts = []
    for await (const event of stream) if (event.type === 'cut') cuts.push(event)
    expect(cuts).toEqual([{ type: 'cut', ended: 'early', thinkingTokens: 3, hint: '!' }])
    expect(await stream.result).toMatchObject({ reasoning: 'ab.', answer: 'ye', ended: 'early', finishReason: 'stop' })
  })

  it('leaves it where the end is not near enough', async () => {
    const result = await z1.reason('x', { ...raw, earlyExit: { margin: 0.49 } })
    expect(result).toMatchObject({ reasoning: 'ab.cd', ended: 'self', hint: '' })
  })

  it('without a hint ends the response', async () => {
    const result = await z1.reason('x', { ...raw, hint: null, earlyExit: { margin: 1 } })
    expect(result).toMatchObject({ text: 'ab.', ended: 'early', finishReason: 'length' })
  })
})

describe('earlyExit: { probe }', () => {
  const box = '\\boxed{4}'
  let probing: Z1
  beforeAll(async () => {
    probing = await Z1.load({
      model: tableModel(folder(), 'probing', {
        extraTokens: [box],
        // x a \boxed{4} c d; after the hint y, and e with a probability of e / (e + 1), 0.73.
        rows: { x: 'a', a: box, [box]: 'c', c: 'd', '!': 'y', y: { e: 1, k: 0 }, e: END },
      }),
      contextSize: 128,
      branches: 1,
      threads: 1,
      engine: 'cpu',
    })
  })
  afterAll(async () => {
    await probing.dispose()
  })

  it('ends the thinking at a stated answer of which the model is sure', async () => {
    const result = await probing.reason('x', { ...raw, earlyExit: { probe: 0.7 } })
    expect(result).toMatchObject({ reasoning: `a${box}`, answer: 'ye', ended: 'early', usage: { probeTokens: 3 } })
    const kept = await probing.reason('x', { ...raw, earlyExit: { probe: 0.7 }, stated: 'keep' })
    expect(kept).toMatchObject({ text: `a${box}`, hint: '', finalAnswer: '4', ended: 'stated', finishReason: 'stop' })
  })

  it("stated: 'end' ends the thinking where the first answer was stated, without a branch and without a hint", async () => {
    const model = tableModel(folder(), 'checking', {
      extraTokens: [box],
      rows: { x: 'a', a: box, [box]: '\n', '\n': 'c', c: 'd', d: box, '!': 'y', y: END },
    })
    await using checking = await Z1.load({ model, contextSize: 128, threads: 1, engine: 'cpu' })
    const options = { ...raw, stated: 'end', thinkingWindow: 30 } as const
    const text = `a${box}\n`
    expect(await checking.reason('x', options)).toMatchObject({
      ...{ text, reasoning: text, hint: '', finalAnswer: '4', ended: 'stated', finishReason: 'stop' },
      usage: { thinkingTokens: 3, hintTokens: 0, answerTokens: 0, probeTokens: 0 },
    })
    expect(await checking.reason('x', { ...options, thinkingWindow: 1 })).toMatchObject({
      text: 'a!y',
      ended: 'window',
    })
    const asking = await checking.reason('x', { ...raw, thinkingWindow: 9 })
    expect(asking).toMatchObject({ text: `${text}cd${text.slice(1)}cd!y`, ended: 'window' })
  })

  it('leaves the thinking as it is where the model is not', async () => {
    const result = await probing.reason('x', { ...raw, earlyExit: { probe: 0.75 } })
    expect(result).toMatchObject({ text: `a${box}cd`, ended: 'self', usage: { thinkingTokens: 4, probeTokens: 3 } })
  })

  it('needs a branch and a hint', async () => {
    await expect(z1.reason('x', { ...raw, earlyExit: { probe: 0.7 } })).rejects.toThrow(
      'Expected at least 1 for branches, an option of load, with earlyExit.probe but received 0',
    )
    await expect(probing.reason('x', { ...raw, hint: null, earlyExit: { probe: 0.7 } })).rejects.toThrow(
      'Expected text for hint with earlyExit.probe but received null',
    )
  })
})

describe('landing', () => {
  it('closes the window at the end of a line in its last tenth', async () => {
    const options = { ...raw, maxTokens: 1, thinkingWindow: 22 } as const
    // m, line feed, n, m, line feed, … : line feeds at 2, 5, 8, 11, 14, 17, 20.
    expect((await z1.reason('n', options)).usage.thinkingTokens).toBe(22)
    const landed = await z1.reason('n', { ...options, landing: 'line' })
    expect(landed).toMatchObject({ ended: 'window', usage: { thinkingTokens: 20 } })
    expect(landed.reasoning.endsWith('m\n')).toBe(true)
    // From the 17th token on there is one at 17; from the 18th on, in a window of 19, there is none.
    expect((await z1.reason('n', { ...options, thinkingWindow: 18, landing: 'line' })).usage.thinkingTokens).toBe(17)
    expect((await z1.reason('n', { ...options, thinkingWindow: 19, landing: 'line' })).usage.thinkingTokens).toBe(19)
  })
})

describe('confidence', () => {
  it("is the least probability of the answer's tokens", async () => {
    const { answer, confidence } = await z1.reason('x', { ...raw, thinkingWindow: 2, confidence: true })
    expect(answer).toBe('ye')
    expect(confidence).toBeCloseTo(Math.E / (Math.E + 1), 4)
  })

  it('is null where nobody asked, and where nothing follows a hint', async () => {
    expect((await z1.reason('x', { ...raw, thinkingWindow: 2 })).confidence).toBeNull()
    expect((await z1.reason('x', { ...raw, confidence: true })).confidence).toBeNull()
    expect((await z1.reason('x', { ...raw, thinkingWindow: 2, hint: null, confidence: true })).confidence).toBeNull()
  })
})

describe('wait', () => {
  it('feeds a text in the place of the end', async () => {
    const stream = z1.stream('x', { ...raw, wait: { text: '?', times: 2 } })
    const events: string[] = []
    for await (const event of stream) events.push(event.type === 'nudge' ? `nudge ${event.thinkingTokens}` : event.type)
    expect(events.filter((type) => type.startsWith('nudge'))).toEqual(['nudge 5', 'nudge 7'])
    const { text, reasoning, tokens, usage, ended } = await stream.result
    expect(reasoning).toBe('ab.cd?cd?cd')
    expect(text).toBe(reasoning)
    expect(await z1.detokenize(tokens.reasoning)).toBe(reasoning)
    expect(usage).toMatchObject({ thinkingTokens: 9, nudgeTokens: 2, hintTokens: 0, answerTokens: 0 })
    expect(ended).toBe('self')
  })

  it('leaves the window as it is', async () => {
    const result = await z1.reason('x', { ...raw, thinkingWindow: 6, wait: { text: '?', times: 9 } })
    expect(result).toMatchObject({
      text: 'ab.cd?c!ye',
      ended: 'window',
      usage: { thinkingTokens: 6, nudgeTokens: 1, hintTokens: 1, answerTokens: 2 },
    })
  })

  it('lets the model end from a number of tokens on', async () => {
    const result = await z1.reason('x', { ...raw, wait: { text: '?', times: 9, until: 8 } })
    expect(result).toMatchObject({ text: 'ab.cd?cd?cd', usage: { thinkingTokens: 9 } })
  })

  it('has its tokens counted before it starts', async () => {
    const fits = { ...raw, thinkingWindow: 100, maxTokens: 9, wait: { text: '??', times: 9 } }
    await expect(z1.reason('x', fits)).rejects.toThrow(
      'The context is too small: 1 tokens of prompt, a window of 100, 18 of wait, a hint of 1 and an answer of up to 9 need 129',
    )
  })

  it('needs a model that thinks', async () => {
    const { thinkingWindow, ...plain } = raw
    await expect(z1.reason('x', { ...plain, wait: {} })).rejects.toThrow(
      new TypeError('Expected a thinkingWindow beside wait: the model does not think by itself'),
    )
  })
})

describe('what is no policy', () => {
  it.each([
    [{ earlyExit: {} }, 'Expected margin or probe in earlyExit'],
    [{ earlyExit: { probe: 1.1 } }, 'Expected number between 0 and 1 for earlyExit.probe but received 1.1'],
    [{ thinkingWindow: 9, cuts: [3], earlyExit: { probe: 0.5 } }, 'Expected no earlyExit.probe beside cuts'],
    [{ earlyExit: { margin: -1 } }, 'Expected number between 0 and 100 for earlyExit.margin but received -1'],
    [{ earlyExit: { marign: 1 } }, 'Unknown key marign of earlyExit: did you mean margin?'],
    [{ earlyExit: true }, 'Expected plain object for earlyExit but received true'],
    [{ landing: 'word' }, 'Expected token or line for landing but received "word"'],
    [{ stated: true }, 'Expected ask, keep, end for stated but received true'],
    [{ wait: { times: 0 } }, 'Expected integer between 1 and 1000 for wait.times but received 0'],
    [{ wait: { text: '' } }, 'Expected non-empty string for wait.text but received ""'],
    [{ wait: { until: 0.5 } }, 'Expected integer ≥ 1 or Infinity for wait.until but received 0.5'],
    [{ thinkingWindow: 9, cuts: [3], landing: 'line' }, 'Expected no landing beside cuts'],
    [{ thinkingWindow: 9, cuts: [3], wait: {} }, 'Expected no wait beside cuts'],
    [{ confidence: 1 }, 'Expected boolean for confidence but received 1'],
  ])('%j', async (options, message) => {
    await expect(z1.reason('x', options as object)).rejects.toThrow(message)
  })
})
