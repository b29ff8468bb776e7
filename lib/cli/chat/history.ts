/** The lines that were typed in earlier chats: a file that only its user can read, with a bound. */
import { chmod, mkdir, open } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { readBytes, replaceFile, writeAll } from '../../base/files.js'
import { decodeText } from '../../base/text.js'
import { visible } from '../terminal.js'

/** Entries that are kept; the file is cut to them when a chat begins. */
const MAX_ENTRIES = 1000

/** A longer line, in characters, is not kept. */
const MAX_LENGTH = 4000

type Environment = Readonly<Record<string, string | undefined>>

/** Where it is: the folder for the state of programs, by XDG's rules, or that of Windows. */
export function historyFile(env: Environment = process.env, platform: string = process.platform): string {
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'z1', 'chat-history')
  // XDG: a relative path is to be ignored.
  const state = env.XDG_STATE_HOME?.startsWith('/')
    ? env.XDG_STATE_HOME
    : join(env.HOME || homedir(), '.local', 'state')
  return join(state, 'z1', 'chat-history')
}

export class History {
  readonly #path: string | null
  #entries: string[] = []

  private constructor(path: string | null) {
    this.#path = path
  }

  /** @param path Null: nothing is kept after the chat. @throws {Error} the system's, when the file cannot be used. */
  static async open(path: string | null): Promise<History> {
    const history = new History(path)
    if (path !== null) await history.#read(path)
    return history
  }

  /** The newest first, as readline takes them. */
  get entries(): readonly string[] {
    return this.#entries
  }

  /** @throws {Error} the system's, when the file cannot be written. */
  async add(line: string): Promise<void> {
    if (line.trim() === '' || line.length > MAX_LENGTH || line === this.#entries[0]) return
    this.#entries = [line, ...this.#entries].slice(0, MAX_ENTRIES)
    if (this.#path === null) return
    // Appended at once: neither a kill nor a second chat loses a line.
    const file = await open(this.#path, 'a', 0o600)
    try {
      await writeAll(file, Buffer.from(`${line}\n`))
    } finally {
      await file.close()
    }
  }

  async #read(path: string): Promise<void> {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const bytes = await readBytes(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return null
      throw error
    })
    if (bytes === null) return
    await chmod(path, 0o600)
    // Lines with controls are none that were typed.
    const lines = linesOf(bytes).filter((line) => line !== '' && visible(line, { isTTY: true }) === line)
    this.#entries = lines.slice(-MAX_ENTRIES).reverse()
    if (lines.length <= MAX_ENTRIES) return
    await replaceFile(path, async ({ handle }) => {
      await handle.chmod(0o600)
      await writeAll(handle, Buffer.from(`${lines.slice(-MAX_ENTRIES).join('\n')}\n`))
    })
  }
}

/** A file that is not text has no lines. */
function linesOf(bytes: Buffer): string[] {
  try {
    return decodeText(bytes).split('\n')
  } catch {
    return []
  }
}
