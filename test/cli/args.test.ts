/** The tables of options: how each kind reads its text, and that what every command's table says is true. */
import { spawnSync } from 'node:child_process'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, expectTypeOf, it, vi } from 'vitest'
import {
  flag,
  integer,
  list,
  number,
  type Option,
  oneOf,
  optionName,
  range,
  readArgs,
  repeated,
  required,
  text,
  UsageError,
  window,
  word,
} from '../../lib/cli/args.js'
import { command as ask } from '../../lib/cli/ask.js'
import { type Command, defineCommand, helpOf, runCommand } from '../../lib/cli/command.js'
import { type Group, root } from '../../lib/cli/commands.js'
import { LOAD_OPTIONS, REASON_OPTIONS } from '../../lib/reason/options.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))

const table = {
  title: text({ value: 'TEXT' }),
  output: text({ value: 'FILE', short: 'o', fallback: '-' }),
  check: text({ value: 'PYTHON', implied: 'python3' }),
  split: oneOf(['train', 'test'], { value: 'NAME' }),
  tags: word(['ban', 'keep'], { value: 'MODE' }),
  temperature: number({ value: 'T' }),
  maxTokens: integer(1, { value: 'N' }),
  count: integer(1, { value: 'N', fallback: 1000 }),
  thinkingWindow: window({ name: 'window', value: 'N' }),
  difficulty: range({ value: 'A-B' }),
  families: list({ value: 'A,B' }),
  stop: repeated({ value: 'TEXT' }),
  force: flag({ help: '' }),
  template: flag({ name: 'raw', means: false, help: '' }),
  type: required(text({ value: 'TYPE' })),
}

function valuesOf(...args: string[]) {
  const { values } = readArgs(args, table)
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined))
}

function refusalOf(args: string[]): unknown {
  try {
    return readArgs(args, table)
  } catch (error) {
    return error instanceof UsageError ? error.message : error
  }
}

describe('readArgs', () => {
  const none = { output: '-', count: 1000 }

  it.each<[string[], Record<string, unknown>]>([
    [['--title', 'a b'], { title: 'a b' }],
    [['--title='], { title: '' }],
    [['-o', 'x', '--output', 'y'], { output: 'y' }],
    [['--check'], { check: 'python3' }],
    [['--check=python3.12'], { check: 'python3.12' }],
    [['--split', 'test'], { split: 'test' }],
    [['--tags', 'KEEP'], { tags: 'keep' }],
    // The library says what it thinks of it.
    [['--tags', 'Drop'], { tags: 'Drop' }],
    [['--temperature', '1e-1'], { temperature: 0.1 }],
    [['--temperature=-3'], { temperature: -3 }],
    [['--max-tokens', '12'], { maxTokens: 12 }],
    [['--count', '7'], { count: 7 }],
    [['--window', '0'], { thinkingWindow: 0 }],
    [['--window', 'inf'], { thinkingWindow: Infinity }],
    [['--window', 'Infinity'], { thinkingWindow: Infinity }],
    [['--difficulty', '3'], { difficulty: [3, 3] }],
    [['--difficulty', '2-5'], { difficulty: [2, 5] }],
    [['--families', 'a,b:3'], { families: ['a', 'b:3'] }],
    [['--stop', 'a,b', '--stop', 'c'], { stop: ['a,b', 'c'] }],
    [['--force', '--raw'], { force: true, template: false }],
    [['--type', 'f16'], { type: 'f16' }],
  ])('%j', (args, values) => {
    expect(valuesOf(...args)).toEqual({ ...none, ...values })
  })

  it.each([
    [['--split', 'dev'], "Expected train or test for --split but received 'dev'"],
    [['--temperature', 'hot'], "Expected a number for --temperature but received 'hot'"],
    [['--temperature', ' '], "Expected a number for --temperature but received ' '"],
    [['--temperature', 'Infinity'], "Expected a number for --temperature but received 'Infinity'"],
    [['--window', '1e400'], "Expected a number for --window but received '1e400'"],
    [['--window', 'wide'], "Expected a number for --window but received 'wide'"],
    [['--max-tokens', '0'], "Expected an integer ≥ 1 for --max-tokens but received '0'"],
    [['--max-tokens', '1.5'], "Expected an integer ≥ 1 for --max-tokens but received '1.5'"],
    [['--max-tokens', '1e20'], "Expected an integer ≥ 1 for --max-tokens but received '1e20'"],
    [['--max-tokens', 'x'], "Expected a number for --max-tokens but received 'x'"],
    [['--difficulty', '1-'], "Expected a level or a range such as 1-8 for --difficulty but received '1-'"],
    [['--force=yes'], "Option '--force' does not take an argument"],
    [['--title'], "Option '--title <value>' argument missing"],
    [
      ['--title', '-1'],
      "Option '--title' argument is ambiguous: a value that begins with a dash is given as --title=…",
    ],
    [['-o', '--force'], "Option '-o' argument is ambiguous: a value that begins with a dash is given as --output=…"],
  ])('%j is refused', (args, message) => {
    expect(refusalOf(args)).toBe(message)
  })

  it.each([
    ['--titel', "Unknown option '--titel': did you mean --title?"],
    ['--maxTokens=3', "Unknown option '--maxTokens': did you mean --max-tokens?"],
    // What the library calls it.
    ['--thinking-window=3', "Unknown option '--thinking-window': did you mean --window?"],
    ['--quiet', "Unknown option '--quiet'"],
    ['-x', "Unknown option '-x'"],
  ])('%s is unknown', (arg, message) => {
    expect(refusalOf([arg])).toBe(message)
  })

  it('takes what follows -- as it stands', () => {
    const { values, operands } = readArgs(['a', '--', '--check', '--nothing'], table)
    expect(operands).toEqual(['a', '--check', '--nothing'])
    expect(values.check).toBeUndefined()
  })

  it('infers the types of the values', () => {
    const { values } = readArgs([], table)
    expectTypeOf(values).toEqualTypeOf<{
      title: string | undefined
      output: string
      check: string | undefined
      split: 'train' | 'test' | undefined
      tags: 'ban' | 'keep' | undefined
      temperature: number | undefined
      maxTokens: number | undefined
      count: number
      thinkingWindow: number | undefined
      difficulty: [number, number] | undefined
      families: string[] | undefined
      stop: string[] | undefined
      force: true | undefined
      template: false | undefined
      type: string
    }>()
  })
})

describe('runCommand', () => {
  const run = vi.fn(async () => {})
  const pair = defineCommand({
    usage: 'z1 pair',
    operands: { min: 1, max: 2, expected: 'one or two files' },
    options: { type: required(text({ value: 'TYPE' })), output: required(text({ value: 'FILE' }), 'a file') },
    run,
  })
  afterEach(() => {
    vi.restoreAllMocks()
    run.mockClear()
  })

  it.each([
    [[], 'Expected one or two files'],
    [['a', 'b', 'c'], 'Expected one or two files'],
    [['a'], 'Expected --type and --output with a file'],
    [['a', '--output', 'x'], 'Expected --type'],
  ])('%j is refused, with the help', async (args, message) => {
    const error = await runCommand(pair, args).catch((error) => error)
    expect(error).toMatchObject({ message, help: helpOf(pair) })
    expect(run).not.toHaveBeenCalled()
  })

  it('gives values and operands', async () => {
    await runCommand(pair, ['--type', 't', 'a', '--output', 'x', 'b'])
    expect(run).toHaveBeenCalledExactlyOnceWith({ type: 't', output: 'x' }, ['a', 'b'])
  })

  it('prints the help for --help and -h, but not for what follows --', async () => {
    const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
    await runCommand(pair, ['--help', '--unknown'])
    await runCommand(pair, ['a', '-h'])
    expect(write.mock.calls).toEqual([[helpOf(pair)], [helpOf(pair)]])
    expect(run).not.toHaveBeenCalled()
    await runCommand(pair, ['--type=t', '--output=x', '--', '-h'])
    expect(run).toHaveBeenCalledExactlyOnceWith({ type: 't', output: 'x' }, ['-h'])
  })
})

describe('helpOf', () => {
  it('has a row for each option, wrapped between words, with its default unbroken', () => {
    const words = (count: number) => Array(count).fill('word').join(' ')
    const command = defineCommand({
      usage: 'z1 x FILE',
      about: '  FILE is one.',
      operands: { min: 0, max: 0, expected: '' },
      options: {
        ...{ output: table.output, check: table.check, maxTokens: table.maxTokens, template: table.template },
        long: text({ value: 'X', help: words(18), default: 'three words here' }),
        endless: text({ value: 'X', help: '', default: words(20) }),
      },
      async run() {},
    })
    expect(helpOf(command)).toBe(`z1 x FILE

  FILE is one.

  -o, --output FILE  (default: -)
  --check[=PYTHON]
  --max-tokens N
  --raw
  --long X           ${words(12)}
                     ${words(6)} (default: three words here)
  --endless X        (default: ${words(10)}
                     ${words(10)})
`)
  })
})

/** All commands, by what calls them. */
async function commandsOf(group: Group, path: string): Promise<[string, Command][]> {
  const own: [string, Command][] = group.itself ? [[path, (await group.itself()).command]] : []
  const others = Object.entries(group.commands).map(async ([name, { load }]): Promise<[string, Command][]> => {
    if (typeof load !== 'function') return commandsOf(load, `${path} ${name}`)
    return [[`${path} ${name}`, (await load()).command]]
  })
  return [...own, ...(await Promise.all(others)).flat()]
}

const commands = await commandsOf(root, 'z1')

describe.each(commands)('%s', (path, command) => {
  const rows = Object.entries(command.options)
  const help = helpOf(command)

  it('has a help of its own, in 80 columns', () => {
    expect(help.startsWith(path)).toBe(true)
    expect(help.split('\n').filter((line) => line.length > 80)).toEqual([])
    const { stdout, status } = spawnSync(execPath, [program, ...path.split(' ').slice(1), '-h'], { encoding: 'utf8' })
    expect({ stdout, status }).toEqual({ stdout: help, status: 0 })
  })

  it('has every option in its help', () => {
    const named = [...help.matchAll(/^ {2}(?:-\w, )?(--[\w-]+)/gm)].map(([, name]) => name)
    expect(named).toEqual(rows.map(([key, option]) => optionName(key, option)))
    expect(new Set(named).size).toBe(named.length)
  })

  it.each(rows)('reads %s', (key, option) => {
    const without = readArgs([], command.options).values
    const values = readArgs(argsFor(key, option), command.options).values
    expect(values).toEqual({ ...without, [key]: expect.anything() })
    expect(values[key]).not.toEqual(without[key])
  })
})

/** Arguments with the first value that the option can read: a number, or a word of its help. */
function argsFor(key: string, option: Option<unknown>): string[] {
  const name = optionName(key, option)
  if (option.value === undefined) return [name]
  const value = ['8', ...option.help.split(/\W+/)].find((value) => {
    try {
      const [without, read] = [undefined, [value]].map((texts) => JSON.stringify(option.read(texts, name)))
      return read !== without
    } catch {
      return false
    }
  })
  return [`${name}=${value}`]
}

describe('z1 ask', () => {
  /** What an option of the library is not an option of the command for. */
  const exceptions = {
    logitBias: 'token ids mean nothing without the vocabulary at hand',
    branches: 'it has the one that --early-probe needs',
    cuts: 'one answer is asked for',
    overflow: 'one question is no conversation',
    kvCache: 'one request runs',
    cacheRam: 'no other prompt takes the place of the question',
    cachePrompt: 'one question to a model just loaded finds nothing to reuse',
    onDownload: 'a function',
    onProgress: 'a function',
    vote: 'a function, or the only way to count',
    tools: 'a program calls them',
    toolChoice: 'of tools',
    parallelToolCalls: 'of tools',
    trace: 'z1 eval trace',
    logprobs: 'a program reads them',
    signal: 'an object; Ctrl-C aborts',
  }

  it('has every option of the library, but for the exceptions', () => {
    const known = Object.keys({ ...LOAD_OPTIONS, ...REASON_OPTIONS })
    const expected = known.filter((name) => !Object.hasOwn(exceptions, name))
    // Variables are given one by one, and a policy's keys as options of their own.
    const names = expected.map((name) => {
      return name.replace('templateVariables', 'templateVariable').replace('earlyExit', 'earlyMargin')
    })
    expect(Object.keys(ask.options).sort()).toEqual(
      [...names, 'earlyProbe', 'waitText', 'waitUntil', 'json', 'showPrompt', 'remote'].sort(),
    )
    expect(known).toEqual(expect.arrayContaining(Object.keys(exceptions)))
  })

  it.each([
    [['--window=1e400'], "z1: Expected a number for --window but received '1e400'\n"],
    [['--seed', 'abc'], "z1: Expected a number for --seed but received 'abc'\n"],
    [['--threads', '0'], "z1: Expected an integer ≥ 1 for --threads but received '0'\n"],
    [['--threads', '513'], 'z1: Expected integer between 1 and 512 for threads but received 513\n'],
    [['--top-p', '2'], 'z1: Expected number between 0 and 1 for topP but received 2\n'],
    [['--dry-sequence-breaker='], 'z1: Expected string of 1 to 40 bytes for drySequenceBreakers[0] but received ""\n'],
  ])('%j is misuse, in one sentence', (args, message) => {
    const run = spawnSync(execPath, [program, 'ask', 'q', '--threads', '1', ...args], { encoding: 'utf8' })
    expect(run).toMatchObject({ status: 2, stdout: '', stderr: message })
  })
})
