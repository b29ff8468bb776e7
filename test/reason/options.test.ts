import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, expectTypeOf, it } from 'vitest'
import { isPlainObject } from '../../lib/base/checks.js'
import { checkTokens } from '../../lib/reason/detokenize.js'
import type { NamedTags } from '../../lib/reason/kinds.js'
import { checkInput } from '../../lib/reason/messages.js'
import {
  BOXED_HINT,
  checkLoadOptions,
  checkReasonOptions,
  LOAD_OPTIONS,
  type LoadOptions,
  PLAIN_HINT,
  REASON_OPTIONS,
  type ReasonOptions,
} from '../../lib/reason/options.js'
import { POLICY_OPTIONS } from '../../lib/reason/policies.js'

type Check = (input: unknown) => object
type Misuse = [value: unknown, received: string]

/** The value of an option after the check, wherever it was put. */
function afterCheck(check: Check, name: string, value: unknown): unknown {
  const { sampling, policies, ...rest } = check({ [name]: value }) as { sampling?: object; policies?: object }
  return { ...rest, ...sampling, ...policies }[name as never]
}

/** One row for each option: what it expects, what it takes (as it is, or as something else), and what it refuses. */
interface Row {
  name: string
  expected: string
  takes: (unknown | { given: unknown; read: unknown })[]
  types: Misuse[]
  ranges: Misuse[]
}

const notNumbers: Misuse[] = [
  ['1', '"1"'],
  [null, 'null'],
  [true, 'true'],
  [1n, '1n'],
  [{}, 'an object'],
  [[1], 'an array'],
  [new Number(1), 'an object'],
  [() => 1, 'a function'],
]
const notIntegers: Misuse[] = [
  [-1, '-1'],
  [1.5, '1.5'],
  [NaN, 'NaN'],
  [-Infinity, '-Infinity'],
]
const notStrings: Misuse[] = [
  [1, '1'],
  [null, 'null'],
  [false, 'false'],
  [['a'], 'an array'],
  [{}, 'an object'],
  [Symbol('a'), 'a symbol'],
]

function integers(name: string, min: number, max: number): Row {
  const below = min - 1
  const above = max + 1
  return {
    name,
    expected: `integer between ${min} and ${max}`,
    takes: [min, max],
    types: notNumbers,
    ranges: [...notIntegers, [below, `${below}`], [above, `${above}`], [Infinity, 'Infinity']],
  }
}

function counts(name: string, min: number): Row {
  const below = min - 1
  return {
    name,
    expected: `integer ≥ ${min}`,
    takes: [min, 100_000, { given: 1e300, read: 2147483647 }],
    types: notNumbers,
    ranges: [...notIntegers, [below, `${below}`], [Infinity, 'Infinity']],
  }
}

function numbers(name: string, min: number, max: number): Row {
  const ranges: Misuse[] = [min - 0.001, max + 0.001, NaN, Infinity, -Infinity].map((value) => [value, `${value}`])
  return {
    name,
    expected: `number between ${min} and ${max}`,
    takes: [min, (min + max) / 2, max],
    types: notNumbers,
    ranges,
  }
}

function booleans(name: string): Row {
  const types: Misuse[] = [
    [0, '0'],
    ['true', '"true"'],
    [null, 'null'],
    [{}, 'an object'],
  ]
  return { name, expected: 'boolean', takes: [true, false], types, ranges: [] }
}

function callbacks(name: string): Row {
  const types: Misuse[] = [
    [{}, 'an object'],
    ['f', '"f"'],
    [null, 'null'],
  ]
  return { name, expected: 'function', takes: [progress], types, ranges: [] }
}

const chatTemplate: Row = {
  name: 'chatTemplate',
  expected: 'string',
  takes: ['', '{{ messages[0].content }}'],
  types: notStrings,
  ranges: [],
}

const templateVariables: Row = {
  name: 'templateVariables',
  expected: 'plain object of JSON values',
  takes: [
    {},
    { enable_thinking: false, date_string: '1 May', n: 1.5, list: [null, { a: 'b' }] },
    { given: { a: undefined, b: 1 }, read: { b: 1 } },
  ],
  types: [
    ['{}', '"{}"'],
    [1, '1'],
    [null, 'null'],
    [[], 'an array'],
    [new Map(), 'an object'],
  ],
  ranges: [],
}

const controller = new AbortController()
const foreign = {
  aborted: false,
  reason: undefined,
  addEventListener() {},
  removeEventListener() {},
  throwIfAborted() {},
}
const signals: Row = {
  name: 'signal',
  expected: 'AbortSignal',
  takes: [controller.signal, foreign],
  types: [
    [controller, 'an object'],
    [{ aborted: true }, 'an object'],
    [{ aborted: false, addEventListener() {} }, 'an object'],
    [null, 'null'],
    [() => {}, 'a function'],
    ['abort', '"abort"'],
  ],
  ranges: [],
}
const progress = () => {}
const library = { '~standard': { jsonSchema: { input: () => ({}) } } }
const engines = "'auto', 'cpu', 'cuda', 'vulkan', 'metal' or path of a directory"

const loadRows: Row[] = [
  {
    name: 'model',
    expected: 'file path or file: URL',
    takes: [
      'a.gguf',
      'C:\\models\\a.gguf',
      { given: pathToFileURL(resolve('a b.gguf')), read: resolve('a b.gguf') },
      { given: pathToFileURL(resolve('a b.gguf')).href, read: resolve('a b.gguf') },
    ],
    types: notStrings,
    ranges: [
      ['', '""'],
      [new URL('https://example.com/a.gguf'), 'an object'],
    ],
  },
  booleans('download'),
  callbacks('onDownload'),
  {
    name: 'engine',
    expected: engines,
    takes: [
      ...['auto', 'cpu', 'cuda', 'vulkan', 'metal'],
      resolve('out/engine/cpu'),
      { given: './engine', read: resolve('engine') },
      { given: 'out/engine', read: resolve('out/engine') },
      { given: '.', read: resolve('.') },
    ],
    types: [...notStrings, ['gpu', '"gpu"'], ['CPU', '"CPU"'], ['', '""']],
    ranges: [],
  },
  {
    name: 'gpuLayers',
    expected: "'auto' or integer ≥ 0",
    takes: ['auto', 0, 99, { given: 2 ** 40, read: 2147483647 }],
    types: [...notNumbers, ['all', '"all"']],
    ranges: [...notIntegers, [Infinity, 'Infinity']],
  },
  integers('contextSize', 8, 16777216),
  integers('parallel', 1, 64),
  integers('branches', 0, 64),
  {
    name: 'kvCache',
    expected: 'auto, separate, shared',
    takes: ['auto', 'separate', 'shared'],
    types: notStrings,
    ranges: [['unified', '"unified"']],
  },
  integers('cacheRam', 0, 1048576),
  integers('batchSize', 1, 8192),
  integers('threads', 1, 512),
  chatTemplate,
  templateVariables,
  booleans('mmap'),
  booleans('mlock'),
  {
    name: 'cacheType',
    expected: "'f16', 'q8_0', 'q4_0' or { k, v }",
    takes: [
      { given: 'q8_0', read: { k: 'q8_0', v: 'q8_0' } },
      { given: { k: 'q4_0' }, read: { k: 'q4_0', v: 'f16' } },
      { given: { v: 'q8_0', k: undefined }, read: { k: 'f16', v: 'q8_0' } },
    ],
    types: [
      [8, '8'],
      [null, 'null'],
      [['q8_0'], 'an array'],
    ],
    ranges: [
      ['q5_0', '"q5_0"'],
      ['', '""'],
    ],
  },
  {
    name: 'flashAttention',
    expected: "'auto' or boolean",
    takes: ['auto', true, false],
    types: [
      [1, '1'],
      [null, 'null'],
    ],
    ranges: [['on', '"on"']],
  },
  {
    name: 'devices',
    expected: 'array of device names',
    takes: [[], ['CUDA0', 'CUDA1']],
    types: [
      ['CUDA0', '"CUDA0"'],
      [null, 'null'],
      [{}, 'an object'],
    ],
    ranges: [],
  },
  {
    name: 'lora',
    expected: 'file path, { path, scale } or array of these',
    takes: [
      { given: 'a.gguf', read: [{ path: 'a.gguf', scale: 1 }] },
      { given: pathToFileURL('/a.gguf'), read: [{ path: resolve('/a.gguf'), scale: 1 }] },
      { given: { path: 'a.gguf', scale: 0 }, read: [{ path: 'a.gguf', scale: 0 }] },
      {
        given: [{ path: 'a.gguf', scale: -1000 }, 'b'],
        read: [
          { path: 'a.gguf', scale: -1000 },
          { path: 'b', scale: 1 },
        ],
      },
      [],
    ],
    types: [
      [1, '1'],
      [null, 'null'],
    ],
    ranges: [],
  },
  callbacks('onProgress'),
  signals,
]

const reasonRows: Row[] = [
  {
    name: 'thinkingWindow',
    expected: 'integer ≥ 0',
    takes: [0, 4096, Infinity, { given: 2 ** 60, read: 2147483647 }],
    types: notNumbers,
    ranges: notIntegers,
  },
  {
    name: 'cuts',
    expected: 'array of integers',
    takes: [[], [0, 512, 64], { given: [2 ** 60], read: [2147483647] }],
    types: [
      [64, '64'],
      ['64', '"64"'],
      [{}, 'an object'],
      [null, 'null'],
    ],
    ranges: [],
  },
  counts('maxTokens', 1),
  {
    name: 'hint',
    expected: "'plain', 'boxed', non-empty string or null",
    takes: [
      { given: 'plain', read: '\n\nI overthought it, the final answer should be:\n\n' },
      { given: 'boxed', read: '\n\nI overthought it, the final answer in \\boxed{} should be:\n\n' },
      'So:',
      ' ',
      null,
    ],
    types: notStrings.filter(([value]) => value !== null),
    ranges: [['', '""']],
  },
  booleans('loops'),
  {
    name: 'tags',
    expected: "'ban', 'keep' or { open, close }",
    takes: [
      'ban',
      'keep',
      { open: '[t]', close: '[/t]', mode: 'keep' },
      { given: { open: '[t]', close: '[/t]' }, read: { open: '[t]', close: '[/t]', mode: 'ban' } },
    ],
    types: [...notStrings.filter(([value]) => !isPlainObject(value)), ['drop', '"drop"'], ['', '""']],
    ranges: [],
  },
  {
    name: 'schema',
    expected: 'JSON Schema or Standard JSON Schema',
    takes: [true, false, {}, { type: 'integer' }, library],
    types: [
      [1, '1'],
      ['{}', '"{}"'],
      [null, 'null'],
      [[], 'an array'],
      [new Date(0), 'an object'],
    ],
    ranges: [],
  },
  { name: 'grammar', expected: 'string', takes: ['', 'root ::= "a"'], types: notStrings, ranges: [] },
  {
    name: 'overflow',
    expected: 'error or shift',
    takes: ['error', 'shift'],
    types: [
      [true, 'true'],
      [null, 'null'],
    ],
    ranges: [],
  },
  { name: 'system', expected: 'string', takes: ['', 'Be brief.'], types: notStrings, ranges: [] },
  booleans('template'),
  chatTemplate,
  templateVariables,
  { ...numbers('temperature', 0, 100), takes: [0, 0.7, 1e-6, 100, { given: 9e-7, read: 0 }] },
  counts('topK', 0),
  numbers('topP', 0, 1),
  numbers('minP', 0, 1),
  {
    name: 'typicalP',
    expected: 'number > 0 and ≤ 1',
    takes: [1e-6, 0.5, 1],
    types: notNumbers,
    ranges: [
      [0, '0'],
      [-0.1, '-0.1'],
      [1.1, '1.1'],
      [NaN, 'NaN'],
    ],
  },
  numbers('repeatPenalty', 0.01, 100),
  numbers('frequencyPenalty', -100, 100),
  numbers('presencePenalty', -100, 100),
  counts('penaltyLastN', 0),
  numbers('dryMultiplier', 0, 100),
  numbers('dryBase', 1, 100),
  counts('dryAllowedLength', 0),
  counts('dryPenaltyLastN', 0),
  {
    name: 'drySequenceBreakers',
    expected: 'array of strings',
    takes: [[], ['\n', 'User:'], ['x'.repeat(40)], Array(64).fill('x')],
    types: [
      ['\n', '"\\n"'],
      [null, 'null'],
      [1, '1'],
      [new Set(['x']), 'an object'],
    ],
    ranges: [],
  },
  numbers('xtcProbability', 0, 1),
  numbers('xtcThreshold', 0, 1),
  {
    name: 'logitBias',
    expected: 'object, Map or array of [token, bias]',
    takes: [
      { given: {}, read: [] },
      {
        given: { 7: -1.5, 0: -Infinity },
        read: [
          { token: 0, bias: -Infinity },
          { token: 7, bias: -1.5 },
        ],
      },
      { given: new Map([[7, 2]]), read: [{ token: 7, bias: 2 }] },
      { given: [[2147483647, 0]], read: [{ token: 2147483647, bias: 0 }] },
    ],
    types: [
      [1, '1'],
      ['7', '"7"'],
      [null, 'null'],
      [new Set(), 'an object'],
    ],
    ranges: [],
  },
  integers('seed', 0, 4294967294),
  {
    name: 'stop',
    expected: 'string or array of strings',
    takes: [{ given: 'END', read: ['END'] }, ['a', 'b'], [], Array(64).fill('x')],
    types: [
      [1, '1'],
      [null, 'null'],
      [{}, 'an object'],
    ],
    ranges: [],
  },
  booleans('stopInThinking'),
  booleans('cachePrompt'),
  booleans('speculation'),
  {
    name: 'logprobs',
    expected: 'plain object',
    takes: [
      { given: {}, read: { top: 0, thinking: false } },
      { top: 20, thinking: true },
    ],
    types: [
      [true, 'true'],
      [5, '5'],
      [null, 'null'],
    ],
    ranges: [],
  },
  signals,
]

const policyRows: Row[] = [
  {
    name: 'landing',
    expected: 'token or line',
    takes: ['token', 'line'],
    types: notStrings,
    ranges: [['word', '"word"']],
  },
  {
    name: 'stated',
    expected: 'ask, keep, end',
    takes: ['ask', 'keep', 'end'],
    types: notStrings,
    ranges: [['', '""']],
  },
  {
    name: 'earlyExit',
    expected: 'plain object',
    takes: [{ margin: 0 }, { margin: 100 }],
    types: [
      [true, 'true'],
      [0.1, '0.1'],
      [null, 'null'],
      [[], 'an array'],
    ],
    ranges: [],
  },
  booleans('confidence'),
  {
    name: 'wait',
    expected: 'plain object',
    takes: [
      { given: {}, read: { times: 1, text: 'Wait', until: Infinity } },
      { times: 1000, text: 'Hm', until: 1 },
    ],
    types: [
      [true, 'true'],
      [2, '2'],
      [null, 'null'],
      ['Wait', '"Wait"'],
    ],
    ranges: [],
  },
  {
    name: 'trace',
    expected: 'plain object',
    takes: [
      { given: {}, read: { every: 32, margin: 2, lines: false } },
      { every: 1, margin: 0, lines: true },
    ],
    types: [
      [true, 'true'],
      [32, '32'],
      [null, 'null'],
    ],
    ranges: [],
  },
]

const { landing, stated, earlyExit, confidence, wait, trace, ...others } = REASON_OPTIONS
// Those of tools are resolved together: tools.test.ts has their table. So have those of samples: samples.test.ts.
const { tools, toolChoice, parallelToolCalls, samples, vote, stopEarly, ...OTHER_OPTIONS } = others

describe.each([
  ['LoadOptions', checkLoadOptions as Check, LOAD_OPTIONS, loadRows],
  ['ReasonOptions', checkReasonOptions as Check, OTHER_OPTIONS, reasonRows],
  ['PolicyOptions', checkReasonOptions as Check, POLICY_OPTIONS, policyRows],
] as const)('%s', (type, check, table, rows) => {
  it('has a row here for every option', () => {
    expect(rows.map((row) => row.name)).toEqual(Object.keys(table))
  })

  describe.each(rows)('$name', ({ name, expected, takes, types, ranges }) => {
    it('takes what it should', () => {
      for (const value of takes) {
        const converted = typeof value === 'object' && value !== null && 'given' in value
        const { given, read } = converted ? (value as { given: unknown; read: unknown }) : { given: value, read: value }
        expect(afterCheck(check, name, given)).toEqual(read)
      }
    })

    it('takes undefined for absent', () => {
      expect(check({ [name]: undefined })).toEqual(check({}))
    })

    it('refuses another type', () => {
      for (const [value, received] of types) {
        const sentence = `Expected ${expected} for ${name} but received ${received}`
        expect(() => check({ [name]: value })).toThrow(new TypeError(sentence))
      }
    })

    it('refuses what is out of range', () => {
      for (const [value, received] of ranges) {
        const sentence = `Expected ${expected} for ${name} but received ${received}`
        expect(() => check({ [name]: value })).toThrow(new RangeError(sentence))
      }
    })
  })

  it.each([
    [null, 'null'],
    [[], 'an array'],
    ['fast', '"fast"'],
    [1, '1'],
    [new (class {})(), 'an object'],
  ])('is a plain object and not %j', (input, received) => {
    const sentence = `Expected plain object for options but received ${received}`
    expect(() => check(input)).toThrow(new TypeError(sentence))
  })

  it('may be absent', () => {
    expect(check(undefined)).toEqual(check({}))
  })

  it('refuses a name that objects inherit', () => {
    for (const name of ['toString', 'constructor', '__proto__']) {
      expect(() => check(JSON.parse(`{ "${name}": 1 }`))).toThrow(`Unknown option ${name}: expected one of `)
    }
  })

  it('says in its documentation what the table says', () => {
    const file = { LoadOptions: 'load-options.ts', ReasonOptions: 'options.ts', PolicyOptions: 'policies.ts' }[type]
    const source = readFileSync(new URL(`../../lib/reason/${file}`, import.meta.url), 'utf8')
    const body = source.slice(source.search(new RegExp(`export interface ${type}\\b`))).split('\n}\n')[0] as string
    const documented = [...body.matchAll(/\/\*\*(.*?)\*\/\s+(\w+)\?:/gs)]
    expect(documented.map(([, , name]) => name)).toEqual(Object.keys(table))
    for (const [, text = '', name = ''] of documented) {
      const { expected, default: fallback } = table[name as keyof typeof table] as {
        expected: string
        default: unknown
      }
      if (fallback === PLAIN_HINT) expect(text).toContain('Default `plain`')
      else if (typeof fallback === 'string') expect(text).toContain(`Default \`${fallback}\``)
      else if (['number', 'boolean'].includes(typeof fallback)) expect(text).toContain(`Default ${fallback}.`)
      const [, min, max] = /between (\S+) and (\S+)/.exec(expected) ?? []
      if (min) expect(text).toContain(`${min} … ${max}`)
      const [least] = /≥ \d+/.exec(expected) ?? []
      if (least) expect(text).toContain(least)
    }
  })
})

describe('defaults', () => {
  it('of a load', () => {
    expect(checkLoadOptions({})).toEqual({
      model: undefined,
      download: false,
      onDownload: undefined,
      engine: 'auto',
      gpuLayers: 'auto',
      contextSize: undefined,
      parallel: 1,
      branches: 0,
      kvCache: 'auto',
      cacheRam: 256,
      batchSize: 512,
      threads: undefined,
      mmap: true,
      mlock: false,
      cacheType: { k: 'f16', v: 'f16' },
      flashAttention: 'auto',
      devices: undefined,
      lora: [],
      onProgress: undefined,
      signal: undefined,
    })
  })

  it("of a request: the window's are the method's, the samplers' llama.cpp's", () => {
    expect(checkReasonOptions({})).toEqual({
      thinkingWindow: undefined,
      cuts: [],
      maxTokens: undefined,
      hint: PLAIN_HINT,
      loops: false,
      policies: { landing: 'token', stated: 'ask', earlyExit: undefined, confidence: false, wait: undefined },
      samples: null,
      schema: undefined,
      grammar: undefined,
      calls: { tools: [], choice: 'auto', parallel: true },
      overflow: 'error',
      tags: 'ban',
      system: undefined,
      template: true,
      seed: undefined,
      stop: [],
      stopInThinking: false,
      cachePrompt: true,
      speculation: false,
      signal: undefined,
      sampling: {
        temperature: 0,
        topK: 40,
        topP: 0.95,
        minP: 0.05,
        typicalP: 1,
        repeatPenalty: 1,
        frequencyPenalty: 0,
        presencePenalty: 0,
        penaltyLastN: 64,
        dryMultiplier: 0,
        dryBase: 1.75,
        dryAllowedLength: 2,
        dryPenaltyLastN: 64,
        drySequenceBreakers: ['\n', ':', '"', '*'],
        xtcProbability: 0,
        xtcThreshold: 0.1,
        logitBias: [],
      },
    })
  })

  it('a seed asks for reproducibility, unless the caller says otherwise', () => {
    expect(checkReasonOptions({ seed: 0 }).cachePrompt).toBe(false)
    expect(checkReasonOptions({ seed: 0, cachePrompt: true }).cachePrompt).toBe(true)
    expect(checkReasonOptions({ cachePrompt: false }).cachePrompt).toBe(false)
  })

  it('the boxed hint asks for a box', () => {
    expect(BOXED_HINT).toBe(PLAIN_HINT.replace('answer', 'answer in \\boxed{}'))
  })
})

describe("temperature: 'model'", () => {
  const sampling = { temperature: 0.6, topP: 0.8, penaltyLastN: 32 }
  const model = { vocabularySize: 300, sampling }

  it('takes what the file recommends, but for what is given', () => {
    const { sampling: read } = checkReasonOptions({ temperature: 'model', topP: 0.5, minP: undefined }, model)
    expect(read).toMatchObject({ temperature: 0.6, topP: 0.5, penaltyLastN: 32, minP: 0.05, topK: 40 })
    expect(checkReasonOptions({ temperature: 0 }, model).sampling).toMatchObject({ temperature: 0, topP: 0.95 })
    const others = { vocabularySize: 300, sampling: { topK: 20 } }
    expect(checkReasonOptions({ temperature: 'model' }, others).sampling).toMatchObject({ temperature: 0.8, topK: 20 })
  })

  it('is refused where the file recommends nothing, or what cannot be', () => {
    expect(() => checkReasonOptions({ temperature: 'model' }, { ...model, sampling: {} })).toThrow(
      new RangeError(
        'Expected a number for temperature but received "model": the model\'s file recommends no sampling',
      ),
    )
    expect(() => checkReasonOptions({ temperature: 'model' }, { ...model, sampling: { topP: 7 } })).toThrow(
      new RangeError("Expected number between 0 and 1 for topP of the model's file but received 7"),
    )
  })

  it('takes no offence at a value that cannot be, where another is given', () => {
    const wrong = { vocabularySize: 300, sampling: { temperature: 0.6, topK: -1 } }
    const { sampling: read } = checkReasonOptions({ temperature: 'model', topK: 5 }, wrong)
    expect(read).toMatchObject({ temperature: 0.6, topK: 5 })
    expect(() => checkReasonOptions({ temperature: 'model', topK: undefined }, wrong)).toThrow(
      new RangeError("Expected integer ≥ 0 for topK of the model's file but received -1"),
    )
  })

  it('is not refused before the model is known', () => {
    expect(checkReasonOptions({ temperature: 'model' }).sampling.temperature).toBe(0)
  })
})

describe('template variables', () => {
  it.each<[string, object, Error]>([
    [
      'a function',
      { f: () => 1 },
      new TypeError('Expected JSON value for templateVariables.f but received a function'),
    ],
    ['NaN', { n: [Number.NaN] }, new TypeError('Expected JSON value for templateVariables.n[0] but received NaN')],
    [
      'a Date',
      { now: new Date(0) },
      new TypeError('Expected JSON value for templateVariables.now but received an object'),
    ],
    [
      'what the input gives',
      { messages: [] },
      new TypeError('Expected no messages in templateVariables: it is what the template is given for the input'),
    ],
  ])('%s is refused', (_, given, error) => {
    expect(() => checkReasonOptions({ templateVariables: given })).toThrow(error)
  })

  it('a circle is refused', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    expect(() => checkReasonOptions({ templateVariables: circle })).toThrow('Expected at most 100 levels')
  })

  it('need a template', () => {
    const sentence = 'Expected true for template with templateVariables but received false'
    expect(() => checkReasonOptions({ template: false, templateVariables: {} })).toThrow(new TypeError(sentence))
  })
})

describe('unknown options', () => {
  it('names the nearest one', () => {
    const sentence = 'Unknown option thinkingwindow: did you mean thinkingWindow?'
    expect(() => checkReasonOptions({ thinkingwindow: 1 })).toThrow(new TypeError(sentence))
    expect(() => checkLoadOptions({ context_size: 1 })).toThrow('did you mean contextSize?')
  })

  it('lists all when none is near', () => {
    const sentence =
      'Unknown option color: expected one of model, download, onDownload, engine, gpuLayers, contextSize, parallel, ' +
      'branches, kvCache, cacheRam, batchSize, threads, chatTemplate, templateVariables, mmap, mlock, cacheType, flashAttention, ' +
      'devices, lora, onProgress, signal'
    expect(() => checkLoadOptions({ color: 'red' })).toThrow(new TypeError(sentence))
  })
})

describe('options of a load', () => {
  it.each([
    [{ cacheType: { k: 'q5_0' } }, RangeError, 'Expected f16, q8_0, q4_0 for cacheType.k but received "q5_0"'],
    [{ cacheType: { x: 1 } }, TypeError, 'Unknown key x of cacheType: did you mean k?'],
    [
      { cacheType: 'q8_0', flashAttention: false },
      RangeError,
      "Expected flashAttention 'auto' or true with q8_0 for V",
    ],
    [{ devices: ['a', 'a'] }, RangeError, 'Expected no device twice for devices but received "a"'],
    [{ devices: Array(65).fill('a') }, RangeError, 'Expected at most 64 devices for devices but received 65'],
    [{ devices: [1] }, TypeError, 'Expected string for devices[0] but received 1'],
    [{ lora: '' }, RangeError, 'Expected file path or file: URL for lora but received ""'],
    [{ lora: [{ scale: 1 }] }, TypeError, 'Expected file path or file: URL for lora[0].path but received undefined'],
    [{ lora: { path: 'a', scale: 1001 } }, RangeError, 'Expected number between -1000 and 1000 for lora.scale'],
    [{ lora: [['a']] }, TypeError, 'Expected file path, { path, scale } or array of these for lora[0]'],
    [{ lora: { path: 'a', scales: 1 } }, TypeError, 'Unknown key scales of lora: did you mean scale?'],
    [{ lora: Array(17).fill('a') }, RangeError, 'Expected at most 16 adapters for lora but received 17'],
  ])('%j is refused', (options, Misuse, sentence) => {
    expect(() => checkLoadOptions(options)).toThrow(Misuse)
    expect(() => checkLoadOptions(options)).toThrow(sentence)
  })
})

describe('cuts', () => {
  it.each([
    [{ cuts: [1, -1] }, RangeError, 'Expected integer ≥ 0 for cuts[1] but received -1'],
    [{ cuts: [1, '2'] }, TypeError, 'Expected integer ≥ 0 for cuts[1] but received "2"'],
    [{ cuts: [Infinity] }, RangeError, 'Expected integer ≥ 0 for cuts[0] but received Infinity'],
    [{ cuts: [3, 1, 3] }, RangeError, 'Expected no window twice for cuts but received 3'],
    [
      { cuts: Array.from({ length: 65 }, (_, i) => i) },
      RangeError,
      'Expected at most 64 windows for cuts but received 65',
    ],
    [{ cuts: [1, 8], thinkingWindow: 8 }, RangeError, 'Expected windows < thinkingWindow (8) for cuts but received 8'],
    [
      { cuts: [1], thinkingWindow: Infinity, stop: 'x' },
      TypeError,
      'Expected true for stopInThinking with cuts, stop and thinkingWindow Infinity but received false',
    ],
  ])('%j', (options, Misuse, sentence) => {
    expect(() => checkReasonOptions(options)).toThrow(new Misuse(sentence))
  })

  it('a stop string may stand beside them where a window or the thinking watches it', () => {
    const cuts = { cuts: [1], stop: 'x' }
    for (const more of [{ thinkingWindow: 8 }, { thinkingWindow: Infinity, stopInThinking: true }, { tags: 'keep' }]) {
      expect(checkReasonOptions({ ...cuts, ...more }).cuts).toEqual([1])
    }
  })
})

describe('lists and biases', () => {
  it.each([
    [{ stop: '' }, RangeError, 'Expected non-empty string for stop but received ""'],
    [{ stop: ['a', ''] }, RangeError, 'Expected non-empty string for stop[1] but received ""'],
    [{ stop: ['a', 1] }, TypeError, 'Expected non-empty string for stop[1] but received 1'],
    // biome-ignore lint/suspicious/noSparseArray: what is missing is undefined.
    [{ stop: [, 'a'] }, TypeError, 'Expected non-empty string for stop[0] but received undefined'],
    [{ stop: Array(65).fill('x') }, RangeError, 'Expected at most 64 strings for stop but received 65'],
    [
      { drySequenceBreakers: [''] },
      RangeError,
      'Expected string of 1 to 40 bytes for drySequenceBreakers[0] but received ""',
    ],
    [
      { drySequenceBreakers: ['x', `${'€'.repeat(13)}xx`] },
      RangeError,
      `Expected string of 1 to 40 bytes for drySequenceBreakers[1] but received "${'€'.repeat(13)}xx"`,
    ],
    [
      { drySequenceBreakers: [null] },
      TypeError,
      'Expected string of 1 to 40 bytes for drySequenceBreakers[0] but received null',
    ],
    [{ logitBias: [7] }, TypeError, 'Expected [token, bias] for logitBias[0] but received 7'],
    [{ logitBias: [[7, 1, 2]] }, TypeError, 'Expected [token, bias] for logitBias[0] but received an array'],
    [
      { logitBias: { hello: 1 } },
      TypeError,
      'Expected integer between 0 and 2147483647 for token of logitBias but received "hello"',
    ],
    [
      { logitBias: { '-1': 1 } },
      TypeError,
      'Expected integer between 0 and 2147483647 for token of logitBias but received "-1"',
    ],
    [
      { logitBias: [[-1, 1]] },
      RangeError,
      'Expected integer between 0 and 2147483647 for token of logitBias but received -1',
    ],
    [
      { logitBias: [[2 ** 31, 1]] },
      RangeError,
      'Expected integer between 0 and 2147483647 for token of logitBias but received 2147483648',
    ],
    [
      { logitBias: { 7: NaN } },
      RangeError,
      'Expected finite number or -Infinity for logitBias of token 7 but received NaN',
    ],
    [
      { logitBias: { 7: 1e39 } },
      RangeError,
      'Expected finite number or -Infinity for logitBias of token 7 but received 1e+39',
    ],
    [
      { logitBias: new Map([[7, '1']]) },
      TypeError,
      'Expected finite number or -Infinity for logitBias of token 7 but received "1"',
    ],
  ])('%j', (options, Misuse, sentence) => {
    expect(() => checkReasonOptions(options)).toThrow(new Misuse(sentence))
  })

  it.each([
    ['hint', 'x\ud800'],
    ['system', 'x\ud800'],
    ['stop', 'x\ud800'],
    ['drySequenceBreakers', ['x\ud800']],
  ])('text of %s is well-formed', (name, value) => {
    const at = Array.isArray(value) ? `${name}[0]` : name
    const sentence = `Expected well-formed UTF-16 for ${at} but received a lone surrogate at index 1`
    expect(() => checkReasonOptions({ [name]: value })).toThrow(new TypeError(sentence))
  })

  it('copies lists', () => {
    const stop = ['a']
    const read = checkReasonOptions({ stop })
    stop.push('b')
    expect(read.stop).toEqual(['a'])
  })
})

it('a system message needs a template', () => {
  const sentence = 'Expected true for template with system but received false'
  expect(() => checkReasonOptions({ system: 'x', template: false })).toThrow(new TypeError(sentence))
  expect(checkReasonOptions({ template: false }).template).toBe(false)
})

describe('checkInput', () => {
  const user = { role: 'user', content: 'Hi' }

  it('takes a question or a conversation', () => {
    expect(checkInput('')).toBe('')
    expect(checkInput('Why?')).toBe('Why?')
    const messages = [{ role: 'system', content: '' }, user, { role: 'tool_result-2', content: '1' }]
    expect(checkInput(messages)).toEqual(messages)
    expect(checkInput([{ ...user, content: 'x', role: 'user' }])).not.toBe(messages)
  })

  it('copies messages', () => {
    const message = { ...user }
    const input = checkInput([message])
    message.content = 'changed'
    expect(input).toEqual([user])
  })

  it('takes only text without a template', () => {
    expect(checkInput('raw', false)).toBe('raw')
    const sentence = 'Expected string for input without template but received an array'
    expect(() => checkInput([user], false)).toThrow(new TypeError(sentence))
  })

  it.each([
    [undefined, TypeError, 'Expected string or non-empty array of messages for input but received undefined'],
    [user, TypeError, 'Expected string or non-empty array of messages for input but received an object'],
    [1, TypeError, 'Expected string or non-empty array of messages for input but received 1'],
    [[], RangeError, 'Expected string or non-empty array of messages for input but received an array'],
    [[user, 'Hi'], TypeError, 'Expected plain object for input[1] but received "Hi"'],
    [[undefined], TypeError, 'Expected plain object for input[0] but received undefined'],
    [[{ role: 'user' }], TypeError, 'Expected string for input[0].content but received undefined'],
    [[{ role: 'user', content: ['Hi'] }], TypeError, 'Expected string for input[0].content but received an array'],
    [
      [{ content: 'Hi' }],
      TypeError,
      'Expected word such as user or assistant for input[0].role but received undefined',
    ],
    [[{ ...user, role: '' }], RangeError, 'Expected word such as user or assistant for input[0].role but received ""'],
    [
      [{ ...user, role: 'user|><|system' }],
      RangeError,
      'Expected word such as user or assistant for input[0].role but received "user|><|system"',
    ],
    [[{ ...user, contents: '' }], TypeError, 'Unknown key contents of input[0]: did you mean content?'],
    [
      [user, { ...user, name: 'Al' }],
      TypeError,
      'Unknown key name of input[1]: expected one of role, content, toolCalls, toolCallId',
    ],
    ['a\udfff', TypeError, 'Expected well-formed UTF-16 for input but received a lone surrogate at index 1'],
    [
      [{ role: 'user', content: '\ud800' }],
      TypeError,
      'Expected well-formed UTF-16 for input[0].content but received a lone surrogate at index 0',
    ],
  ])('refuses %j', (input, Misuse, sentence) => {
    expect(() => checkInput(input)).toThrow(new Misuse(sentence))
  })
})

it('types what it documents', () => {
  expectTypeOf<keyof LoadOptions>().toEqualTypeOf<keyof typeof LOAD_OPTIONS>()
  expectTypeOf<keyof ReasonOptions>().toEqualTypeOf<keyof typeof REASON_OPTIONS>()
  expectTypeOf(checkReasonOptions({}).sampling.temperature).toEqualTypeOf<number>()
  expectTypeOf(checkReasonOptions({}).tags).toEqualTypeOf<'ban' | 'keep' | NamedTags>()
  expectTypeOf(checkLoadOptions({}).gpuLayers).toEqualTypeOf<number | 'auto'>()
})

describe('what can be long', () => {
  /** A list that counts how often its items are read. */
  const counted = (length: number) => {
    const reads = { count: 0 }
    const list = new Proxy(Array(length).fill([1, 0]), {
      get(target, key, receiver) {
        if (typeof key === 'string' && /^\d+$/.test(key)) reads.count++
        return Reflect.get(target, key, receiver)
      },
    })
    return { list, reads }
  }

  it('is refused before it is read: more biases than tokens', () => {
    const { list, reads } = counted(301)
    const sentence = 'Expected at most 300 entries for logitBias but received 301'
    for (const logitBias of [list, new Map(list.entries()), Object.fromEntries(list.entries())]) {
      reads.count = 0
      expect(() => checkReasonOptions({ logitBias }, { vocabularySize: 300, sampling: {} })).toThrow(
        new RangeError(sentence),
      )
      expect(reads.count).toBe(0)
    }
    expect(
      checkReasonOptions({ logitBias: list }, { vocabularySize: 301, sampling: {} }).sampling.logitBias,
    ).toHaveLength(301)
    expect(reads.count).toBe(301)
  })

  it('is refused before it is read: more token ids than a context has', () => {
    const { list, reads } = counted(2 ** 24 + 1)
    const sentence = 'Expected at most 16777216 ids for tokens but received 16777217'
    expect(() => checkTokens(list, 300)).toThrow(new RangeError(sentence))
    expect(reads.count).toBe(0)
  })

  it('is read once: token ids', () => {
    const { list, reads } = counted(1000)
    list.fill(7)
    reads.count = 0
    expect(checkTokens(list, 300)).toEqual(new Int32Array(1000).fill(7))
    expect(reads.count).toBe(1000)
  })
})
