/** The programs that make a sandbox on Linux, and the interpreters that run in it: where they are, and what they need to see. */
import { execFile } from 'node:child_process'
import { accessSync, constants, lstatSync, realpathSync, statSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, isAbsolute, join, relative, resolve } from 'node:path'
import { promisify } from 'node:util'
import { Z1Error } from '../../base/errors.js'

const run = promisify(execFile)

/** Of bubblewrap: before it, the size of a tmpfs could not be limited. */
const MIN_BWRAP = [0, 7] as const

export interface SandboxTools {
  bwrap: string
  prlimit: string
  /** Only root needs it: for root the kernel does not count processes. */
  setpriv: string | undefined
  /** Of bubblewrap. */
  version: string
}

export interface Interpreter {
  language: 'python' | 'javascript'
  /** How to start it. */
  command: string
  version: string
  /** Files and folders that it needs beside those of {@link SYSTEM_PATHS}. */
  paths: string[]
}

/** Shared libraries, packages of the system's Python, time zones. Those that are not there are left out. */
export const SYSTEM_PATHS = [
  '/usr/lib',
  '/usr/lib32',
  '/usr/lib64',
  '/usr/local/lib',
  '/usr/share/zoneinfo',
  '/lib',
  '/lib64',
  '/etc/alternatives',
  '/etc/ld.so.cache',
  '/etc/localtime',
]

/** A program of the PATH, or undefined. */
export function which(name: string): string | undefined {
  // Those of administrators are often not in the PATH of others.
  for (const folder of [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin', '/usr/sbin', '/sbin']) {
    const path = join(folder, name)
    if (isAbsolute(path) && isExecutable(path)) return path
  }
  return undefined
}

/**
 * @param find Gives the path of a program.
 * @throws {Z1Error} SANDBOX_UNAVAILABLE, naming the packages of Debian that are missing.
 */
export async function findSandboxTools(find: (name: string) => string | undefined = which): Promise<SandboxTools> {
  if (process.platform !== 'linux') {
    throw new Z1Error(
      'SANDBOX_UNAVAILABLE',
      `Programs are executed in a sandbox of Linux, and this is ${process.platform}${OTHERWISE}`,
    )
  }
  const [bwrap, prlimit] = [find('bwrap'), find('prlimit')]
  const isRoot = process.getuid?.() === 0
  const setpriv = isRoot ? find('setpriv') : undefined
  const missing = [
    ...(bwrap === undefined ? [['bwrap', 'bubblewrap']] : []),
    ...(prlimit === undefined ? [['prlimit', 'util-linux']] : []),
    ...(isRoot && setpriv === undefined ? [['setpriv', 'util-linux']] : []),
  ]
  if (bwrap === undefined || prlimit === undefined || missing.length > 0) {
    const packages = [...new Set(missing.map(([, name]) => name))].join(' ')
    const names = missing.map(([name]) => name).join(' and ')
    throw new Z1Error(
      'SANDBOX_UNAVAILABLE',
      `Programs are executed in a sandbox, which needs ${names}: on Debian and Ubuntu, apt-get install ${packages}${OTHERWISE}`,
    )
  }
  const { stdout } = await run(bwrap, ['--version']).catch((cause) => {
    throw new Z1Error('SANDBOX_UNAVAILABLE', `${bwrap} does not run: ${cause.message}${OTHERWISE}`, { cause })
  })
  const version = /\d+(\.\d+)+/.exec(stdout)?.[0] ?? '0.0'
  const [major = 0, minor = 0] = version.split('.').map(Number)
  if (major < MIN_BWRAP[0] || (major === MIN_BWRAP[0] && minor < MIN_BWRAP[1])) {
    throw new Z1Error(
      'SANDBOX_UNAVAILABLE',
      `The sandbox needs bubblewrap ${MIN_BWRAP.join('.')} or newer, and ${bwrap} is ${version}${OTHERWISE}`,
    )
  }
  return { bwrap, prlimit, setpriv, version }
}

/** What to do without a sandbox. */
export const OTHERWISE = '. unsafeExecution (--unsafe-execution) runs programs without one, with all your rights'

const ASK_PYTHON =
  'import json, sys; print(json.dumps([sys.executable, sys.version_info[:3], sys.prefix, sys.base_prefix, sys.exec_prefix]))'

/**
 * @param path Default: `python3` of the PATH. A wrapper, as pyenv's, is seen through.
 * @throws {Z1Error} PYTHON_NOT_FOUND.
 */
export async function findPython(path?: string): Promise<Interpreter> {
  const file = path === undefined ? which('python3') : resolve(path)
  if (file === undefined) {
    throw new Z1Error(
      'PYTHON_NOT_FOUND',
      'There is no python3 in the PATH: install it (Debian: python3), or name one (--python PATH)',
    )
  }
  const answer = await run(file, ['-I', '-c', ASK_PYTHON]).catch((cause) => {
    throw new Z1Error('PYTHON_NOT_FOUND', `${file} is no Python 3 that runs: ${cause.message}`, { cause })
  })
  let facts: [string, number[], ...string[]]
  try {
    facts = JSON.parse(answer.stdout)
  } catch (cause) {
    throw new Z1Error('PYTHON_NOT_FOUND', `${file} is no Python 3: it did not say where it is installed`, { cause })
  }
  const [command, version, ...prefixes] = facts
  if ((version[0] as number) < 3 || ((version[0] as number) === 3 && (version[1] as number) < 8)) {
    throw new Z1Error('PYTHON_NOT_FOUND', `Expected Python 3.8 or newer but ${file} is ${version.join('.')}`)
  }
  const folders = [...new Set(prefixes)].filter((prefix) => prefix !== '/usr')
  for (const folder of folders) {
    if (!holds(folder, homedir())) continue
    throw new Z1Error(
      'PYTHON_NOT_FOUND',
      `${file} is installed into ${folder}, which is too much to show to a program: use another one`,
    )
  }
  return {
    language: 'python',
    command,
    version: version.join('.'),
    paths: [command, realpathSync(command), ...folders],
  }
}

/** The Node that runs this, or in Electron the one of the PATH; undefined: there is none. */
export function findNode(): Interpreter | undefined {
  const isElectron = process.versions.electron !== undefined
  const file = isElectron ? which('node') : process.execPath
  if (file === undefined) return undefined
  const command = realpathSync(file)
  return {
    language: 'javascript',
    command,
    version: isElectron ? 'of the PATH' : process.versions.node,
    paths: [command],
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

export function isSymbolicLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false
}

/** Whether `inner` is `folder`, or in it. */
export function holds(folder: string, inner: string): boolean {
  const path = relative(folder, inner)
  return path === '' || !(path === '..' || path.startsWith('../') || isAbsolute(path))
}
