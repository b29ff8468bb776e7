/**
 * The command that runs an interpreter in a sandbox: bubblewrap gives it namespaces of its own (no network, no other
 * process), an empty root with read-only views of what the interpreter needs, and two small folders in memory; prlimit
 * limits each process.
 */
import { existsSync, readlinkSync } from 'node:fs'
import { release } from 'node:os'
import { dirname } from 'node:path'
import type { Limits } from './limits.js'
import { holds, type Interpreter, isSymbolicLink, type SandboxTools, SYSTEM_PATHS } from './tools.js'

/** All that a program finds in its environment. One thread, as the processes count threads too. */
export const ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/tmp',
  LANG: 'C.UTF-8',
  MPLBACKEND: 'Agg',
  MKL_NUM_THREADS: '1',
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  PATH: '/usr/local/bin:/usr/bin:/bin',
  // Sets of strings have the same order in every run.
  PYTHONHASHSEED: '0',
  TMPDIR: '/tmp',
  TZ: 'UTC',
}

/** Folders in memory that programs may write to. */
const SCRATCH = ['/dev/shm', '/tmp']

/**
 * User ids of programs when root runs them, one each, so that their processes are counted apart: for root the kernel counts
 * none. They are those that systemd keeps for services without a user of their own.
 */
const FIRST_USER = 61_184
const USERS = 4_000
let nextUser = 0

/** Before Linux 5.14 a user's processes outside the sandbox counted too. The watch on all processes holds the limit then. */
const OTHER_PROCESSES = isBefore(release(), 5, 14) ? 4_096 : 0

/** @param filter Descriptor of the file that the filter of system calls is read from; undefined: there is none. */
export function bubblewrapCommand(
  tools: SandboxTools,
  interpreter: Interpreter,
  args: readonly string[],
  limits: Limits,
  filter: number | undefined,
): string[] {
  const { bwrap, prlimit, setpriv } = tools
  const helpers = [prlimit, ...(setpriv === undefined ? [] : [setpriv])]
  return [
    bwrap,
    '--unshare-ipc',
    '--unshare-pid',
    '--unshare-net',
    '--unshare-uts',
    '--unshare-cgroup-try',
    // Root becomes another user instead, inside.
    ...(setpriv === undefined ? ['--unshare-user'] : []),
    '--die-with-parent',
    '--new-session',
    '--hostname',
    'sandbox',
    '--clearenv',
    ...Object.entries(ENVIRONMENT).flatMap(([name, value]) => ['--setenv', name, value]),
    '--cap-drop',
    'ALL',
    ...(setpriv === undefined ? [] : ['SETUID', 'SETGID', 'SETPCAP'].flatMap((name) => ['--cap-add', `CAP_${name}`])),
    ...(filter === undefined ? [] : ['--seccomp', String(filter)]),
    '--proc',
    '/proc',
    '--dev',
    '/dev',
    ...SCRATCH.flatMap((path) => scratch(path, limits)),
    // After the folders in memory: an interpreter may be in one that has their name here.
    ...views([...SYSTEM_PATHS, ...helpers, ...interpreter.paths]),
    '--remount-ro',
    '/dev',
    '--remount-ro',
    '/',
    '--chdir',
    '/tmp',
    '--',
    ...(setpriv === undefined ? [] : asUser(setpriv)),
    ...prlimitCommand(prlimit, limits),
    interpreter.command,
    ...args,
  ]
}

/** Limits of each process. What runs past the soft limit of its time is told so by a signal, which the hard one is not. */
export function prlimitCommand(prlimit: string, { cpuSeconds, memoryBytes, processes, fileBytes }: Limits): string[] {
  return [
    prlimit,
    `--cpu=${cpuSeconds}:${cpuSeconds + 1}`,
    `--as=${memoryBytes}`,
    `--nproc=${processes + OTHER_PROCESSES}`,
    `--fsize=${fileBytes}`,
    '--core=0',
    '--',
  ]
}

function asUser(setpriv: string): string[] {
  const user = FIRST_USER + (nextUser++ % USERS)
  return [
    setpriv,
    ...['--reuid', String(user), '--regid', String(user), '--clear-groups'],
    ...['--inh-caps=-all', '--bounding-set=-all', '--no-new-privs'],
  ]
}

function scratch(path: string, { fileBytes }: Limits): string[] {
  return ['--size', String(2 * fileBytes), '--perms', '1777', '--tmpfs', path]
}

/** Read-only views of paths that are there, each once, links as links. */
function views(paths: readonly string[]): string[] {
  const there = [...new Set(paths)].filter((path) => existsSync(path) || isSymbolicLink(path)).sort()
  const folders = new Set<string>()
  const shown: string[] = []
  const args: string[] = []
  for (const path of there) {
    if (shown.some((folder) => holds(folder, path))) continue
    shown.push(path)
    // bubblewrap makes folders that only its own user can enter.
    for (const folder of parentsOf(path)) {
      if (folders.has(folder) || SCRATCH.includes(folder)) continue
      folders.add(folder)
      args.push('--perms', '0755', '--dir', folder)
    }
    if (path.startsWith('/lib') && isSymbolicLink(path)) args.push('--symlink', readlinkSync(path), path)
    else args.push('--ro-bind-try', path, path)
  }
  return args
}

/** From the root's child down. */
function parentsOf(path: string): string[] {
  const parent = dirname(path)
  return parent === '/' ? [] : [...parentsOf(parent), parent]
}

function isBefore(version: string, major: number, minor: number): boolean {
  const [, first, second] = /^(\d+)\.(\d+)/.exec(version)?.map(Number) ?? []
  return first !== undefined && second !== undefined && (first < major || (first === major && second < minor))
}
