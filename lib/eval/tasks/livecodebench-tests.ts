/**
 * The tests in LiveCodeBench's rows: JSON, or (the private ones) base64 of zlib of a Python pickle of JSON. A pickle is a
 * program that can do anything; here only the few instructions are known that make one text.
 */
import { inflateSync } from 'node:zlib'

export interface StoredTest {
  input: string
  output: string
}

/** Unpacked tests of one problem at most. */
const MAX_BYTES = 2 ** 29

/**
 * @param columns Each the tests as they are stored.
 * @throws {Error} naming the location for what is not in one of the two forms.
 */
export function readTests(columns: readonly string[], location: string): StoredTest[] {
  const tests = columns.flatMap((stored) => {
    try {
      return parseTests(/^\s*\[/.test(stored) ? stored : unpack(stored))
    } catch (cause) {
      throw new Error(`${location}: Expected LiveCodeBench's tests: ${(cause as Error).message}`, { cause })
    }
  })
  if (tests.length === 0) throw new Error(`${location}: Expected at least one test`)
  return tests
}

function parseTests(json: string): StoredTest[] {
  const tests: unknown = JSON.parse(json)
  if (!Array.isArray(tests)) throw new Error('they are no array')
  return tests.map((test) => {
    const { input, output } = (test ?? {}) as Record<string, unknown>
    if (typeof input !== 'string' || typeof output !== 'string') throw new Error('one has no input and output')
    return { input, output }
  })
}

function unpack(base64: string): string {
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(base64)) throw new Error('they are neither JSON nor base64')
  return unpickleText(inflateSync(Buffer.from(base64, 'base64'), { maxOutputLength: MAX_BYTES }))
}

/** Instructions of the pickle that is one text: `pickletools` lists them all. */
const PROTO = 0x80
const FRAME = 0x95
const SHORT_BINUNICODE = 0x8c
const BINUNICODE = 0x58
const BINUNICODE8 = 0x8d
const MEMOIZE = 0x94
const BINPUT = 0x71
const LONG_BINPUT = 0x72
const STOP = 0x2e

/** The text that a pickle of protocol 2 to 5 holds. @throws {Error} for any other pickle. */
export function unpickleText(bytes: Buffer): string {
  let at = 0
  let text: string | undefined
  const skip = (count: number) => {
    at += count
    if (at > bytes.length) throw new Error('the pickle is cut short')
    return at - count
  }
  const take = (length: number) => {
    if (text !== undefined) throw new Error('the pickle is more than one text')
    const start = skip(length)
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes.subarray(start, at))
  }
  for (;;) {
    const code = bytes[skip(1)]
    if (code === PROTO || code === BINPUT) skip(1)
    else if (code === FRAME) skip(8)
    else if (code === LONG_BINPUT) skip(4)
    else if (code === SHORT_BINUNICODE) take(bytes[skip(1)] as number)
    else if (code === BINUNICODE) take(bytes.readUInt32LE(skip(4)))
    else if (code === BINUNICODE8) take(Number(bytes.readBigUInt64LE(skip(8))))
    else if (code === STOP && text !== undefined && at === bytes.length) return text
    else if (code !== MEMOIZE) throw new Error('the pickle is not one text')
  }
}
