/** The one reading of bytes as text. */

const utf8 = new TextDecoder('utf-8', { fatal: true })

/**
 * Text in UTF-8, without the byte-order mark that it may begin with.
 * @throws {Error} saying what the bytes are instead: its message goes after the name of a file.
 */
export function decodeText(bytes: Uint8Array): string {
  const [first, second] = bytes
  const isMarked = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)
  if (isMarked) throw new Error('UTF-16, and not UTF-8')
  // Half of the bytes, where UTF-16 has no mark: as UTF-8 it may well be valid.
  if (bytes.includes(0)) throw new Error('bytes of 0, as UTF-16 has, and not UTF-8')
  try {
    // A second mark is left by programs that added one to what had it already.
    return utf8.decode(bytes).replace(/^\uFEFF+/, '')
  } catch (cause) {
    throw new Error('not UTF-8', { cause })
  }
}
