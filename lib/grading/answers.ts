/**
 * Whether two final answers are the same. The rules are LIMO's (GAIR-NLP/LIMO, eval/utils) as far as strings, numbers
 * and lists go, and stricter in three places where those pass a wrong answer: an integer is compared exactly, the
 * factor 100 needs a percent sign, and the order of a list counts.
 */

/** Compares two answers, the right one first: as strings, choices, numbers, then element by element. */
export function sameAnswer(expected: string, given: string): boolean {
  const [right, found] = [tidy(expected), tidy(given)]
  if (compact(right) === compact(found)) return true
  if (/^[A-E]$/.test(expected.trim())) return given.match(/\b[A-E]\b/g)?.at(-1) === expected.trim()
  const [x, y] = [readNumber(right), readNumber(found)]
  if (x && y) return sameNumber(x, y)
  return sameList(right, found)
}

const NUMBER_WORDS = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ')

/** An answer without the marks and the units that say nothing about its value. Single spaces stay. */
function tidy(text: string): string {
  const plain = text
    .replace(/\s+/g, ' ')
    .replace(/\\left|\\right|\\[!,;: ]|\\?\$|\^\{?\\circ\}?|°/g, '')
    .replaceAll('−', '-')
    .replaceAll('{,}', ',')
    .replaceAll('\\%', '%')
    .replace(/\\[td]frac/g, '\\frac')
    .trim()
    .replace(/^\\(?:text|textbf|mathrm)\{([^{}]*)\}$/, '$1')
    .replace(/(?<=\S) ?\\(?:text|mathrm)\{[^{}]*\}$/, '')
    .replace(/\.$/, '')
    .replace(/^[A-Za-z] ?= ?(?=[^ =])/, '')
    .replace(/^(["'`])([^"'`]*)\1$/, '$2')
    .trim()
    .toLowerCase()
  const number = NUMBER_WORDS.indexOf(plain)
  return number >= 0 ? String(number) : plain
}

/** Spaces count between words and between numbers only. */
function compact(tidied: string): string {
  return tidied.replace(/ ?([^\p{L}\p{N} ]) ?/gu, '$1')
}

interface ReadNumber {
  value: number
  /** Exact, of whatever length; null if it is no integer. */
  integer: bigint | null
  percent: boolean
}

function readNumber(tidied: string): ReadNumber | null {
  const percent = tidied.endsWith('%')
  let text = percent ? tidied.slice(0, -1).trimEnd() : tidied
  const fraction = /^([-+]?)\\frac\{([-+]?\d+)\}\{(\d+)\}$/.exec(text) ?? /^([-+]?)(\d+) ?\/ ?(\d+)$/.exec(text)
  if (fraction) {
    const [, sign, numerator, denominator] = fraction
    const value = (Number(numerator) / Number(denominator)) * (sign === '-' ? -1 : 1)
    return { value, integer: Number.isInteger(value) ? BigInt(value) : null, percent }
  }
  if (/^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$/.test(text)) text = text.replaceAll(',', '')
  if (!/^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?$/.test(text)) return null
  const whole = /^\+?(-?\d+)(\.0*)?$/.exec(text)?.[1]
  return { value: Number(text), integer: whole === undefined ? null : BigInt(whole), percent }
}

function sameNumber(expected: ReadNumber, given: ReadNumber): boolean {
  if (expected.percent !== given.percent) {
    const [share, other] = expected.percent ? [expected, given] : [given, expected]
    return isClose(share.value, other.value) || isClose(share.value / 100, other.value)
  }
  return expected.integer !== null ? expected.integer === given.integer : isClose(expected.value, given.value)
}

/** LIMO's tolerance. */
function isClose(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-4 * Math.max(Math.abs(a), Math.abs(b))
}

function sameList(expected: string, given: string): boolean {
  const [right, found] = [readList(expected), readList(given)]
  if (!right.isList && !found.isList) return false
  // A closed interval is no open one; brackets that only one side has are a matter of style.
  if (right.brackets && found.brackets && right.brackets !== found.brackets) return false
  return (
    right.elements.length === found.elements.length &&
    right.elements.every((element, i) => sameAnswer(element, found.elements[i] as string))
  )
}

/** The elements between commas, those in inner brackets left together. */
function readList(tidied: string): { brackets: string; elements: string[]; isList: boolean } {
  const bracketed = /^(\[|\(|\\?\{)(.*?)(\]|\)|\\?\})$/.exec(tidied)
  const brackets = bracketed ? `${bracketed[1]}${bracketed[3]}`.replaceAll('\\', '') : ''
  const elements: string[] = ['']
  let depth = 0
  for (const character of bracketed ? (bracketed[2] as string) : tidied) {
    if ('[({'.includes(character)) depth++
    if ('])}'.includes(character)) depth--
    if (character === ',' && depth === 0) elements.push('')
    else elements.push(`${elements.pop()}${character}`)
  }
  return { brackets, elements, isList: bracketed !== null || elements.length > 1 }
}
