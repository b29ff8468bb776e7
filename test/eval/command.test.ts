/** `z1 eval` as its users run it: the built command in a process of its own (npm test builds it). */
import { copyFileSync, existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { UsageError } from '../../lib/cli/args.js'
import { dispatch, root } from '../../lib/cli/commands.js'
import { compareRuns, evaluate, jsonl, type ResultRecord } from '../../lib/eval/index.js'
import { type Options, run } from '../lifecycle/process.js'
import { temporaryFolder } from '../support/folder.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const options = ['--task', 'jsonl', '--threads', '1', '--context-size', '512', '--max-tokens', '64']
const windows = ['0', '50%', 'inf']

const folder = temporaryFolder()
let file: string
let all: string
beforeAll(async () => {
  // Nothing was pulled there.
  process.env.HF_HUB_CACHE = folder('cache')
  file = folder('questions.jsonl')
  const lines = Array.from({ length: 8 }, (_, i) => {
    const numbers = [3 * i + 2, 40 - i, 17]
    const question = `What is the largest of ${numbers.join(', ')}?`
    return `${JSON.stringify({ question, answer: Math.max(...numbers), family: 'lists', difficulty: 1 + (i % 3) })}\n`
  })
  writeFileSync(file, lines.join(''))
  all = folder('all')
  await evaluate({ task: jsonl({ file }), windows, output: all, threads: 1, contextSize: 512, maxTokens: 64 })
})

/** On a busy machine a process takes long to begin. */
function z1(args: string[], more?: Options) {
  return run([execPath, program, 'eval', ...args], more)
}

function evaluation(output: string, ...more: string[]): string[] {
  return [...options, '--data', file, '--windows', windows.join(','), '--output', output, ...more]
}

function recordsIn(output: string): Omit<ResultRecord, 'timings'>[] {
  const lines = readFileSync(join(output, 'results.jsonl'), 'utf8').split('\n')
  return lines.slice(0, -1).map((line) => {
    const { timings, ...record } = JSON.parse(line)
    return record
  })
}

/** Sends a signal to the process when a file has so many lines. */
function atLine(results: string, count: number, signal: NodeJS.Signals): Options['watch'] {
  return (child, stdout, stderr) => {
    // Called again whenever the process has written something.
    if (stdout || stderr) return
    const timer = setInterval(() => {
      if (!existsSync(results) || readFileSync(results, 'utf8').split('\n').length <= count) return
      clearInterval(timer)
      child.kill(signal)
    }, 5)
    child.on('exit', () => clearInterval(timer))
  }
}

describe.skipIf(process.platform === 'win32')('z1 eval', () => {
  it('loses nothing when it is killed, and goes on to the same results', async () => {
    const output = folder('killed')
    for (const count of [3, 10]) {
      const watch = atLine(join(output, 'results.jsonl'), count, 'SIGKILL')
      expect(await z1(evaluation(output), { watch })).toMatchObject({ signal: 'SIGKILL' })
      expect(existsSync(join(output, 'summary.json'))).toBe(false)
      const there = recordsIn(output)
      expect(there.length).toBeGreaterThanOrEqual(count)
      expect(there.length).toBeLessThan(24)
    }
    expect(await z1(evaluation(output))).toMatchObject({ code: 0, stderr: '' })
    expect(recordsIn(output)).toEqual(recordsIn(all))
  })

  it('asks a part of a benchmark', async () => {
    const rows = Array.from({ length: 20 }, (_, i) => {
      const [subject, level] = [i % 2 ? 'Algebra' : 'Geometry', 1 + (i % 5)]
      return { problem: `What is the largest of ${i}, 3?`, answer: '1', subject, level, unique_id: `u${i}` }
    })
    writeFileSync(folder('math.jsonl'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
    const output = folder('part')
    const task = [
      '--task',
      'math500',
      '--data',
      folder('math.jsonl'),
      '--filter',
      'subject=Algebra,level=1-3',
      '--limit',
      '4',
    ]
    const small = ['--windows', '0', '--threads', '1', '--max-tokens', '1', '--output', output]
    expect(await z1([...task, ...small])).toMatchObject({ code: 0 })
    const records = recordsIn(output)
    const algebra = rows.filter(({ subject, level }) => subject === 'Algebra' && level <= 3)
    expect(records).toHaveLength(4)
    expect(algebra.map(({ unique_id }) => unique_id)).toEqual(expect.arrayContaining(records.map(({ id }) => id)))
    // Another sample is another run.
    expect(await z1([...task, ...small, '--seed', '1'])).toMatchObject({ code: 1 })
  })

  it('shares the items between shards, and makes one run of them', async () => {
    const shards = ['1/3', '2/3', '3/3']
    for (const shard of shards) {
      const output = folder(`shard-${shard[0]}`)
      expect(await z1(evaluation(output, '--shard', shard))).toMatchObject({ code: 0 })
      // Eight items under three windows.
      expect(recordsIn(output)).toHaveLength(shard === '3/3' ? 6 : 9)
    }
    const [one, two, three] = shards.map((shard) => folder(`shard-${shard[0]}`)) as [string, string, string]
    expect((await z1(evaluation(one))).stderr).toContain('holds a run with shard "1/3", not unset')

    const merged = folder('merged')
    expect(await z1(['merge', '--output', merged, one, two])).toMatchObject({ code: 0 })
    expect(recordsIn(merged)).toHaveLength(18)
    expect((await z1(['merge', '--output', merged, three])).stderr).toContain('run.json is there already')
    expect((await z1(['merge', '--output', folder('twice'), one, one])).stderr).toContain('both have a result of')
    expect((await z1(['merge', '--output', folder('mixed'), one, folder('part')])).stderr).toContain(
      'are not of one run',
    )
    // What no shard has is computed; then all is as in one run.
    expect(await z1(evaluation(merged))).toMatchObject({ code: 0 })
    const sorted = (output: string) =>
      recordsIn(output).sort((a, b) => (`${a.id} ${a.window}` < `${b.id} ${b.window}` ? -1 : 1))
    expect(sorted(merged)).toEqual(sorted(all))
    await z1(['merge', '--output', folder('whole'), one, two, three])
    expect(sorted(folder('whole'))).toEqual(sorted(all))
    const summary = await z1(evaluation(folder('whole'), '--json'))
    expect(JSON.parse(summary.stdout)).toMatchObject({ done: 24, total: 24 })
  })

  it.each(['0/3', '4/3', '1', '1/0', 'a/b'])('refuses the shard %s', async (shard) => {
    const { code, stderr } = await z1(evaluation(folder('none'), '--shard', shard))
    expect({ code, stderr }).toEqual({
      code: 2,
      stderr: `z1: Expected shard such as 2/4 for shard but received "${shard}"\n`,
    })
  })

  it('keeps what is done on SIGINT, says so, and goes on', async () => {
    const output = folder('interrupted')
    const watch = atLine(join(output, 'results.jsonl'), 5, 'SIGINT')
    const { code, stdout, stderr } = await z1(evaluation(output), { watch })
    const kept = recordsIn(output).length
    expect({ code, stderr }).toEqual({
      code: 130,
      stderr: `z1: Interrupted: ${kept} of 24 responses are kept in ${output}; the same command goes on from there\n`,
    })
    expect(stdout).toContain(`not finished, ${kept} of 24 responses`)
    expect(await z1(evaluation(output))).toMatchObject({ code: 0, stderr: '' })
    expect(recordsIn(output)).toEqual(recordsIn(all))
  })

  it('prints the figures that follow from the results', async () => {
    const records = recordsIn(all)
    const { stdout } = await z1(evaluation(all))
    for (const window of windows) {
      const at = records.filter((record) => record.window === window)
      const accuracy = (100 * at.filter(({ answer, extracted }) => answer === extracted).length) / at.length
      const thinking = at.reduce((sum, { tokens }) => sum + tokens.reasoning.length, 0) / at.length
      const line = stdout.split('\n').find((line) => line.startsWith(`${window} `))
      expect(line?.split(/ {2,}/).slice(0, 2)).toEqual([window, accuracy.toFixed(1)])
      expect(line).toContain(` ${thinking.toFixed(1)} `)
    }
    const { stdout: json } = await z1(evaluation(all, '--json'))
    expect(json).toBe(readFileSync(join(all, 'summary.json'), 'utf8'))
  })

  it('draws a figure of the run, and of several', async () => {
    const [own, both] = [folder('own.svg'), folder('both.svg')]
    expect(await z1(evaluation(all, '--figure', own, '--json'))).toMatchObject({ code: 0 })
    const labels = ['--label', 'first', '--label', 'second']
    expect(await z1(['plot', all, all, ...labels, '--title', 'Two', '--output', both])).toMatchObject({ code: 0 })
    expect(readFileSync(own, 'utf8')).toMatch(/^<svg[\s\S]*>all<[\s\S]*<\/svg>\n$/)
    expect(readFileSync(both, 'utf8')).toMatch(/^<svg[\s\S]*>Two<[\s\S]*>first<[\s\S]*>second<[\s\S]*<\/svg>\n$/)
  })

  it('compares runs window by window', async () => {
    const { code, stdout } = await z1(['compare', all, all, '--windows', 'inf,50%:inf', '--json'])
    expect(code).toBe(0)
    const {
      windows: [same, half],
      curves,
    } = JSON.parse(stdout)
    expect(curves).toMatchObject({ areaDifference: 0, areaInterval: [0, 0] })
    expect(same).toMatchObject({ difference: 0, interval: [0, 0], attRatio: 1, attRatioInterval: [1, 1] })
    const records = recordsIn(all)
    const at = (window: string) => records.filter((record) => record.window === window)
    const right = (window: string) => at(window).filter(({ correct }) => correct).length / 8
    const tokens = (window: string) => at(window).reduce((sum, { tokens }) => sum + tokens.reasoning.length, 0)
    expect(half.difference).toBeCloseTo(right('50%') - right('inf'), 12)
    expect(half.attRatio).toBeCloseTo(tokens('50%') / tokens('inf'), 12)
    expect(await compareRuns(all, all)).toHaveLength(3)

    const text = (await z1(['compare', all, all])).stdout
    expect(text.split('\n').filter((line) => /^(0|50%|inf) /.test(line))).toHaveLength(3 + 3)
    expect(text).toContain('tokens, mean accuracy A − B: 0.0 points')
  })

  it('compares only what can be compared', async () => {
    const other = folder('other')
    const more = { output: other, windows: ['3'], threads: 1, contextSize: 512, maxTokens: 64 }
    await evaluate({ task: jsonl({ file, count: 3 }), ...more })
    expect(await z1(['compare', all, other])).toMatchObject({ stderr: expect.stringContaining('different items') })
    expect(await z1(['compare', all, all, '--windows', '7'])).toMatchObject({
      stderr: expect.stringContaining('no window 7'),
    })
    rmSync(join(other, 'summary.json'))
    writeFileSync(join(other, 'results.jsonl'), '')
    expect(await z1(['compare', other, other])).toMatchObject({ stderr: expect.stringContaining('0 of 3 responses') })
    expect(await z1(['plot', other, '--output', folder('x.svg')])).toMatchObject({ code: 1 })
  })

  it.each([
    ['no folder', ['--task', 'jsonl']],
    ['no file', ['--task', 'jsonl', '--output', 'x']],
    ['another task', ['--task', 'other', '--output', 'x']],
    ['a file for what is generated', ['--data', 'x', '--output', 'x']],
    ['a benchmark without file', ['--task', 'gsm8k', '--output', 'x']],
    ['a filter without value', ['--task', 'gsm8k', '--data', 'x', '--filter', 'level', '--output', 'x']],
    ['the first items of a benchmark', ['--task', 'gsm8k', '--data', 'x', '--count', '3', '--output', 'x']],
    ['programs without file', ['--task', 'humaneval', '--output', 'x']],
    ['a Python for values', ['--task', 'gsm8k', '--data', 'x', '--python', 'python3', '--output', 'x']],
    ['no sandbox for values', ['--task', 'heldout', '--unsafe-execution', '--output', 'x']],
    ['families of a file', ['--task', 'jsonl', '--data', 'x', '--families', 'a', '--output', 'x']],
    ['no count', ['--count', '0', '--output', 'x']],
    ['no range', ['--difficulty', '3-', '--output', 'x']],
    ['no window', ['--windows', 'all', '--output', 'x']],
    ['an unknown family', ['--families', 'none', '--output', 'x']],
    ['an argument', ['x', '--output', 'x']],
    ['one run to compare', ['compare', 'x']],
    ['nothing to plot', ['plot', '--output', 'x']],
    ['labels for other runs', ['plot', 'x', 'y', '--label', 'x', '--output', 'x']],
  ])('refuses %s', async (_what, args) => {
    const error = await dispatch(root, ['eval', ...args]).catch((error) => error)
    expect(error instanceof UsageError || error instanceof RangeError).toBe(true)
    expect(error.message).toMatch(/^(Expected|The task)/)
  })

  it('says what is wrong', async () => {
    const { code, stdout, stderr } = await z1(['--count', '0', '--output', 'x'])
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^z1: Expected an integer ≥ 1 for --count but received '0'\n/)
  })
})

describe('an output that is read', () => {
  it.each([
    ['the questions', () => evaluation(folder('figured'), '--figure', file), () => file],
    [
      'results of the run',
      () => evaluation(all, '--figure', join(all, 'results.jsonl')),
      () => join(all, 'results.jsonl'),
    ],
    ['a link to them', () => evaluation(all, '--figure', folder('link.svg')), () => join(all, 'results.jsonl')],
    [
      'the summary of a plot',
      () => ['plot', '--output', join(all, 'summary.json'), all],
      () => join(all, 'summary.json'),
    ],
  ])('is refused: %s', async (_name, args, precious) => {
    rmSync(folder('link.svg'), { force: true })
    linkSync(join(all, 'results.jsonl'), folder('link.svg'))
    const before = readFileSync(precious())
    const { code, stderr } = await z1(args())
    expect([code, stderr]).toEqual([2, expect.stringContaining('z1: Expected an output that is none of the inputs')])
    expect(readFileSync(precious()).equals(before)).toBe(true)
  })

  it('is refused: questions that lie under the name of the results', async () => {
    const output = folder('questions-inside')
    mkdirSync(output)
    const inside = join(output, 'results.jsonl')
    copyFileSync(file, inside)
    const { code, stderr } = await z1([...options, '--data', inside, '--windows', '0', '--output', output])
    expect([code, stderr]).toEqual([2, expect.stringContaining(inside)])
    expect(readFileSync(inside).equals(readFileSync(file))).toBe(true)
  })
})
