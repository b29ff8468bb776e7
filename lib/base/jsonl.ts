/**
 * JSON Lines: read from any line on, in bounded memory, and written so that a run goes on where the last one ended. Of a
 * log, a line counts from its line feed on: whatever ended the process that wrote it, all lines before stay.
 */
import { once } from 'node:events'
import { constants } from 'node:fs'
import { type FileHandle, lstat, open, rm } from 'node:fs/promises'
import { pipeline, type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { parse as parseExactly } from 'lossless-json'
import { cannotRead, cannotWrite, openToRead, writeAll } from './files.js'
import { oneLine } from './one-line.js'
import { type Position, type Row, START } from './rows.js'
import { decodeText } from './text.js'

/** A line is held as a whole: a file without an end of line within this is not JSON Lines. */
const MAX_LINE_BYTES = 2 ** 28

/** Appended lines wait for this many characters, or for a flush. */
const BUFFER_LENGTH = 2 ** 20

/**
 * The rows of a file, or of standard input (`-`), of which the last may lack its line feed. `.gz` is unpacked, blank
 * lines are skipped. Integers that no number holds are decimal text.
 * @throws {Error} naming file and line for what is not a JSON object.
 */
export function readJsonl(path: string, from: Position = START): AsyncGenerator<Row> {
  return readLines(path, from, true)
}

/**
 * The rows of a log, which may be written to at the moment: a torn line at its end is none.
 * @throws as {@link readJsonl} does.
 */
export function readLog(path: string): AsyncGenerator<Row> {
  return readLines(path, START, false)
}

async function* readLines(path: string, from: Position, tornLine: boolean): AsyncGenerator<Row> {
  const name = path === '-' ? 'standard input' : path
  try {
    const source = await sourceOf(path, from.offset)
    for await (const { bytes, next, torn } of linesOf(source.stream, name, from)) {
      if (torn && !tornLine) return
      const location = `${name}:${next.line}`
      const json = decode(bytes, location)
      if (json === '') continue
      yield { columns: parse(json, location), json, location, next, fraction: source.fraction(next.offset) }
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).code === undefined ? error : cannotRead(path, error)
  }
}

interface Source {
  stream: Readable
  /** Share of the file that was read when the text has been read up to `offset`. */
  fraction(offset: number): number
}

/** What cannot be entered in the middle is read from the start, and the part before `offset` thrown away. */
async function sourceOf(path: string, offset: number): Promise<Source> {
  // A failure of a part ends the last one, where it is seen.
  if (path === '-') return { stream: pipeline(process.stdin, skip(offset), () => {}), fraction: () => 0 }
  const file = await openToRead(path)
  const { size } = await file.stat()
  const share = (bytes: number) => (size > 0 ? Math.min(bytes / size, 1) : 1)
  if (!path.endsWith('.gz')) {
    const stream = file.createReadStream({ start: offset, highWaterMark: 2 ** 20 })
    return { stream, fraction: share }
  }
  const packed = file.createReadStream({ highWaterMark: 2 ** 18 })
  const stream = pipeline(packed, createGunzip(), skip(offset), () => {})
  return { stream, fraction: () => share(packed.bytesRead) }
}

/** Passes on what follows the first `bytes` bytes. */
function skip(bytes: number): Transform {
  let left = bytes
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const skipped = Math.min(left, chunk.length)
      left -= skipped
      done(null, chunk.subarray(skipped))
    },
  })
}

interface Line {
  bytes: Buffer
  next: Position
  /** It has no line feed: the last one. */
  torn: boolean
}

async function* linesOf(stream: Readable, name: string, from: Position): AsyncGenerator<Line> {
  let { offset, line } = from
  let parts: Buffer[] = []
  let length = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    let start = 0
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      const part = chunk.subarray(start, end)
      const bytes = length > 0 ? Buffer.concat([...parts, part]) : part
      offset += bytes.length + 1
      line += 1
      yield { bytes, next: { offset, line }, torn: false }
      start = end + 1
      parts = []
      length = 0
    }
    parts.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > MAX_LINE_BYTES) throw new Error(`${name}:${line + 1}: a line of more than ${MAX_LINE_BYTES} bytes`)
  }
  if (length > 0) yield { bytes: Buffer.concat(parts), next: { offset: offset + length, line: line + 1 }, torn: true }
}

function decode(bytes: Buffer, location: string): string {
  try {
    return decodeText(bytes).trim()
  } catch (error) {
    throw new Error(oneLine(`${location}: ${(error as Error).message}`), { cause: error })
  }
}

/** What may be an integer that no number holds; it may as well stand in a text. */
const LONG_INTEGER = /(?<![.\d])\d{16}/

function parse(json: string, location: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
    // Slower by far, and no judge of what is JSON: only where it is needed, and after the other.
    if (LONG_INTEGER.test(json)) value = parseExactly(json, undefined, { parseNumber, onDuplicateKey })
  } catch (error) {
    throw new Error(oneLine(`${location}: not JSON: ${(error as Error).message}`))
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${location}: expected a JSON object, one on each line`)
  }
  return value as Record<string, unknown>
}

/** Integers that a number would round stay the text they are, as those of Parquet files do. */
function parseNumber(digits: string): number | string {
  const value = Number(digits)
  return /^-?\d+$/.test(digits) && !Number.isSafeInteger(value) ? digits : value
}

/** As `JSON.parse` has it: the last one counts. */
function onDuplicateKey({ newValue }: { newValue: unknown }): unknown {
  return newValue
}

/** A file that grows by whole lines at its end, or standard output (`-`), and how long it is. */
export class AppendLog {
  /** Bytes that have reached the system. Lines that wait are not among them. */
  bytes: number

  readonly #path: string
  readonly #handle: FileHandle | null
  #waiting: string[] = []
  #length = 0
  /** The write that is under way: the next one begins after it. */
  #writing: Promise<void> = Promise.resolve()
  /** What was waiting is lost then: nothing may be written after it. */
  #failure: Error | undefined

  private constructor(path: string, handle: FileHandle | null, bytes: number) {
    this.#path = path
    this.#handle = handle
    this.bytes = bytes
  }

  /**
   * @param keep Bytes of an existing file, not a symbolic link, to go on after; what follows them is cut off. 0 starts anew, with a
   * file of its own: what was linked to the one of that name stays as it is.
   * @throws {Error} when the file cannot be written.
   */
  static async open(path: string, keep = 0): Promise<AppendLog> {
    if (path === '-') return new AppendLog(path, null, 0)
    const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0 } = constants
    try {
      const there = keep > 0 ? null : await lstat(path).catch(() => null)
      // A device stays the one it is.
      const creates = keep === 0 && (there === null || there.isFile() || there.isSymbolicLink())
      if (creates) await rm(path, { force: true })
      // Windows does not let a file be cut that is open for appending.
      if (keep > 0) await cut(path, keep)
      const handle = await open(path, O_WRONLY | O_APPEND | O_NOFOLLOW | (creates ? O_CREAT | O_EXCL : 0))
      return new AppendLog(path, handle, keep)
    } catch (error) {
      throw cannotWrite(path, error)
    }
  }

  /** Goes on after the last line feed of what is there; a torn line is cut off. Creates a file that is missing. */
  static async resume(path: string): Promise<AppendLog> {
    return AppendLog.open(path, await lengthOfLines(path))
  }

  /** @param line Without its line feed. */
  async append(line: string): Promise<void> {
    this.#waiting.push(line, '\n')
    this.#length += line.length + 1
    if (this.#length >= BUFFER_LENGTH) await this.flush()
  }

  /** Hands what waits to the system. Once this has failed, it fails for good. */
  async flush(): Promise<void> {
    const written = this.#writing.then(() => this.#attempt(() => this.#write()))
    this.#writing = written.catch(() => {})
    await written
  }

  /** As {@link flush}, and on to the disk. */
  async sync(): Promise<void> {
    await this.flush()
    await this.#attempt(async () => this.#handle?.datasync())
  }

  /** Lines that wait are dropped: flush before. */
  async close(): Promise<void> {
    await this.#handle?.close()
  }

  async #write(): Promise<void> {
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#length = 0
    if (this.#handle) await writeAll(this.#handle, bytes)
    else if (bytes.length > 0 && !process.stdout.write(bytes)) await once(process.stdout, 'drain')
    this.bytes += bytes.length
  }

  async #attempt(action: () => Promise<void>): Promise<void> {
    if (this.#failure) throw this.#failure
    try {
      await action()
    } catch (error) {
      this.#failure = cannotWrite(this.#path, error)
      throw this.#failure
    }
  }
}

async function cut(path: string, length: number): Promise<void> {
  const file = await open(path, constants.O_RDWR | (constants.O_NOFOLLOW ?? 0))
  try {
    await file.truncate(length)
  } finally {
    await file.close()
  }
}

/** Bytes of a file up to its last line feed; 0 if there is no such file. */
async function lengthOfLines(path: string): Promise<number> {
  let file: FileHandle
  try {
    file = await openToRead(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw cannotRead(path, error)
  }
  try {
    const chunk = Buffer.alloc(65_536)
    let end = (await file.stat()).size
    while (end > 0) {
      const start = Math.max(0, end - chunk.length)
      const { bytesRead } = await file.read(chunk, 0, end - start, start)
      const lineFeed = chunk.subarray(0, bytesRead).lastIndexOf(10)
      end = start + lineFeed + 1
      if (lineFeed >= 0) break
    }
    return end
  } finally {
    await file.close()
  }
}
