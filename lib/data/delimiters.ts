/** Delimiters that other sets put around reasoning and answer: the method trains on one text without any. */
import { KNOWN_TAGS } from '../reason/tags.js'

/** OpenThoughts puts its answers in delimiters too. */
const PAIRS = [...KNOWN_TAGS, ['<|begin_of_solution|>', '<|end_of_solution|>']] as const

const DELIMITER = PAIRS.flat().map(literal).join('|')

/** Where code or a delimiter may begin. */
const MARK = new RegExp(`\`+|~{3,}|${DELIMITER}`, 'g')

/** What may stand before a fence on its line: spaces, and the signs of quotations and lists. */
const LINE_BEGIN = /(?:^|\n)[ \t>]*(?:(?:[-*+]|\d+[.)])[ \t]+)?$/

/**
 * The text without delimiters, and with one blank line in their place. Those in code (between backticks, in a fence) are
 * what the text speaks of, and stay.
 * @returns null if reasoning or answer is opened and never closed: something is missing.
 */
export function stripDelimiters(text: string): string | null {
  const parts: string[] = []
  const open = new Set<string>()
  let start = 0
  for (const { index, delimiter } of delimitersOf(text)) {
    parts.push(text.slice(start, index).trim())
    start = index + delimiter.length
    for (const [opening, closing] of PAIRS) {
      if (delimiter === opening) open.add(closing)
      else if (delimiter === closing) open.delete(closing)
    }
  }
  if (open.size > 0) return null
  parts.push(text.slice(start).trim())
  return parts.filter((part) => part !== '').join('\n\n')
}

function* delimitersOf(text: string): Generator<{ index: number; delimiter: string }> {
  const marks = new RegExp(MARK)
  const fences = new Fences(text)
  let end = 0
  for (let found = marks.exec(text); found; found = marks.exec(text)) {
    const { 0: mark, index } = found
    if (/^[`~]/.test(mark)) {
      marks.lastIndex = fences.endOf(mark, index, end) ?? endOfSpan(text, mark, index) ?? marks.lastIndex
    } else {
      end = marks.lastIndex
      yield { index, delimiter: mark }
    }
  }
}

/** The end of code between backticks on one line; undefined where the mark begins none. */
function endOfSpan(text: string, mark: string, index: number): number | undefined {
  if (mark.startsWith('~')) return undefined
  const closing = new RegExp(`\\n|(?<!\`)${mark}(?!\`)`, 'g')
  closing.lastIndex = index + mark.length
  return closing.exec(text)?.[0] === mark ? closing.lastIndex : undefined
}

/** The fences of a text: lines that begin and end code. */
class Fences {
  readonly #text: string
  /** By character: marks of this length or a greater one are closed nowhere in what follows. */
  readonly #unclosed = new Map<string, number>()

  constructor(text: string) {
    this.#text = text
  }

  /** The end of the code that a mark begins; undefined where it begins none. `from`: end of the last delimiter. */
  endOf(mark: string, index: number, from: number): number | undefined {
    const [text, sign, after] = [this.#text, mark[0] as string, index + mark.length]
    if (mark.length < 3 || !LINE_BEGIN.test(text.slice(Math.max(from, index - 40), index))) return undefined
    if (sign === '`' && /^[^\n]*`/.test(text.slice(after, after + 200))) return undefined
    if (mark.length >= (this.#unclosed.get(sign) ?? Infinity)) return undefined
    const closing = new RegExp(`\\n[ \\t>]*${sign}{${mark.length},}(?=[ \\t\\r]*(?:\\n|$|${DELIMITER}))`, 'g')
    closing.lastIndex = after
    if (closing.test(text)) return closing.lastIndex
    this.#unclosed.set(sign, mark.length)
    return undefined
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
