/** Bytes as text, or what they are instead. */
import { describe, expect, it } from 'vitest'
import { decodeText } from '../../lib/base/text.js'

/** UTF-16 of the other order of bytes. */
const swapped = (text: string) => Buffer.from(text, 'utf16le').swap16()

describe('decodeText', () => {
  it.each([
    ['plain', 'Zwölf 🙂\n', 'Zwölf 🙂\n'],
    ['with a mark', '\uFEFFa', 'a'],
    ['with two marks', '\uFEFF\uFEFFa', 'a'],
    ['with a mark within, which is a character', 'a\uFEFFb', 'a\uFEFFb'],
    ['a mark alone', '\uFEFF', ''],
    ['empty', '', ''],
  ])('reads UTF-8: %s', (_name, text, read) => {
    expect(decodeText(Buffer.from(text))).toBe(read)
  })

  it.each([
    ['UTF-16', Buffer.from('\uFEFFa', 'utf16le'), 'UTF-16, and not UTF-8'],
    ['UTF-16 of the other order', swapped('\uFEFFa'), 'UTF-16, and not UTF-8'],
    ['UTF-16 of many letters without a zero', Buffer.from('\uFEFF猫', 'utf16le'), 'UTF-16, and not UTF-8'],
    ['UTF-16 without a mark', Buffer.from('a', 'utf16le'), 'bytes of 0, as UTF-16 has, and not UTF-8'],
    ['the same of the other order', swapped('a'), 'bytes of 0, as UTF-16 has, and not UTF-8'],
    ['Latin-1', Buffer.from('café', 'latin1'), 'not UTF-8'],
    ['half a character', Buffer.from('é').subarray(0, 1), 'not UTF-8'],
  ])('says what is %s', (_name, bytes, message) => {
    expect(() => decodeText(bytes)).toThrow(message)
  })
})
