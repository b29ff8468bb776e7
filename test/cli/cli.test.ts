/** The command `z1` as its users run it: the built program in a process of its own (npm test builds it). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ReasonResult } from '../../lib/index.js'
import { PLAIN_HINT } from '../../lib/reason/options.js'
import { temporaryFolder } from '../support/folder.js'
import { chatMlTemplate, testModel } from '../support/models.js'
import { END, tableModel, tokenIds } from '../support/table-model.js'
import { hasScript, onTerminal, terminalEnvironment } from '../support/terminal.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const manifest = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))

const folder = temporaryFolder()
/** Says `Two plus two.` to anything, `Four` after a hint that ends in L, and ` hm hm …` for ever after one in M. */
let model: string
let slow: string
const words = ['Two', ' plus two', 'Four', ' hm']
const rows = { '\n': 'Two', Two: ' plus two', ' plus two': '.', L: 'Four', M: ' hm', ' hm': ' hm' }
const whole = 'Two plus two.'

beforeAll(() => {
  model = tableModel(folder(), 'quick', { extraTokens: words, rows })
  slow = tableModel(folder(), 'slow', { extraTokens: words, rows: { ...rows, '\n': ' hm' }, slow: true })
})

interface Run {
  status: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

/** What decides on colors is not inherited. */

function start(args: string[], env: Record<string, string> = {}): ChildProcess {
  return spawn(process.execPath, [program, ...args], { env: terminalEnvironment(env) })
}

async function finished(child: ChildProcess): Promise<Run> {
  let stdout = ''
  let stderr = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr?.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  return new Promise((done) => {
    child.on('close', (status, signal) => done({ status, signal, stdout, stderr }))
  })
}

function z1(args: string[], { input = '', env = {} }: { input?: string | Buffer; env?: Record<string, string> } = {}) {
  const child = start(args, env)
  child.stdin?.end(input)
  return finished(child)
}

const ask = (...args: string[]) => z1(['ask', '--model', model, '--threads', '1', ...args])

async function askJson(...args: string[]): Promise<ReasonResult> {
  const { status, stdout, stderr } = await ask('--json', ...args)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  // One document, and nothing before or after it.
  expect(stdout).toMatch(/^\{\n.*\n\}\n$/s)
  return JSON.parse(stdout)
}

describe('z1 ask', () => {
  it.each([
    ['what the model says by itself', [], whole],
    ['with the hint where the window closes', ['--window', '2', '--hint', ' So: L'], 'Two plus two So: LFour'],
    ['with a window of 0', ['--window', '0', '--hint', 'L'], 'LFour'],
    ['with the plain hint', ['--window', '1'], `Two${PLAIN_HINT}${whole}`],
    ['without an end of the window', ['--window', 'inf'], whole],
    ['up to a number of tokens', ['--window', '0', '--hint', 'M', '--max-tokens', '3'], 'M hm hm hm'],
    ['up to the first stop string', ['--stop', 'never', '--stop', ' two'], 'Two plus'],
  ])('prints the text alone: %s', async (_name, options, text) => {
    const { status, stdout, stderr } = await ask(...options, 'q')
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: `${text}\n`, stderr: '' })
  })

  it('--samples prints the response that wins, and the vote', async () => {
    const args = ['--window', '2', '--hint', ' So: L', '--temperature', '0']
    const { status, stdout, stderr } = await ask(...args, '--samples', '3', '--stop-early', 'q')
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'Two plus two So: LFour\n' })
    expect(stderr).toMatch(/^⟨3 samples: [23] × Four⟩\n$/)
    const { samples, vote, cost, text } = await askJson(...args, '--samples', '2', 'q')
    expect(samples).toHaveLength(2)
    expect(vote).toEqual({ winner: 0, answers: [{ answer: 'Four', samples: [0, 1] }] })
    expect([text, cost?.promptTokens]).toEqual(['Two plus two So: LFour', 2 * (samples?.[0]?.usage.promptTokens ?? 0)])
    expect((await ask('--samples', '0', 'q')).status).toBe(2)
    expect((await ask('--stop-early', 'q')).stderr).toContain('Expected samples beside stopEarly')
  })

  it('--json prints the result', async () => {
    const result = await askJson('--window', '2', '--hint', ' So: L', '--seed', '4294967294', 'q')
    const idOf = tokenIds(words)
    expect(result).toEqual({
      text: 'Two plus two So: LFour',
      reasoning: 'Two plus two',
      hint: ' So: L',
      answer: 'Four',
      finalAnswer: 'Four',
      object: null,
      toolCalls: [],
      warnings: [],
      message: { role: 'assistant', content: 'Two plus two So: LFour' },
      ended: 'window',
      finishReason: 'stop',
      confidence: null,
      stopString: null,
      tokens: {
        reasoning: [idOf('Two'), idOf(' plus two')],
        hint: Array.from(Buffer.from(' So: L')),
        answer: [idOf('Four')],
      },
      logprobs: null,
      usage: {
        ...{ promptTokens: 20, cachedTokens: 0, thinkingTokens: 2, hintTokens: 6, answerTokens: 1 },
        ...{ nudgeTokens: 0, probeTokens: 0, draftedTokens: 0, acceptedTokens: 0 },
      },
      timings: expect.objectContaining({ decodeCalls: expect.any(Number) }),
      droppedMessages: 0,
      seed: 4294967294,
    })
  })

  it('--schema and --grammar bind the answer', async () => {
    const schema = join(folder(), 'schema.json')
    writeFileSync(schema, '{ "const": { "n": 5 }, "uniqueItems": true }')
    const bound = await ask('--json', '--window', '1', '--schema', schema, 'q')
    expect(bound.stderr).toBe('')
    expect(JSON.parse(bound.stdout)).toMatchObject({ object: { n: 5 }, warnings: [] })
    const grammar = join(folder(), 'answer.gbnf')
    writeFileSync(grammar, 'root ::= "yes"')
    expect((await askJson('--window', '1', '--grammar', grammar, 'q')).answer).toBe('yes')
  })

  it('--schema says what it cannot hold the answer to, and what is none', async () => {
    const schema = join(folder(), 'list.json')
    writeFileSync(schema, '{ "const": [], "not": { "uniqueItems": true, "minItems": 2 } }')
    const bound = await ask('--window', '1', '--schema', schema, 'q')
    expect(bound).toMatchObject({
      status: 0,
      stderr: 'not enforced: not at the root: what it excludes cannot be told by a grammar\n',
    })
    writeFileSync(schema, '{ "type": ')
    const broken = await ask('--schema', schema, 'q')
    expect([broken.status, broken.stderr]).toEqual([2, expect.stringContaining('as a JSON Schema: ')])
    writeFileSync(schema, '{ "type": "kaboom" }')
    const wrong = await ask('--schema', schema, 'q')
    expect([wrong.status, wrong.stderr]).toEqual([1, expect.stringContaining('SCHEMA_INVALID')])
  })

  it('- reads the question from standard input, without the newline at its end', async () => {
    // Xuser\n … X\nXassistant\n: 18 tokens beside the question's.
    for (const [input, tokens] of [
      ['why', 3],
      ['why\n', 3],
      ['why\r\n', 3],
      ['\uFEFFwhy\n', 3],
      ['why\n\nnot\n', 8],
      ['数学', 6],
    ] as const) {
      const args = ['ask', '--json', '--model', model, '--threads', '1', '-']
      const { status, stdout } = await z1(args, { input })
      expect(status).toBe(0)
      expect(JSON.parse(stdout).usage.promptTokens).toBe(19 + tokens)
    }
  })

  it('--raw takes the question for the prompt, --system puts a message before it', async () => {
    expect((await askJson('--raw', 'why')).usage.promptTokens).toBe(3)
    expect((await askJson('--raw', '<|im_start|>\n')).usage.promptTokens).toBe(2)
    expect((await askJson('--system', 'S', 'why')).usage.promptTokens).toBe(22 + 'Xsystem\nSX\n'.length)
  })

  it('--temperature and --seed', async () => {
    const random = testModel('qwen2-bytes')
    const draw = async (seed: string) => {
      const { text } = await askJson('--model', random, '--temperature', '1.5', '--seed', seed, '--window', '20', 'q')
      return text
    }
    const [one, again, other] = [await draw('1'), await draw('1'), await draw('2')]
    expect(again).toBe(one)
    expect(other).not.toBe(one)
    expect((await askJson('q')).seed).not.toBe((await askJson('q')).seed)
  })

  it('the options of sampling reach it', async () => {
    const random = ['--model', testModel('qwen2-bytes'), '--window', '20', '--max-tokens', '5']
    const draw = async (...args: string[]) => (await askJson(...random, '--temperature', '100', ...args, 'q')).text
    const { text: greedy } = await askJson(...random, 'q')
    // Each leaves one token to draw from; without them nearly any is as likely as the best.
    expect(await draw('--top-k', '1')).toBe(greedy)
    expect(await draw('--top-k', '0', '--top-p', '1', '--min-p', '1')).toBe(greedy)
    expect(await draw('--seed', '1')).not.toBe(greedy)
  })

  it('--context-size and --engine', async () => {
    const { status, stderr } = await ask('--context-size', '64', '--max-tokens', '64', 'q')
    expect(status).toBe(1)
    expect(stderr).toMatch(/^z1: The context is too small: .* contextSize is 64 \(CONTEXT_TOO_SMALL\)\n$/)
    expect((await askJson('--engine', 'cpu', '--gpu-layers', '0', 'q')).text).toBe(whole)
  })

  it.each([
    [
      'a model that is not there',
      ['--model', 'no-such.gguf', 'q'],
      /^z1: No model at no-such\.gguf: .*\(MODEL_NOT_FOUND\)\n$/,
    ],
    ['an engine that is not there', ['--engine', './nowhere', 'q'], /\(ENGINE_NOT_FOUND\)\n$/],
    ['tags that the model has not', ['--tags', 'keep', 'q'], /\(TAGS_NOT_FOUND\)\n$/],
  ])('fails with 1 on %s', async (_name, args, message) => {
    const { status, stdout, stderr } = await ask(...args)
    expect({ status, stdout }).toEqual({ status: 1, stdout: '' })
    expect(stderr).toMatch(message)
    expect(stderr).not.toContain('    at ')
  })

  it.each<[string, string[], string]>([
    ['no question', [], 'z1: Expected one question\n\nz1 ask [options]'],
    ['two questions', ['a', 'b'], 'z1: Expected one question\n'],
    ['an unknown option', ['--windows', '5', 'q'], "z1: Unknown option '--windows': did you mean --window?\n\nz1 ask"],
    ['a missing value', ['q', '--window'], 'z1: Option'],
    ['a value for a switch', ['--json=yes', 'q'], "z1: Option '--json' does not take an argument\n"],
    [
      'a window that is no number',
      ['--window', 'wide', 'q'],
      "z1: Expected a number for --window but received 'wide'\n",
    ],
    ['an empty number', ['--seed', '', 'q'], "z1: Expected a number for --seed but received ''\n"],
    ['a window that cannot be', ['--window=-1', 'q'], 'z1: Expected integer ≥ 0 for thinkingWindow but received -1\n'],
    ['a seed that cannot be', ['--seed', '4294967295', 'q'], 'z1: Expected integer between 0 and 4294967294 for seed'],
    [
      'tags of another kind',
      ['--tags', 'drop', 'q'],
      "z1: Expected 'ban', 'keep' or { open, close } for tags but received \"drop\"\n",
    ],
    ['an engine of another name', ['--engine', 'rocm', 'q'], "z1: Expected 'auto', 'cpu', 'cuda', 'vulkan', 'metal'"],
    ['a system message in a raw prompt', ['--raw', '--system', 'S', 'q'], 'z1: Expected true for template with system'],
    ['nothing on standard input', ['-'], 'z1: Expected a question on standard input\n'],
  ])('fails with 2 on %s, before it loads anything', async (_name, args, message) => {
    const { status, stdout, stderr } = await z1(['ask', '--model', 'no-such.gguf', ...args])
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr.slice(0, message.length)).toBe(message)
    expect(stderr).not.toContain('    at ')
  })

  it.each([
    ['UTF-16', Buffer.from('\uFEFFwhy', 'utf16le'), 'UTF-16, and not UTF-8'],
    ['Latin-1', Buffer.from('café', 'latin1'), 'not UTF-8'],
  ])('fails with 2 on standard input in %s', async (_name, input, message) => {
    const { status, stdout, stderr } = await z1(['ask', '-'], { input })
    expect({ status, stdout, stderr }).toEqual({ status: 2, stdout: '', stderr: `z1: standard input: ${message}\n` })
  })

  it('--show-prompt prints what would be sent, without weights', async () => {
    const model = testModel('qwen2-bytes', { template: chatMlTemplate })
    const shown = await z1(['ask', '--model', model, '--show-prompt', '--system', 'S', 'Why?'])
    expect(shown).toMatchObject({
      status: 0,
      stdout: '<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n',
    })
    const file = folder('template.jinja')
    writeFileSync(file, '{{ word }} {{ list | join }}:{{ messages[0].content }}')
    const variables = ['--template-variable', 'word=hi', '--template-variable', 'list=[1,2]']
    const json = await z1([
      'ask',
      '--model',
      model,
      '--show-prompt',
      '--json',
      '--chat-template',
      file,
      ...variables,
      'q',
    ])
    expect(JSON.parse(json.stdout)).toMatchObject({ text: 'hi 12:q', tokens: { length: 7 } })
    expect(await z1(['ask', '--show-prompt', '--template-variable', 'x', 'q'])).toMatchObject({
      status: 2,
      stderr: 'z1: Expected NAME=VALUE for --template-variable but received "x"\n',
    })
  })

  it('a closed standard input is an empty one', () => {
    const run = spawnSync(process.execPath, [program, 'ask', '-'], {
      stdio: ['ignore', 'pipe', 'pipe'],
      encoding: 'utf8',
    })
    expect(run).toMatchObject({ status: 2, stdout: '', stderr: 'z1: Expected a question on standard input\n' })
  })

  const endless = () => [
    'ask',
    '--model',
    slow,
    '--threads',
    '1',
    '--window',
    'inf',
    '--context-size',
    '8192',
    '--no-loops',
    'q',
  ]

  it.skipIf(process.platform === 'win32')('Ctrl-C keeps what there is', async () => {
    const child = start(endless())
    child.stdout?.once('data', () => child.kill('SIGINT'))
    const { status, stdout, stderr } = await finished(child)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout).toMatch(/^( hm)+\n$/)

    const json = start(['ask', '--json', ...endless().slice(1)])
    setTimeout(() => json.kill('SIGINT'), 2500)
    const run = await finished(json)
    expect(run.status).toBe(0)
    expect(JSON.parse(run.stdout)).toMatchObject({ finishReason: 'abort', ended: 'stop' })
  })

  it.each([
    ['inspect', 'models/z1-mini.gguf'],
    ['inspect', '--json', 'models/z1-mini.gguf'],
    ['doctor'],
    ['data', 'generate', '--count', '3000'],
    ['--help'],
  ])('a reader that has gone is no error of %s', async (...args) => {
    const child = start(args.map((arg) => (arg.endsWith('.gguf') ? resolve(arg) : arg)))
    child.stdout?.destroy()
    const { status, stderr } = await finished(child)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })

  it('a reader that has seen enough is no error', async () => {
    const child = start(endless())
    child.stdout?.once('data', () => child.stdout?.destroy())
    const { status, stderr } = await finished(child)
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  })
})

describe('a full disk', () => {
  it
    .runIf(process.platform === 'linux')
    .each([
      ['inspect', 'models/z1-mini.gguf'],
      ['ask', '--threads', '1', '--window', '1', '--max-tokens', '1', 'q'],
      ['ask', '--threads', '1', '--json', '--window', '1', '--max-tokens', '1', 'q'],
      ['ask', '--json', '--show-prompt', 'q'],
      ['inspect', '--json', 'models/z1-mini.gguf'],
      ['inspect', '--template', 'models/z1-mini.gguf'],
      ['doctor'],
      ['data', 'generate', '--count', '3'],
      ['eval', '--help'],
      ['--help'],
      ['--version'],
    ])('is told by %s', (...args) => {
    const full = openSync('/dev/full', 'w')
    try {
      const run = spawnSync(process.execPath, [program, ...args], {
        cwd: fileURLToPath(new URL('../..', import.meta.url)),
        encoding: 'utf8',
        env: terminalEnvironment(),
        stdio: ['ignore', full, 'pipe'],
      })
      expect(run.stderr).toBe('z1: Cannot write standard output: ENOSPC: no space left on device, write\n')
      expect(run.status).toBe(1)
    } finally {
      closeSync(full)
    }
  })
})

describe('a message', () => {
  it('is one line, whatever the files say', async () => {
    const file = folder('items.jsonl')
    const id = 'x\n\u001b[2J'.repeat(1e5)
    const item = JSON.stringify({ id, question: 'q', answer: '1' })
    writeFileSync(file, `${item}\n${item}\n`)
    const { status, stderr } = await z1([
      'eval',
      '--task',
      'jsonl',
      '--data',
      file,
      '--output',
      folder('run'),
      '--windows',
      '0',
    ])
    expect(status).toBe(1)
    expect(stderr).toMatch(/^z1: The task \S+ has two items with the id x\\n\\u001b\[2J[^\n]*…[^\n]*\n$/)
    expect(stderr.length).toBeLessThan(2100)
  })
})

describe('on a terminal', () => {
  const terminal = (args: string[], env?: Record<string, string>) => onTerminal([program, ...args], env)
  const args = () => ['ask', '--model', model, '--threads', '1', '--window', '2', '--hint', ' So: L', 'q']
  /** After what shows the progress of loading. */
  const shown = (output: string) => output.slice(output.lastIndexOf('\r\x1b[K') + 4)

  it.runIf(hasScript)('no sequence that a model writes is obeyed; a pipe gets it as it is', () => {
    const words = ['\x1b]0;owned\x07', '\x1b[2J', '\u009b31m', '\u202egpj', '\x08\x08']
    const rows = {
      L: words[0]!,
      [words[0]!]: words[1]!,
      [words[1]!]: words[2]!,
      [words[2]!]: words[3]!,
      [words[3]!]: words[4]!,
    }
    const hostile = tableModel(folder(), 'hostile', { extraTokens: words, rows })
    const asked = ['ask', '--model', hostile, '--threads', '1', '--raw', '--window', '9', 'L']
    const { status, output } = terminal(asked, { NO_COLOR: '1' })
    expect(status).toBe(0)
    expect(shown(output)).toBe('␛]0;owned␇␛[2J\\u009b31m\\u202egpj␈␈\n')
    const piped = spawnSync(process.execPath, [program, ...asked], { encoding: 'utf8', env: terminalEnvironment() })
    expect(piped.stdout).toBe(`${words.join('')}\n`)
  })

  it.runIf(hasScript)('nor one in an error', () => {
    const { output } = terminal(['ask', '--model', 'no\x1b[2J', 'q'])
    expect(output).toContain('z1: No model at no\\u001b[2J: ENOENT')
  })

  it.runIf(hasScript)('the reasoning is dim, the cut marked, the answer bold', () => {
    const { status, output } = terminal(args())
    expect(status).toBe(0)
    const text = shown(output)
    const [thinking, rest] = text.split('\x1b[33m⟨window closed after 2 tokens⟩\x1b[39m') as [string, string]
    expect(thinking.replaceAll('\x1b[22m\x1b[2m', '')).toBe('\x1b[2mTwo plus two\x1b[22m')
    expect(rest).toBe('\x1b[36m So: L\x1b[39m\x1b[1mFour\x1b[22m\n')
    expect(stripVTControlCharacters(text)).toBe('Two plus two⟨window closed after 2 tokens⟩ So: LFour\n')
  })

  it.runIf(hasScript)('NO_COLOR is respected', () => {
    const { output } = terminal(args(), { NO_COLOR: '1' })
    expect(shown(output)).toBe('Two plus two⟨window closed after 2 tokens⟩ So: LFour\n')
    const doctor = terminal(['doctor', '--engine', 'cpu'], { NO_COLOR: '1' })
    expect(doctor).toMatchObject({ status: 0, output: expect.not.stringContaining('\x1b') })
  })

  it.runIf(hasScript)('a doctor is colored there', () => {
    expect(terminal(['doctor', '--engine', 'cpu']).output).toContain('\x1b[32mtaken\x1b[39m')
  })

  it('a pipe gets no colors, whatever the environment says', async () => {
    const env = { CI: 'true', FORCE_COLOR: '1' }
    const asked = await z1(args(), { env })
    expect(asked.stdout).toBe('Two plus two So: LFour\n')
    const doctor = await z1(['doctor', '--engine', 'cpu'], { env })
    expect(doctor.status).toBe(0)
    expect(doctor.stdout).toContain('taken')
    expect(doctor.stdout + doctor.stderr).not.toContain('\x1b')
  })
})

describe('z1 inspect', () => {
  it('tells what a file holds', async () => {
    const tagged = tableModel(folder(), 'tagged', {
      extraTokens: ['<think>', '</think>'],
      rows: {},
      trainingContext: 777,
    })
    const { status, stdout, stderr } = await z1(['inspect', tagged])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    const facts = Object.fromEntries(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    )
    expect(facts).toMatchObject({
      architecture: 'qwen2',
      quantization: 'all F32',
      layers: '1',
      vocabulary: '261 tokens, bpe',
      'training context': '777 tokens',
      memory: 'attention',
      'chat template': `${chatMlTemplate.length} characters (--template)`,
      'think tags': '<think> </think>',
    })
    expect(facts.size).toMatch(/^\d+(\.\d+)? [KM]iB$/)
    expect(facts.parameters).toMatch(/^\d+(\.\d+)? [KM]$/)
  })

  it('a recurrent model, and one without tags', async () => {
    const { stdout } = await z1(['inspect', testModel('mamba')])
    expect(stdout).toMatch(/^memory +recurrent$/m)
    expect(stdout).toMatch(/^think tags +none$/m)
  })

  it('--json and --template', async () => {
    const json = await z1(['inspect', '--json', model])
    expect(json).toMatchObject({ status: 0, stderr: '' })
    expect(JSON.parse(json.stdout)).toMatchObject({
      architecture: 'qwen2',
      layers: 1,
      vocabularySize: 263,
      eosText: END,
      chatTemplate: chatMlTemplate,
      tags: null,
      unsupported: null,
    })
    expect(await z1(['inspect', '--template', model])).toMatchObject({ status: 0, stdout: `${chatMlTemplate}\n` })
  })

  it('fails with 1 on what is no model, with 2 on what is no use', async () => {
    const text = folder('text.gguf')
    writeFileSync(text, 'once upon a time')
    expect(await z1(['inspect', text])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/\(MODEL_INVALID\)\n$/),
    })
    const missing = await z1(['inspect', 'no-such.gguf'])
    expect(missing).toMatchObject({ status: 1, stdout: '' })
    expect(missing.stderr).toContain('no-such.gguf')
    for (const args of [[], [model, model], ['--yaml', model]]) {
      const run = await z1(['inspect', ...args])
      expect(run).toMatchObject({ status: 2, stdout: '' })
      expect(run.stderr).toContain('z1 inspect [options] FILE')
    }
  })
})

describe('z1 doctor', () => {
  it('tells what there is, and why each engine is taken or not', async () => {
    const { status, stdout, stderr } = await z1(['doctor'])
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    for (const line of [
      new RegExp(`^node +${process.version}$`, 'm'),
      new RegExp(`^platform +${process.platform}-${process.arch},`, 'm'),
      /^addon +for llama\.cpp v\d+\.\d+\.\d+ \(.*ggml .*\)$/m,
      /^ {2}\w+ \(@node-llama-cpp\/[\w-]+\): taken$/m,
      /^devices of .+$/m,
      /^ {2}CPU: .+, cpu, .+ free of .+$/m,
    ]) {
      expect(stdout).toMatch(line)
    }
    // Each candidate has a line with its fate, those before the one that was taken with a reason.
    const candidates = /\nengines\n(.*?)\n\n/s.exec(stdout)?.[1]?.split('\n') ?? []
    const fates = candidates.map((line) => /^ {2}\w+ \(.+?\): (.+)$/.exec(line)?.[1])
    expect(fates.filter((fate) => fate === 'taken')).toHaveLength(1)
    expect(fates).not.toContain(undefined)
    for (const fate of fates.slice(0, fates.indexOf('taken'))) expect(fate).not.toBe('not needed')
  })

  it('of one engine', async () => {
    const missing = await z1(['doctor', '--engine', './nowhere'])
    expect(missing.status).toBe(1)
    expect(missing.stderr).toBe(`z1: No engine directory at ${resolve('nowhere')} (ENGINE_NOT_FOUND)\n`)
    const misused = await z1(['doctor', '--engine', 'rocm'])
    expect(misused).toMatchObject({ status: 2, stdout: '' })
    expect(misused.stderr).toContain(
      "Expected 'auto', 'cpu', 'cuda', 'vulkan', 'metal' or path of a directory for engine",
    )
    expect(await z1(['doctor', 'me'])).toMatchObject({ status: 2, stdout: '' })
  })
})

describe('z1', () => {
  it('--version is that of the package', async () => {
    for (const arg of ['--version', '-v']) {
      expect(await z1([arg])).toMatchObject({ status: 0, stdout: `${manifest.version}\n`, stderr: '' })
    }
  })

  it.each([
    ['--help', 'z1: local reasoning'],
    ['-h', 'z1: local reasoning'],
    ['help', 'z1: local reasoning'],
    ['ask --help', 'z1 ask [options] "question"'],
    ['ask q -h', 'z1 ask [options] "question"'],
    ['inspect --help', 'z1 inspect [options] FILE'],
    ['doctor --help', 'z1 doctor [--engine NAME]'],
  ])('%s prints how it is used', async (args, beginning) => {
    const { status, stdout, stderr } = await z1(args.split(' '))
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(stdout.slice(0, beginning.length)).toBe(beginning)
  })

  it('ask --help names every option that it takes', async () => {
    const { stdout } = await z1(['ask', '--help'])
    const named = [...stdout.matchAll(/^ {2}--([\w-]+)/gm)].map(([, name]) => name as string)
    expect(named).toHaveLength(58)
    // An option that does not exist would be told by its name, before anything else.
    const switches = [
      'raw',
      'stop-early',
      'no-loops',
      'no-mmap',
      'mlock',
      'stop-in-thinking',
      'show-prompt',
      'json',
      'download',
      'confidence',
      'speculation',
    ]
    const values: Record<string, string> = {
      'template-variable': 'a=1',
      'chat-template': fileURLToPath(import.meta.url),
      ...{ landing: 'line', stated: 'keep', 'cache-type': 'f16', 'flash-attention': 'on' },
      grammar: fileURLToPath(import.meta.url),
      schema: fileURLToPath(new URL('../../package.json', import.meta.url)),
    }
    const args = named.flatMap((name) => (switches.includes(name) ? [`--${name}`] : [`--${name}`, values[name] ?? '1']))
    const { status, stderr } = await z1(['ask', ...args, 'q'])
    expect(status).toBe(2)
    expect(stderr).toBe("z1: Expected 'ban', 'keep' or { open, close } for tags but received \"1\"\n")
  })

  it.each([
    ['no command', [], 'z1: Expected a command\n\nz1: local reasoning'],
    ['an unknown command', ['frobnicate'], 'z1: Unknown command frobnicate\n\nz1: local reasoning'],
    ['a name that every object has', ['constructor'], 'z1: Unknown command constructor\n'],
    ['an option without a command', ['--window', '5'], 'z1: Unknown command --window\n'],
  ])('fails with 2 on %s', async (_name, args, message) => {
    const { status, stdout, stderr } = await z1(args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr.slice(0, message.length)).toBe(message)
  })
})
