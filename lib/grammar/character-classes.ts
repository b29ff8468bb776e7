/** Classes of characters in regular expressions, as sets of code points. */
import type { AST } from '@eslint-community/regexpp'
import { ALL, type CodePoints, codePoints, complement, intersection, pairsOf, union } from './code-points.js'

/** The pattern is right, and has something that no automaton can tell. Its message says what. */
export class NotRegular extends Error {}

const DIGIT = codePoints([[48, 57]])
export const WORD = codePoints([
  [48, 57],
  [65, 90],
  [95, 95],
  [97, 122],
])
const SPACE = codePoints([
  [9, 13],
  [32, 32],
  [160, 160],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
])
const LINE_END = codePoints([
  [10, 10],
  [13, 13],
  [0x2028, 0x2029],
])

/** The code points that one element of a pattern stands for. */
export function pointsOf(element: AST.Node): CodePoints {
  switch (element.type) {
    case 'Character':
      return intersection([element.value, element.value], ALL)
    case 'CharacterClassRange':
      return intersection([element.min.value, element.max.value], ALL)
    case 'CharacterClass': {
      const points = union(...(element.elements as AST.Node[]).map(pointsOf))
      return element.negate ? complement(points) : points
    }
    case 'CharacterSet': {
      if (element.kind === 'any') return complement(LINE_END)
      const points =
        element.kind === 'digit'
          ? DIGIT
          : element.kind === 'word'
            ? WORD
            : element.kind === 'space'
              ? SPACE
              : ofProperty(element.raw)
      // The text of a negated property has the negation in it.
      return element.kind !== 'property' && element.negate ? complement(points) : points
    }
    default:
      throw new NotRegular(`a ${element.type}`)
  }
}

const properties = new Map<string, CodePoints>()

function ofProperty(raw: string): CodePoints {
  const known = properties.get(raw)
  if (known) return known
  const test = new RegExp(raw, 'u')
  const pairs: [number, number][] = []
  for (const [first, last] of pairsOf(ALL)) {
    for (let point = first; point <= last; point++) {
      if (!test.test(String.fromCodePoint(point))) continue
      const before = pairs.at(-1)
      if (before && before[1] === point - 1) before[1] = point
      else pairs.push([point, point])
    }
  }
  properties.set(raw, pairs.flat())
  return pairs.flat()
}
