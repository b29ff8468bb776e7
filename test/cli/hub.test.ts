/** `z1 pull`, `list` and `remove`, and what is pulled wherever a model is named (npm test builds dist/). */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { fits, machineMemory, memoryFor, SUGGESTIONS, suggestionsFor } from '../../lib/cli/memory.js'
import { temporaryFolder } from '../support/folder.js'
import { COMMIT, HubServer } from '../support/hub-server.js'
import { tableModel } from '../support/table-model.js'
import { hasScript, onTerminal } from '../support/terminal.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()
let server: HubServer
let cache: string
let caches = 0

beforeAll(async () => {
  server = await HubServer.open()
  const rows = { '\n': 'Two', Two: ' plus two', ' plus two': '.' }
  const path = tableModel(folder(), 'quick', { extraTokens: ['Two', ' plus two'], rows })
  const model = readFileSync(path)
  const question = { problem: '1 + 1?', answer: '2', subject: 'Algebra', level: 1, unique_id: 'a' }
  server.repos.set('user/repo', { license: 'mit', files: { 'm-Q8_0.gguf': model } })
  server.repos.set('HuggingFaceH4/MATH-500', {
    kind: 'dataset',
    license: 'mit',
    files: { 'test.jsonl': Buffer.from(`${JSON.stringify(question)}\n`) },
  })
})
afterAll(() => server.close())
beforeEach(() => {
  server.seen.length = 0
  cache = join(folder(), `cache-${caches++}`)
})

function z1(
  args: string[],
  more: Record<string, string> = {},
): Promise<{ status: number; stdout: string; stderr: string }> {
  const { HF_TOKEN, HF_HUB_OFFLINE, ...rest } = process.env
  const env = { ...rest, HF_ENDPOINT: server.url, HF_HUB_CACHE: cache, HF_HOME: join(folder(), 'home'), ...more }
  const child = spawn(process.execPath, [program, ...args], { env, cwd: folder(), stdio: ['ignore', 'pipe', 'pipe'] })
  const texts = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (part) => {
      texts[name] += part
    })
  }
  return new Promise((done) => child.on('close', (status) => done({ status: status as number, ...texts })))
}

const ask = (...args: string[]) => z1(['ask', '--threads', '1', ...args, 'q'])
const file = () => join(cache, 'models--user--repo', 'snapshots', COMMIT, 'm-Q8_0.gguf')

it('a model is shown, pulled, listed, asked and removed', async () => {
  const pulled = await z1(['pull', 'user/repo:Q8_0'])
  expect(pulled).toEqual({ status: 0, stdout: `${file()}\n`, stderr: expect.any(String) })
  for (const row of [
    /^name +user\/repo:Q8_0$/m,
    /^repository +user\/repo, license mit$/m,
    /^architecture +qwen2$/m,
    /^memory needed +about [\d.]+ MiB with \d+ tokens of context$/m,
    /^think tags +none$/m,
  ]) {
    expect(pulled.stderr).toMatch(row)
  }
  const listed = await z1(['list'])
  expect(listed).toMatchObject({ status: 0, stderr: '' })
  expect(listed.stdout).toMatch(/^user\/repo:Q8_0 {2}[\d.]+ [KM]iB {2}\d{4}-\d\d-\d\d\n$/)
  expect(JSON.parse((await z1(['list', '--json'])).stdout)).toMatchObject([{ name: 'user/repo:Q8_0', path: file() }])

  const requests = server.seen.length
  expect(await ask('--model', 'user/repo:q8_0')).toEqual({ status: 0, stdout: 'Two plus two.\n', stderr: '' })
  expect((await z1(['inspect', 'user/repo'])).stdout).toMatch(/^architecture +qwen2$/m)
  expect(server.seen.length).toBe(requests)

  expect((await z1(['remove', 'user/repo'])).stdout).toMatch(/^user\/repo: [\d.]+ [KM]iB freed\n$/)
  expect(existsSync(file())).toBe(false)
  expect(await z1(['list'])).toMatchObject({ status: 0, stdout: '', stderr: expect.stringContaining('z1 pull') })
})

it('--dry-run and --json', async () => {
  const { stdout } = await z1(['pull', '--dry-run', '--json', 'user/repo'])
  expect(JSON.parse(stdout)).toMatchObject([
    { name: 'user/repo:Q8_0', license: 'mit', header: { architecture: 'qwen2', tags: null } },
  ])
  expect(existsSync(cache)).toBe(false)
})

it('ask downloads nothing, unless it is told to', async () => {
  const refused = await ask('--model', 'user/repo:Q8_0')
  expect(refused).toMatchObject({ status: 1, stdout: '' })
  expect(refused.stderr).toMatch(
    /^z1: user\/repo:Q8_0 is no file, and not in the cache .*z1 pull user\/repo:Q8_0.*\(MODEL_NOT_FOUND\)\n$/,
  )
  expect(server.seen).toEqual([])
  expect(await ask('--model', 'user/repo:Q8_0', '--download')).toMatchObject({ status: 0, stdout: 'Two plus two.\n' })
  expect(existsSync(file())).toBe(true)
})

it('what is there is a file, whatever name it would be', async () => {
  mkdirSync(join(folder(), 'some', 'folder'), { recursive: true })
  const { stderr } = await ask('--model', 'some/folder', '--download')
  expect(stderr).toMatch(/not a file but a folder.*\(MODEL_INVALID\)/)
  expect(server.seen).toEqual([])
})

it.each([
  [['pull'], /^z1: Expected the name of a model/, 2],
  [
    ['pull', 'nothing'],
    /^z1: Expected a name such as user\/repo:Q4_K_M or user\/repo\/file.gguf for name but received "nothing"\n/,
    2,
  ],
  [['pull', 'user/repo:Q2_K'], /^z1: The repository user\/repo has no Q2_K: it has Q8_0 \(MODEL_NOT_FOUND\)\n$/, 1],
  [['pull', 'user/other'], /^z1: There is no repository user\/other at 127.*\(MODEL_NOT_FOUND\)\n$/, 1],
  [['remove', 'user/repo'], /^z1: user\/repo is no file, and not in the cache .*\(MODEL_NOT_FOUND\)\n$/, 1],
] as const)('z1 %j fails in one line', async (args, message, status) => {
  const run = await z1([...args])
  expect(run.stderr).toMatch(message)
  expect(run.status).toBe(status)
})

it('a benchmark is pulled by its name, with its license', async () => {
  const evaluate = [
    'eval',
    '--task',
    'math500',
    '--windows',
    '0',
    '--model',
    'user/repo',
    '--threads',
    '1',
    '--max-tokens',
    '4',
  ]
  const before = await z1([...evaluate, '--output', join(folder(), 'run')])
  expect(before.stderr).toMatch(
    /^z1: Expected --data with the file of the task math500, or before that: z1 pull math500\n/,
  )
  const pulled = await z1(['pull', 'math500'])
  expect(pulled.stderr).toMatch(/^repository +HuggingFaceH4\/MATH-500, license mit$/m)
  expect(pulled.stdout).toBe(`${join(cache, 'datasets--HuggingFaceH4--MATH-500', 'snapshots', COMMIT, 'test.jsonl')}\n`)
  const run = await z1([...evaluate, '--download', '--output', join(folder(), 'run'), '--json'])
  expect(run.stderr).toBe('')
  expect(JSON.parse(run.stdout)).toMatchObject({ options: { task: 'math500', items: 1 }, done: 1 })
})

it.runIf(hasScript)('on a terminal, a question without a model is answered with three names, in one dim line', () => {
  const { output } = onTerminal([program, 'ask', '--threads', '1', '--window', '4', 'What is 1 + 1?'])
  const [line = ''] = output.split('\n')
  expect(line.startsWith('\x1b[2mThis is the small demonstration model. ')).toBe(true)
  expect(line.endsWith('\x1b[22m')).toBe(true)
  for (const { name } of suggestionsFor(machineMemory())) expect(line).toContain(name)
  expect(line.match(/-GGUF:/g)).toHaveLength(3)
})

it('doctor says of each what it needs, and whether it fits', async () => {
  const { stdout } = await z1(['doctor'])
  const rows = [...stdout.matchAll(/^ {2}(\S+-GGUF:\S+): [\d.]+ GiB, (fits in memory|fits on the GPU|does not fit)$/gm)]
  expect(rows.map(([, name]) => name)).toEqual(SUGGESTIONS.map(({ name }) => name))
})

it('inspect says how much memory a context takes', async () => {
  await z1(['pull', 'user/repo'])
  const needed = async (size: string) => (await z1(['inspect', '--context-size', size, 'user/repo'])).stdout
  expect(await needed('100')).toMatch(/^memory needed +about [\d.]+ MiB with 100 tokens of context$/m)
  expect(await needed('1000000000000')).toMatch(/^memory needed .* TiB with .*, more than this machine has to spare$/m)
})

describe('models for a machine', () => {
  it('are the largest that fits and the two before it', () => {
    const names = (gigabytes: number) =>
      suggestionsFor(gigabytes * 1e9).map(({ name }) => /Qwen3-([\d.]+)B/.exec(name)?.[1])
    expect(names(4)).toEqual(['0.6', '1.7', '4'])
    expect(names(8)).toEqual(['0.6', '1.7', '4'])
    expect(names(16)).toEqual(['4', '8', '14'])
    expect(names(64)).toEqual(['8', '14', '32'])
  })

  it('need their file, and as much for each token as llama.cpp allocates', () => {
    // Qwen3-8B: 36 layers, 8 KV heads of 128, keys and values in 2 bytes: 1.125 GiB for 8192 tokens.
    const { size, kvBytesPerToken } = SUGGESTIONS[3] as (typeof SUGGESTIONS)[0]
    expect(kvBytesPerToken * 8192).toBe(36 * 8 * 128 * 2 * 2 * 8192)
    expect(memoryFor(size, kvBytesPerToken, 8192) - memoryFor(size, kvBytesPerToken, 0)).toBe(1.125 * 2 ** 30)
    expect(fits(8e9, 16e9)).toBe(true)
    expect(fits(15e9, 16e9)).toBe(false)
  })
})
