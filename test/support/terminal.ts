/**
 * A program on a pseudo terminal of 80 columns, by Python's `pty`: what is sent are keys, what comes is what a terminal would get.
 * Where there is no Python, `available` is false and says so.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { execPath, platform } from 'node:process'

const python = process.env.Z1_PYTHON ?? 'python3'

/** This process's environment without what turns colors off or on, so that a terminal's own rules hold. `CI` does so, too. */
export function terminalEnvironment(more: Record<string, string> = {}): NodeJS.ProcessEnv {
  const { CI, NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS, ...rest } = process.env
  return { ...rest, TERM: 'xterm-256color', ...more }
}

/** Whether there is `script`, for what needs no keys. */
export const hasScript = platform === 'linux' && spawnSync('script', ['--version']).status === 0

/** What Node, run with `args` on a pseudo terminal by `script`, writes there, its newlines undone. */
export function onTerminal(args: readonly string[], env: Record<string, string> = {}) {
  const command = [execPath, ...args].map((arg) => `'${arg}'`).join(' ')
  const { status, stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    env: terminalEnvironment(env),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { status, output: stdout.replaceAll('\r\n', '\n') }
}

/** Whether programs can be run on a pseudo terminal with keys here. */
export const available =
  platform !== 'win32' && spawnSync(python, ['-c', 'import pty, termios'], { stdio: 'ignore' }).status === 0
if (!available) process.stderr.write('Tests on a pseudo terminal did not run: they need Python 3 with pty\n')

/** Passes bytes on in both directions, and ends as its child does. */
const BRIDGE = `
import fcntl, os, pty, select, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 80, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
sources = [fd, 0]
while True:
    ready, _, _ = select.select(sources, [], [])
    if 0 in ready:
        keys = os.read(0, 65536)
        if keys: os.write(fd, keys)
        else: sources.remove(0)
    if fd in ready:
        try: text = os.read(fd, 65536)
        except OSError: text = b""
        if not text: break
        os.write(1, text)
code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
sys.exit(code if code >= 0 else 128 - code)
`

export class Terminal {
  /** Its exit code: of a signal 128 and its number. */
  readonly ended: Promise<number | null>
  readonly #child: ChildProcess
  #output = ''
  #seen = 0
  #isOpen = true
  #wake = () => {}

  constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    this.#child = spawn(python, ['-c', BRIDGE, ...command], { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#output += text
      this.#wake()
    })
    this.ended = new Promise((resolve) => {
      this.#child.on('close', (code) => {
        this.#isOpen = false
        this.#wake()
        resolve(code)
      })
    })
  }

  /** All that was written. */
  get output(): string {
    return this.#output
  }

  send(keys: string): void {
    this.#child.stdin?.write(keys)
  }

  /** What was written since the last call, up to the end of the first match. Rejects when the program ends without one. */
  async until(pattern: RegExp): Promise<string> {
    for (;;) {
      const text = this.#output.slice(this.#seen)
      const match = pattern.exec(text)
      if (match) {
        const end = match.index + match[0].length
        this.#seen += end
        return text.slice(0, end)
      }
      if (!this.#isOpen) throw new Error(`Ended without ${pattern}: ${JSON.stringify(text)}`)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  /** Ends it, where a test has failed. */
  kill(): void {
    this.#child.kill('SIGKILL')
  }
}
