// What the scripts share: the root folder, running programs, and ending with a message instead of a stack.
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = dirname(dirname(fileURLToPath(import.meta.url)))

/** How many compilers to run at once. */
export const jobs = String(availableParallelism())

/** A failure whose message is all the reader needs. */
export class ScriptError extends Error {}

/** Runs `main`; a ScriptError or a wrong argument is printed as one message, anything else with its stack. */
export async function script(main) {
  try {
    await main()
  } catch (error) {
    const expected = error instanceof ScriptError || error.code?.startsWith('ERR_PARSE_ARGS_')
    console.error(expected ? `\n${error.message}` : error)
    process.exitCode = 1
  }
}

// Inside a git hook GIT_DIR and GIT_INDEX_FILE name the project's own repository; a clone made here must not see them.
const environment = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => !/^GIT_(DIR|WORK_TREE|INDEX_FILE)$/.test(name)),
)

function spawn(command, args, options) {
  const result = spawnSync(command, args, {
    cwd: root,
    encoding: 'utf8',
    ...options,
    env: { ...environment, ...options.env },
  })
  if (result.error?.code === 'ENOENT') throw new ScriptError(`Cannot find the program "${command}".`)
  if (result.error) throw result.error
  return result
}

/** Runs a program with its output shown; throws when it fails. */
export function run(command, args, options = {}) {
  const { status, signal } = spawn(command, args, { stdio: 'inherit', ...options })
  if (status !== 0)
    throw new ScriptError(`${[command, ...args].join(' ')} failed (${signal ?? `exit code ${status}`}).`)
}

/** Runs a program with its output shown and returns its exit status, which is not 0 for a program ended by a signal. */
export function attempt(command, args, options = {}) {
  return spawn(command, args, { stdio: 'inherit', ...options }).status ?? 1
}

/** Runs a program and returns what it printed; throws with its error output when it fails. */
export function capture(command, args, options = {}) {
  const { status, signal, stdout, stderr } = spawn(command, args, { maxBuffer: 1 << 28, ...options })
  if (status === 0) return stdout
  throw new ScriptError(`${[command, ...args].join(' ')} failed (${signal ?? `exit code ${status}`}).\n${stderr}`)
}

/** Configures a CMake build of the project in the folder `tree`. */
export function configure(tree, definitions) {
  const options = Object.entries(definitions).map(([name, value]) => `-D${name}=${value}`)
  run('cmake', ['-S', root, '-B', tree, ...options, '--log-level=WARNING'])
}

/** Builds everything, or the named targets, of a configured CMake build. */
export function compile(tree, configuration, targets = []) {
  const selection = targets.length > 0 ? ['--target', ...targets] : []
  run('cmake', ['--build', tree, '--config', configuration, '--parallel', jobs, ...selection])
}

/** Runs npm by `how`, which is {@link run}, {@link attempt} or {@link capture}. */
export function npm(how, args, options = {}) {
  // Under npm its own script is run by this node; without it Windows needs a shell to start npm.cmd.
  const cli = process.env.npm_execpath
  if (cli?.endsWith('.js')) return how(process.execPath, [cli, ...args], options)
  return process.platform === 'win32' ? how('npm.cmd', args, { ...options, shell: true }) : how('npm', args, options)
}

/** True when the program can be started. */
export function available(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).error === undefined
}
