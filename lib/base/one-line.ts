/**
 * What others wrote (names in a file, paths, what a server or a library said) inside a message: on one line, of bounded
 * length, and without characters that a terminal or a log obeys.
 */

/** Characters of a message at most. */
const MAX_MESSAGE = 2000

/** Controls, line separators, marks that change the direction of what stands around them, and halves of a pair. */
const UNSEEN = /[\p{Cc}\p{Surrogate}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

const SHORT: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * Unseen characters become escapes (`\n`, `\u001b`). What is too long loses its middle, for `…`: a message ends with what
 * is wrong.
 * @param most Characters of the result at most.
 */
export function oneLine(text: string, most = MAX_MESSAGE): string {
  // Cut twice: it may have megabytes, and an escape is longer than its character.
  return cut(cut(text, most).replace(UNSEEN, escaped), most)
}

function escaped(character: string): string {
  return SHORT[character] ?? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
}

function cut(text: string, most: number): string {
  if (text.length <= most) return text
  const tail = Math.floor((most - 1) / 3)
  const start = text.slice(0, most - 1 - tail).replace(/[\ud800-\udbff]$/, '')
  return `${start}…${text.slice(text.length - tail).replace(/^[\udc00-\udfff]/, '')}`
}
