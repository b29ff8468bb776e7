/** `z1 chat` on a pseudo terminal, as its users type into it: the built program in a process of its own. */
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../support/folder.js'
import { tableModel } from '../../support/table-model.js'
import { available, Terminal, terminalEnvironment } from '../../support/terminal.js'

const program = fileURLToPath(new URL('../../../dist/cli/main.js', import.meta.url))
const folder = temporaryFolder()

/** Says `Two plus two.` to anything, ` hm hm …` for ever where it is slow, and `Four` after a hint that ends in L. */
let model: string
let slow: string
let hostile: string
const extraTokens = ['Two', ' plus two', 'Four', ' hm', '\x1b]0;owned\x07', '\u009b31m', '\r']

beforeAll(() => {
  const rows = { Two: ' plus two', ' plus two': '.', L: 'Four', ' hm': ' hm' }
  model = tableModel(folder(), 'quick', { extraTokens, rows: { ...rows, '\n': 'Two' } })
  slow = tableModel(folder(), 'slow', { extraTokens, rows: { ...rows, '\n': ' hm' }, slow: true })
  const controls = { '\n': 'Two', Two: '\x1b]0;owned\x07', '\x1b]0;owned\x07': '\u009b31m', '\u009b31m': '\r' }
  hostile = tableModel(folder(), 'hostile', { extraTokens, rows: controls })
})

// biome-ignore lint/suspicious/noControlCharactersInRegex: readline puts the cursor behind its prompt
const PROMPT = /> \x1b\[3G/
const STATUS = /⟨[^⟩]* · [^⟩]*⟩/
const UP = '\x1b[A'

let open: Terminal | undefined
afterEach(() => open?.kill())

/** A chat that has come to its first prompt. */
async function chat(...options: string[]): Promise<Terminal> {
  const env = terminalEnvironment({ XDG_STATE_HOME: folder('state') })
  open = new Terminal([execPath, program, 'chat', '--threads', '1', ...options], env)
  await open.until(PROMPT)
  return open
}

/** Sends an input and gives what is shown up to the next prompt, as it is read. */
async function say(terminal: Terminal, keys: string): Promise<string> {
  terminal.send(keys)
  return stripVTControlCharacters(await terminal.until(PROMPT)).replaceAll('\r', '')
}

describe.runIf(available)('z1 chat on a terminal', () => {
  it('answers, dims the thinking, and has tokens, rate, window and context in a line below', async () => {
    const terminal = await chat('--model', model, '--window', '2', '--hint', ' L')
    terminal.send('q\r')
    const shown = await terminal.until(PROMPT)
    expect(shown).toContain('\x1b[2mTwo')
    expect(shown).toContain('⟨window closed after 2 tokens⟩')
    expect(shown).toContain('\x1b[1mFour\x1b[22m')
    // Xuser\nqX\nXassistant\n are 20 tokens, ` L` 2, `Four` 1.
    expect(shown).toMatch(/⟨2 \+ 1 tokens · [\d.]+ tokens\/s · window 2 · context 25 of \d+⟩/)
    terminal.send('\x04')
    expect(await terminal.ended).toBe(0)
    expect(terminal.output.endsWith('\x1b[?2004l')).toBe(true)
  })

  it('goes on in the conversation, and decodes of it only what is new', async () => {
    const terminal = await chat()
    await say(terminal, 'What is 3 + 4?\r')
    await say(terminal, 'What is 5 + 1?\r')
    const stats = await say(terminal, '/stats\r')
    expect(stats).toMatch(/messages +4\n/)
    const [, prompt, cached] = /prompt tokens +(\d+), of which (\d+)/.exec(stats)?.map(Number) as number[]
    // The second prompt begins with all of the first one and its reply.
    expect(cached).toBeGreaterThan((prompt as number) / 3)
    expect(cached).toBeLessThan(prompt as number)
    expect(await say(terminal, '/new\r')).toContain('a new conversation')
    expect(await say(terminal, '/stats\r')).toMatch(/messages +0\n/)
  })

  it('Enter while the model thinks has it answer now', async () => {
    const terminal = await chat('--model', slow, '--no-loops', '--window', 'inf', '--hint', ' L')
    terminal.send('q\r')
    await terminal.until(/ hm/)
    terminal.send('xy\r')
    const shown = await terminal.until(PROMPT)
    expect(shown).toContain('closed on request')
    expect(shown).toContain('Four')
    // What else was typed meanwhile is in no line.
    expect(shown).not.toContain('xy')
  })

  it('Ctrl-C stops the reply, which stays in the conversation, and twice leaves', async () => {
    const terminal = await chat('--model', slow, '--no-loops', '--window', 'inf')
    terminal.send('q\r')
    await terminal.until(/ hm/)
    terminal.send('\x03')
    expect(await terminal.until(STATUS)).toContain('⟨stopped · ')
    await terminal.until(PROMPT)
    expect(await say(terminal, '/stats\r')).toMatch(/messages +2\n/)
    terminal.send('again\r')
    await terminal.until(/ hm/)
    terminal.send('\x03\x03')
    expect(await terminal.ended).toBe(0)
  })

  it('Ctrl-C empties the line, and leaves twice where there is none', async () => {
    const terminal = await chat('--model', model)
    terminal.send('abc')
    await terminal.until(/abc/)
    terminal.send('\x03')
    await terminal.until(PROMPT)
    terminal.send('\x03')
    await terminal.until(/Ctrl-C again leaves/)
    // Another key comes between: it is no second one.
    terminal.send('x\x7f')
    await terminal.until(/x/)
    terminal.send('\x03')
    await terminal.until(/Ctrl-C again leaves/)
    terminal.send('\x03')
    expect(await terminal.ended).toBe(0)
  })

  it('takes several lines as one input: by backslashes, and pasted', async () => {
    const terminal = await chat('--model', model)
    const file = folder('lines.json')
    await say(terminal, 'one \\\rtwo\r')
    terminal.send('\x1b[200~three\r\nfo\x03ur\\\nfive\n\x1b[201~')
    await terminal.until(/five/)
    // The paste ends in a line feed, and is not sent by it.
    await say(terminal, '\r')
    await say(terminal, `/save ${file}\r`)
    const { messages } = JSON.parse(readFileSync(file, 'utf8'))
    expect(messages).toEqual([
      { role: 'user', content: 'one \ntwo' },
      { role: 'assistant', content: 'Two plus two.' },
      { role: 'user', content: 'three\nfour\\\nfive' },
      { role: 'assistant', content: 'Two plus two.' },
    ])
  })

  it('shows what a terminal would obey', async () => {
    const terminal = await chat('--model', hostile)
    terminal.send('q\r')
    const shown = await terminal.until(STATUS)
    expect(shown).toContain('␛]0;owned␇')
    expect(shown).toContain('\\u009b31m')
    expect(shown).toContain('␍')
    expect(shown).not.toContain('\x1b]')
    expect(shown).not.toContain('\u009b')
  })

  it('tells a failure and goes on', async () => {
    const terminal = await chat('--model', model, '--context-size', '64')
    expect(await say(terminal, `${'x'.repeat(60)}\r`)).toMatch(/CONTEXT_TOO_SMALL\)\s+\/new begins/)
    expect(await say(terminal, '/windw 3\r')).toContain('did you mean /window?')
    expect(await say(terminal, '/window -1\r')).toContain('Expected integer ≥ 0 for thinkingWindow but received -1')
    expect(await say(terminal, '/model /no/such.gguf\r')).toContain('(MODEL_NOT_FOUND)')
    expect(await say(terminal, 'q\r')).toContain('Two plus two.')
  })

  it('--overflow shift goes on without the oldest turns, and says so', async () => {
    const terminal = await chat('--model', model, '--context-size', '100', '--overflow', 'shift')
    expect(await say(terminal, `${'x'.repeat(30)}\r`)).not.toContain('without the')
    const shown = await say(terminal, `${'y'.repeat(30)}\r`)
    expect(shown).toContain('Two plus two.')
    expect(shown).toContain('without the 2 oldest messages')
  })

  it('/model goes on with another model, /retry asks the last question again', async () => {
    const terminal = await chat('--model', hostile)
    await say(terminal, 'q\r')
    expect(await say(terminal, `/model ${model}\r`)).toContain(`model: ${model}`)
    expect(await say(terminal, '/retry\r')).toContain('Two plus two.')
    expect(await say(terminal, '/stats\r')).toMatch(/messages +2\n/)
  })
})

describe.runIf(available)('the history', () => {
  const file = () => folder('state', 'z1', 'chat-history')

  it('is there in the next chat, and for its user alone', async () => {
    const first = await chat('--model', model)
    await say(first, 'remember me\r')
    first.send('/quit\r')
    expect(await first.ended).toBe(0)
    expect(readFileSync(file(), 'utf8').endsWith('remember me\n/quit\n')).toBe(true)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    const second = await chat('--model', model)
    second.send(UP + UP)
    await second.until(/remember me/)
  })

  it('is bounded', async () => {
    writeFileSync(file(), Array.from({ length: 1500 }, (_, i) => `line ${i}\n`).join(''))
    const terminal = await chat('--model', model)
    expect(readFileSync(file(), 'utf8').split('\n').slice(0, -1)).toHaveLength(1000)
    expect(readFileSync(file(), 'utf8').endsWith('line 1499\n')).toBe(true)
    expect(statSync(file()).mode & 0o777).toBe(0o600)
    terminal.send('\x04')
    await terminal.ended
  })

  it('is not kept with --no-history', async () => {
    const before = existsSync(file()) ? readFileSync(file(), 'utf8') : ''
    const terminal = await chat('--model', model, '--no-history')
    await say(terminal, 'secret\r')
    terminal.send('/quit\r')
    await terminal.ended
    expect(existsSync(file()) ? readFileSync(file(), 'utf8') : '').toBe(before)
  })
})
