/**
 * One process at a time works on an output. Who does has a file beside it whose name says which process of which machine
 * it is. A killed process leaves its file, which the next one sees through and removes.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { open, readdir, readFile, rm, stat, utimes } from 'node:fs/promises'
import { hostname } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { cannotWrite, isRunning } from './files.js'

/** How often two that begin at the same moment, and so see each other, try again. */
const TRIES = 6

/** Milliseconds after which a holder shows that it lives, and after which one on another machine counts as dead. */
const BEAT = 10_000
const DEAD = 60_000

interface Holder {
  path: string
  host: string
  pid: number
  start: string
}

/** Another run holds the lock. */
export class BusyError extends Error {}

/** Held until the end of its scope. */
export class Lock {
  readonly #path: string
  readonly #beat: NodeJS.Timeout

  private constructor(path: string) {
    this.#path = path
    this.#beat = setInterval(() => void touch(path), BEAT).unref()
  }

  /** @throws {BusyError} when another run works on the target. @throws {Error} when its folder cannot be written to. */
  static async take(target: string): Promise<Lock> {
    const start = await startOf(process.pid)
    const path = `${target}.${HOST}-${process.pid}-${start}.lock`
    for (let tries = 1; ; tries++) {
      await create(path, target)
      // Looked for after our own is there: of two that begin at once, one at least sees the other.
      const others = (await holdersOf(target)).filter((holder) => holder.path !== path)
      const living: Holder[] = []
      for (const holder of others) {
        if (await isAlive(holder, path)) living.push(holder)
        // No other process ever has this name: it is nobody's.
        else await rm(holder.path, { force: true })
      }
      const [other] = living
      if (!other) return new Lock(path)
      await rm(path, { force: true })
      if (tries === TRIES) throw isBusy(target, other)
      await sleep(20 + Math.random() * 80)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#beat)
    await rm(this.#path, { force: true })
  }
}

async function create(path: string, target: string): Promise<void> {
  try {
    await (await open(path, 'wx')).close()
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') throw cannotWrite(target, cause)
    throw new BusyError(`${target} is being written by another run of this process`)
  }
}

async function holdersOf(target: string): Promise<Holder[]> {
  const folder = dirname(target)
  const prefix = `${basename(target)}.`
  return (await readdir(folder)).flatMap((name) => {
    const match = name.startsWith(prefix) && /^([0-9a-f]{8})-(\d+)-(\d+)\.lock$/.exec(name.slice(prefix.length))
    if (!match) return []
    const [, host, pid, start] = match as unknown as [string, string, string, string]
    return [{ path: join(folder, name), host, pid: Number(pid), start }]
  })
}

/** @param own A lock file that was made just now: clocks of two machines differ, those of one folder's files do not. */
async function isAlive({ path, host, pid, start }: Holder, own: string): Promise<boolean> {
  if (host !== HOST) {
    const [theirs, now] = await Promise.all([path, own].map((file) => stat(file).catch(() => null)))
    return theirs !== null && theirs !== undefined && (now?.mtimeMs ?? 0) - theirs.mtimeMs < DEAD
  }
  const now = await startOf(pid)
  // A number is given out again, to a process that began later.
  return now === UNKNOWN ? isRunning(pid) : now === start || (start === UNKNOWN && now !== NONE)
}

function isBusy(target: string, { path, host, pid }: Holder): BusyError {
  const who = host === HOST ? `process ${pid}` : 'a process on another machine or in another container'
  return new BusyError(`${target} is being written by ${who}: wait for it, or remove ${path} if it has ended`)
}

async function touch(path: string): Promise<void> {
  const now = new Date()
  // A lock whose folder was deleted protects nothing.
  await utimes(path, now, now).catch(() => {})
}

/** Process numbers mean something within one machine, and within one container. */
const HOST = createHash('sha256')
  .update([hostname(), orNothing(() => readFileSync('/etc/machine-id', 'utf8')), orNothing(namespaceOf)].join('\n'))
  .digest('hex')
  .slice(0, 8)

function namespaceOf(): string {
  return readlinkSync('/proc/self/ns/pid')
}

/** What only Linux has. */
function orNothing(read: () => string): string {
  try {
    return read()
  } catch {
    return ''
  }
}

const UNKNOWN = '0'
const NONE = ''

/** When a process began, in a unit of the system's; `UNKNOWN` where it does not say, `NONE` for a process that has ended. */
async function startOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') {
      // proc_pid_stat(5): the name, in parentheses, may hold anything; then come the state and 18 more fields.
      const fields = (await readFile(`/proc/${pid}/stat`, 'latin1')).split(') ').at(-1)?.split(' ') ?? []
      // Ended, and its parent has not asked how.
      return fields[0] === 'Z' || fields[0] === 'X' ? NONE : (fields[19] ?? UNKNOWN)
    }
    if (process.platform === 'darwin') {
      const { stdout } = await promisify(execFile)('ps', ['-o', 'lstart=', '-p', String(pid)])
      return String(Date.parse(stdout) || UNKNOWN)
    }
  } catch {
    return isRunning(pid) ? UNKNOWN : NONE
  }
  return isRunning(pid) ? UNKNOWN : NONE
}
