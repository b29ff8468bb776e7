/** What a request may ask of native code, on the native surface itself: of how the thinking ends, and how that is told. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { GenerationEvent, GenerationRequest, SamplingParams } from '../../lib/native/binding.js'
import type { Context } from '../../lib/native/context.js'
import { openEngine } from '../../lib/native/engine.js'
import { Model } from '../../lib/native/model.js'
import { temporaryFolder } from '../support/folder.js'
import { tableModel, tokenIds } from '../support/table-model.js'

const bytes = (text: string) => Int32Array.from([...text], (character) => tokenIds()(character))

const sampling: SamplingParams = {
  ...{ temperature: 0, topK: 0, topP: 1, minP: 0, typicalP: 1, repeatPenalty: 1, frequencyPenalty: 0 },
  ...{ presencePenalty: 0, penaltyLastN: 0, dryMultiplier: 0, dryBase: 1.75, dryAllowedLength: 2, dryPenaltyLastN: 0 },
  ...{ drySequenceBreakers: [], xtcProbability: 0, xtcThreshold: 0.1, logitBias: [], seed: 1 },
}

const folder = temporaryFolder()
let model: Model
let context: Context
beforeAll(async () => {
  await openEngine('cpu')
  // After x the letters a to d go round for ever; after the hint's dot it says yes, or goes round again.
  const rows = { x: 'a', a: 'b', b: 'c', c: 'd', d: 'a', '.': 'y', y: 'e', e: 's', '!': 'a' }
  const path = tableModel(folder(), 'round', { rows })
  model = await Model.load({ path, gpuLayers: 0, contextCells: 0, weights: true, mmap: true })
  const sequences = { parallel: 1, branches: 1, sharedCells: true }
  const params = { contextSize: 256, ...sequences, batchSize: 64, threads: 1, threadsBatch: 1, adapts: false }
  context = await model.createContext(params)
})
afterAll(async () => {
  await context.close()
  model.close()
})

/** What a request gives: both texts, the cut if there is one, and the end. */
async function run(changes: Partial<Omit<GenerationRequest, 'id'>>) {
  const text = { thinking: '', answer: '' }
  const cuts: Extract<GenerationEvent, { type: 'cut' }>[] = []
  const branches: Extract<GenerationEvent, { type: 'branch' }>[] = []
  const done = await new Promise<Extract<GenerationEvent, { type: 'done' }>>((resolve, reject) => {
    const request: Omit<GenerationRequest, 'id'> = {
      ...{ prompt: bytes('x'), thinkingWindow: 6, maxTokens: 40, cuts: [], hint: bytes('.'), stop: [] },
      ...{
        landsOnLine: false,
        earlyMargin: null,
        earlyProbe: null,
        keepsStated: false,
        endsStated: false,
        confidence: false,
        wait: null,
        trace: null,
      },
      logprobs: null,
      ...{
        stopInThinking: false,
        bannedTags: [],
        bannedInThinking: [],
        calls: null,
        closeTag: null,
        grammar: null,
        loops: false,
        group: 0,
        cachePrompt: false,
        speculation: false,
        sampling,
      },
      ...changes,
    }
    context.start(request, (event) => {
      if (event.type === 'text' && event.phase !== 'call') text[event.phase] += event.text
      else if (event.type === 'cut') cuts.push(event)
      else if (event.type === 'branch') branches.push(event)
      else if (event.type === 'done') resolve(event)
      else if (event.type === 'error') reject(new Error(event.message))
    })
  })
  const ended = { ended: done.ended, finishReason: done.finishReason }
  return { ...text, cuts, ...(branches.length > 0 && { branches }), ...ended }
}

describe('hint', () => {
  it('follows where the window closes', async () => {
    expect(await run({})).toEqual({
      thinking: 'abcdab',
      answer: 'yes',
      cuts: [{ type: 'cut', ended: 'window', thinkingTokens: 6, hintTokens: 1 }],
      ended: 'window',
      finishReason: 'stop',
    })
  })

  it('null ends the generation there', async () => {
    const ended = { answer: '', cuts: [], ended: 'window', finishReason: 'length' }
    expect(await run({ hint: null })).toEqual({ ...ended, thinking: 'abcdab' })
    expect(await run({ hint: null, thinkingWindow: 0 })).toEqual({ ...ended, thinking: '' })
  })
})

describe('cuts', () => {
  it('come as branches with all that they gave', async () => {
    const cuts = [
      { thinkingWindow: 0, maxTokens: 2 },
      { thinkingWindow: 3, maxTokens: 40 },
    ]
    const { branches = [], thinking, answer } = await run({ cuts })
    expect([thinking, answer]).toEqual(['abcdab', 'yes'])
    expect(branches.map(({ done, ...branch }) => [branch, done.ended, done.finishReason])).toEqual([
      [{ type: 'branch', thinking: part(''), answer: part('ye'), hintTokens: 1 }, 'window', 'length'],
      [{ type: 'branch', thinking: part('abc'), answer: part('yes'), hintTokens: 1 }, 'window', 'stop'],
    ])
  })

  it('ascend', async () => {
    const cuts = [3, 3].map((thinkingWindow) => ({ thinkingWindow, maxTokens: 2 }))
    await expect(run({ cuts })).rejects.toThrow('Expected ascending windows in cuts')
    await expect(run({ cuts: [{ thinkingWindow: -1, maxTokens: 2 }] })).rejects.toThrow(RangeError)
  })
})

/** Without log-probabilities, which were not asked for. */
function part(text: string) {
  return { text, tokens: Array.from(bytes(text)), logprobs: [] }
}

describe('loops', () => {
  const round = 'abcdabcdabcd'

  it('are nothing special by default', async () => {
    expect(await run({ thinkingWindow: 50, hint: null })).toMatchObject({ ended: 'window', finishReason: 'length' })
  })

  it('close the window', async () => {
    expect(await run({ loops: true, thinkingWindow: Infinity })).toEqual({
      thinking: round,
      answer: 'yes',
      cuts: [{ type: 'cut', ended: 'loop', thinkingTokens: 12, hintTokens: 1 }],
      ended: 'loop',
      finishReason: 'stop',
    })
  })

  it('end an answer', async () => {
    const { answer, ended, finishReason } = await run({ loops: true, hint: bytes('!') })
    expect({ answer, ended, finishReason }).toEqual({ answer: round, ended: 'window', finishReason: 'loop' })
  })

  it('end the generation where there is no hint', async () => {
    const result = await run({ loops: true, thinkingWindow: Infinity, hint: null })
    expect(result).toEqual({ thinking: round, answer: '', cuts: [], ended: 'loop', finishReason: 'loop' })
  })
})
