/**
 * Where the answer stands in generated text, and the value in it. Reads text only, in time linear in its length: the
 * text is a model's, so it may be long and may be nonsense.
 */
import { lastBox, type Statement } from './boxes.js'
import { computed, lastPhrase } from './phrases.js'
import { clean, valueAt } from './values.js'

/**
 * The value that an answer states: the content of the last `\boxed{…}` that is closed and not empty (of several side by
 * side, all: `3, 5, 7`) or what follows the last final-answer phrase, whichever comes later; null if there is neither. A
 * value goes to the end of its sentence, not of its line. Remarks (`the answer is correct`) and conditions state nothing.
 * @param afterCut The text continues the hint, which was the phrase: without another statement its first line that is not
 *   empty, fence or display formula is the value.
 */
export function extractFinalAnswer(answer: string, afterCut = false): string | null {
  const stated = lastStatement(answer)
  if (stated) return stated.value
  return afterCut ? firstValue(answer) : null
}

/**
 * The part of a response to show as its answer when nothing separates reasoning from answer: the paragraph of the last
 * box or final-answer phrase, else all of it: a list, an essay, a program. '' for blank text.
 */
export function closingPart(text: string): string {
  const stated = lastStatement(text)
  if (!stated) return text.trim()
  let start = 0
  for (const paragraph of paragraphs(text)) {
    // A statement can begin in one paragraph (a heading, say) and end in another.
    if (paragraph.start <= stated.start) start = paragraph.start
    if (paragraph.end >= stated.end) return text.slice(start, paragraph.end).trim()
  }
  return text.slice(start).trim()
}

/** A box that a phrase states is the value, and a phrase within a box is a part of it. */
function lastStatement(text: string): Statement | null {
  const [box, phrase] = [lastBox(text), lastPhrase(text)]
  if (!box || !phrase) return box ?? phrase
  return phrase.start >= box.end ? phrase : box
}

/** Of a line that names its value (`x = 25`) what it names. */
function firstValue(text: string): string | null {
  const first = valueAt(text, 0)
  if (!first) return null
  const value = computed(first.value)
  const named = /^\p{L}\s?=\s?([^=,;]+)$/u.exec(value)
  return clean(named ? (named[1] as string) : value) || null
}

/** Spans of text between blank lines. A code block is one paragraph, or part of one. */
function* paragraphs(text: string): Generator<{ start: number; end: number }> {
  let start = -1
  let inCode = false
  for (let at = 0; at < text.length; ) {
    const newline = text.indexOf('\n', at)
    const end = newline < 0 ? text.length : newline
    const line = text.slice(at, end).trim()
    if (/^```[^`]*$/.test(line)) inCode = !inCode
    if (line && start < 0) start = at
    if (!line && start >= 0 && !inCode) {
      yield { start, end: at }
      start = -1
    }
    at = end + 1
  }
  if (start >= 0) yield { start, end: text.length }
}

/** The value of a whole answer; null where it was cut short. */
export function parsedAnswer(answer: string): unknown {
  try {
    return JSON.parse(answer)
  } catch {
    return null
  }
}
