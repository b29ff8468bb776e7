/** Runs with real models: what is asked of the model, what is kept of it, and how a run goes on. */
import { copyFileSync, mkdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { type EvaluateOptions, evaluate, jsonl, type ResultRecord, type Task } from '../../lib/eval/index.js'
import { ResultsFolder } from '../../lib/eval/results.js'
import { Z1 } from '../../lib/index.js'
import { EMBEDDED_MODEL } from '../../lib/reason/model-file.js'
import { BOXED_HINT, PLAIN_HINT } from '../../lib/reason/options.js'
import { temporaryFolder } from '../support/folder.js'
import { chatMlTemplate, testModel } from '../support/models.js'
import { tableModel } from '../support/table-model.js'

const questions = [
  { question: 'What is the largest of 3, 19, 11?', answer: '19', family: 'lists', difficulty: 1 },
  { question: 'What is the smallest of 31, 19, 11, 45?', answer: 11, family: 'lists', difficulty: 2 },
  { question: 'What is 41 + 77?', answer: '118', family: 'arithmetic', difficulty: 1 },
]

const folder = temporaryFolder()
let task: Task
beforeAll(() => {
  const file = folder('questions.jsonl')
  writeFileSync(file, questions.map((question) => `${JSON.stringify(question)}\n`).join(''))
  task = jsonl({ file })
})

let folders = 0
function newFolder(): string {
  return folder(`run-${folders++}`)
}

/** The embedded model, limited so that a response that does not end costs little. */
function options(more: Partial<EvaluateOptions> = {}): EvaluateOptions {
  return { task, windows: ['inf'], output: newFolder(), threads: 1, contextSize: 512, maxTokens: 64, ...more }
}

async function run(more: Partial<EvaluateOptions> = {}) {
  const given = options(more)
  const summary = await evaluate(given)
  return { summary, records: recordsIn(given.output), output: given.output }
}

function recordsIn(output: string): ResultRecord[] {
  const text = readFileSync(join(output, 'results.jsonl'), 'utf8')
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

/** Without what no two runs have in common. */
function withoutTimings(records: ResultRecord[]): Omit<ResultRecord, 'timings'>[] {
  return records.map(({ timings, ...record }) => record)
}

function ofItem(records: ResultRecord[], id: string): Record<string, ResultRecord> {
  return Object.fromEntries(records.filter((record) => record.id === id).map((record) => [record.window, record]))
}

describe('the method window', () => {
  it('gives each item shares of its own natural length', async () => {
    const { records, summary } = await run({ windows: ['0', '12.5%', '50%', '100%', '7', 'inf'] })
    expect(records).toHaveLength(18)
    for (const id of ['1', '2', '3']) {
      const at = ofItem(records, id)
      const natural = at.inf as ResultRecord
      const length = natural.tokens.reasoning.length
      expect(natural).toMatchObject({ thinkingWindow: null, ended: 'self', inForm: null, usage: { hintTokens: 0 } })
      expect(length).toBeGreaterThan(20)
      const expected = { 0: 0, '12.5%': Math.round(length / 8), '50%': Math.round(length / 2), '100%': length, 7: 7 }
      for (const [window, tokens] of Object.entries(expected)) {
        expect(at[window]).toMatchObject({ thinkingWindow: tokens, ended: 'window', seed: natural.seed })
        // Greedy, so what a window leaves is the beginning of the same thoughts.
        expect(at[window]?.tokens.reasoning).toEqual(natural.tokens.reasoning.slice(0, tokens))
        expect(at[window]?.text).toContain(PLAIN_HINT)
      }
    }
    expect(summary.windows.map(({ window }) => window)).toEqual(['0', '12.5%', '50%', '100%', '7', 'inf'])
    expect(new Set(records.map(({ seed }) => seed)).size).toBe(3)
  })

  it('asks what z1.reason() would be asked', async () => {
    const { records } = await run({ windows: ['9'], hint: 'boxed', system: 'Be brief.', seed: 5 })
    await using z1 = await Z1.load({ threads: 1, contextSize: 512 })
    for (const record of records) {
      const { question } = questions[Number(record.id) - 1] as (typeof questions)[0]
      expect(record.prompt).toEqual([
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: question },
      ])
      const result = await z1.reason(question, {
        system: 'Be brief.',
        thinkingWindow: 9,
        hint: 'boxed',
        maxTokens: 64,
        seed: record.seed,
      })
      const { text, tokens, ended, finishReason, usage } = result
      expect(record).toMatchObject({ text, tokens, ended, finishReason, usage, extracted: result.finalAnswer })
      expect(text).toContain(BOXED_HINT)
      const { reasoning = 0, hint = 0 } = record.parts ?? {}
      expect(text.slice(reasoning, reasoning + hint)).toBe(BOXED_HINT)
      expect(text.slice(0, reasoning)).toBe(result.reasoning)
      expect(record.inForm).toBe(/\\boxed\{[^}]+\}/.test(result.answer))
      expect(record.correct).toBe(result.finalAnswer === record.answer)
    }
  })

  it('tells whether an answer has the form that the hint asks for', async () => {
    const rows = { '\n': 'nine', ':': '\\boxed{', '\\boxed{': '9', '9': '}' }
    const model = tableModel(folder(), 'forms', { extraTokens: ['nine', '\\boxed{'], rows })
    const forms = []
    for (const hint of ['plain', 'boxed', 'in \\boxed{}:', 'say']) {
      const { records } = await run({ model, windows: ['0'], hint })
      forms.push(records.map(({ extracted, inForm }) => [extracted, inForm])[0])
    }
    expect(forms).toEqual([
      ['nine', true],
      ['nine', false],
      ['9', true],
      [null, false],
    ])
  })

  it('limits the shares of what filled the context to what leaves room for an answer', async () => {
    const model = testModel('qwen2-bytes', { endGain: 0 })
    const one: Task = {
      ...task,
      async *items() {
        for await (const item of task.items()) if (item.id === '1') yield item
      },
    }
    const limits = { contextSize: 160, maxTokens: 20, hint: 'so:' }
    const { records } = await run({ task: one, model, windows: ['50%', '100%'], ...limits })
    const { inf, '50%': half, '100%': all } = ofItem(records, '1') as Record<string, ResultRecord>
    expect(inf).toMatchObject({ ended: 'length', inForm: null })
    expect(half?.thinkingWindow).toBe(Math.round((inf?.usage.thinkingTokens as number) / 2))
    const { promptTokens, thinkingTokens } = (all as ResultRecord).usage
    expect(promptTokens + thinkingTokens + 20).toBeGreaterThan(140)
    expect(all).toMatchObject({ ended: 'window', thinkingWindow: thinkingTokens })
  })
})

describe('the method none', () => {
  it('keeps the first tokens, and nothing after them', async () => {
    const { records, summary } = await run({ method: 'none', maxTokens: undefined, windows: ['0', '50%', 'inf'] })
    for (const id of ['1', '2', '3']) {
      const { inf, '50%': half, 0: none } = ofItem(records, id) as Record<string, ResultRecord>
      const length = Math.round((inf?.tokens.reasoning.length as number) / 2)
      const expected = { reasoning: inf?.tokens.reasoning.slice(0, length), hint: [], answer: [] }
      expect(half).toMatchObject({ tokens: expected, ended: 'window', finishReason: 'length', inForm: null })
      expect(inf?.text.startsWith(half?.text as string)).toBe(true)
      expect(half?.usage).toMatchObject({ thinkingTokens: length, hintTokens: 0, answerTokens: 0 })
      expect(none).toMatchObject({ text: '', extracted: null, correct: false })
    }
    expect(summary.windows[0]).toMatchObject({ unanswered: 1, ended: { self: 0, window: 1, length: 0 } })
  })

  it('has no hint', async () => {
    await expect(run({ method: 'none', hint: 'boxed' })).rejects.toThrow(RangeError)
  })
})

describe('the method delimited', () => {
  it('counts and cuts inside the tags, and closes them', async () => {
    const extraTokens = ['<think>', '</think>', ' hm', ' ha', 'seven', 'nine']
    // Thinks ` hm ha ha` and answers seven; after a hint, which ends in a line feed too, nine.
    const model = tableModel(folder(), 'delimited', {
      extraTokens,
      template: chatMlTemplate.replace("assistant\\n'", "assistant\\n<think>'"),
      rows: { '<think>': ' hm', ' hm': ' ha', ' ha': '</think>', '</think>': 'seven', '\n': 'nine' },
    })
    const { records, summary } = await run({ model, method: 'delimited', windows: ['50%', 'inf'] })
    const { inf, '50%': half } = ofItem(records, '1') as Record<string, ResultRecord>
    expect(inf).toMatchObject({ ended: 'self', inForm: null })
    expect(inf?.text).toBe(' hm ha</think>seven')
    const length = inf?.usage.thinkingTokens as number
    expect(half).toMatchObject({ ended: 'window', thinkingWindow: Math.round(length / 2), inForm: true })
    expect(half?.text).toContain('I overthought it, the final answer should be:\n</think>\n\nnine')
    expect(half).toMatchObject({ extracted: 'nine' })
    // What no hint was added to counts whole.
    expect(summary.windows.at(-1)?.att).toBe(length + (inf?.usage.answerTokens as number))
  })

  it('needs tags', async () => {
    const model = tableModel(folder(), 'untagged', { rows: {} })
    await expect(run({ model, method: 'delimited' })).rejects.toMatchObject({
      code: 'TAGS_NOT_FOUND',
      message: expect.stringContaining('Item 1 at window inf'),
    })
  })
})

describe('samples', () => {
  it('differ by seed, and share it over the windows', async () => {
    const sampled = { windows: ['50%', 'inf'], samples: 2, temperature: 0.8, seed: 9 }
    const { records, summary } = await run(sampled)
    expect(records).toHaveLength(12)
    expect(summary.total).toBe(12)
    expect(new Set(records.map(({ seed }) => seed)).size).toBe(6)
    for (const half of records.filter(({ window }) => window === '50%')) {
      const natural = records.find(({ id, sample, window }) => {
        return id === half.id && sample === half.sample && window === 'inf'
      }) as ResultRecord
      expect(half.seed).toBe(natural.seed)
      expect(half.tokens.reasoning).toEqual(natural.tokens.reasoning.slice(0, half.thinkingWindow as number))
    }
    expect(withoutTimings((await run(sampled)).records)).toEqual(withoutTimings(records))
  })

  it('need a temperature', async () => {
    await expect(run({ samples: 2 })).rejects.toThrow(RangeError)
  })
})

describe('windows in tokens', () => {
  const windows = ['24', '0', 'inf', '9']

  /** One that counts what it is asked. */
  function counting(z1: Z1, model: Partial<Z1['model']> = {}) {
    const asked: unknown[] = []
    const reasoner = {
      model: { ...z1.model, ...model },
      reason: (input: Parameters<Z1['reason']>[0], options: Parameters<Z1['reason']>[1]) => {
        asked.push(options?.cuts)
        return z1.reason(input, options)
      },
      stream: z1.stream.bind(z1),
      countTokens: z1.countTokens.bind(z1),
      tokenize: z1.tokenize.bind(z1),
      detokenize: z1.detokenize.bind(z1),
      dispose: z1.dispose.bind(z1),
    }
    return { reasoner, asked }
  }
  const ofReasoner = (reasoner: ReturnType<typeof counting>['reasoner'], more: Partial<EvaluateOptions> = {}) =>
    evaluate({ task, output: newFolder(), maxTokens: 64, windows, reasoner, ...more })

  it.each(['window', 'none'] as const)('are cuts of one request: the records of separate ones (%s)', async (method) => {
    const limits = method === 'none' ? { maxTokens: undefined } : {}
    const own = { batchSize: 1, kvCache: 'separate', contextSize: 512, threads: 1 } as const
    await using z1 = await Z1.load({ ...own, branches: 2 })
    const { reasoner, asked } = counting(z1)
    const [together, apart] = [newFolder(), newFolder()]
    await ofReasoner(reasoner, { output: together, method, ...limits })
    expect(asked).toEqual([1, 2, 3].map(() => [24, 0, 9]))
    await using plain = await Z1.load(own)
    const separate = counting(plain, { branches: undefined })
    await ofReasoner(separate.reasoner, { output: apart, method, ...limits })
    expect(separate.asked).toEqual(Array.from({ length: 12 }, () => undefined))
    expect(withoutTimings(recordsIn(together))).toEqual(withoutTimings(recordsIn(apart)))
  })

  it.each<[string, Partial<EvaluateOptions>, number, number]>([
    ['a temperature', { temperature: 0.5 }, 1, 12],
    ['a share', { windows: ['24', '50%', 'inf'] }, 1, 9],
    ['no branches', {}, 0, 12],
  ])('need a request each with %s', async (_, more, branches, n) => {
    await using z1 = await Z1.load({ threads: 1, contextSize: 512, branches })
    const { reasoner, asked } = counting(z1)
    await ofReasoner(reasoner, more)
    expect(asked).toEqual(Array.from({ length: n }, () => undefined))
  })

  it('are known by run.json, several items at once', async () => {
    const { output, records } = await run({ windows, parallel: 2 })
    const { environment } = JSON.parse(readFileSync(join(output, 'run.json'), 'utf8'))
    expect(environment).toMatchObject({ parallel: 2, branches: 2 })
    expect(records).toHaveLength(12)
    for (const id of ['1', '2', '3']) {
      const at = ofItem(records, id)
      const natural = at.inf as ResultRecord
      for (const window of [0, 9, 24]) {
        expect(at[window]?.tokens.reasoning).toEqual(natural.tokens.reasoning.slice(0, window))
        expect(at[window]?.usage).toMatchObject({ thinkingTokens: window, hintTokens: expect.any(Number) })
        expect(at[window]).toMatchObject({ thinkingWindow: window, ended: 'window' })
      }
    }
  })
})

describe.each([
  ['of shares', ['0', '50%', 'inf']],
  ['of tokens', ['0', '9', 'inf']],
])('a run that goes on, %s', (_, windows) => {
  it('wherever it was cut off, ends as one that was not', async () => {
    const { records, summary, output } = await run({ windows })
    const whole = readFileSync(join(output, 'results.jsonl'))
    const lineEnd = (line: number) => whole.toString('latin1').split('\n', line).join('\n').length + 1
    for (const length of [5, lineEnd(1) - 1, lineEnd(4) + 20, lineEnd(5), whole.length - 1]) {
      const again = newFolder()
      mkdirSync(again)
      for (const file of ['run.json', 'results.jsonl']) copyFileSync(join(output, file), join(again, file))
      truncateSync(join(again, 'results.jsonl'), length)
      const left = whole.subarray(0, length).toString().split('\n').length - 1
      let computed = 0
      const onProgress = () => {
        computed++
      }
      expect(await evaluate(options({ windows, output: again, onProgress }))).toEqual(summary)
      expect(withoutTimings(recordsIn(again))).toEqual(withoutTimings(records))
      expect(computed).toBe(9 - left)
    }
  })

  it('asks the model nothing when all is there', async () => {
    const { output, summary } = await run({ windows: ['3'] })
    const before = readFileSync(join(output, 'results.jsonl'), 'utf8')
    const onProgress = () => expect.unreachable()
    expect(await evaluate(options({ windows: ['3'], output, onProgress }))).toEqual(summary)
    expect(readFileSync(join(output, 'results.jsonl'), 'utf8')).toBe(before)
    expect(JSON.parse(readFileSync(join(output, 'summary.json'), 'utf8'))).toEqual(summary)
  })

  it('keeps what was done when its signal aborts, and reports progress', async () => {
    const abort = new AbortController()
    const output = newFolder()
    const seen: number[] = []
    const running = evaluate(
      options({
        windows,
        output,
        parallel: 2,
        signal: abort.signal,
        onProgress: ({ done, total, computed, windows }) => {
          seen.push(done)
          expect({ total, computed }).toEqual({ total: 9, computed: done })
          expect(windows.reduce((sum, { done }) => sum + done, 0)).toBe(done)
          if (done === 4) abort.abort(new Error('enough'))
        },
      }),
    )
    await expect(running).rejects.toThrow('enough')
    // The other request may have been done already.
    expect(seen.slice(0, 4)).toEqual([1, 2, 3, 4])
    expect(seen.length).toBeLessThanOrEqual(windows.includes('50%') ? 5 : 6)
    expect(recordsIn(output)).toHaveLength(seen.length)
    const summary = await evaluate(options({ windows, output, parallel: 3 }))
    expect(summary).toMatchObject({ done: 9, total: 9 })
    expect(new Set(recordsIn(output).map(({ id, window }) => `${id} ${window}`)).size).toBe(9)
  })

  it('refuses other options, and says which', async () => {
    const { output } = await run({ windows: ['3'] })
    const again = (more: Partial<EvaluateOptions>) => evaluate(options({ windows: ['3'], output, ...more }))
    await expect(again({ windows: ['4'] })).rejects.toThrow('windows ["3"], not ["4"]')
    await expect(again({ maxTokens: 65 })).rejects.toThrow('maxTokens 64, not 65')
    await expect(again({ hint: 'boxed' })).rejects.toThrow('hint')
    await expect(again({ model: tableModel(folder(), 'other', { rows: {} }) })).rejects.toThrow('modelSha256')
    const file = folder('others.jsonl')
    writeFileSync(file, questions.map((each) => `${JSON.stringify({ ...each, answer: '0' })}\n`).join(''))
    await expect(again({ task: jsonl({ file }) })).rejects.toThrow('itemsSha256')
    // What does not change the results may change.
    await again({ parallel: 2, model: EMBEDDED_MODEL })
  })

  it('refuses results that are none', async () => {
    const { output } = await run({ windows: ['3'] })
    const results = join(output, 'results.jsonl')
    const good = readFileSync(results, 'utf8')
    const [first] = good.split('\n') as [string]
    const again = () => evaluate(options({ windows: ['3'], output }))
    for (const [line, message] of [
      ['{"id":', 'results.jsonl:4: '],
      ['{"id":"1"}', 'results.jsonl:4: Expected a result'],
      [first, 'results.jsonl:4: Duplicate result of 1 at window 3'],
    ] as const) {
      writeFileSync(results, `${good}${line}\n`)
      await expect(again()).rejects.toThrow(message)
    }
    // In place of one of the run's own, where a count sees nothing missing.
    const rest = good.slice(first.length + 1)
    for (const change of [{ id: 'other' }, { window: '4' }, { sample: 1 }]) {
      writeFileSync(results, `${JSON.stringify({ ...JSON.parse(first), ...change })}\n${rest}`)
      await expect(again()).rejects.toThrow(
        /results\.jsonl has a result of .* which is not of this run: remove its line$/,
      )
    }
    writeFileSync(results, good)
    rmSync(join(output, 'run.json'))
    await expect(again()).rejects.toThrow('holds results without run.json')
  })
})

describe('what fails', () => {
  it('ends the run, and keeps what was done', async () => {
    const output = newFolder()
    const failing: Task = {
      ...task,
      grade: (item, result) => {
        if (item.id === '2') throw new Error('no grade')
        return task.grade(item, result)
      },
    }
    await expect(evaluate(options({ task: failing, output }))).rejects.toThrow('no grade')
    expect(recordsIn(output).map(({ id }) => id)).toEqual(['1'])
    expect(await evaluate(options({ output }))).toMatchObject({ done: 3 })
  })

  it('is told before the first response where an item does not fit, with the context that is needed', async () => {
    const output = newFolder()
    const long: Task = {
      ...task,
      prompt: (item) => ({ messages: [{ role: 'user', content: item.question.repeat(item.id === '3' ? 20 : 1) }] }),
    }
    const given = options({ task: long, windows: ['20', '64', 'inf'], contextSize: 256, output })
    const error = await evaluate(given).then(
      () => null,
      (error: Error) => error,
    )
    expect(error).toMatchObject({ code: 'CONTEXT_TOO_SMALL' })
    const [, needed] =
      /^1 of 3 items do not fit: with \d+ tokens of prompt, item 3 needs a context of (\d+) tokens for the window of 64, contextSize is 256$/.exec(
        (error as Error).message,
      ) ?? []
    expect(recordsIn(output)).toEqual([])
    expect(await evaluate({ ...given, contextSize: Number(needed) })).toMatchObject({ done: 9 })
    await expect(evaluate({ ...given, output: newFolder(), contextSize: Number(needed) - 1 })).rejects.toMatchObject({
      code: 'CONTEXT_TOO_SMALL',
    })
    await expect(evaluate({ ...given, windows: ['50%'], output: newFolder() })).rejects.toThrow('window of 0')
    await expect(evaluate({ ...given, windows: ['inf'], output: newFolder() })).resolves.toMatchObject({ done: 3 })
  })

  it('is told where there is no model, no item, or one twice', async () => {
    await expect(run({ model: folder('none.gguf') })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    const of = (...ids: string[]): Task => ({
      ...task,
      async *items() {
        for (const id of ids) yield { id, question: '?', answer: '1' }
      },
    })
    await expect(run({ task: of() })).rejects.toThrow('has no items')
    await expect(run({ task: of('a', 'a') })).rejects.toThrow('two items with the id a')
    await expect(run({ method: 'some' as 'none' })).rejects.toThrow(RangeError)
  })

  it('is told when results cannot be written', async () => {
    const { output, records } = await run({ windows: ['3'] })
    const { options: made } = JSON.parse(readFileSync(join(output, 'run.json'), 'utf8'))
    const results = await ResultsFolder.open(output, made)
    await results.close()
    await expect(results.append(records[0] as ResultRecord)).rejects.toThrow(/^Cannot write .*results\.jsonl: /)
  })
})
