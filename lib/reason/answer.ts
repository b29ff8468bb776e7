/**
 * Where the answer stands in generated text, and the value in it. Reads text only, in time linear in its length: the
 * text is a model's, so it may be long and may be nonsense.
 */

/** A value and the span of text that states it, from the box or phrase to the value's end. */
interface Statement {
  value: string
  start: number
  end: number
}

/**
 * The value that an answer states: the content of the last `\boxed{…}` that is closed and not empty, else what follows
 * the last final-answer phrase; null if there is neither.
 * @param afterCut The text continues the hint, which was the phrase: a single line then is the value.
 */
export function extractFinalAnswer(answer: string, afterCut = false): string | null {
  const stated = lastBox(answer) ?? lastPhrase(answer)
  if (stated) return stated.value
  const line = answer.trim()
  return (afterCut && !/[\r\n]/.test(line) && clean(line)) || null
}

/**
 * The part of a response to show as its answer when nothing separates reasoning from answer: the paragraph of the last
 * box or final-answer phrase, else the last paragraph. '' for blank text.
 */
export function closingPart(text: string): string {
  const stated = lastBox(text) ?? lastPhrase(text)
  let start = 0
  for (const paragraph of paragraphs(text)) {
    // A statement can begin in one paragraph (a heading, say) and end in another.
    if (!stated || paragraph.start <= stated.start) start = paragraph.start
    if (stated && paragraph.end >= stated.end) return text.slice(start, paragraph.end).trim()
  }
  return text.slice(start).trim()
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

/** Of boxes, the last to begin: the inner one, where boxes are nested. */
function lastBox(text: string): Statement | null {
  let last: Statement | null = null
  const open: number[] = []
  for (const match of text.matchAll(BOX_OR_BRACE)) {
    const [all, boxBrace, bare, brace] = match
    const start = match.index
    const end = start + all.length
    if (bare !== undefined) {
      const value = clean(bare)
      if (value) last = { value, start, end }
    } else if (boxBrace || brace === '{') {
      open.push(boxBrace ? start : -1)
    } else if (brace === '}') {
      const box = open.pop() ?? -1
      if (box <= (last?.start ?? -1)) continue
      const value = text.slice(text.indexOf('{', box) + 1, start).trim()
      if (value) last = { value, start: box, end }
    }
  }
  return last
}

/** A second backslash is that of a string literal. */
const BOX = String.raw`\\{1,2}boxed`
const CHARACTER = String.raw`(?!${BOX})[^\s{}$]`

/**
 * The beginning of a box; a whole one without braces (`\boxed 5`: a number, a letter or a command); an escaped brace,
 * which is a character of the value; or a brace.
 */
const BOX_OR_BRACE = new RegExp(
  String.raw`${BOX}\s*(?:(\{)|` +
    String.raw`((?=[-+(\\\d])${CHARACTER}(?:${CHARACTER}|\{(?:${CHARACTER})*\})*|[A-Za-z](?![^\s$.,;}])))` +
    String.raw`|\\[{}\\]|([{}])`,
  'g',
)

/** What follows the last final-answer phrase on its line, or on the next line that holds anything. */
function lastPhrase(text: string): Statement | null {
  for (const match of [...text.matchAll(PHRASE)].reverse()) {
    let at = match.index + match[0].length
    while (at < text.length) {
      const newline = text.indexOf('\n', at)
      const end = newline < 0 ? text.length : newline
      const value = clean(text.slice(at, end))
      if (value) return { value, start: match.index, end }
      at = end + 1
    }
  }
  return null
}

const PHRASE = new RegExp(
  [
    // The answer is …; the final answer to the question should be …; correct answer: …
    String.raw`\b(?:the|final|correct|right|best)[ \t]{1,4}answer(?:\*\*|__)?` +
      String.raw`(?:(?:[ \t](?:to|for)\b[^\n.:]{1,80}?)?` +
      String.raw`[ \t]{1,4}(?:is|(?:should|would|must)[ \t]be)\b|[ \t]{0,4}[:：=])`,
    // Answer: …
    String.raw`\banswer(?:\*\*|__)?[ \t]{0,4}[:：]`,
    // ## Final answer, alone on its line
    String.raw`^[#*_ \t]{0,12}final[ \t]{1,4}answer[*_ \t]{0,8}$`,
  ].join('|'),
  'gim',
)

/** A value without the marks around it: emphasis, code, mathematics, and the sentence's end. */
function clean(text: string): string {
  let start = 0
  let end = text.length
  while (end > 0 && ' \t\r.,;*$`'.includes(text[end - 1] as string)) end--
  // A dollar sign that nothing closes is money.
  const before = text.includes('$', end) ? ' \t*:#`$' : ' \t*:#`'
  while (start < end && before.includes(text[start] as string)) start++
  if (/^\\[([]/.test(text.slice(start, start + 2))) start += 2
  if (/^\\[)\]]/.test(text.slice(end - 2, end))) end -= 2
  return text.slice(start, end).trim()
}
