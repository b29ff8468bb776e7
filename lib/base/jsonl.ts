/** JSON Lines: read from any line on, in bounded memory, and written so that a run goes on where the last one ended. */
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { pipeline, type Readable, Transform } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Place, type Row, START } from './rows.js'

/** A line is held as a whole: a file without an end of line within this is no JSON Lines. */
const MAX_LINE_BYTES = 2 ** 28

/** Written lines wait for this many characters, or for a flush. */
const BUFFER_LENGTH = 2 ** 20

/**
 * The rows of a file, or of standard input (`-`). `.gz` is unpacked, blank lines are skipped.
 * @throws {Error} naming file and line for what is no JSON object.
 */
export async function* readJsonl(path: string, from: Place = START): AsyncGenerator<Row> {
  const name = path === '-' ? 'standard input' : path
  try {
    const source = await sourceOf(path, from.offset)
    for await (const { bytes, next } of linesOf(source.stream, name, from)) {
      const place = `${name}:${next.line}`
      const json = decode(bytes, place)
      if (json !== '') yield { columns: parse(json, place), json, place, next, fraction: source.fraction(next.offset) }
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw code === undefined ? error : new Error(`Cannot read ${name}: ${message}`, { cause: error })
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
  const { size } = await stat(path)
  const share = (bytes: number) => (size > 0 ? Math.min(bytes / size, 1) : 1)
  if (!path.endsWith('.gz')) {
    const stream = createReadStream(path, { start: offset, highWaterMark: 2 ** 20 })
    return { stream, fraction: share }
  }
  const packed = createReadStream(path, { highWaterMark: 2 ** 18 })
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

async function* linesOf(stream: Readable, name: string, from: Place): AsyncGenerator<{ bytes: Buffer; next: Place }> {
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
      yield { bytes, next: { offset, line } }
      start = end + 1
      parts = []
      length = 0
    }
    parts.push(chunk.subarray(start))
    length += chunk.length - start
    if (length > MAX_LINE_BYTES) throw new Error(`${name}:${line + 1}: a line of more than ${MAX_LINE_BYTES} bytes`)
  }
  if (length > 0) yield { bytes: Buffer.concat(parts), next: { offset: offset + length, line: line + 1 } }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Buffer, place: string): string {
  try {
    return utf8.decode(bytes).trim()
  } catch {
    throw new Error(`${place}: not UTF-8`)
  }
}

function parse(json: string, place: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch (error) {
    throw new Error(`${place}: not JSON: ${(error as Error).message}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${place}: expected a JSON object, one on each line`)
  }
  return value as Record<string, unknown>
}

/** Writes lines to a file, or to standard output (`-`), and knows how long the file is. */
export class LineWriter {
  /** Bytes that have reached the system. Lines that wait are not among them. */
  bytes: number

  readonly #path: string
  readonly #handle: FileHandle | null
  #waiting: string[] = []
  #length = 0
  /** What was waiting is lost then: nothing may be written after it. */
  #failure: Error | undefined

  private constructor(path: string, handle: FileHandle | null, bytes: number) {
    this.#path = path
    this.#handle = handle
    this.bytes = bytes
  }

  /** @param keep Bytes of an existing file to go on after; what follows them is cut off. 0 starts anew. */
  static async open(path: string, keep = 0): Promise<LineWriter> {
    if (path === '-') return new LineWriter(path, null, 0)
    try {
      const handle = await open(path, keep > 0 ? 'r+' : 'w')
      try {
        if (keep > 0) await handle.truncate(keep)
      } catch (error) {
        await handle.close()
        throw error
      }
      return new LineWriter(path, handle, keep)
    } catch (error) {
      throw cannotWrite(path, error)
    }
  }

  async write(line: string): Promise<void> {
    this.#waiting.push(line, '\n')
    this.#length += line.length + 1
    if (this.#length >= BUFFER_LENGTH) await this.flush()
  }

  /** Hands what waits to the system. Once this has failed, it fails for good. */
  async flush(): Promise<void> {
    if (this.#failure) throw this.#failure
    const bytes = Buffer.from(this.#waiting.join(''))
    this.#waiting = []
    this.#length = 0
    await this.#attempt(async () => {
      if (!this.#handle && bytes.length > 0 && !process.stdout.write(bytes)) await once(process.stdout, 'drain')
      for (let done = 0; this.#handle && done < bytes.length; ) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, this.bytes + done)
        done += bytesWritten
      }
    })
    this.bytes += bytes.length
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

  async #attempt(action: () => Promise<void>): Promise<void> {
    try {
      await action()
    } catch (error) {
      this.#failure = cannotWrite(this.#path, error)
      throw this.#failure
    }
  }
}

/** The error for a file that could not be written, in one sentence. */
export function cannotWrite(path: string, cause: unknown): Error {
  const name = path === '-' ? 'standard output' : path
  return new Error(`Cannot write ${name}: ${(cause as Error).message}`, { cause })
}
