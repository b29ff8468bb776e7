/** `z1 chat` without a terminal: the built program in a process of its own, its input through a pipe. */
import { spawn } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../support/folder.js'
import { tableModel } from '../../support/table-model.js'

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()

/** Says `Two plus two.` to anything, and `Four` after a hint that ends in L. */
let model: string
/** Says ` hm hm …` for ever. */
let slow: string

beforeAll(() => {
  const extraTokens = ['Two', ' plus two', 'Four', ' hm']
  const rows = { '\n': 'Two', Two: ' plus two', ' plus two': '.', L: 'Four' }
  model = tableModel(folder(), 'quick', { extraTokens, rows })
  slow = tableModel(folder(), 'slow', { extraTokens, rows: { '\n': ' hm', ' hm': ' hm' }, slow: true })
})

function chat(options: string[], input: string | Buffer) {
  const env = { ...process.env, FORCE_COLOR: '1', XDG_STATE_HOME: folder('state') }
  const child = spawn(execPath, [program, 'chat', '--threads', '1', ...options], { env })
  child.stdin.end(input)
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text) => {
    stdout += text
  })
  child.stderr.setEncoding('utf8').on('data', (text) => {
    stderr += text
  })
  return new Promise<{ status: number | null; stdout: string; stderr: string }>((resolve) => {
    child.on('close', (status) => resolve({ status, stdout, stderr }))
  })
}

describe('z1 chat through pipes', () => {
  it('takes each line as a question, and prints the replies alone', async () => {
    expect(await chat(['--model', model], 'one\r\n\ntwo')).toEqual({
      status: 0,
      stdout: 'Two plus two.\nTwo plus two.\n',
      stderr: '',
    })
  })

  it('the embedded model answers in one conversation, of which the prefix is reused', async () => {
    const { status, stdout, stderr } = await chat([], 'What is 3 + 4?\nWhat is 5 + 1?\n/stats\n')
    expect(status).toBe(0)
    expect(stdout).toMatch(/\\boxed\{7\}.*\\boxed\{\d+\}/s)
    expect(Number(/of which (\d+) were in the KV cache/.exec(stderr)?.[1])).toBeGreaterThan(40)
  })

  it('obeys commands, and says what they did on standard error', async () => {
    const { status, stdout, stderr } = await chat(
      ['--model', model, '--window', '1'],
      '/hint So: L\nq\n/window 2\nq\n/window default\n/system none\n/quit\nq\n',
    )
    expect({ status, stdout }).toEqual({ status: 0, stdout: 'TwoSo: LFour\nTwo plus twoSo: LFour\n' })
    expect(stderr).toBe('hint: So: L\nwindow: 2\nwindow: 1\nsystem message: none\n')
  })

  it('a question may begin with a slash, or have several lines', async () => {
    const file = folder('slash.json')
    await chat(['--model', model], `//bin\na\\\nb\n/save ${file}\n`)
    const { messages } = JSON.parse(readFileSync(file, 'utf8')) as { messages: { content: string }[] }
    expect(messages.filter((_, i) => i % 2 === 0).map(({ content }) => content)).toEqual(['/bin', 'a\nb'])
  })

  it('saves and loads a conversation with its system message', async () => {
    const file = folder('saved.json')
    const saved = await chat(['--model', model, '--system', 'S'], `q\n/save ${file}\n`)
    expect(saved).toMatchObject({ status: 0, stderr: `saved: ${file}, 2 messages\n` })
    const messages = [
      { role: 'system', content: 'S' },
      { role: 'user', content: 'q' },
      { role: 'assistant', content: 'Two plus two.' },
    ]
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ model, messages })
    const loaded = await chat(['--model', model], `/load ${file}\nr\n/system\n/save\n`)
    expect(loaded.stderr).toBe(`loaded: ${file}, 2 messages\nsystem message: S\nsaved: ${file}, 4 messages\n`)
    expect(JSON.parse(readFileSync(file, 'utf8')).messages).toEqual([
      ...messages,
      { role: 'user', content: 'r' },
      { role: 'assistant', content: 'Two plus two.' },
    ])
  })

  it.each([
    ['a file that is there', '/save TAKEN', /^z1: .*taken\.json already exists/],
    ['no name', '/save', /^z1: Expected the name of a file for \/save\n$/],
    ['a file that is not there', '/load /no/such.json', /^z1: Cannot read \/no\/such\.json: .*\n$/],
    ['no JSON', '/load TAKEN', /^z1: Cannot load .*: not valid JSON\n$/],
    ['a role of its own', '/load ROLE', /messages\[0\]\.role but received "robot"\n$/],
    ['no reply at the end', '/load OPEN', /Expected messages that end with one of the assistant\n$/],
    ['an unknown command', '/hlp', /^z1: Unknown command \/hlp: did you mean \/help\?\n$/],
    ['too much', '/retry now', /^z1: Expected nothing after \/retry but received 'now'\n$/],
    ['no question yet', '/retry', /^z1: There is no question yet/],
    ['a hint without a token', '/window -1', /^z1: Expected integer ≥ 0 for thinkingWindow/],
    ['no text', Buffer.from([0xc3, 0x28]), /^z1: standard input: not UTF-8\n$/],
  ])('ends at the first failure: %s', async (_name, input, message) => {
    const taken = folder('taken.json')
    writeFileSync(taken, 'mine')
    writeFileSync(folder('role.json'), '{"messages":[{"role":"robot","content":"x"}]}')
    writeFileSync(folder('open.json'), '[{"role":"user","content":"x"}]')
    const names: Record<string, string> = { TAKEN: taken, ROLE: folder('role.json'), OPEN: folder('open.json') }
    const text = typeof input === 'string' ? input.replace(/TAKEN|ROLE|OPEN/, (name) => names[name] as string) : input
    const { status, stdout, stderr } = await chat(
      ['--model', model],
      Buffer.concat([Buffer.from(text), Buffer.from('\nq\n')]),
    )
    expect(stderr).toMatch(message)
    expect({ failed: status !== 0, stdout }).toEqual({ failed: true, stdout: '' })
    expect(readFileSync(taken, 'utf8')).toBe('mine')
  })

  it.skipIf(process.platform === 'win32')(
    'Ctrl-C ends the reply, keeps what there is, and takes no further line',
    async () => {
      const args = [program, 'chat', '--threads', '1', '--model', slow, '--no-loops', '--window', 'inf']
      const child = spawn(execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
      child.stdin.write('q\nq\n')
      let stdout = ''
      let sent = false
      child.stdout.setEncoding('utf8').on('data', (text) => {
        stdout += text
        if (!sent) sent = child.kill('SIGINT')
      })
      const status = await new Promise((resolve) => child.on('close', resolve))
      expect(status).toBe(130)
      expect(stdout).toMatch(/^(?: hm)+\n$/)
    },
  )

  it('fails at once for options that cannot be', async () => {
    const { status, stderr } = await chat(['--model', '/no/such.gguf', '--window=-1'], 'q\n')
    expect({ status, stderr }).toEqual({
      status: 2,
      stderr: 'z1: Expected integer ≥ 0 for thinkingWindow but received -1\n',
    })
  })
})
