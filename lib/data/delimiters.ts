/** Delimiters that other sets put around reasoning and answer: the method trains on one text without any. */
import { KNOWN_TAGS } from '../reason/tags.js'

/** OpenThoughts puts its answers in delimiters too. */
const PAIRS = [...KNOWN_TAGS, ['<|begin_of_solution|>', '<|end_of_solution|>']] as const

const DELIMITER = new RegExp(PAIRS.flat().map(literal).join('|'))

/**
 * The text without delimiters, and with one blank line in their place.
 * @returns null if the reasoning is opened and never closed: the answer is missing.
 */
export function stripDelimiters(text: string): string | null {
  const unclosed = PAIRS.some(([open, close]) => text.includes(open) && !text.includes(close))
  if (unclosed) return null
  const parts = text.split(DELIMITER).map((part) => part.trim())
  return parts.filter((part) => part !== '').join('\n\n')
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
