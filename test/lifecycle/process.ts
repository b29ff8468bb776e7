/** Runs a program in a process of its own until it ends or its time is up. */
import { type ChildProcess, spawn } from 'node:child_process'
import { execPath } from 'node:process'
import { fileURLToPath } from 'node:url'

export interface Ending {
  code: number | null
  signal: NodeJS.Signals | null
  stdout: string
  stderr: string
}

export interface Options {
  env?: NodeJS.ProcessEnv
  /** Milliseconds after which the process is killed with SIGKILL. Default: far more than any of them needs, also beside other work. */
  timeLimit?: number
  /** Called when the process has begun, with what it has written by then; and whenever it has written more. */
  watch?: (child: ChildProcess, stdout: string, stderr: string) => void
}

/** The command for a script; its path is relative to this folder. */
export function node(script: string, ...nodeOptions: string[]): string[] {
  return [execPath, ...nodeOptions, fileURLToPath(new URL(script, import.meta.url))]
}

/** Standard input is empty. */
export async function run(command: string[], { env, timeLimit = 240_000, watch }: Options = {}): Promise<Ending> {
  const [program = '', ...args] = command
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeLimit,
    killSignal: 'SIGKILL',
  })
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      written[name] += chunk
      watch?.(child, written.stdout, written.stderr)
    })
  }
  return new Promise((resolve, reject) => {
    child.on('spawn', () => watch?.(child, '', ''))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...written }))
  })
}
