/**
 * Whether two final answers are the same. The rules are LIMO's (GAIR-NLP/LIMO, eval/utils) as far as strings, numbers
 * and lists go, and stricter in three places where those pass a wrong answer: an integer is compared exactly, the
 * factor 100 needs a percent sign, and the order of a list counts. Expressions are compared by their values.
 */
import { chosenLetter, loneLetter, markedChoice, unmarked } from './choices.js'
import { namesOf, numericValue, sameValue } from './evaluate.js'
import { type Expression, readExpression } from './expression.js'
import { expandSigns, type List, readList, readUnion } from './lists.js'
import { readMatrix } from './matrices.js'
import { compact, plain, splitUnit } from './notation.js'
import { asNumber, digitsOfBase, sameNumber, withoutExponents, withoutSeparators } from './numbers.js'
import { stated } from './prose.js'
import { readEquation, readIntervals, sameEquation, sameIntervals, splitAtSigns } from './relations.js'
import { SYMBOLIC_LIMIT, sameSymbolically } from './symbolic.js'

/** Longer values are compared as text only. */
const LONGEST = 3000

/** Comparisons of parts that one comparison of answers may take, and how deep lists may be. */
const MOST_COMPARISONS = 3000
const DEEPEST = 8

export interface AnswerOptions {
  /** Whether values between commas, without brackets around them, are the same in any order: roots are, a sorted list is not. */
  anyOrder?: boolean | undefined
}

/**
 * Compares two answers, the right one first: as strings, choices, numbers, equations and inequalities, element by element,
 * and as expressions by their values. Each may be a value or a text that states one (a box, a final-answer phrase, a
 * formula in a sentence). Takes bounded time: what is too long or too deep to be worked out is compared as text.
 */
export function sameAnswer(expected: string, given: string, { anyOrder = false }: AnswerOptions = {}): boolean {
  const [gold, found] = [stated(expected), stated(given)]
  const [right, value] = [plain(gold.value), plain(found.value)]
  if (compact(right) === compact(value)) return right !== '' || expected.trim() === given.trim()
  const choice = sameChoice(gold.value, found.value)
  if (choice !== null) return choice
  const budget = { left: MOST_COMPARISONS, symbolic: SYMBOLIC_LIMIT }
  const isBare = anyOrder && ![right, value].some((each) => /^[([]/.test(each))
  const isSet = isBare || gold.isSet || found.isSet
  if (same(right, value, budget, isSet, 0)) return true
  return found.inner !== null && same(right, plain(found.inner), budget, isSet, 0)
}

/** Null: the right answer is no choice, or its text decides. */
function sameChoice(expected: string, given: string): boolean | null {
  const [gold, found] = [unmarked(expected), unmarked(given)]
  const letter = loneLetter(gold)
  if (letter !== null) return chosenLetter(found) === letter
  if (/^(?:yes|no|true|false)$/i.test(gold)) {
    const word = /^(yes|no|true|false)(?=$|[.,;:!])/i.exec(found)?.[1]
    return word === undefined ? null : word.toLowerCase() === gold.toLowerCase()
  }
  const marked = markedChoice(gold)
  if (!marked || marked.text === '') return null
  const choice = markedChoice(found)
  if (choice) return choice.letter === marked.letter
  return sameAnswer(marked.text, found)
}

interface Budget {
  left: number
  /** Milliseconds for the symbolic engine. */
  symbolic: number
}

function same(right: string, found: string, budget: Budget, isSet: boolean, depth: number): boolean {
  if (compact(right) === compact(found)) return true
  if (right === '' || found === '' || --budget.left < 0 || depth > DEEPEST) return false
  const number = sameNumber(right, found)
  if (number !== null) return number
  if (right.length > LONGEST || found.length > LONGEST) return false
  ;[right, found] = [asNumber(right, found), asNumber(found, right)]
  if (digitsOfBase(right) === found) return true
  const matrices = sameMatrix(right, found)
  if (matrices !== null) return matrices
  if (/[<>∪∈∖]|!=/.test(right + found)) return sameRange(right, found, budget, isSet, depth)
  const [gold, given] = [readList(right), readList(found)]
  if (
    gold.elements.length > 1 ||
    given.elements.length > 1 ||
    isTwo(right) ||
    isTwo(found) ||
    gold.brackets ||
    given.brackets
  ) {
    // `(p, q) = (3, 2)` is a name and no list yet.
    if (!gold.isList !== !given.isList) {
      // The one that is no list: `x = 1 or x = 2` has two names.
      const named = readEquation(gold.isList ? found : right)
      if (named && !named.isNamed) return false
      if (named) {
        const [x, y] = gold.isList ? [right, named.right] : [named.right, found]
        return same(x, y, budget, isSet, depth + 1)
      }
    }
    const [x, y] = [listOf(right, gold), listOf(found, given)]
    if (x.isList || y.isList) return sameList(x, y, budget, isSet, depth)
  }
  const equation = sameEquations(right, found, budget, depth)
  if (equation !== null) return equation
  return sameExpression(right, found, budget)
}

/** Null: none is an expression of matrices. A single one is a list of rows. */
function sameMatrix(right: string, found: string): boolean | null {
  const isWorkedOut = [right, found].some((value) => /[^([\s].*\\begin\{pmatrix\}/.test(value))
  if (!isWorkedOut) return null
  const [x, y] = [readMatrix(right), readMatrix(found)]
  if (!x || !y) return null
  return (
    x.length === y.length &&
    x.every((row, i) => row.length === y[i]?.length && row.every((entry, j) => sameValue(entry, y[i]?.[j] ?? entry)))
  )
}

function isTwo(value: string): boolean {
  return /[±∓]/.test(value)
}

/** With both values of `±`, and elements without quotes. */
function listOf(value: string, list: List): List {
  const elements = expandSigns(list.elements).map((element) => element.replace(/^(["'])(.*)\1$/, '$2'))
  return { ...list, elements, isSet: list.isSet || isTwo(value), isList: list.isList || elements.length > 1 }
}

function sameList(gold: List, given: List, budget: Budget, isSet: boolean, depth: number): boolean {
  if (gold.brackets && given.brackets && gold.brackets !== given.brackets && !isTuple(gold, given)) return false
  const [x, y] = [namedElements(gold), namedElements(given)]
  const anyOrder = isSet || gold.isSet || given.isSet || x.anyOrder || y.anyOrder
  if (x.values.length !== y.values.length && !anyOrder) return false
  const inOrder =
    x.values.length === y.values.length &&
    x.values.every((value, i) => sameElement(value, x.names[i], y.values[i] as string, y.names[i], budget, depth))
  if (inOrder) return true
  return anyOrder && isWithin(x, y, budget, depth) && isWithin(y, x, budget, depth)
}

/**
 * A closed interval is no open one; brackets around what is no interval, or that only one side has, are a matter of style.
 */
function isTuple(...lists: List[]): boolean {
  return lists.every(({ brackets, elements }) => /^[([][)\]]$/.test(brackets) && elements.length > 2)
}

/** Whether each element of one set is one of another. */
function isWithin(x: NamedElements, y: NamedElements, budget: Budget, depth: number): boolean {
  return x.values.every((value, i) =>
    y.values.some((other, j) => sameElement(value, x.names[i], other, y.names[j], budget, depth)),
  )
}

function sameElement(
  a: string,
  name: string | undefined,
  b: string,
  other: string | undefined,
  budget: Budget,
  depth: number,
): boolean {
  if (name !== undefined && other !== undefined && name !== other) return false
  return same(a, b, budget, false, depth + 1)
}

interface NamedElements {
  values: string[]
  /** Where elements have names of their own. */
  names: (string | undefined)[]
  anyOrder: boolean
}

/** `a = 4, -8` are two values of one name, which says nothing; `a = 4, b = 5` has two names, which do. */
function namedElements({ elements }: List): NamedElements {
  const equations = elements.map(readEquation)
  const names = equations.map((equation) => (equation?.isNamed ? compact(equation.left) : undefined))
  const values = elements.map((element, i) => (equations[i]?.isNamed ? (equations[i]?.right as string) : element))
  const distinct = new Set(names.filter((name) => name !== undefined))
  const isOne = distinct.size === 1 && elements.length > 1
  return {
    values,
    names: isOne ? names.map(() => undefined) : names,
    anyOrder: isOne || distinct.size === elements.length,
  }
}

function sameEquations(right: string, found: string, budget: Budget, depth: number): boolean | null {
  const [gold, given] = [readEquation(right), readEquation(found)]
  if (!gold && !given) return null
  if (gold && given) {
    const [name, other] = [unknownOf(gold.left), unknownOf(given.left)]
    const isOther = name !== null && other !== null && name !== other
    if (gold.isNamed && given.isNamed && !isOther && same(gold.right, given.right, budget, false, depth + 1))
      return true
    return sameEquation(gold, given)
  }
  const [equation, value] = gold ? [gold, found] : [given as NonNullable<typeof given>, right]
  if (!equation.isNamed) return false
  return gold
    ? same(equation.right, value, budget, false, depth + 1)
    : same(value, equation.right, budget, false, depth + 1)
}

/** The name of an unknown, or of a function as `f()`, which says which one is found; null for any other. */
function unknownOf(left: string): string | null {
  const [, letter, call] = /^([A-Za-z])(\s?\([A-Za-z]\))?$/.exec(left) ?? []
  if (letter === undefined) return null
  // The graph of a function may be given as y.
  return letter === 'y' || call === undefined ? letter : `${letter}()`
}

/** Intervals and inequalities as sets of numbers; else side by side. */
function sameRange(right: string, found: string, budget: Budget, isSet: boolean, depth: number): boolean {
  const [gold, given] = [readIntervals(right), readIntervals(found)]
  if (gold && given) return sameIntervals(gold, given)
  const [x, y] = [body(right), body(found)]
  if (x !== right || y !== found) return same(x, y, budget, isSet, depth + 1)
  const [together, others] = [readUnion(right), readUnion(found)]
  if (together && others) return sameList(together, others, budget, true, depth)
  const [a, b] = [sides(right), sides(found)]
  return (
    a.signs === b.signs &&
    a.sides.length === b.sides.length &&
    a.sides.every((side, i) => same(side, b.sides[i] as string, budget, false, depth + 1))
  )
}

function body(value: string): string {
  return /^[^∈]{1,40}∈\s*(.+)$/.exec(value)?.[1] ?? value
}

/** The smaller first. */
function sides(value: string): { sides: string[]; signs: string } {
  const { sides: parts, signs } = splitAtSigns(value)
  if (signs.every((sign) => sign.startsWith('>')) && signs.length > 0) {
    return {
      sides: parts.reverse(),
      signs: signs
        .reverse()
        .map((sign) => sign.replace('>', '<'))
        .join(' '),
    }
  }
  return { sides: parts, signs: signs.join(' ') }
}

/** By value; what that does not decide, by the symbolic engine, where it is loaded. */
function sameExpression(right: string, found: string, budget: Budget): boolean {
  const [x, y] = [splitUnit(right), splitUnit(found)]
  if (x.unit !== '' && y.unit !== '' && x.unit !== y.unit) return false
  const [a, b] = [x, y].map(({ amount }) => withoutExponents(withoutSeparators(amount))) as [string, string]
  const [gold, given] = [readExpression(a), readExpression(b)]
  if (gold && given) {
    if (sameValue(gold, given)) return true
    if (isReal(gold) && isReal(given)) return false
  }
  const start = performance.now()
  const same = sameSymbolically(a, b, budget.symbolic)
  budget.symbolic -= performance.now() - start
  return same
}

/** Whether all of it is understood here: numbers and letters, none of them the imaginary unit, and a value if it is constant. */
function isReal(expression: Expression): boolean {
  const names = [...namesOf(expression)]
  if (names.length === 0) return Number.isFinite(numericValue(expression))
  return names.every((name) =>
    /^(?:[A-Za-hj-zα-ωΑ-Ω]|(?:alpha|beta|gamma|delta|lambda|mu|phi|omega|theta))(?:_\w+)?$/.test(name),
  )
}
