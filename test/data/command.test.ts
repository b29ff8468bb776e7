/** `z1 data` as its users run it: the built program, in pipes, interrupted, misused (npm test builds it). */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, linkSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { readLines, writeJsonl } from '../support/lines.js'
import { recordsOf } from './records.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const path = temporaryFolder()

function start(args: string[]): ChildProcess {
  return spawn(process.execPath, [program, 'data', ...args])
}

async function finished(child: ChildProcess) {
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text) => {
      texts[name] += text
    })
  }
  const status = await new Promise<number | null>((done) => child.on('close', done))
  return { status, ...texts }
}

function z1(args: string[], input = '') {
  const child = start(args)
  child.stdin?.end(input)
  return finished(child)
}

describe('z1 data', () => {
  it('draws onto no file that it counts', async () => {
    const input = writeJsonl(path('counted.jsonl'), recordsOf(3))
    const before = readFileSync(input)
    linkSync(input, path('counted.svg'))
    for (const svg of [input, path('counted.svg')]) {
      const { status, stderr } = await z1(['stats', input, '--svg', svg])
      expect([status, stderr]).toEqual([2, `z1: Expected an output that is none of the inputs but received ${svg}\n`])
    }
    expect(readFileSync(input).equals(before)).toBe(true)
  })

  it('generates, cleans, selects and describes', async () => {
    const [all, clean, part] = [path('all.parquet'), path('clean.jsonl'), path('part.jsonl')]
    const generated = await z1([
      'generate',
      '--count',
      '60',
      '--seed',
      '4',
      '--difficulty',
      '2-3',
      '--check',
      '-o',
      all,
    ])
    expect(generated).toEqual({ status: 0, stdout: 'read  60\nkept  60\n', stderr: '' })
    const cleaned = await z1(['clean', '--exact', '--json', '-o', clean, all])
    const { kept } = JSON.parse(cleaned.stdout)
    expect(readLines(clean)).toHaveLength(kept)
    const selected = await z1([
      'select',
      '--tokens',
      '900',
      '--mode',
      'shortest',
      '--rule',
      'algorithm1',
      '-o',
      part,
      clean,
    ])
    expect(selected.status).toBe(0)
    const lengths = readLines(part).map(({ token_num_qwen }) => token_num_qwen as number)
    expect(lengths.reduce((a, b) => a + b, 0)).toBeLessThanOrEqual(900)

    const json = await z1(['stats', '--json', '--trigrams', '2', '--svg', path('part.svg'), part])
    const found = JSON.parse(json.stdout)
    expect(found).toMatchObject({ records: lengths.length, tokens: lengths.reduce((a, b) => a + b, 0) })
    expect(Object.keys(found.difficulties)).toEqual(['2', '3'])
    expect(readFileSync(path('part.svg'), 'utf8')).toMatch(/^<svg /)
    const text = await z1(['stats', part])
    expect(text.stdout).toMatch(new RegExp(`^records +${lengths.length}\n`))
  })

  it('says which texts of the rows it did not use', async () => {
    const turns = ['system', 'user', 'assistant'].map((role) => ({ role, content: role }))
    const input = writeJsonl(path('chats.jsonl'), [{ messages: turns }, { messages: turns, source: 'web' }])
    expect(await z1(['import', '-o', path('imported.jsonl'), input])).toEqual({
      status: 0,
      stdout: 'read  2\nkept  2\nsystem turns of 2 rows not used\ncolumn source of 1 row not used\n',
      stderr: '',
    })
  })

  it('works in pipes: records on standard output, what was done on the other', async () => {
    const records = recordsOf(5)
    const input = [...records, records[2]].map((record) => `${JSON.stringify(record)}\n`)
    const { status, stdout, stderr } = await z1(['clean', '-'], input.join(''))
    expect({ status, stdout }).toEqual({ status: 0, stdout: input.slice(0, 5).join('') })
    expect(stderr).toBe('read       6\nkept       5\nduplicate  1  (standard input:6)\n')
  })

  it('ends quietly when nobody reads on', async () => {
    const child = start(['generate', '--count', '1000000'])
    child.stdout?.once('data', () => child.stdout?.destroy())
    const status = await new Promise((done) => child.on('exit', done))
    expect(status).toBe(0)
  })

  it('ends in order at Ctrl-C, tells how to go on, and goes on', async () => {
    const output = path('long.jsonl')
    const args = ['generate', '--count', '2500', '--families', 'letters', '-o', output]
    const child = start(args)
    const ended = finished(child)
    while (!existsSync(output)) await sleep(20)
    child.kill('SIGINT')
    const { status, stdout, stderr } = await ended
    expect({ status, stdout }).toEqual({ status: 130, stdout: '' })
    expect(stderr).toMatch(/^z1: Interrupted: \d+ rows are done; the same command goes on from there\n$/)
    expect(readLines(output).length).toBeLessThan(2500)
    expect(await z1(args)).toMatchObject({ status: 0, stdout: 'read  2500\nkept  2500\n' })
    expect(readLines(output).map(({ id }) => id)).toEqual(Array.from({ length: 2500 }, (_, i) => `letters-0-${i}`))
  })

  it('ends at Ctrl-C while it waits for a pipe, and reads the same pipe on from where it was', async () => {
    const output = path('piped.jsonl')
    const lines = recordsOf(40).map((record) => `${JSON.stringify(record)}\n`)
    const child = start(['clean', '-', '-o', output])
    const ended = finished(child)
    child.stdin?.write(lines.slice(0, 25).join('') + lines[25]?.slice(0, 30))
    while (!existsSync(`${output}.state.json`)) await sleep(20)
    await sleep(500)
    child.kill('SIGINT')
    expect(await ended).toMatchObject({ status: 130, stderr: expect.stringContaining('Interrupted: 25 rows are done') })
    expect(await z1(['clean', '-', '-o', output], lines.join(''))).toMatchObject({ status: 0 })
    expect(readFileSync(output, 'utf8')).toBe(lines.join(''))
  })

  it.each([
    [[], 'Expected a command'],
    [['mix'], 'Unknown command mix'],
    [['clean'], 'Expected at least one file'],
    [['clean', 'a.txt'], 'Expected a file named .jsonl'],
    [['clean', '--near', 'a.jsonl'], "Unknown option '--near'"],
    [['generate', '--count', '0'], "Expected an integer ≥ 1 for --count but received '0'"],
    [['generate', '--difficulty', 'hard'], 'Expected a level or a range such as 1-8'],
    [['generate', '--families', 'poems'], 'Expected families of'],
    [['generate', '--split', 'dev'], 'Expected train or test for --split'],
    [['generate', 'a.jsonl'], 'Expected no file'],
    [['select', 'a.jsonl'], 'Expected --tokens and --mode'],
    [['select', '--tokens', '1', '--mode', 'all', 'a.jsonl'], 'Expected longest, shortest, random for mode'],
    [['distill', '--parallel', '0', 'a.jsonl'], 'Expected an integer ≥ 1 for --parallel'],
  ])('%j is misuse', async (args, message) => {
    const { status, stdout, stderr } = await z1(args)
    expect({ status, stdout }).toEqual({ status: 2, stdout: '' })
    expect(stderr).toMatch(`z1: ${message}`)
  })

  it('fails with 1 for a file that is not there', async () => {
    const { status, stderr } = await z1(['stats', path('absent.jsonl')])
    expect({ status, stderr }).toEqual({
      status: 1,
      stderr: expect.stringMatching(/^z1: Cannot read .*absent\.jsonl: ENOENT[^\n]*\n$/),
    })
  })

  it.each(['', 'generate', 'distill', 'import', 'clean', 'select', 'stats'])('%s --help', async (command) => {
    const { status, stdout } = await z1([...(command ? [command] : []), '--help'])
    expect(status).toBe(0)
    expect(stdout).toMatch(new RegExp(`^z1 data ${command || 'COMMAND'}`))
    expect(stdout.split('\n').every((line) => line.length <= 120)).toBe(true)
  })

  it('keeps the key out of the side file', async () => {
    const questions = writeJsonl(path('q.jsonl'), [{ question: 'q' }])
    process.env.Z1_API_KEY = 'secret-key'
    const output = path('answers.jsonl')
    const { status, stderr } = await z1([
      'distill',
      '--remote',
      'http://127.0.0.1:1',
      '--model',
      'm',
      '-o',
      output,
      'none.jsonl',
    ])
    expect({ status, stderr }).toMatchObject({ status: 1, stderr: expect.stringContaining('none.jsonl') })
    const child = start(['distill', '--remote', 'http://127.0.0.1:1', '--model', 'm', '-o', output, questions])
    const ended = finished(child)
    while (!existsSync(output)) await sleep(20)
    child.kill('SIGINT')
    expect((await ended).status).toBe(130)
    expect(readFileSync(`${output}.state.json`, 'utf8')).not.toContain('secret')
  })
})
