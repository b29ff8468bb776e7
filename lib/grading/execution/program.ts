/**
 * A program that runs: what it writes, its end, and what ends it. Beside standard input, output and error it has a channel
 * (file descriptor 3) for lines in both directions. Knows nothing of sandboxes.
 */
import type { ChildProcess } from 'node:child_process'
import type { Duplex, Readable } from 'node:stream'
import type { Limits } from './limits.js'
import { watch } from './watch.js'

/** What ended a program from outside. */
export type Stopped = 'time' | 'memory' | 'processes' | 'output' | 'abort' | 'done'

export interface Ending {
  /** Null: it ended by itself. */
  stopped: Stopped | null
  /** Of a program that ended by itself; 128 and the signal's number if it was killed. */
  exitCode: number
  stdout: string
  /** Its end. */
  stderr: string
}

/** Of standard error, bytes that are kept. */
const STDERR_KEPT = 8_192

/** Milliseconds after the end of the first process, after which nothing more is read. */
const LEFT_BEHIND = 5_000

const SIGXCPU = 24
const SIGKILL = 9

export class Program {
  /** Resolves when it has ended and all that it and its processes wrote was read; of those that outlive it, for seconds only. */
  readonly ended: Promise<Ending>
  readonly #child: ChildProcess
  readonly #limits: Limits
  readonly #channel: Duplex
  readonly #lines: Lines
  #stopped: Stopped | null = null

  /**
   * @param child With pipes for standard output, standard error and file descriptor 3, and a process group of its own.
   * @param signal Its abort ends the program.
   */
  constructor(child: ChildProcess, limits: Limits, signal?: AbortSignal) {
    this.#child = child
    this.#limits = limits
    this.#channel = child.stdio[3] as Duplex
    this.#lines = new Lines(this.#channel, limits.outputBytes, () => this.stop('output'))
    this.ended = this.#end(signal)
  }

  /** Writes a line of JSON to the channel. One that has ended does not see it. */
  send(message: unknown): void {
    this.sendLine(JSON.stringify(message))
  }

  /** The same for a line that is there already: what a program wrote may be nested too deeply to be written again. */
  sendLine(line: string): void {
    this.#channel.write(`${line}\n`)
  }

  /** The next line of the channel, without its end; null: there is none, or none came in time, and the program is ended. */
  async receive(withinMs = Infinity): Promise<string | null> {
    if (withinMs === Infinity) return this.#lines.next()
    const timer = setTimeout(() => this.stop('time'), withinMs)
    const line = await this.#lines.next()
    clearTimeout(timer)
    return line
  }

  /** Kills all of its processes. */
  stop(why: Stopped): void {
    this.#stopped ??= why
    const { pid } = this.#child
    if (pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return
    try {
      process.kill(-pid, 'SIGKILL')
    } catch {
      // It has ended this moment.
    }
  }

  async #end(signal: AbortSignal | undefined): Promise<Ending> {
    const child = this.#child
    const { wallMs, outputBytes } = this.#limits
    const timer = setTimeout(() => this.stop('time'), wallMs)
    const abort = () => this.stop('abort')
    signal?.addEventListener('abort', abort)
    if (signal?.aborted) abort()
    const unwatch = watch({ ...this.#limits, pid: child.pid as number, stop: (why) => this.stop(why) })
    const tooMuch = () => this.stop('output')
    const stdout = collect(child.stdout as Readable, outputBytes, outputBytes, tooMuch)
    const stderr = collect(child.stderr as Readable, outputBytes, STDERR_KEPT, tooMuch)
    try {
      const code = await new Promise<number>((resolve) => {
        child.once('exit', (code) => {
          // What it left running, where it is in no sandbox that ends with it, keeps the pipes open.
          try {
            process.kill(-(child.pid as number), 'SIGKILL')
          } catch {
            // Nothing was left.
          }
          // What has left the group may hold them still, and is not waited for.
          const timer = setTimeout(() => {
            for (const stream of child.stdio) stream?.destroy()
          }, LEFT_BEHIND)
          child.once('close', () => {
            clearTimeout(timer)
            resolve(code ?? 128 + SIGKILL)
          })
        })
      })
      // The kernel ends what has used up its processor time.
      const isOverTime = code === 128 + SIGXCPU
      return {
        stopped: this.#stopped ?? (isOverTime ? 'time' : null),
        exitCode: code,
        stdout: stdout(),
        stderr: stderr(),
      }
    } finally {
      clearTimeout(timer)
      signal?.removeEventListener('abort', abort)
      unwatch()
      this.#lines.end()
      this.#channel.destroy()
    }
  }
}

/** Gathers what a stream gives. @returns A function to the last `kept` bytes of it, as text. */
function collect(stream: Readable, most: number, kept: number, tooMuch: () => void): () => string {
  let chunks: Buffer[] = []
  let size = 0
  let held = 0
  stream.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > most) return tooMuch()
    chunks.push(chunk)
    held += chunk.length
    if (held > 2 * kept) {
      chunks = [Buffer.concat(chunks).subarray(-kept)]
      held = kept
    }
  })
  stream.on('error', () => {})
  return () => Buffer.concat(chunks).subarray(-kept).toString()
}

/** The lines of a stream, for one reader. */
class Lines {
  #chunks: Buffer[] = []
  /** Bytes that nobody has taken yet. */
  #size = 0
  readonly #lines: Buffer[] = []
  #waiting: ((line: string | null) => void) | undefined
  #ended = false

  constructor(stream: Duplex, most: number, tooMuch: () => void) {
    stream.on('data', (chunk: Buffer) => {
      this.#size += chunk.length
      if (this.#size > most) return tooMuch()
      this.#split(chunk)
    })
    stream.on('error', () => {})
    stream.on('close', () => this.end())
  }

  next(): Promise<string | null> {
    const line = this.#lines.shift()
    if (line !== undefined) return Promise.resolve(this.#textOf(line))
    if (this.#ended) return Promise.resolve(null)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  end(): void {
    this.#ended = true
    this.#waiting?.(null)
    this.#waiting = undefined
  }

  /** A line that is taken no longer counts. */
  #textOf(line: Buffer): string {
    this.#size -= line.length + 1
    return line.toString()
  }

  #split(chunk: Buffer): void {
    let rest = chunk
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      const line = Buffer.concat([...this.#chunks, rest.subarray(0, end)])
      this.#chunks = []
      rest = rest.subarray(end + 1)
      if (this.#waiting) this.#waiting(this.#textOf(line))
      else this.#lines.push(line)
      this.#waiting = undefined
    }
    if (rest.length > 0) this.#chunks.push(rest)
  }
}
