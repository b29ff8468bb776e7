/** Delimiters that other sets put around reasoning and answer: the method trains on one text without any. */
import { KNOWN_TAGS } from '../tags.js'

/** OpenThoughts puts its answers in delimiters too. */
const PAIRS = [...KNOWN_TAGS, ['<|begin_of_solution|>', '<|end_of_solution|>']] as const

const DELIMITER = new RegExp(`\\s*(?:${PAIRS.flat().map(literal).join('|')})\\s*`, 'g')

/**
 * The text without delimiters, and with one blank line in their place.
 * @returns null if the reasoning is opened and never closed: the answer is missing.
 */
export function stripDelimiters(text: string): string | null {
  const unclosed = PAIRS.some(([open, close]) => text.includes(open) && !text.includes(close))
  return unclosed ? null : text.replace(DELIMITER, '\n\n').trim()
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')
}
