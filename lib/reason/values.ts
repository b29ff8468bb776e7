/** Where a value that text states begins and ends: not its line, and not the marks around it. */

export interface Value {
  value: string
  /** Where in the text the line or block of the value ends. */
  end: number
  /** The sentence asks for it: `25?` */
  asked: boolean
}

/** A longer line is no value, and is not read to its end. */
const LONGEST = 2000

/** Between a phrase and its value, in characters, and what comes before the value in lines. */
const LONGEST_GAP = 100
const MOST_LEAD_INS = 3

/** The value that begins at or after `at`: a fence, a display formula, or the beginning of a line. */
export function valueAt(text: string, at: number): Value | null {
  let start = at
  for (let lines = 0; lines <= MOST_LEAD_INS; lines++) {
    const gap = text.slice(start, start + LONGEST_GAP).search(/\S/)
    if (gap < 0) return null
    start += gap
    const newline = text.indexOf('\n', start)
    const lineEnd = newline < 0 ? text.length : newline
    const line = text.slice(start, Math.min(lineEnd, start + LONGEST))
    const block = blockAt(text, start, line)
    if (block) return block
    const { sentence, asked } = firstSentence(line)
    const value = clean(sentence)
    const isLeadIn = /[\p{L}*][:：]\**\s*$/u.test(line) && !/\d/.test(value)
    if (value && !isLeadIn) return { value, end: lineEnd, asked }
    start = lineEnd + 1
  }
  return null
}

/** A fence, or a formula on lines of its own, at the start of a line or after a phrase. */
function blockAt(text: string, start: number, line: string): Value | null {
  const opener = /^[\s*:：]{0,8}(```[^`\s]*[ \t]*$|\$\$|\\\[|\\begin\{(?:align|aligned|equation|gather)\*?\})/.exec(
    line,
  )
  if (!opener) return null
  const mark = opener[1] as string
  const from = start + opener[0].length
  const closer = closerOf(mark)
  // From the fence's own line feed on: an empty one closes at once.
  const to = text.slice(from, from + LONGEST).indexOf(closer)
  if (to < 0) return null
  const content = text.slice(from, from + to).trim()
  const value = mark.startsWith('\\begin') ? content.replaceAll('&', '') : content
  if (value.replace(/[.,;]$/, '') === '') return null
  // What follows a formula on its line belongs to it: `$$5$$ cm`.
  const lineEnd = text.indexOf('\n', from + to + closer.length)
  const end = lineEnd < 0 ? text.length : lineEnd
  return { value: mark.startsWith('`') ? value : clean(value), end, asked: false }
}

function closerOf(mark: string): string {
  if (mark.startsWith('`')) return '\n```'
  if (mark.startsWith('\\begin')) return '\\end{'
  return mark === '$$' ? '$$' : '\\]'
}

const ABBREVIATION = /(?:^|[\s(])(?:Dr|Mr|Mrs|Ms|St|Mt|Prof|Jr|vs|ca|approx|no|e\.g|i\.e|U\.S|D\.C|[a-z]\.[a-z])$/i

/** A clause that says why, or more, after the value. */
const CLAUSE =
  /^(?:[,;，]\s*(?:because|since|so|as|which|where|but|i\.e|not|hence|thus|therefore|if|when|meaning|given|for|with|assuming|or equivalently|or approximately|or about|equivalently|that is|although|though|while|and (?:this|that|it|so|we|the)|obtained|rounded|因为|所以|即)(?![\p{L}])|\s+(?:because|since|but|and not|which|assuming|so that|as (?:required|desired|shown|expected|we|the))(?:[\s.,]|$)|\s+\((?!mod\b)\p{Ll}{2,}[\s,)-]|\s+[—–-]\s*\p{L}{2,}\s|\s*<[|/])/iu

/** The beginning of a line up to where its first sentence, or the clause with the value, ends. Formulas are not cut. */
function firstSentence(line: string): { sentence: string; asked: boolean } {
  const closers: string[] = []
  for (let i = 0; i < line.length; i++) {
    const character = line[i] as string
    const span = spanEnd(line, i)
    if (span > i) {
      i = span
      continue
    }
    if (
      '([{'.includes(character) &&
      !(character === '(' && closers.length === 0 && CLAUSE.test(line.slice(i - 1, i + 40)))
    ) {
      closers.push(character)
      continue
    }
    if (')]}'.includes(character)) {
      closers.pop()
      continue
    }
    if (closers.length > 0 && !'。！？'.includes(character)) continue
    const rest = line.slice(i + 1, i + 4)
    const before = line.slice(Math.max(0, i - 12), i)
    if ('。！'.includes(character)) return { sentence: line.slice(0, i), asked: false }
    if ('？'.includes(character) || (character === '?' && /^(?:["”*]*\s|$)/.test(rest))) {
      return { sentence: line.slice(0, i), asked: true }
    }
    if (character === '.' && /^["”*_`]*(?:\s|$|<)/.test(rest) && !isDotOfWord(line, i, before)) {
      return { sentence: line.slice(0, i), asked: false }
    }
    if (character === '!' && /[\p{L}]$/u.test(before) && /^\s+\p{Lu}/u.test(rest)) {
      return { sentence: line.slice(0, i), asked: false }
    }
    if (i > 0 && ',;， <'.includes(character) && CLAUSE.test(line.slice(i, i + 40))) {
      return { sentence: line.slice(0, i), asked: false }
    }
  }
  return { sentence: line, asked: false }
}

/** The dot of an abbreviation or of initials; one that ends the line ends the sentence all the same. */
function isDotOfWord(line: string, at: number, before: string): boolean {
  if (line.slice(at + 1).trim() === '') return false
  if (ABBREVIATION.test(before)) return true
  return /(?:^|\s)\p{Lu}$/u.test(before) && /^\s\p{Lu}(?:\.|\p{Ll}+$)/u.test(line.slice(at + 1, at + 30))
}

/** The last character of a formula or of code that begins at `at` and ends on the line; `at` if none does. */
function spanEnd(line: string, at: number): number {
  const two = line.slice(at, at + 2)
  if (two === '\\(' || two === '\\[') {
    const end = line.indexOf(two === '\\(' ? '\\)' : '\\]', at + 2)
    return end < 0 ? at : end + 1
  }
  const character = line[at]
  if (character !== '$' && character !== '`') return at
  const mark = two === '$$' ? '$$' : character
  const end = line.indexOf(mark, at + mark.length)
  if (end < 0 || (mark === '$' && !isFormula(line.slice(at + 1, end)))) return at
  return end + mark.length - 1
}

/** Between dollar signs; `5 and ` between those of `$5 and $6` is none. */
function isFormula(text: string): boolean {
  return text.trim() !== '' && /^\s/.test(text) === /\s$/.test(text)
}

/** A value without the marks around it: emphasis, code, mathematics, the verb at the end, and the sentence's end. */
export function clean(text: string): string {
  let value = text.trim()
  if (value.length > LONGEST) return value
  value = value.replace(/^[-•]\s+(?=\*\*|[`$])/, '')
  for (let before = ''; before !== value; ) {
    before = value
    value = unwrap(value)
      .replace(/^1[.)]\s+(?=[-\d$\\(])/, '')
      .replace(/^>\s+/, '')
      .replace(/<\/?(?:b|strong|i|em|answer)>/g, '')
      .replace(/^(?:[\s:：]|\*(?!\*?\d+$)|#+\s|__|["“](?=[^"“”]*$))+/u, '')
      .replace(/(?:[\s,;。.]|\*|__|(?<=^[^"“”]{0,200})["”])+$/u, '')
  }
  return value.replace(/(?<=\S)\s*(?:です|である|となります|になります|입니다|이다|이에요|예요)$/u, '').trim()
}

/** Without the marks of formulas, code and emphasis in it. */
function unwrap(value: string): string {
  let text = value
  if (/^`[^`]*`$/.test(text)) text = text.slice(1, -1)
  if (text.includes('**')) text = text.replace(/(?<![\w)])\*\*([^*]{1,500})\*\*(?!\w)/g, '$1')
  if (text.includes('$')) text = text.replace(/(?<!\\)\$\$?((?:[^$\\]|\\.){1,2000}?)\$\$?(?!\d)/g, unwrapFormula)
  return text.replace(/\\\(|\\\)|(?<!\\)\\[[\]]/g, '').trim()
}

function unwrapFormula(all: string, formula: string): string {
  return isFormula(formula) ? formula.trim() : all
}
