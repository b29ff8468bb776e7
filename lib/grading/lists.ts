/** Lists, sets, tuples and matrices in plain signs: their brackets and their elements. */

export interface List {
  /** Opening and closing one, as in `[)`; '' without. Bare braces are none. */
  brackets: string
  elements: string[]
  /** The order says nothing: it is a set, or its elements are joined by words. */
  isSet: boolean
  /** It has brackets or more than one element. */
  isList: boolean
}

const OPEN = '([{⦃'
const CLOSE = ')]}⦄'

/** The elements between commas or semicolons, those in inner brackets left together. */
export function readList(value: string): List {
  const matrix = /^[([]?\s*\\begin\{pmatrix\}(.*?)\\end\{pmatrix\}\s*[)\]]?$/.exec(value)
  if (matrix && !(matrix[1] as string).includes('\\begin')) {
    const rows = (matrix[1] as string)
      .split(/\\\\/)
      .map((row) => row.trim())
      .filter((row) => row !== '')
    const elements = rows.map((row) => (row.includes('&') ? `(${row.split('&').join(',')})` : row))
    return { brackets: '()', elements, isSet: false, isList: true }
  }
  const [first = '', last = ''] = [value[0], value.at(-1)]
  const isBracketed =
    value.length > 1 && OPEN.includes(first) && CLOSE.includes(last) && closerOf(value, 0) === value.length - 1
  const inner = isBracketed ? value.slice(1, -1) : value
  const isBraced = isBracketed && '{⦃'.includes(first)
  const words = !isBracketed || isBraced ? splitAtWords(inner) : [inner]
  const elements = words.flatMap((part) => splitAt(part, depthless(part, ';') ? ';' : ','))
  return {
    brackets: isBracketed && first !== '{' ? first + last : '',
    elements,
    isSet: isBraced || words.length > 1 || (!isBracketed && elements.length > 1 && elements.every(isTuple)),
    isList: isBracketed || elements.length > 1,
  }
}

/** Sets joined by `∪`, as one of their elements where all are in braces, else as one of the sets; null if it is no set. */
export function readUnion(value: string): List | null {
  const parts = splitAt(value, '∪')
  const inBraces = parts.map((part) => /^⦃(.*)⦄$/.exec(part)?.[1])
  const areFinite = inBraces.every((inner) => inner !== undefined)
  if (parts.length < 2 && !areFinite) return null
  const elements = areFinite ? inBraces.flatMap((inner) => splitAt(inner as string, ',')) : parts
  return { brackets: '', elements, isSet: true, isList: true }
}

function isTuple(element: string): boolean {
  return /^[([⦃].*[)\]⦄]$/.test(element)
}

/** `1 ± 2` is two values. */
export function expandSigns(elements: string[]): string[] {
  return elements.flatMap((element) =>
    /[±∓]/.test(element) && element.length < 300
      ? [element.replaceAll('±', '+').replaceAll('∓', '-'), element.replaceAll('±', '-').replaceAll('∓', '+')]
      : [element],
  )
}

/** Where the bracket that opens at `start` closes; -1 if it does not. Half-open intervals close with the other kind. */
function closerOf(value: string, start: number): number {
  let depth = 0
  for (let i = start; i < value.length; i++) {
    if (OPEN.includes(value[i] as string)) depth++
    else if (CLOSE.includes(value[i] as string) && --depth === 0) return i
  }
  return -1
}

/** Whether a sign stands outside of all brackets. */
function depthless(value: string, sign: string): boolean {
  return splitAt(value, sign).length > 1
}

/** The parts between a sign that stands outside of brackets. */
export function splitAt(value: string, sign: string): string[] {
  const parts: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i < value.length; i++) {
    const character = value[i] as string
    if (OPEN.includes(character)) depth++
    else if (CLOSE.includes(character)) depth--
    else if (character === sign && depth === 0) {
      parts.push(value.slice(start, i))
      start = i + 1
    }
  }
  parts.push(value.slice(start))
  const trimmed = parts.map((part) => part.trim())
  return trimmed.length > 1 ? trimmed.filter((part, i) => part !== '' || i < trimmed.length - 1) : trimmed
}

const WORDS = /,?\s*(?:(?<![A-Za-z\\])(?:and|or)(?![A-Za-z])|(?<=\d)or(?=[A-Za-z]\())\s*/g

/** At `and` and `or` between values; a text with words (`salt and pepper`) is split too. */
function splitAtWords(value: string): string[] {
  const parts: string[] = []
  let start = 0
  for (const match of value.matchAll(WORDS)) {
    if (balance(value.slice(start, match.index)) !== 0) continue
    parts.push(value.slice(start, match.index))
    start = match.index + match[0].length
  }
  parts.push(value.slice(start))
  return parts.some((part) => part.trim() === '') ? [value] : parts
}

function balance(value: string): number {
  let depth = 0
  for (const character of value) depth += OPEN.includes(character) ? 1 : CLOSE.includes(character) ? -1 : 0
  return depth
}
