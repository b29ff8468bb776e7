/**
 * Tells what is pasted from what is typed, by the marks of a terminal's bracketed paste (xterm, `CSI ? 2004 h`). A pasted line feed
 * is not Enter: the text becomes what someone would have typed to get it.
 */

export const PASTE_ON = '\x1b[?2004h'
export const PASTE_OFF = '\x1b[?2004l'
const START = '\x1b[200~'
const END = '\x1b[201~'

export interface Piece {
  text: string
  pasted: boolean
}

/** Controls but tab: pasted, they would be keys. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROLS = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f]/g

export class PasteReader {
  /** What was pasted so far; null outside of a paste. */
  #pasted: string | null = null
  /** The end of the last chunk, where a mark may have begun. */
  #held = ''

  /** What a chunk of the terminal's input brings. A paste comes as a whole, with its end. */
  read(chunk: string): Piece[] {
    const pieces: Piece[] = []
    let rest = this.#held + chunk
    this.#held = ''
    for (;;) {
      const mark = this.#pasted === null ? START : END
      const at = rest.indexOf(mark)
      if (at < 0) break
      this.#take(rest.slice(0, at), pieces)
      if (this.#pasted === null) this.#pasted = ''
      else {
        pieces.push({ text: asTyped(this.#pasted), pasted: true })
        this.#pasted = null
      }
      rest = rest.slice(at + mark.length)
    }
    const held = this.#beginning(rest)
    this.#held = rest.slice(rest.length - held)
    this.#take(rest.slice(0, rest.length - held), pieces)
    return pieces
  }

  #take(text: string, pieces: Piece[]): void {
    if (this.#pasted !== null) this.#pasted += text
    else if (text !== '') pieces.push({ text, pasted: false })
  }

  /** How many characters at the end may begin a mark. The escape key alone is a key, and does not wait. */
  #beginning(text: string): number {
    const mark = this.#pasted === null ? START : END
    for (let length = Math.min(mark.length - 1, text.length); length > 1; length--) {
      if (mark.startsWith(text.slice(-length))) return length
    }
    return this.#pasted !== null && text.endsWith('\x1b') ? 1 : 0
  }
}

/** A line feed as a line that goes on: a backslash and Enter. The one at the end of all is none. */
function asTyped(pasted: string): string {
  return pasted.replace(/\r\n?/g, '\n').replace(/\n$/, '').replace(CONTROLS, '').replaceAll('\n', '\\\r')
}
