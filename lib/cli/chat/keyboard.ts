/**
 * The terminal that a chat is typed into. While an input is read, readline has the keys; while something runs, Enter and Ctrl-C are
 * signals to it and other keys are dropped. Knows no model.
 */
import { createInterface } from 'node:readline'
import { PassThrough } from 'node:stream'
import type { ReadStream, WriteStream } from 'node:tty'
import { colors } from '../colors.js'
import { InputLines } from './input.js'
import { PASTE_OFF, PASTE_ON, PasteReader } from './paste.js'

const PROMPT = '> '
const CONTINUED = '… '
const CTRL_C = '\x03'

/** What the keys do while something runs. */
export interface Running {
  enter(): void
  /** The first Ctrl-C. The second one leaves. */
  interrupt(): void
  leave(): void
}

export interface Typed {
  /** Earlier lines, the newest first. */
  entries(): readonly string[]
  /** Called with each line. */
  add(line: string): void
  /** Completions of a line. */
  complete(line: string): string[]
}

export class Keyboard {
  readonly #input: ReadStream
  readonly #output: WriteStream
  readonly #typed: Typed
  readonly #paste = new PasteReader()
  /** What readline reads, while it does. */
  #reading: { keys: PassThrough; leave(): void } | undefined
  /** Keys of a time in which nobody read. */
  #ahead = ''
  #running: Running | undefined
  /** Ctrl-C was the last key: the next one leaves. */
  #armed = false
  #left = false

  constructor(input: ReadStream, output: WriteStream, typed: Typed) {
    this.#input = input
    this.#output = output
    this.#typed = typed
    input.setEncoding('utf8')
    input.on('data', this.#onData).on('end', this.#leave).on('error', this.#leave)
    process.on('SIGTERM', this.#leave).on('SIGINT', this.#onSigint)
    this.#enter()
  }

  /** Whether the user has left. */
  get left(): boolean {
    return this.#left
  }

  /** The next input; null: the user leaves. */
  async read(): Promise<string | null> {
    if (this.#left) return null
    // One for each input: it is not there while something runs, and does not draw.
    const keys = new PassThrough()
    const readline = createInterface({
      input: keys,
      output: this.#output,
      terminal: true,
      prompt: PROMPT,
      history: [...this.#typed.entries()],
      historySize: this.#typed.entries().length + 1,
      completer: (line: string) => [this.#typed.complete(line), line],
    })
    const lines = new InputLines()
    try {
      return await new Promise((resolve) => {
        this.#reading = { keys, leave: () => resolve(null) }
        readline.on('line', (line) => {
          this.#typed.add(line)
          const input = lines.add(line)
          if (input !== null) return resolve(input)
          readline.setPrompt(CONTINUED)
          readline.prompt()
        })
        readline.on('SIGINT', () => {
          if (readline.line === '' && !lines.isOpen) {
            if (this.#armed) {
              this.#output.write('\n')
              return this.#leave()
            }
            this.#armed = true
            this.#output.write(`\n${colors.dim('Ctrl-C again leaves, and so does /quit')}\n`)
            return readline.prompt()
          }
          // To the line's end: what was typed stays on the screen, and is no input.
          readline.write(null, { ctrl: true, name: 'e' })
          this.#output.write('^C\n')
          return resolve('')
        })
        readline.on('SIGTSTP', () => {
          this.#exit()
          process.once('SIGCONT', () => {
            this.#enter()
            readline.prompt(true)
          })
          process.kill(process.pid, 'SIGTSTP')
        })
        // Ctrl-D.
        readline.on('close', () => {
          if (this.#reading) this.#output.write('\n')
          resolve(null)
        })
        readline.prompt()
        if (this.#ahead !== '') keys.write(this.#ahead)
        this.#ahead = ''
      })
    } finally {
      this.#reading = undefined
      readline.close()
    }
  }

  /** Does `work`, while the keys are signals to it. */
  async during<T>(running: Running, work: () => Promise<T>): Promise<T> {
    this.#running = running
    if (this.#left) running.leave()
    try {
      return await work()
    } finally {
      this.#running = undefined
    }
  }

  /** Gives the terminal back as it was. */
  [Symbol.dispose](): void {
    process.off('SIGTERM', this.#leave).off('SIGINT', this.#onSigint)
    this.#input.off('data', this.#onData).off('end', this.#leave).off('error', this.#leave)
    this.#input.pause()
    this.#exit()
  }

  #enter(): void {
    this.#input.setRawMode(true)
    if (process.env.TERM !== 'dumb') this.#output.write(PASTE_ON)
  }

  #exit(): void {
    if (process.env.TERM !== 'dumb') this.#output.write(PASTE_OFF)
    this.#input.setRawMode(false)
  }

  #onData = (chunk: string): void => {
    for (const { text, pasted } of this.#paste.read(chunk)) {
      if (text !== CTRL_C) this.#armed = false
      if (!this.#running) this.#type(text)
      else if (!pasted) this.#signal(text)
    }
  }

  #type(keys: string): void {
    if (this.#reading) this.#reading.keys.write(keys)
    else this.#ahead += keys
  }

  #signal(keys: string): void {
    for (const key of keys) {
      if (key === CTRL_C) this.#interrupt()
      else if (key === '\r' || key === '\n') this.#running?.enter()
    }
  }

  /** Sent by another program: the key itself is none in raw mode. */
  #onSigint = (): void => {
    if (this.#running) this.#interrupt()
    else this.#type(CTRL_C)
  }

  #interrupt(): void {
    if (this.#armed) this.#leave()
    else this.#running?.interrupt()
    this.#armed = true
  }

  #leave = (): void => {
    this.#left = true
    this.#running?.leave()
    this.#reading?.leave()
  }
}
