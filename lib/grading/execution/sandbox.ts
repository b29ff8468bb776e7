/**
 * Where the programs of answers are executed. A sandbox has no network, no file of this machine but what its interpreter
 * needs, nothing of the environment, and limits on all that a program may use.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { closeSync, mkdtempSync, openSync, rmSync, unlinkSync, writeFileSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Writable } from 'node:stream'
import { limiter } from '../../base/concurrency.js'
import { Z1Error } from '../../base/errors.js'
import { bubblewrapCommand, ENVIRONMENT, prlimitCommand } from './bubblewrap.js'
import { BASE_LIMITS, type Limits } from './limits.js'
import { Program } from './program.js'
import { seccompFilter } from './seccomp.js'
import {
  findNode,
  findPython,
  findSandboxTools,
  type Interpreter,
  OTHERWISE,
  type SandboxTools,
  which,
} from './tools.js'

/** The descriptor that bubblewrap reads its filter from. */
const FILTER = 4

export interface SandboxOptions {
  /** The interpreter of Python answers. Default: `python3` of the PATH. */
  python?: string | undefined
  /** Run programs without a sandbox, with all rights of this process. Default false. */
  unsafe?: boolean | undefined
}

export interface Launch {
  language: Interpreter['language']
  /** Of the interpreter. */
  args: readonly string[]
  limits: Limits
  /** Default: nothing. */
  stdin?: string | undefined
  signal?: AbortSignal | undefined
}

export class Sandbox {
  /** Of what executes the programs, for the record of a run. */
  readonly description: { sandbox: string | null; python: string }
  /** Runs a grading when there is room: as many at once as there are processors. */
  readonly slot = limiter(availableParallelism())
  readonly #tools: SandboxTools | null
  readonly #filter: Buffer | undefined
  readonly #interpreters: Partial<Record<Interpreter['language'], Interpreter>>

  private constructor(tools: SandboxTools | null, python: Interpreter) {
    this.#tools = tools
    this.#filter = tools ? seccompFilter() : undefined
    this.#interpreters = { python, javascript: findNode() }
    this.description = { sandbox: tools && `bubblewrap ${tools.version}`, python: python.version }
  }

  /**
   * Finds what is needed, and tries it.
   * @throws {Z1Error} SANDBOX_UNAVAILABLE, naming the package that is missing; PYTHON_NOT_FOUND.
   */
  static async open({ python, unsafe = false }: SandboxOptions = {}): Promise<Sandbox> {
    if (process.platform === 'win32') {
      throw new Z1Error(
        'SANDBOX_UNAVAILABLE',
        'Programs are not executed on Windows: run this in WSL, where the sandbox is',
      )
    }
    const tools = unsafe ? null : await findSandboxTools()
    const sandbox = new Sandbox(tools, await findPython(python))
    const limits = { ...BASE_LIMITS, wallMs: 30_000, cpuSeconds: 10 }
    const program = sandbox.start({ language: 'python', args: ['-c', 'print("it runs")'], limits })
    const { stdout, stderr, exitCode } = await program.ended
    if (stdout === 'it runs\n') return sandbox
    const reason = stderr.trim() || `exit code ${exitCode}`
    if (unsafe) throw new Z1Error('PYTHON_NOT_FOUND', `Python does not run: ${reason}`)
    throw new Z1Error('SANDBOX_UNAVAILABLE', `Python does not run in the sandbox: ${reason}${OTHERWISE}`)
  }

  has(language: Interpreter['language']): boolean {
    return this.#interpreters[language] !== undefined
  }

  start({ language, args, limits, stdin, signal }: Launch): Program {
    const interpreter = this.#interpreters[language]
    if (!interpreter) throw new Error(`There is no interpreter of ${language}`)
    const folder = this.#tools ? undefined : mkdtempSync(join(tmpdir(), 'z1-unsafe-'))
    const [command, ...rest] = this.#tools
      ? bubblewrapCommand(this.#tools, interpreter, args, limits, this.#filter && FILTER)
      : unsafeCommand(interpreter, args, limits)
    const input = stdin === undefined ? 'ignore' : inputOf(stdin)
    const child = spawn(command as string, rest, {
      stdio: [input, 'pipe', 'pipe', 'pipe', ...(this.#filter ? (['pipe'] as const) : [])],
      // A group of its own, to be ended with all that it has started.
      detached: true,
      ...(folder !== undefined && { cwd: folder }),
      env: { ...ENVIRONMENT, ...(folder !== undefined && { HOME: folder, TMPDIR: folder }) },
    })
    if (input !== 'ignore') closeSync(input)
    if (child.pid === undefined) {
      // The reason comes later, and would end the process if nobody listened.
      child.on('error', () => {})
      throw new Z1Error('SANDBOX_UNAVAILABLE', `No process could be started for ${command}`)
    }
    if (this.#filter) sendFilter(child.stdio[FILTER] as Writable, this.#filter)
    const program = new Program(child, limits, signal)
    if (folder !== undefined) program.ended.finally(() => rmSync(folder, { recursive: true, force: true }))
    return program
  }
}

/** A sandbox that has ended already does not read it. */
function sendFilter(stream: Writable, filter: Buffer): void {
  stream.on('error', () => {})
  stream.end(filter)
}

/** Limits only, and those only where the tool is there. */
function unsafeCommand({ command }: Interpreter, args: readonly string[], limits: Limits): string[] {
  const prlimit = process.platform === 'linux' ? which('prlimit') : undefined
  // Processes are counted by user, and this one has others.
  const each = prlimitCommand(prlimit ?? '', limits).filter((arg) => !arg.startsWith('--nproc'))
  return [...(prlimit === undefined ? [] : each), command, ...args]
}

/** A file that is in no folder: programs open `/dev/stdin` again, which a pipe of Node's does not allow. */
function inputOf(text: string): number {
  const path = join(tmpdir(), `z1-stdin-${randomBytes(8).toString('hex')}`)
  writeFileSync(path, text, { flag: 'wx', mode: 0o444 })
  try {
    return openSync(path, 'r')
  } finally {
    unlinkSync(path)
  }
}
