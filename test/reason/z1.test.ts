import { readFileSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  type LoadOptions,
  type ReasonOptions,
  type ReasonResult,
  type ReasonStream,
  Z1,
  Z1Error,
} from '../../lib/index.js'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { inspectModel } from '../../lib/reason/vocabulary.js'
import { temporaryFolder } from '../support/folder.js'
import { chatMlTemplate, testModel } from '../support/models.js'
import { END, tableModel, tokenIds } from '../support/table-model.js'
import { tokensOf } from '../support/tokenizer.js'

const common = { threads: 1, engine: 'cpu' } satisfies LoadOptions
const folder = temporaryFolder()
afterAll(() => {})

const words = [' hm', ' so', 'Four']
const rows = { L: ' hm', ' hm': ' so', ' so': ' hm', '\n': 'Four', Four: END }
function loopModel(name: string, slow = false, trainingContext = 4096): string {
  return tableModel(folder(), name, { extraTokens: words, rows, slow, trainingContext, thinkingWindow: 4096 })
}

describe('Z1.load()', () => {
  it('tells what was loaded', async () => {
    const path = testModel('qwen2-bytes')
    const z1 = await Z1.load({ ...common, model: path, contextSize: 300, parallel: 2, batchSize: 64 })
    const { engine, devices, size, ...model } = z1.model
    expect(model).toEqual({
      path,
      architecture: 'qwen2',
      quantization: 'all F32',
      // Embedding and output of 259 tokens; 4 layers of attention, biases, two norms, feed-forward; the last norm.
      parameters: 2 * 259 * 128 + 4 * (2 * 128 * 128 + 2 * 128 * 64 + 128 + 2 * 64 + 2 * 128 + 3 * 128 * 384) + 128,
      layers: 4,
      gpuLayers: 0,
      vocabularySize: 259,
      thinkingWindow: null,
      sampling: {},
      trainingContext: 4096,
      contextSize: 300,
      parallel: 2,
      branches: 0,
      kvCache: 'separate',
      cacheRam: 256,
      cacheType: { k: 'f16', v: 'f16' },
      flashAttention: 'auto',
      lora: [],
      batchSize: 64,
      threads: 1,
      chatTemplate: chatMlTemplate,
      tags: null,
    })
    expect(size).toBe(4 * z1.model.parameters)
    expect(size).toBeLessThan(statSync(path).size)
    expect(devices).toContainEqual(expect.objectContaining({ name: 'CPU', type: 'cpu' }))
    expect(statSync(engine).isDirectory()).toBe(true)
    expect(Object.isFrozen(z1.model)).toBe(true)
    await z1.dispose()
  })

  it('takes a file: URL', async () => {
    const path = testModel('qwen2-bytes')
    for (const model of [pathToFileURL(path), pathToFileURL(path).href]) {
      await using z1 = await Z1.load({ ...common, model, contextSize: 64 })
      expect(z1.model.path).toBe(path)
    }
  })

  it('takes a chat template, which renderPrompt() and reason() use', async () => {
    const given = { chatTemplate: '{{ a }}{{ messages[0].content }}', templateVariables: { a: 'A' } }
    await using z1 = await Z1.load({ ...common, model: testModel('qwen2-bytes'), contextSize: 64, ...given })
    expect(z1.model.chatTemplate).toBe(given.chatTemplate)
    // A token for each byte of the hint.
    const hintTokens = '\n\nI overthought it, the final answer should be:\n\n'.length
    const more = { hintTokens, defaultWindow: null, droppedMessages: 0 }
    expect(await z1.renderPrompt('b')).toEqual({ text: 'Ab', tokens: [65, 98], ...more })
    expect(await z1.renderPrompt('b', { templateVariables: { a: '' } })).toEqual({ text: 'b', tokens: [98], ...more })
    expect(await z1.renderPrompt('b', { hint: null })).toMatchObject({ hintTokens: 0 })
    expect(await z1.renderPrompt('b', { chatTemplate: '<think>{{ a }}' })).toMatchObject({ defaultWindow: 4096 })
    const { usage } = await z1.reason('b', { thinkingWindow: 1, maxTokens: 1, hint: null })
    expect(usage.promptTokens).toBe(2)
    // It may be longer than the context: that is what one would want to see.
    expect((await z1.renderPrompt('b'.repeat(1000))).tokens).toHaveLength(1001)
    await expect(z1.renderPrompt('b', { chatTemplate: '{{' })).rejects.toMatchObject({ code: 'TEMPLATE_FAILED' })
  })

  it('without a model: the embedded one', async () => {
    await using z1 = await Z1.load({ ...common })
    expect(z1.model.path).toBe(EMBEDDED_MODEL)
    const { text, usage } = await z1.reason('What is the largest of 12, 47, 8, 31?', {
      thinkingWindow: 16,
      maxTokens: 8,
    })
    expect(usage.thinkingTokens).toBeGreaterThan(0)
    expect(text).not.toBe('')
  })

  it.each([
    ['the training length', 2000, 2000],
    ['but at most 8192', 40_000, 8192],
    ['8192 where the file says none', 0, 8192],
  ])('the context is as long as %s', async (_name, trainingContext, contextSize) => {
    await using z1 = await Z1.load({
      ...common,
      model: loopModel(`context-${trainingContext}`, false, trainingContext),
    })
    expect(z1.model.contextSize).toBe(contextSize)
  })

  it('reports progress from 0 to 1, in order', async () => {
    const seen: number[] = []
    await using _ = await Z1.load({ ...common, model: testModel('qwen2-bytes'), onProgress: (f) => seen.push(f) })
    expect(seen.at(-1)).toBe(1)
    expect(seen[0]).toBeGreaterThanOrEqual(0)
    expect(seen).toEqual([...seen].sort((a, b) => a - b))
  })

  it.each<[string, unknown]>([
    ['the default reason', undefined],
    ['an own error', new Error('enough')],
    ['an error with a code of ours', Object.assign(new Error('no'), { code: 'MODEL_INVALID' })],
    ['a Z1Error', new Z1Error('DISPOSED', 'mine')],
    ['any value', 'just because'],
  ])('aborted, rejects with %s, whenever that comes', async (_name, reason) => {
    const stack = reason instanceof Error ? reason.stack : ''
    const moments: ((abort: () => void) => void)[] = [
      (abort) => abort(),
      (abort) => queueMicrotask(abort),
      (abort) => setImmediate(abort),
      (abort) => setTimeout(abort, 2),
    ]
    for (const [i, at] of moments.entries()) {
      const controller = new AbortController()
      const loading = Z1.load({ ...common, model: testModel('qwen2-vocab'), signal: controller.signal })
      at(() => controller.abort(reason))
      const rejected = await loading.catch((error) => error)
      expect(rejected, `moment ${i}`).toBe(controller.signal.reason)
    }
    if (reason instanceof Error) expect(reason.stack).toBe(stack)
    const signal = AbortSignal.abort(reason)
    await expect(Z1.load({ ...common, signal })).rejects.toBe(signal.reason)
  })

  it('aborted after it: no effect', async () => {
    const controller = new AbortController()
    const z1 = await Z1.load({ ...common, model: loopModel('after'), signal: controller.signal })
    controller.abort()
    await expect(z1.reason('L', { template: false, thinkingWindow: 2 })).resolves.toMatchObject({ answer: 'Four' })
    await z1.dispose()
  })

  const missing = join(tmpdir(), 'z1-no-such-model.gguf')
  it.each<[string, () => string, object]>([
    ['no file', () => missing, { code: 'MODEL_NOT_FOUND', cause: { code: 'ENOENT' } }],
    ['a folder', () => folder(), { code: 'MODEL_INVALID' }],
    ['an empty file', () => write('empty.gguf', ''), { code: 'MODEL_INVALID' }],
    ['no model', () => write('text.gguf', 'once upon a time'), { code: 'MODEL_INVALID' }],
    [
      'a model cut short',
      () => write('short.gguf', readFileSync(testModel('qwen2-bytes')).subarray(0, 100_000)),
      { code: 'MODEL_INVALID' },
    ],
  ])('fails on %s, and names it', async (_name, make, expected) => {
    const model = make()
    const error = await Z1.load({ ...common, model }).catch((error) => error)
    expect(error).toMatchObject({ name: 'Z1Error', ...expected })
    expect(error.message).toContain(model)
    const inspected = await inspectModel(model).catch((error) => error)
    expect(inspected).toMatchObject({ name: 'Z1Error', ...expected })
  })

  function write(name: string, content: string | Uint8Array): string {
    const path = folder(name)
    writeFileSync(path, content)
    return path
  }

  it('fails on an engine that is not there, or a second one', async () => {
    const model = loopModel('engine')
    await using _ = await Z1.load({ ...common, model, contextSize: 64 })
    await expect(Z1.load({ ...common, model, engine: './nowhere' })).rejects.toMatchObject({ code: 'ENGINE_NOT_FOUND' })
    await expect(Z1.load({ ...common, model, engine: folder() })).rejects.toMatchObject({ code: 'ENGINE_NOT_FOUND' })
  })
})

describe('the thinking window', () => {
  let z1: Z1
  beforeAll(async () => {
    z1 = await Z1.load({ ...common, model: loopModel('window', false, 8192) })
  })
  afterAll(() => z1.dispose())

  it.each<[string, ReasonOptions, number]>([
    ['not given is 4096', {}, 4096],
    ['0 closes at once', { thinkingWindow: 0 }, 0],
    ['1', { thinkingWindow: 1 }, 1],
    ['any number, exactly', { thinkingWindow: 1234 }, 1234],
  ])('%s', async (_name, options, window) => {
    const { ended, usage, answer } = await z1.reason('L', { template: false, ...options })
    expect({ ended, answer }).toEqual({ ended: 'window', answer: 'Four' })
    expect(usage.thinkingTokens).toBe(window)
  })

  it('not given is what fits, and then the context is full to the last token', async () => {
    const contextSize = 400
    await using small = await Z1.load({ ...common, model: loopModel('window-small'), contextSize })
    const { usage, ended, finishReason } = await small.reason('L', { template: false, hint: ' L', maxTokens: 100 })
    expect({ ended, finishReason }).toEqual({ ended: 'window', finishReason: 'length' })
    const { promptTokens, thinkingTokens, hintTokens, answerTokens } = usage
    expect([promptTokens, thinkingTokens, hintTokens, answerTokens]).toEqual([1, 400 - 1 - 2 - 100, 2, 100])
  })

  it('maxTokens bounds the answer, not what ends by itself', async () => {
    for (const maxTokens of [1, 2, 17]) {
      const cut = await z1.reason('L', { template: false, thinkingWindow: 5, hint: ' L', maxTokens })
      expect(cut.usage).toMatchObject({ thinkingTokens: 5, answerTokens: maxTokens })
      expect(cut.finishReason).toBe('length')
    }
    const self = await z1.reason('\n', { template: false, maxTokens: 1 })
    expect(self).toMatchObject({ text: 'Four', ended: 'self', finishReason: 'stop' })
  })

  it('Infinity: until the context is full', async () => {
    const contextSize = 100
    await using small = await Z1.load({ ...common, model: loopModel('window-tiny'), contextSize })
    const { usage, ended, finishReason } = await small.reason('LLL', { template: false, thinkingWindow: Infinity })
    expect({ ended, finishReason }).toEqual({ ended: 'length', finishReason: 'length' })
    expect(usage.promptTokens + usage.thinkingTokens).toBe(contextSize)
  })
})

describe('tokenize() and detokenize()', () => {
  let bytes: Z1
  let pieces: Z1
  beforeAll(async () => {
    bytes = await Z1.load({ ...common, model: testModel('qwen2-bytes'), contextSize: 64 })
    pieces = await Z1.load({ ...common, model: testModel('llama-spm'), contextSize: 64 })
  })
  afterAll(async () => {
    await bytes.dispose()
    await pieces.dispose()
  })

  it('give llama.cpp’s tokens, control tokens recognized, no BOS added', async () => {
    expect(await bytes.tokenize('é<|im_end|>')).toEqual([0xc3, 0xa9, 258])
    for (const text of ['the answer', '<s>the answer</s>', 'für 日本', '']) {
      const [expected] = tokensOf(pieces.model.engine, pieces.model.path, [{ text, special: true }])
      expect(await pieces.tokenize(text)).toEqual(expected)
    }
  })

  it('are each other’s inverse', async () => {
    const text = 'naïve 数学 🙂\u0000\n<|im_start|>'
    const tokens = await bytes.tokenize(text)
    expect(await bytes.detokenize(tokens, { special: true })).toBe(text)
    expect(await bytes.detokenize(tokens)).toBe(text.replace('<|im_start|>', ''))
    expect(await bytes.detokenize([])).toBe('')
  })

  it('make U+FFFD of what is no character', async () => {
    const broken = [0x61, 0xe2, 0x82, 0x62, 0xff]
    expect(await bytes.detokenize(broken)).toBe(new TextDecoder().decode(Uint8Array.from(broken)))
  })

  it('refuse what is no text and no token', async () => {
    await expect(bytes.tokenize(7 as never)).rejects.toBeInstanceOf(TypeError)
    await expect(bytes.tokenize('\ud800')).rejects.toBeInstanceOf(TypeError)
    for (const token of [-1, 259, 1.5, NaN, '1' as never]) {
      await expect(bytes.detokenize([token])).rejects.toBeInstanceOf(RangeError)
    }
    expect(await bytes.detokenize([0, 258])).toBe('\u0000')
    expect(await bytes.detokenize(Int32Array.of(97) as never)).toBe('a')
  })

  it.each<[string, unknown[], string]>([
    ['a generator', [[97].values()], 'Expected array of token ids for tokens but received an object'],
    ['a text', ['97'], 'Expected array of token ids for tokens but received "97"'],
    ['null', [null], 'Expected array of token ids for tokens but received null'],
    ['nothing', [], 'Expected array of token ids for tokens but received undefined'],
    ['options null', [[1], null], 'Expected plain object for options but received null'],
    ['special of another type', [[1], { special: 1 }], 'Expected boolean for special but received 1'],
    ['an unknown option', [[1], { specail: true }], 'Unknown option specail: did you mean special?'],
  ])('refuse with one sentence: %s', async (_name, args, message) => {
    const detokenize = bytes.detokenize.bind(bytes) as (...args: unknown[]) => Promise<string>
    const error = await detokenize(...args).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(TypeError)
    expect((error as Error).message).toBe(message)
  })
})

describe('several requests', () => {
  it('more than run at once wait their turn, and all finish', async () => {
    await using z1 = await Z1.load({ ...common, model: loopModel('waiting'), contextSize: 256, parallel: 3 })
    const options = { template: false, thinkingWindow: 20, hint: ' L', maxTokens: 10 }
    const results = await Promise.all(
      Array.from({ length: 20 }, (_, i) => z1.reason('L'.repeat(1 + i), { ...options, thinkingWindow: 20 + i })),
    )
    for (const [i, { usage }] of results.entries()) {
      expect(usage).toMatchObject({ promptTokens: 1 + i, thinkingTokens: 20 + i, answerTokens: 10 })
    }
  })

  it('each may fill the whole contextSize', async () => {
    const contextSize = 200
    await using z1 = await Z1.load({ ...common, model: loopModel('each'), contextSize, parallel: 4 })
    const results = await Promise.all(
      [1, 2, 3, 4].map((n) => z1.reason('L'.repeat(n), { template: false, thinkingWindow: Infinity })),
    )
    expect(results.map(({ usage }) => usage.promptTokens + usage.thinkingTokens)).toEqual([200, 200, 200, 200])
    expect(results.map(({ ended }) => ended)).toEqual(['length', 'length', 'length', 'length'])
    // And no more: the context of four is not one request's.
    const tooLong = z1.reason('L'.repeat(200), { template: false, thinkingWindow: Infinity })
    await expect(tooLong).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
  })

  it('run at the same time', async () => {
    await using z1 = await Z1.load({ ...common, model: loopModel('beside', true), contextSize: 512, parallel: 2 })
    const other = z1.stream('L', { template: false, thinkingWindow: Infinity })
    await z1.reason('L', { template: false, thinkingWindow: 5, maxTokens: 1 })
    // The first one still has most of its 511 tokens to go.
    other.stop()
    const { finishReason, usage } = await other.result
    expect(finishReason).toBe('abort')
    expect(usage.thinkingTokens).toBeGreaterThan(0)
  })

  it('one that is aborted, fails or is left does not touch the others', async () => {
    await using z1 = await Z1.load({ ...common, model: loopModel('apart', true), contextSize: 512, parallel: 4 })
    const options = { template: false, thinkingWindow: 60, maxTokens: 3 }
    const controller = new AbortController()
    const aborted = z1.reason('L', { ...options, thinkingWindow: Infinity, signal: controller.signal })
    const stopped = z1.stream('L', { ...options, thinkingWindow: Infinity })
    const left = z1.stream('L', { ...options, thinkingWindow: Infinity })
    const fails = z1.stream('L', { ...options, thinkingWindow: 1000 }).result
    const others = [1, 2, 3].map((n) => z1.reason('L'.repeat(n), options))
    for await (const _ of left) break
    controller.abort()
    stopped.stop()

    await expect(fails).rejects.toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    await expect(aborted).rejects.toBe(controller.signal.reason)
    await expect(left.result).rejects.toMatchObject({ name: 'AbortError' })
    expect((await stopped.result).finishReason).toBe('abort')
    for (const result of await Promise.all(others)) {
      expect(result).toMatchObject({ ended: 'window', reasoning: ' hm so'.repeat(30), answer: 'Four' })
    }
  })

  it('are told apart by their options, however they are mixed', async () => {
    await using z1 = await Z1.load({ ...common, model: loopModel('mixed'), contextSize: 512, parallel: 4 })
    const idOf = tokenIds(words)
    const ask = async (n: number): Promise<ReasonResult> => {
      const logitBias = n % 3 === 0 ? { [idOf(' so')]: -Infinity, [idOf('L')]: 1 } : {}
      return z1.reason('L', { template: false, thinkingWindow: n, maxTokens: 1 + (n % 2), logitBias, stop: `${n}` })
    }
    const results = await Promise.all(Array.from({ length: 30 }, (_, n) => ask(n)))
    for (const [n, { tokens }] of results.entries()) {
      expect(tokens.reasoning).toHaveLength(n)
      expect(tokens.reasoning.includes(idOf(' so'))).toBe(n % 3 !== 0 && n > 1)
    }
  })
})

describe('dispose()', () => {
  it('ends what runs and what waits, and refuses what comes', async () => {
    const z1 = await Z1.load({ ...common, model: loopModel('dispose', true), contextSize: 1024 })
    const endless = { template: false, thinkingWindow: Infinity }
    const running = z1.stream('L', endless)
    const waiting: ReasonStream[] = []
    const disposed = { name: 'Z1Error', code: 'DISPOSED', message: 'The model was disposed' }
    const iteration = (async () => {
      for await (const _ of running) {
        if (waiting.length === 0) waiting.push(z1.stream('L', endless), z1.stream('L', endless))
        else void z1.dispose()
      }
    })()
    await expect(iteration).rejects.toMatchObject(disposed)
    for (const { result } of [running, ...waiting]) await expect(result).rejects.toMatchObject(disposed)

    expect(z1.dispose()).toBe(z1.dispose())
    await z1.dispose()
    await expect(z1.reason('L', endless)).rejects.toMatchObject(disposed)
    await expect(z1.stream('L', endless).result).rejects.toMatchObject(disposed)
    await expect(z1.tokenize('L')).rejects.toMatchObject(disposed)
    await expect(z1.detokenize([1])).rejects.toMatchObject(disposed)
    // What it was can still be read, and a stream that has ended takes orders without effect.
    expect(z1.model.architecture).toBe('qwen2')
    running.stop()
    running.endThinking()
  })

  it('comes at the end of `await using`', async () => {
    let z1: Z1
    {
      await using scoped = await Z1.load({ ...common, model: loopModel('using'), contextSize: 64 })
      z1 = scoped
    }
    await expect(z1.tokenize('L')).rejects.toMatchObject({ code: 'DISPOSED' })
  })

  it('of one leaves another of the same model alone', async () => {
    const model = loopModel('two')
    const [one, other] = await Promise.all([1, 2].map(() => Z1.load({ ...common, model, contextSize: 512 })))
    await one?.dispose()
    const options = { template: false, thinkingWindow: 4, maxTokens: 2 }
    await expect(other?.reason('L', options)).resolves.toMatchObject({ reasoning: ' hm so hm so', answer: 'Four' })
    await other?.dispose()
  })
})

describe('the stack of an error is that of the call', () => {
  let z1: Z1
  beforeAll(async () => {
    z1 = await Z1.load({ ...common, model: loopModel('stacks'), contextSize: 128 })
  })
  afterAll(() => z1.dispose())

  /** A function of this name, so that its frame is known. */
  async function callerOf<T>(call: () => Promise<T>): Promise<unknown> {
    return call().then(
      () => undefined,
      (error) => error,
    )
  }

  const raw = { template: false }
  const missing = join(tmpdir(), 'z1-no-such-model.gguf')
  const calls: [string, () => Promise<unknown>][] = [
    ['MODEL_NOT_FOUND', () => Z1.load({ ...common, model: missing })],
    ['MODEL_INVALID', () => Z1.load({ ...common, model: tmpdir() })],
    ['MODEL_INVALID', () => Z1.load({ ...common, model: import.meta.filename })],
    ['MODEL_NOT_FOUND', () => inspectModel(missing)],
    ['MODEL_INVALID', () => inspectModel(import.meta.filename)],
    ['ENGINE_NOT_FOUND', () => Z1.load({ ...common, model: z1.model.path, engine: './nowhere' })],
    ['CONTEXT_TOO_SMALL', () => z1.reason('L', { ...raw, thinkingWindow: 128 })],
    ['CONTEXT_TOO_SMALL', () => z1.stream('L', { ...raw, thinkingWindow: 128 }).result],
    ['TAGS_NOT_FOUND', () => z1.reason('L', { ...raw, tags: 'keep' })],
    ['TEMPLATE_FAILED', async () => (await broken()).reason('L')],
    ['DISPOSED', async () => (await disposed()).reason('L', raw)],
    ['DISPOSED', async () => (await disposed()).tokenize('L')],
    ['DISPOSED', async () => (await disposed()).detokenize([1])],
    ['DISPOSED', () => disposedMeanwhile()],
  ]

  async function broken(): Promise<Z1> {
    const model = tableModel(folder(), 'broken', { rows: {}, template: "{{ raise_exception('no') }}" })
    return Z1.load({ ...common, model, contextSize: 64 })
  }
  async function disposed(): Promise<Z1> {
    const gone = await Z1.load({ ...common, model: z1.model.path, contextSize: 64 })
    await gone.dispose()
    return gone
  }
  async function disposedMeanwhile(): Promise<ReasonResult> {
    const gone = await Z1.load({ ...common, model: loopModel('meanwhile', true), contextSize: 1024 })
    const running = gone.reason('L', { ...raw, thinkingWindow: Infinity })
    setTimeout(() => gone.dispose(), 20)
    return running
  }

  it.each(calls)('%s', async (code, call) => {
    const error = (await callerOf(call)) as Z1Error
    expect(error).toBeInstanceOf(Z1Error)
    expect(error.code).toBe(code)
    const [head, ...frames] = (error.stack as string).slice(`Z1Error: ${error.message}`.length).split('\n')
    expect(error.stack).toMatch(/^Z1Error: /)
    expect(head).toBe('')
    expect(frames[0]).toContain('z1.test.ts')
    expect(frames.join('\n')).not.toMatch(/lib\/(z1|prompt|stream|template|engine)\.ts/)
  })

  it('misuse, too, shows the caller', async () => {
    const rejected = (await callerOf(() => z1.reason('L', { thinkingWindow: -1 }))) as RangeError
    expect(rejected).toBeInstanceOf(RangeError)
    expect(rejected.stack).toContain('z1.test.ts')
    const loading = (await callerOf(() => Z1.load({ threads: 0 }))) as RangeError
    expect(loading).toBeInstanceOf(RangeError)
    expect(loading.stack).toContain('z1.test.ts')
  })
})
