/**
 * `z1 ask --remote` and `z1 eval --remote` against `z1 serve`, each the built program in a process of its own: they say what the same
 * commands say that load the model themselves.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { chatMlTemplate } from '../support/models.js'
import { tableModel } from '../support/table-model.js'

const program = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()
const local = ['--threads', '1', '--context-size', '512']
const key = 'a key'.replace(' ', '-')
let model: string
let server: ChildProcess
let url: string

interface Run {
  status: number | null
  stdout: string
  stderr: string
}

function z1(args: string[], env: Record<string, string> = { Z1_API_KEY: key }): Promise<Run> {
  const { Z1_API_KEY: _, OPENAI_API_KEY: __, ...rest } = process.env
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...rest, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const run: Run = { status: null, stdout: '', stderr: '' }
  child.stdout.setEncoding('utf8').on('data', (text) => {
    run.stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    run.stderr += text
  })
  return new Promise((resolve) => {
    child.on('close', (status) => resolve({ ...run, status }))
  })
}

beforeAll(async () => {
  // Thinks of two and two, and says Four after a hint that ends in L, or in the newline of the default one.
  const rows = { '\n': 'Two', Two: ' plus two', ' plus two': ' hm', ' hm': ' hm', L: 'Four' }
  model = tableModel(folder(), 'quick', {
    extraTokens: ['Two', ' plus two', 'Four', ' hm'],
    rows,
    template: chatMlTemplate,
  })
  const args = ['serve', '--model', model, ...local, '--port', '0', '--model-id', 'table']
  server = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, Z1_API_KEY: key },
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  url = await new Promise((resolve, reject) => {
    let said = ''
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const found = /listening on ([\w:./]+)\s/.exec(said)?.[1]
      if (found) resolve(found)
    })
    server.on('close', () => reject(new Error(said)))
  })
})
afterAll(() => server.kill('SIGKILL'))

describe('z1 ask --remote', () => {
  it.each([
    ['a cut', ['--window', '3', '--hint', ' So: L', '--max-tokens', '2']],
    ['a window of 0', ['--window', '0', '--hint', ' So: L', '--max-tokens', '1']],
    ['an answer alone', ['--max-tokens', '3']],
    ['a stop string', ['--window', '0', '--hint', ' So: L', '--max-tokens', '9', '--stop', 'our']],
    ['a system message', ['--system', 'Be brief.', '--window', '2', '--hint', ' So: L', '--max-tokens', '2']],
  ])('says what z1 ask says: %s', async (_, args) => {
    const [remote, own] = await Promise.all([
      z1(['ask', '--remote', url, ...args, 'q']),
      z1(['ask', '--model', model, ...local, ...args, 'q']),
    ])
    expect(remote).toEqual({ ...own, status: 0 })
    expect(own.stdout).not.toBe('')
  })

  it('--json has the same texts and counts; the server tells no ids', async () => {
    const args = ['--json', '--window', '3', '--hint', ' So: L', '--max-tokens', '2', '--seed', '5', 'q']
    const runs = await Promise.all([
      z1(['ask', '--remote', url, ...args]),
      z1(['ask', '--model', model, ...local, ...args]),
    ])
    const [remote, own] = runs.map(({ stdout }) => {
      const { timings: _, tokens: __, usage, ...result } = JSON.parse(stdout)
      const { cachedTokens: ___, ...counts } = usage
      return { ...result, usage: counts }
    })
    expect(remote).toEqual(own)
    expect(own?.usage).toMatchObject({ thinkingTokens: 3, answerTokens: 1 })
  })

  it('a wrong key, no key, no server and a load beside it are errors in one line', async () => {
    const failures: [string[], Record<string, string>, number, RegExp][] = [
      [[url], { Z1_API_KEY: 'wrong' }, 1, /^z1: .*401.*\n$/],
      [[url], {}, 1, /^z1: .*401.*\n$/],
      [['http://127.0.0.1:9'], {}, 1, /^z1: .*127\.0\.0\.1:9.*\n$/],
      [[url, '--lora', 'a.gguf'], {}, 2, /^z1: Expected no --lora with --remote: the server has loaded the model\n$/],
      [[url, '--show-prompt'], {}, 2, /^z1: Expected no --remote with --show-prompt\n$/],
    ]
    for (const [args, env, status, message] of failures) {
      const run = await z1(['ask', 'q', '--remote', ...args], env)
      expect(run).toEqual({ status, stdout: '', stderr: expect.stringMatching(message) })
    }
  })
})

describe('z1 eval --remote', () => {
  it('gives the results of z1 eval, and goes on with them', async () => {
    const data = folder('questions.jsonl')
    writeFileSync(data, '{"question":"Two and two?","answer":"Four"}\n{"question":"More?","answer":"Five"}\n')
    const asked = ['--task', 'jsonl', '--data', data, '--windows', '0,2,3', '--hint', ' So: L', '--max-tokens', '1']
    const runs = await Promise.all([
      z1(['eval', '--remote', url, '--concurrency', '2', '--output', folder('remote'), ...asked]),
      z1(['eval', '--model', model, ...local, '--output', folder('own'), ...asked]),
    ])
    expect(runs.map(({ status, stderr }) => ({ status, stderr }))).toEqual([
      { status: 0, stderr: '' },
      { status: 0, stderr: '' },
    ])
    const [remote, own] = ['remote', 'own'].map((name) =>
      readFileSync(folder(`${name}/results.jsonl`), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
        .map(({ id, window, correct, ended, thinkingTokens, response }) => ({
          id,
          window,
          correct,
          ended,
          thinkingTokens,
          response,
        }))
        .sort((a, b) => `${a.id} ${a.window}`.localeCompare(`${b.id} ${b.window}`)),
    )
    expect(remote).toEqual(own)
    expect(own).toHaveLength(6)
    expect(own?.filter(({ correct }) => correct)).toHaveLength(3)
    const again = await z1(['eval', '--remote', url, '--output', folder('remote'), ...asked])
    expect(again.status).toBe(0)
    expect(readFileSync(folder('remote/results.jsonl'), 'utf8').trimEnd().split('\n')).toHaveLength(6)
  })

  it('refuses a load beside it, and its own options without it', async () => {
    const args = ['eval', '--task', 'heldout', '--output', folder('no')]
    expect(await z1([...args, '--remote', url, '--threads', '1'])).toMatchObject({
      status: 2,
      stderr: 'z1: Expected no --threads with --remote: the server has loaded the model\n',
    })
    expect(await z1([...args, '--concurrency', '2'])).toMatchObject({
      status: 2,
      stderr: 'z1: Expected --remote with --concurrency: a load has --parallel\n',
    })
  })
})
