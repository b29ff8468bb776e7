/** Pastes, in chunks as terminals send them. */
import { describe, expect, it } from 'vitest'
import { PasteReader } from '../../../lib/cli/chat/paste.js'

const START = '\x1b[200~'
const END = '\x1b[201~'

function read(...chunks: string[]): [text: string, pasted: boolean][] {
  const reader = new PasteReader()
  return chunks.flatMap((chunk) => reader.read(chunk)).map(({ text, pasted }) => [text, pasted])
}

describe('PasteReader', () => {
  it('passes on what is typed', () => {
    expect(read('a', '\r', '\x1b', '\x1b[A')).toEqual([
      ['a', false],
      ['\r', false],
      ['\x1b', false],
      ['\x1b[A', false],
    ])
  })

  it('joins the lines of a paste by backslashes, but for the line feed at its end', () => {
    expect(read(`x${START}one\r\ntwo\rthree\n\nfour\n${END}y`)).toEqual([
      ['x', false],
      ['one\\\rtwo\\\rthree\\\r\\\rfour', true],
      ['y', false],
    ])
  })

  it('leaves out what would be a key, and keeps tabs', () => {
    expect(read(`${START}a\x03b\x04\tc\x1b[A\u009b${END}`)).toEqual([['ab\tc[A', true]])
  })

  it('finds marks that are cut anywhere', () => {
    const all = `a${START}b\nc${END}d`
    for (let at = 1; at < all.length; at++) {
      const pieces = read(all.slice(0, at), all.slice(at))
      const typed = pieces.filter(([, pasted]) => !pasted).map(([text]) => text)
      // The escape key alone does not wait for what may follow it.
      if (at === 2) continue
      expect([typed.join(''), pieces.find(([, pasted]) => pasted)?.[0]]).toEqual(['ad', 'b\\\rc'])
    }
  })
})
