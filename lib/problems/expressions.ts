/** Expressions of several operations: each line works one of them out, the next restates what is left. */
import type { Random } from '../base/random.js'
import { type Operator, operate } from './columns.js'
import { at, digits, type Maker, type Problem } from './problem.js'

/** Products of larger factors would need more steps than a line should hold. */
const LARGEST_FACTOR = 99
const LARGEST = 99_999

type Token = number | Operator | '(' | ')' | '-('

export const chain: Maker = (random, difficulty, asking) => {
  const [terms, size] = at(
    [
      [2, 1],
      [2, 2],
      [3, 1],
      [3, 2],
      [4, 2],
      [5, 2],
      [4, 3],
      [6, 3],
    ],
    difficulty,
  ) as [number, number]
  const tokens: Token[] = [digits(random, random.int(1, size))]
  for (let i = 1; i < terms; i++) tokens.push(random.pick(['+', '-'] as const), digits(random, random.int(1, size)))
  const text = shown(tokens)
  const question = asking.of(
    [
      `State the final answer to the following arithmetic problem: ${text} =`,
      `What is ${text}?`,
      `What is ${text.replaceAll(' ', '')}?`,
      `Compute ${text}.`,
      `Calculate ${text}.`,
      `${text} = ?`,
      `${text} =`,
      `Evaluate ${text}.`,
      `Add and subtract: ${text}`,
      `How much is ${text}?`,
      `Find the value of ${text}.`,
    ],
    [`Work out ${text}.`, `What does ${text} equal?`, `Give the final result of this sum: ${text}`, `Solve ${text}.`],
    { things: [text, `the value of ${text}`, `the result of the sum ${text}`, text.replaceAll(' ', '')] },
  )
  return worked(tokens, question) as Problem
}

export const expression: Maker = (random, difficulty, asking) => {
  for (;;) {
    const tokens = draw(random, difficulty)
    const spaced = random.chance(0.5)
    const text = spaced ? shown(tokens).replaceAll('(', '( ').replaceAll(')', ' )') : shown(tokens)
    const question = asking.of(
      [
        `Calculate ${text}.`,
        `What is ${text}?`,
        `Compute ${text}.`,
        `Evaluate ${text}.`,
        `${text} = ?`,
        `Find the value of ${text}.`,
        `How much is ${text}?`,
        `What is the value of ${text}?`,
        `Evaluate the expression ${text}.`,
        `What is ${text.replaceAll(' ', '')}?`,
        `Compute ${text.replaceAll(' ', '')}`,
      ],
      [`Work out ${text}.`, `What does ${text} equal?`, `Solve: ${text}`, `What is the result of ${text}?`],
      { things: [text, `the value of ${text}`, `the value of the expression ${text}`, text.replaceAll(' ', '')] },
    )
    const problem = worked(tokens, question)
    if (problem) return problem
  }
}

function draw(random: Random, difficulty: number): Token[] {
  const terms = at([2, 2, 2, 3, 3, 3, 4, 5], difficulty)
  const size = at([1, 2, 2, 1, 2, 2, 2, 2], difficulty)
  const hasSpan = difficulty > 2 && random.chance(0.4)
  const from = hasSpan ? random.int(0, terms - 2) : -1
  const to = hasSpan ? random.int(from + 1, terms - 1) : -1
  const operators: Operator[] = ['+', '+', '-', '-', '*', '/']
  const tokens: Token[] = []
  for (let i = 0; i < terms; i++) {
    if (i > 0) tokens.push(random.pick(operators))
    if (i === from) tokens.push(random.chance(0.3) ? '-(' : '(')
    // What is divided is a multiple of what divides it: nearly all others would be thrown away.
    const number = digits(random, random.int(1, size))
    const before = tokens.at(-2)
    if (tokens.at(-1) === '/' && typeof before === 'number') {
      const divisor = random.int(1, 12)
      tokens[tokens.length - 2] = before >= divisor ? before - (before % divisor) : divisor
      tokens.push(divisor)
    } else tokens.push(random.chance(0.2) ? -number : number)
    if (i === to) tokens.push(')')
  }
  return tokens
}

/** Null: an operation is too large, or a division leaves a remainder. */
function worked(tokens: Token[], question: string): Problem | null {
  const text = shown(tokens)
  const steps: string[] = []
  let rest = tokens
  while (rest.length > 1) {
    const close = rest.indexOf(')')
    const open = rest.slice(0, close).findLastIndex((token) => token === '(' || token === '-(')
    const [low, high] = close < 0 ? [0, rest.length] : [open + 1, close]
    if (high - low === 1) {
      const value = rest[low] as number
      rest = [...rest.slice(0, open), rest[open] === '-(' ? 0 - value : value, ...rest.slice(close + 1)]
      if (rest[0] !== undefined && rest.length > 1) steps.push(shown(rest))
      continue
    }
    const inside = rest.slice(low, high)
    const first = inside.findIndex((token) => token === '*' || token === '/')
    const place = low + (first < 0 ? 1 : first)
    const [a, operator, b] = rest.slice(place - 1, place + 2) as [number, Operator, number]
    const isProduct = operator === '*' || operator === '/'
    if (isProduct && Math.min(Math.abs(a), Math.abs(b)) > LARGEST_FACTOR) return null
    const done = operate(a, operator, b)
    if (!done || Math.abs(done.value) > LARGEST) return null
    steps.push(done.line)
    rest = [...rest.slice(0, place - 1), done.value, ...rest.slice(place + 2)]
    if (rest.length > 1 && !(close >= 0 && high - low === 3)) steps.push(shown(rest))
  }
  const answer = String(rest[0])
  return { key: keyOf(tokens), question, task: text, steps, answer, program: `print(int(${text}))` }
}

/** As people write it, with spaces around operators. */
function shown(tokens: readonly Token[]): string {
  return tokens.join(' ').replaceAll('-( ', '-(').replaceAll('( ', '(').replaceAll(' )', ')')
}

/** Of one operation, that of the kinds of `arithmetic.ts`. */
function keyOf(tokens: readonly Token[]): string {
  const [a, operator, b] = tokens
  if (tokens.length > 3 || typeof a !== 'number' || typeof b !== 'number') return `expression ${shown(tokens)}`
  if (operator === '-') return `subtract ${a} ${b}`
  if (operator === '/') return `divide ${a} ${b}`
  return `${operator === '+' ? 'add' : 'multiply'} ${[a, b].sort((x, y) => x - y)}`
}
