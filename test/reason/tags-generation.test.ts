/**
 * Think tags while generating: banned, however the vocabulary spells them, or delimiting the thinking. The models are
 * tables that want to say tags; the control of every ban is the same model with a template that knows none.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ReasonEvent, type ReasonOptions, type ReasonResult, Z1 } from '../../lib/index.js'
import { PLAIN_HINT } from '../../lib/reason/options.js'
import { temporaryFolder } from '../support/folder.js'
import { chatMlTemplate, testModel } from '../support/models.js'
import { END, type Row, type TableOptions, tableModel, tokenIds } from '../support/table-model.js'

/** Opens the thinking itself, as the templates of DeepSeek-R1 and QwQ do. */
const openingTemplate = chatMlTemplate.replace("assistant\\n'", "assistant\\n<think>\\n'")
/** Knows the tags, but does not open them, as Qwen3's does. */
const knowingTemplate = `{% set tag = '</think>' %}${chatMlTemplate}`

const folder = temporaryFolder()
let loaded: Z1[] = []
afterAll(async () => {
  await Promise.all(loaded.map((z1) => z1.dispose()))
  loaded = []
})

async function load(name: string, options: TableOptions): Promise<Z1> {
  const model = tableModel(folder(), name, options)
  const z1 = await Z1.load({ model, contextSize: 2048, parallel: 4, threads: 1, engine: 'cpu' })
  loaded.push(z1)
  return z1
}

/** `<|im_start|>user\n…<|im_end|>\n<|im_start|>assistant\n`, where each byte and each control token is a token. */
function chatTokens(question: string, after = ''): number {
  return 'Xuser\n'.length + Buffer.byteLength(question) + 'X\nXassistant\n'.length + after.length
}

describe('the models and their tags', () => {
  it('are told by the template', async () => {
    const think = { open: '<think>', close: '</think>' }
    const opening = await load('told-1', { rows: {}, template: openingTemplate })
    const knowing = await load('told-2', { rows: {}, template: knowingTemplate })
    const tokens = await load('told-3', { rows: {}, extraTokens: ['<think>', '</think>'] })
    const none = await load('told-4', { rows: {}, extraTokens: ['<think>'] })
    expect([opening, knowing, tokens, none].map(({ model }) => model.tags)).toEqual([think, think, think, null])
  })
})

describe('banned tags', () => {
  const tag = /<\/?think>/
  const free: ReasonOptions = { temperature: 1.5, topK: 0, topP: 1, minP: 0 }
  /** Both tags by their characters, and everything between them; `a` is what else there is to say. */
  const bytes: Record<string, Row> = {
    '<': { t: 2, '/': 2, a: 0 },
    '/': { t: 3, a: 0 },
    t: { h: 3, a: 0 },
    h: { i: 3, a: 0 },
    i: { n: 3, a: 0 },
    n: { k: 3, a: 0 },
    k: { '>': 3, a: 0, '<': 0 },
    a: { '<': 1, a: 0 },
  }
  const otherwise = { '<': 1, a: 0 }

  const vocabularies: [string, TableOptions][] = [
    ['bytes that spell them', { rows: bytes, otherwise }],
    [
      'single tokens',
      {
        extraTokens: ['<think>', '</think>'],
        rows: {},
        otherwise: { '<think>': 1, '</think>': 1, a: 1, '<': 0 },
      },
    ],
    [
      'single control tokens',
      {
        extraTokens: ['<think>', '</think>'],
        controlTokens: ['<think>', '</think>'],
        rows: {},
        otherwise: { '<think>': 1, '</think>': 1, a: 1 },
      },
    ],
    [
      'single tokens, or bytes that spell them',
      {
        extraTokens: ['<think>', '</think>'],
        rows: { ...bytes, a: { '<': 1, a: 0, '<think>': 0, '</think>': 0 } },
        otherwise: { '<': 1, '<think>': 0 },
      },
    ],
    [
      'pieces that overlap their ends, or hold them whole',
      {
        extraTokens: ['a<', '</', 'th', '<thi', 'nk', 'ink>a', 'nk>', '>>', 'o</think>o', 'hink><thin'],
        rows: {},
        otherwise: {
          ...{ 'a<': 0, '</': 0, '<thi': 1, 'o</think>o': 0, a: 0, k: 0, '<': 0 },
          ...{ th: 1, nk: 1, 'ink>a': 1, 'nk>': 1, '>>': 1, 'hink><thin': 1, t: 0, '>': 0 },
        },
      },
    ],
  ]

  /** Responses with something to read on both sides of the cut. */
  function sample(z1: Z1, n: number, tags?: ReasonOptions['tags']): Promise<ReasonResult[]> {
    const options = { ...free, thinkingWindow: 50, hint: 'So:', maxTokens: 30, tags }
    return Promise.all(Array.from({ length: n }, (_, seed) => z1.reason('q', { ...options, seed })))
  }

  /** With control tokens shown, as far as text has them. */
  const shown = async (z1: Z1, { tokens }: ReasonResult) => {
    const parts = [tokens.reasoning, tokens.hint, tokens.answer]
    return (await Promise.all(parts.map((part) => z1.detokenize(part, { special: true })))).join('')
  }

  it.each(vocabularies)('%s: none in 200 responses', async (name, options) => {
    const isControl = options.controlTokens !== undefined
    const banning = await load(`ban ${name}`.replaceAll(/\W/g, '-'), { ...options, template: openingTemplate })
    const found = { reasoning: 0, answer: 0, begun: 0 }
    for (const result of await sample(banning, 200)) {
      expect(await shown(banning, result)).not.toMatch(tag)
      expect(result.text).not.toMatch(tag)
      if (/<\/?th/.test(result.text)) found.begun += 1
      // The tag that the template ends with is not in the prompt.
      expect(result.usage.promptTokens).toBe(chatTokens('q'))
    }
    // Only what would complete a tag is banned, not what begins one.
    if (!/^single (control )?tokens$/.test(name)) expect(found.begun).toBeGreaterThan(150)

    // The control: where it thinks between other tags, which alone are watched then, the same model says these nearly
    // always, before and after the cut.
    const control = await load(`control ${name}`.replaceAll(/\W/g, '-'), options)
    for (const { tokens } of await sample(control, 40, { open: '[x]', close: '[/x]', mode: 'keep' })) {
      if (tag.test(await control.detokenize(tokens.reasoning, { special: true }))) found.reasoning += 1
      if (tag.test(await control.detokenize(tokens.answer, { special: true }))) found.answer += 1
    }
    expect(found.reasoning).toBeGreaterThan(30)
    expect(found.answer).toBeGreaterThan(20)
    expect(isControl).toBe(name.includes('control'))
  })

  it('greedy and with penalties as well', async () => {
    const rows: Record<string, Row> = {
      '\n': '<',
      '<': { t: 9, a: 0 },
      t: { h: 9 },
      h: { i: 9 },
      i: { n: 9 },
      n: { k: 9 },
      k: { '>': 9, a: 0 },
      a: END,
      '>': END,
    }
    const says = async (template: string, options: ReasonOptions) => {
      const z1 = await load(`greedy-${template.length}`, { rows, template })
      return (await z1.reason('q', options)).text
    }
    const variants: ReasonOptions[] = [
      {},
      { presencePenalty: 0.1 },
      { logitBias: { 98: 1 } },
      { logitBias: { 62: 25 } },
    ]
    for (const options of variants) {
      // Whether the template has the tags or not.
      expect(await says(chatMlTemplate, options)).toMatch(/^<thinka/)
      expect(await says(openingTemplate, options)).toMatch(/^<thinka/)
    }
  })

  it('nor does the end of a hint begin one', async () => {
    const rows = { i: 'n', n: 'k', k: { '>': 9, a: 0 }, a: END, '>': END }
    const options = { thinkingWindow: 0, hint: 'So <thi' }
    const banning = await load('hint', { rows, template: openingTemplate })
    expect((await banning.reason('q', options)).text).toBe('So <thinka')
  })

  it('apply to raw prompts too, whose own text stays', async () => {
    const rows = { '\n': '<', '<': 't', t: 'h', h: 'i', i: 'n', n: 'k', k: { '>': 9, a: 0 }, a: END }
    const z1 = await load('raw', { rows, template: openingTemplate })
    const prompt = 'x<think>\n'
    const { text, usage } = await z1.reason(prompt, { template: false })
    expect(text).toBe('<thinka')
    expect(usage.promptTokens).toBe(prompt.length)
  })
})

describe("tags: 'keep'", () => {
  const words = ['<think>', '</think>', ' hm', ' so', 'Four']
  const rows: Record<string, Row> = { '\n': ' hm', ' hm': ' so', ' so': ' hm', Four: END, L: ' hm' }
  const keep: ReasonOptions = { tags: 'keep', maxTokens: 3 }
  const closing = `${PLAIN_HINT.trimEnd()}\n</think>\n\n`
  const idOf = tokenIds(words)

  async function ask(z1: Z1, options: ReasonOptions) {
    const stream = z1.stream('q', { ...keep, ...options })
    const events: ReasonEvent[] = []
    for await (const event of stream) events.push(event)
    return { events, cuts: events.filter((event) => event.type === 'cut'), result: await stream.result }
  }

  describe('that are tokens', () => {
    let z1: Z1
    let knowing: Z1
    /** Thinks two tokens, closes by itself and answers. */
    let closes: Z1
    beforeAll(async () => {
      z1 = await load('keep', { extraTokens: words, rows, template: openingTemplate })
      knowing = await load('keep-knowing', { extraTokens: words, rows, template: knowingTemplate })
      const selfClosing = { ...rows, ' so': '</think>', '</think>': 'Four' }
      closes = await load('keep-closes', { extraTokens: words, rows: selfClosing, template: openingTemplate })
    })

    it('the prompt ends inside them, the window counts inside, and the hint closes them', async () => {
      for (const model of [z1, knowing]) {
        const { result, cuts } = await ask(model, { thinkingWindow: 3 })
        expect(result.usage.promptTokens).toBe(chatTokens('q', 'X\n'))
        expect(result.reasoning).toBe(' hm so hm')
        expect(result.hint).toBe(closing)
        expect(result.tokens.hint.filter((id) => id === idOf('</think>'))).toHaveLength(1)
        expect(result.tokens.hint.at(-3)).toBe(idOf('</think>'))
        expect(result).toMatchObject({ ended: 'window', finishReason: 'length', answer: ' hm so hm' })
        expect(result.text).toBe(` hm so hm${closing} hm so hm`)
        expect(cuts).toEqual([{ type: 'cut', ended: 'window', thinkingTokens: 3, hint: closing }])
      }
    })

    it.each([
      ['boxed', '\n\nI overthought it, the final answer in \\boxed{} should be:\n</think>\n\n'],
      ['Enough.  \n', 'Enough.\n</think>\n\n'],
    ])('the hint %j is closed too', async (hint, expected) => {
      const { result } = await ask(z1, { thinkingWindow: 1, hint })
      expect(result.hint).toBe(expected)
      expect(result.usage.hintTokens).toBe(result.tokens.hint.length)
    })

    it('a window of 0 closes at once, and endThinking() on request', async () => {
      const { result } = await ask(z1, { thinkingWindow: 0 })
      expect(result).toMatchObject({ ended: 'window', reasoning: '', hint: closing, answer: ' hm so hm' })
      const stream = z1.stream('q'.repeat(900), { ...keep, thinkingWindow: Infinity })
      stream.endThinking()
      expect(await stream.result).toMatchObject({ ended: 'request', hint: closing, finishReason: 'length' })
    })

    it('the model may close them itself: a cut without a hint, and an answer', async () => {
      const { result, cuts, events } = await ask(closes, { thinkingWindow: 10 })
      expect(result).toMatchObject({
        text: ' hm so</think>Four',
        reasoning: ' hm so</think>',
        hint: '',
        answer: 'Four',
        ended: 'self',
        finishReason: 'stop',
      })
      expect(result.tokens).toEqual({
        reasoning: [' hm', ' so', '</think>'].map(idOf),
        hint: [],
        answer: [idOf('Four')],
      })
      expect(result.usage).toMatchObject({ thinkingTokens: 3, hintTokens: 0, answerTokens: 1 })
      expect(cuts).toEqual([{ type: 'cut', ended: 'self', thinkingTokens: 3, hint: '' }])
      expect(events.at(-2)).toMatchObject({ type: 'answer' })
    })

    it('in the last token of the window too, and not one later', async () => {
      expect((await ask(closes, { thinkingWindow: 3 })).result).toMatchObject({ ended: 'self', hint: '' })
      expect((await ask(closes, { thinkingWindow: 2 })).result).toMatchObject({ ended: 'window', hint: closing })
    })

    it('maxTokens and stop() bind the answer after it', async () => {
      const looping = { ...rows, ' so': '</think>', '</think>': 'L', L: 'L' }
      const model = await load('keep-loops', {
        extraTokens: words,
        rows: looping,
        template: openingTemplate,
        slow: true,
      })
      const length = await ask(model, { thinkingWindow: Infinity, maxTokens: 7 })
      expect(length.result).toMatchObject({ ended: 'self', finishReason: 'length', answer: 'LLLLLLL' })
      const stopped = await ask(model, { thinkingWindow: 9, maxTokens: 7, stop: 'LLLL' })
      expect(stopped.result).toMatchObject({ ended: 'self', finishReason: 'stop', stopString: 'LLLL', answer: '' })

      const stream = model.stream('q', { ...keep, thinkingWindow: 9, maxTokens: 1900 })
      for await (const event of stream) {
        if (event.type === 'answer') stream.stop()
      }
      expect(await stream.result).toMatchObject({ ended: 'self', finishReason: 'abort', hint: '' })
    })

    it('an end of generation inside them ends the response', async () => {
      const model = await load('keep-ends', {
        extraTokens: words,
        rows: { ...rows, ' so': END },
        template: openingTemplate,
      })
      const { result, cuts } = await ask(model, { thinkingWindow: 10 })
      expect(result).toMatchObject({ ended: 'self', finishReason: 'stop', text: ' hm so', answer: 'hm so' })
      expect(cuts).toEqual([])
    })

    it('a close that is pushed for comes once, and none in the answer', async () => {
      const model = testModel('qwen2-bytes', { extraTokens: ['<think>', '</think>'], template: openingTemplate })
      const random = await Z1.load({ model, contextSize: 512, threads: 1, engine: 'cpu' })
      const close = 260
      for (let seed = 0; seed < 5; seed++) {
        const options = { temperature: 1, seed, logitBias: { [close]: 100, 259: 90 }, maxTokens: 50 }
        const { result, cuts } = await ask(random, options)
        expect(result.tokens.reasoning).toEqual([close])
        expect(result).toMatchObject({ ended: 'self', reasoning: '</think>', hint: '' })
        expect(result.tokens.answer).not.toContain(close)
        expect(result.tokens.answer).not.toContain(259)
        expect(result.answer).not.toMatch(/<\/?think>/)
        expect(cuts).toHaveLength(1)
      }
      await random.dispose()
    })

    it('the open tag is banned inside them', async () => {
      const model = await load('keep-reopens', {
        extraTokens: words,
        rows: { ...rows, ' hm': { '<think>': 9, Four: 0 } },
        template: openingTemplate,
      })
      expect((await ask(model, { thinkingWindow: 20 })).result.text).toBe(' hmFour')
    })

    it('a stop string that is the close tag ends the response', async () => {
      const { result } = await ask(closes, { thinkingWindow: 10, stop: '</think>', stopInThinking: true })
      expect(result).toMatchObject({ ended: 'stop', stopString: '</think>', text: ' hm so' })
    })
  })

  it('that are control tokens: the close is shown all the same', async () => {
    const z1 = await load('keep-control', {
      extraTokens: words,
      controlTokens: words.slice(0, 2),
      rows: { ...rows, ' so': '</think>', '</think>': 'Four' },
      template: openingTemplate,
    })
    const { result } = await ask(z1, { thinkingWindow: 10 })
    expect(result).toMatchObject({ reasoning: ' hm so</think>', answer: 'Four', ended: 'self' })
    const cut = await ask(z1, { thinkingWindow: 1 })
    expect(cut.result.hint).toBe(closing)
    expect(cut.result.tokens.hint.at(-3)).toBe(idOf('</think>'))
  })

  it.each([
    ['bytes', [], { s: '<', '<': '/', '/': 't', t: 'h', h: 'i', i: 'n', n: 'k', k: '>', '>': 'A', A: END }, '</think>'],
    ['pieces', ['</th', 'ink>!'], { s: '</th', '</th': 'ink>!', 'ink>!': 'A', A: END }, '</think>!'],
  ])('that are spelled by %s', async (name, extraTokens, spelling, close) => {
    const table = { extraTokens, rows: { ...spelling, '\n': 's' }, template: openingTemplate }
    const z1 = await load(`keep-${name}`, table)
    const { result, cuts } = await ask(z1, { thinkingWindow: 20 })
    expect(result.usage.promptTokens).toBe(chatTokens('q', '<think>\n'))
    expect(result).toMatchObject({ reasoning: `s${close}`, hint: '', answer: 'A', ended: 'self', finishReason: 'stop' })
    expect(cuts).toHaveLength(1)

    // The window closes half-way through the tag: the hint brings a whole one.
    const half = await ask(z1, { thinkingWindow: 2 })
    expect(half.result).toMatchObject({ ended: 'window', hint: closing })
    expect(half.result.usage.thinkingTokens).toBe(2)
  })

  it('a model without tags has no place for them', async () => {
    const z1 = await load('keep-none', { rows: {} })
    const error = await z1.reason('q', { tags: 'keep' }).catch((error) => error)
    expect(error).toMatchObject({ name: 'Z1Error', code: 'TAGS_NOT_FOUND' })
  })
})
