import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonEvent, type ReasonOptions, type ReasonResult, type ReasonStream, Z1 } from '../../lib/index.js'
import type { GenerationEvent } from '../../lib/native/binding.js'
import { BOXED_HINT, PLAIN_HINT } from '../../lib/reason/options.js'
import { ResultBuilder } from '../../lib/reason/result.js'
import { temporaryFolder } from '../support/folder.js'
import { testModel } from '../support/models.js'
import { Random } from '../support/random.js'
import { END, tableModel, tokenIds } from '../support/table-model.js'
import { bytesOf } from '../support/tokenizer.js'

const folder = temporaryFolder()
afterAll(() => {})

describe('ResultBuilder', () => {
  type Native = Exclude<GenerationEvent, { type: 'error' }>
  const timings = { promptMs: 1, thinkingMs: 2, hintMs: 3, answerMs: 4, totalMs: 11, decodeCalls: 5, threads: 1 }
  const done: Native = {
    type: 'done',
    ended: 'window',
    finishReason: 'stop',
    stopString: null,
    promptTokens: 7,
    cachedTokens: 3,
    timings,
    probeTokens: 0,
    draftedTokens: 0,
    acceptedTokens: 0,
    confidence: null,
    trace: null,
  }
  const text = (phase: 'thinking' | 'answer', text: string, ...tokens: number[]): Native => {
    return { type: 'text', phase, text, tokens }
  }
  const cut = (hintTokens: number): Native => ({ type: 'cut', ended: 'window', thinkingTokens: 3, hintTokens })

  function build(...events: Native[]) {
    const builder = new ResultBuilder({ hint: { text: ' => ', tokens: Int32Array.of(90, 91) }, seed: 5 })
    const shown = events.map((event) => builder.take(event))
    const last = shown.at(-1) as Extract<ReasonEvent, { type: 'done' }>
    return { shown, result: last.result }
  }

  it('shows each event, and puts the result together', () => {
    const { shown, result } = build(
      text('thinking', 'ab', 1, 2),
      text('thinking', 'c', 3),
      cut(2),
      text('answer', '42', 4),
      text('answer', ' ', 5, 6),
      done,
    )
    expect(result).toEqual({
      text: 'abc => 42 ',
      reasoning: 'abc',
      hint: ' => ',
      answer: '42 ',
      finalAnswer: '42',
      object: null,
      toolCalls: [],
      warnings: [],
      message: { role: 'assistant', content: 'abc => 42 ' },
      ended: 'window',
      finishReason: 'stop',
      confidence: null,
      stopString: null,
      tokens: { reasoning: [1, 2, 3], hint: [90, 91], answer: [4, 5, 6] },
      logprobs: null,
      usage: {
        promptTokens: 7,
        cachedTokens: 3,
        thinkingTokens: 3,
        hintTokens: 2,
        answerTokens: 3,
        nudgeTokens: 0,
        probeTokens: 0,
        draftedTokens: 0,
        acceptedTokens: 0,
      },
      droppedMessages: 0,
      timings,
      seed: 5,
    })
    expect(shown).toEqual([
      { type: 'thinking', text: 'ab', tokens: [1, 2] },
      { type: 'thinking', text: 'c', tokens: [3] },
      { type: 'cut', ended: 'window', thinkingTokens: 3, hint: ' => ' },
      { type: 'answer', text: '42', tokens: [4] },
      { type: 'answer', text: ' ', tokens: [5, 6] },
      { type: 'done', result },
    ])
  })

  it('has no hint after a cut that the model made, and none without a cut', () => {
    const closed = build(text('thinking', 'a', 1), cut(0), text('answer', 'One line', 2), done)
    expect(closed.shown[1]).toMatchObject({ type: 'cut', hint: '' })
    // Without a hint that asks for it, a line is no value.
    expect(closed.result).toMatchObject({ text: 'aOne line', hint: '', answer: 'One line', finalAnswer: null })
    expect(closed.result.tokens.hint).toEqual([])

    const uncut = build(text('thinking', 'Let me see.\n\nThe answer is 7.', 1), done)
    expect(uncut.result).toMatchObject({ hint: '', answer: 'The answer is 7.', finalAnswer: '7' })
    expect(uncut.result.usage).toMatchObject({ thinkingTokens: 1, hintTokens: 0, answerTokens: 0 })
  })

  it('takes tens of thousands of tokens in one event', () => {
    const many = Array.from({ length: 200_000 }, (_, i) => i)
    expect(build(text('thinking', 'x', ...[]), text('thinking', '', 1), done).result.tokens.reasoning).toEqual([1])
    const { result } = build({ type: 'text', phase: 'thinking', text: 'x', tokens: many }, done)
    expect(result.usage.thinkingTokens).toBe(200_000)
  })
})

describe('how a response ends', () => {
  // A model that says a known thing after each of these last characters of the prompt or of the hint.
  const words = ['Two', ' plus two', '.\n\n', 'So \\boxed{4}.', ' hm', ' so', 'Four', ' indeed']
  const rows = {
    S: 'Two',
    Two: ' plus two',
    ' plus two': '.\n\n',
    '.\n\n': 'So \\boxed{4}.',
    'So \\boxed{4}.': END,
    L: ' hm',
    ' hm': ' so',
    ' so': ' hm',
    '\n': 'Four',
    Four: ' indeed',
    ' indeed': END,
    E: END,
  }
  const self = ['Two', ' plus two', '.\n\n', 'So \\boxed{4}.']
  const loop = (n: number) => Array.from({ length: n }, (_, i) => (i % 2 === 0 ? ' hm' : ' so'))
  const idsOf = (texts: string[]) => texts.map(tokenIds(words))
  const contextSize = 2048
  let quick: Z1
  let slow: Z1

  beforeAll(async () => {
    const load = (name: string, slow: boolean) => {
      const model = tableModel(folder(), name, { extraTokens: words, rows, slow })
      return Z1.load({ model, contextSize: slow ? 8192 : contextSize, threads: 1, engine: 'cpu' })
    }
    quick = await load('quick', false)
    slow = await load('slow', true)
  })
  afterAll(async () => {
    await quick.dispose()
    await slow.dispose()
  })

  interface Ending {
    name: string
    prompt: string
    options?: ReasonOptions
    /** Called once, at the first event of this type. */
    at?: ReasonEvent['type']
    act?: (stream: ReasonStream) => void
    /** Where a number of tokens depends on when `act` was called, what they are by that number. */
    reasoning: string[] | ((n: number) => string[])
    hint?: string
    answer?: string[] | ((n: number) => string[])
    expected: Partial<ReasonResult>
  }
  const act = { endThinking: (stream: ReasonStream) => stream.endThinking(), stop: (s: ReasonStream) => s.stop() }

  const endings: Ending[] = [
    {
      name: 'by itself',
      prompt: 'S',
      options: { thinkingWindow: 100 },
      reasoning: self,
      expected: { ended: 'self', finishReason: 'stop', answer: 'So \\boxed{4}.', finalAnswer: '4' },
    },
    {
      name: 'by itself, with its last token the last of the window',
      prompt: 'S',
      options: { thinkingWindow: 5 },
      reasoning: self,
      expected: { ended: 'self', finishReason: 'stop', answer: 'So \\boxed{4}.', finalAnswer: '4' },
    },
    {
      name: 'by the window, after as many tokens as the model would have said',
      prompt: 'S',
      options: { thinkingWindow: 4 },
      reasoning: self,
      hint: PLAIN_HINT,
      answer: ['Four', ' indeed'],
      expected: { ended: 'window', finishReason: 'stop', answer: 'Four indeed', finalAnswer: 'Four indeed' },
    },
    {
      name: 'by itself, saying nothing',
      prompt: 'E',
      reasoning: [],
      expected: { ended: 'self', finishReason: 'stop', answer: '', finalAnswer: null, text: '' },
    },
    {
      name: 'by the window, then the model',
      prompt: 'L',
      options: { thinkingWindow: 3, hint: 'boxed' },
      reasoning: loop(3),
      hint: BOXED_HINT,
      answer: ['Four', ' indeed'],
      expected: { ended: 'window', finishReason: 'stop', finalAnswer: 'Four indeed' },
    },
    {
      name: 'by the window, then without an answer',
      prompt: 'L',
      options: { thinkingWindow: 3, hint: 'E' },
      reasoning: loop(3),
      hint: 'E',
      expected: { ended: 'window', finishReason: 'stop', answer: '', finalAnswer: null },
    },
    {
      name: 'by the window, then maxTokens',
      prompt: 'L',
      options: { thinkingWindow: 4, hint: ' L', maxTokens: 5 },
      reasoning: loop(4),
      hint: ' L',
      answer: loop(5),
      expected: { ended: 'window', finishReason: 'length', finalAnswer: 'hm so hm so hm' },
    },
    {
      name: 'by a window of 0',
      prompt: 'L',
      options: { thinkingWindow: 0, maxTokens: 1 },
      reasoning: [],
      hint: PLAIN_HINT,
      answer: ['Four'],
      expected: { ended: 'window', finishReason: 'length', answer: 'Four' },
    },
    {
      name: 'by the window, then a stop string',
      prompt: 'L',
      options: { thinkingWindow: 2, stop: ' ind' },
      reasoning: loop(2),
      hint: PLAIN_HINT,
      answer: ['Four', ' indeed'],
      expected: { ended: 'window', finishReason: 'stop', stopString: ' ind', answer: 'Four' },
    },
    {
      name: 'by the window, then stop()',
      prompt: 'L',
      options: { thinkingWindow: 2, hint: ' L', maxTokens: 8000 },
      at: 'answer',
      act: act.stop,
      reasoning: loop(2),
      hint: ' L',
      answer: loop,
      expected: { ended: 'window', finishReason: 'abort' },
    },
    {
      name: 'on request, then the model',
      prompt: 'L',
      options: { thinkingWindow: Infinity },
      at: 'thinking',
      act: act.endThinking,
      reasoning: loop,
      hint: PLAIN_HINT,
      answer: ['Four', ' indeed'],
      expected: { ended: 'request', finishReason: 'stop', answer: 'Four indeed' },
    },
    {
      name: 'on request, then maxTokens',
      prompt: 'L',
      options: { thinkingWindow: 8000, hint: ' L', maxTokens: 3 },
      at: 'thinking',
      act: act.endThinking,
      reasoning: loop,
      hint: ' L',
      answer: loop(3),
      expected: { ended: 'request', finishReason: 'length' },
    },
    {
      name: 'by a stop string',
      prompt: 'S',
      options: { stop: ['nowhere', 'lus t'], stopInThinking: true, thinkingWindow: 100 },
      reasoning: self.slice(0, 2),
      expected: { ended: 'stop', finishReason: 'stop', stopString: 'lus t', text: 'Two p', answer: 'Two p' },
    },
    {
      name: 'by stop() while it thinks',
      prompt: 'L',
      options: { thinkingWindow: Infinity },
      at: 'thinking',
      act: act.stop,
      reasoning: loop,
      expected: { ended: 'stop', finishReason: 'abort', stopString: null },
    },
    {
      name: 'by a full context',
      prompt: 'L',
      options: { thinkingWindow: Infinity },
      reasoning: loop(contextSize - 1),
      expected: { ended: 'length', finishReason: 'length', stopString: null },
    },
  ]

  it.each(endings.map((ending) => [ending.name, ending] as const))('%s', async (_name, ending) => {
    const { prompt, options, at, reasoning, hint = '', answer = [], expected } = ending
    const stream = (at ? slow : quick).stream(prompt, { template: false, seed: 9, ...options })
    let acted = false
    for await (const event of stream) {
      if (event.type === at && !acted) {
        acted = true
        ending.act?.(stream)
      }
    }
    expect(acted).toBe(at !== undefined)

    const result = await stream.result
    const { usage, timings } = result
    const thought = typeof reasoning === 'function' ? reasoning(usage.thinkingTokens) : reasoning
    const answered = typeof answer === 'function' ? answer(usage.answerTokens) : answer
    const tokens = { reasoning: idsOf(thought), hint: Array.from(Buffer.from(hint)), answer: idsOf(answered) }
    expect(result.tokens).toEqual(tokens)
    expect(usage).toEqual({
      promptTokens: 1,
      cachedTokens: 0,
      thinkingTokens: thought.length,
      hintTokens: hint.length,
      answerTokens: answered.length,
      nudgeTokens: 0,
      probeTokens: 0,
      draftedTokens: 0,
      acceptedTokens: 0,
    })
    if (result.stopString === null) {
      expect(result.reasoning).toBe(thought.join(''))
      if (hint) expect(result.answer).toBe(answered.join(''))
    }
    expect(result.text).toBe(result.reasoning + hint + (hint ? result.answer : ''))
    expect(result).toMatchObject({ hint, stopString: null, ...expected })
    expect(result.message).toEqual({ role: 'assistant', content: result.text })
    expect(result.seed).toBe(9)
    expect(Object.keys(result).sort()).toEqual(
      (
        'answer confidence droppedMessages ended finalAnswer finishReason hint logprobs message object reasoning seed stopString text timings tokens ' +
        'toolCalls usage warnings'
      ).split(' '),
    )

    const { promptMs, thinkingMs, hintMs, answerMs, totalMs } = timings
    for (const ms of [promptMs, thinkingMs, hintMs, answerMs]) expect(ms).toBeGreaterThanOrEqual(0)
    expect(totalMs).toBeGreaterThanOrEqual(promptMs + thinkingMs + hintMs + answerMs - 1e-6)
    if (tokens.reasoning.length > 0) expect(thinkingMs).toBeGreaterThan(0)
    expect(hintMs > 0).toBe(hint !== '')
  })

  it('every combination of ended and finishReason that there is has a test above, but for keep', () => {
    const pairs = new Set(endings.map(({ expected }) => `${expected.ended} ${expected.finishReason}`))
    expect([...pairs].sort()).toEqual(
      [
        ['length length', 'request length', 'request stop', 'self stop', 'stop abort', 'stop stop'],
        ['window abort', 'window length', 'window stop'],
      ].flat(),
    )
  })
})

describe('stop strings', () => {
  const words = ['one ', 'two ', 'thr', 'ee ', 'four', ' END', ' of', 'äö', 'üß']
  const says = ['one ', 'two ', 'thr', 'ee ', 'four', ' END', ' of', 'äö', 'üß']
  const rows = Object.fromEntries(['P', ...says].map((word, i) => [word, says[i] ?? END]))
  const whole = says.join('')
  let z1: Z1

  beforeAll(async () => {
    const model = tableModel(folder(), 'stops', { extraTokens: words, rows: { ...rows, '\n': 'one ' } })
    z1 = await Z1.load({ model, contextSize: 2048, threads: 1, engine: 'cpu' })
  })
  afterAll(() => z1.dispose())

  it.each([
    ['a whole token', 'two ', 'one ', 2],
    ['part of a token', 'wo', 'one t', 2],
    ['the end of one and the beginning of another', 'o thr', 'one tw', 3],
    ['several tokens', 'e two three f', 'on', 5],
    ['the very beginning', 'one two', '', 2],
    ['the very end', 'ß', whole.slice(0, -1), 9],
    ['characters of several bytes', 'öü', whole.slice(0, -3), 9],
    ['nothing that is said', 'three fourth', whole, 9],
    ['the end of what is said, and more', 'ßx', whole, 9],
  ])('%s', async (_name, stop, text, n) => {
    const stopString = whole.includes(stop) ? stop : null
    const thinking = await z1.reason('P', { template: false, stop, stopInThinking: true, thinkingWindow: 100 })
    const ended = stopString ? 'stop' : 'self'
    expect(thinking).toMatchObject({ text, reasoning: text, stopString, ended, finishReason: 'stop' })
    // Its tokens were sampled, and counted.
    expect(thinking.tokens.reasoning).toEqual(says.slice(0, n).map(tokenIds(words)))

    const answer = await z1.reason('P', { template: false, stop, thinkingWindow: 0 })
    expect(answer).toMatchObject({ answer: text, text: PLAIN_HINT + text, stopString, ended: 'window' })
    expect(answer.tokens.answer).toEqual(says.slice(0, n).map(tokenIds(words)))
  })

  it('of several, the first one that is said', async () => {
    const stop = ['four', 'END', 'three', 'nothing']
    await expect(z1.reason('P', { template: false, stop, thinkingWindow: Infinity })).resolves.toMatchObject({
      text: 'one two ',
      stopString: 'three',
    })
    const nested = await z1.reason('P', { template: false, stop: ['two three four', 'ee'] })
    expect(nested).toMatchObject({ text: 'one two thr', stopString: 'ee' })
  })

  it('does not span the cut, and what was held back for it is said', async () => {
    // `two` + the hint's newline, and the hint's last newline + `one`, would be stop strings.
    const stop = ['two \n', '\none']
    const result = await z1.reason('P', { template: false, stop, thinkingWindow: 2 })
    expect(result).toMatchObject({ reasoning: 'one two ', answer: whole, stopString: null, ended: 'window' })
  })

  it('is not looked for in the prompt', async () => {
    const result = await z1.reason('two P', { template: false, stop: ['two P', 'Pone'] })
    expect(result).toMatchObject({ text: whole, stopString: null })
  })
})

describe('text of any bytes', () => {
  const decode = (bytes: Buffer) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes)

  /** A table in which the bytes of characters mostly follow each other as they should, and sometimes do not. */
  function characters() {
    const texts = ['é', '€', '数', '🙂', 'a', ' ']
    const starts = Object.fromEntries(texts.map((text) => [Buffer.from(text)[0] as number, 0]))
    const rows: Record<number, Record<number, number>> = {}
    for (const text of texts) {
      const bytes = [...Buffer.from(text)]
      for (const [i, byte] of bytes.entries()) {
        const next = bytes[i + 1]
        rows[byte] ??= { ...starts, 255: -3 }
        // Most continue, some are cut short by the beginning of another.
        if (next !== undefined) rows[byte][next] = 3
      }
    }
    rows[0x0a] = starts
    return rows
  }

  it('is what TextDecoder makes of the tokens, in each part and in the stream', async () => {
    const models = [
      tableModel(folder(), 'characters', { rows: {}, otherwise: { a: 0, ' ': 0 }, byteRows: characters() }),
      testModel('qwen2-bytes', { endGain: 0.5 }),
      testModel('llama-spm'),
    ]
    const seen = { whole: 0, replaced: 0, partAtCut: 0, partAtEnd: 0, results: 0 }
    for (const model of models) {
      const z1 = await Z1.load({ model, contextSize: 512, parallel: 4, threads: 1, engine: 'cpu' })
      const random = new Random(7, model)
      const requests = Array.from({ length: 64 }, (_, i) => ({
        template: false,
        thinkingWindow: i % 8 === 0 ? 0 : 1 + random.below(40),
        maxTokens: 1 + random.below(30),
        hint: i % 3 === 0 ? 'é:' : undefined,
        temperature: 1 + random.below(2),
        topK: 0,
        topP: 1,
        minP: 0,
        seed: i,
      }))
      const results = await Promise.all(
        requests.map(async (options) => {
          const stream = z1.stream('a', options)
          const parts = { thinking: '', answer: '' }
          for await (const event of stream) {
            if (event.type === 'thinking' || event.type === 'answer') parts[event.type] += event.text
          }
          const result = await stream.result
          expect(parts.thinking).toBe(result.reasoning)
          if (result.hint) expect(parts.answer).toBe(result.answer)
          return result
        }),
      )
      const { engine } = z1.model
      await z1.dispose()

      const part = (name: keyof ReasonResult['tokens']) => results.map((result) => result.tokens[name])
      const [reasoning, hint, answer] = (['reasoning', 'hint', 'answer'] as const).map((name) => {
        return bytesOf(engine, model, part(name))
      }) as [Buffer[], Buffer[], Buffer[]]
      for (const [i, result] of results.entries()) {
        const bytes = [reasoning[i], hint[i], answer[i]] as [Buffer, Buffer, Buffer]
        expect(result.text, `seed ${i}`).toBe(decode(Buffer.concat(bytes)))
        expect(result.reasoning).toBe(decode(bytes[0]))
        if (result.hint) {
          expect(result.hint).toBe(decode(bytes[1]))
          expect(result.answer).toBe(decode(bytes[2]))
        }
        const unfinished = (part: Buffer) => Number(decode(part) !== new TextDecoder().decode(part, { stream: true }))
        seen.results += 1
        seen.whole += Number(/[é€数🙂]/u.test(result.text))
        seen.replaced += Number(result.text.includes('\ufffd'))
        seen.partAtCut += result.hint ? unfinished(bytes[0]) : 0
        seen.partAtEnd += unfinished(result.hint ? bytes[2] : bytes[0])
      }
    }
    expect(seen.results).toBe(192)
    for (const count of Object.values(seen)) expect(count, JSON.stringify(seen)).toBeGreaterThan(15)
  })

  it('leaves control tokens out of the text, but not out of the tokens', async () => {
    const rows = { P: 'a', a: '<|im_start|>', '<|im_start|>': 'b', b: END }
    const z1 = await Z1.load({ model: tableModel(folder(), 'control', { rows }), threads: 1, engine: 'cpu' })
    const { text, tokens, usage } = await z1.reason('P', { template: false, thinkingWindow: 10 })
    await z1.dispose()
    expect(text).toBe('ab')
    expect(tokens.reasoning).toEqual([97, 257, 98])
    expect(usage.thinkingTokens).toBe(3)
  })
})
