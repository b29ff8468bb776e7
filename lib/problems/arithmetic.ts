/** Sums, differences, products and quotients, and expressions of several of them. */
import type { Asking } from './asking.js'
import {
  addFromLeft,
  addFromRight,
  divideFromLeft,
  multiplyFromLeft,
  multiplyFromRight,
  subtractFromLeft,
  subtractFromRight,
} from './columns.js'
import { chain, expression } from './expressions.js'
import { at, type Check, digits, type Maker, misread, nearNumber, type Problem } from './problem.js'

export const arithmetic: Maker = (random, difficulty, asking) => {
  const make = random.weighted([
    [4, add],
    [3, subtract],
    [3, multiply],
    [2, product],
    [2, divide],
    [4, chain],
    [4, expression],
  ])
  return make(random, difficulty, asking)
}

const OPERANDS = [
  [1, 1],
  [2, 1],
  [2, 2],
  [3, 2],
  [3, 3],
  [4, 3],
  [4, 4],
  [5, 4],
] as const

/** Whether the last line of another method ends with the value. */
function ends(lines: string[], value: string, answer: number): Check {
  return { lines, holds: value === String(answer) }
}

const add: Maker = (random, difficulty, asking) => {
  const sizes = random.sample(at(OPERANDS, difficulty), 2)
  const [a, b] = sizes.map((size) => digits(random, size)) as [number, number]
  return {
    key: `add ${[a, b].sort((x, y) => x - y)}`,
    question: asking.of(
      [
        `What is ${a} + ${b}?`,
        `What is ${a}+${b}?`,
        `Compute ${a} + ${b}.`,
        `Add ${a} and ${b}.`,
        `What is the sum of ${a} and ${b}?`,
        `How much is ${a} plus ${b}?`,
        `${a} + ${b} = ?`,
        `${a}+${b}=`,
        `${a} plus ${b}`,
        `Calculate ${a} + ${b}.`,
        `What do you get when you add ${b} to ${a}?`,
        `Find the sum: ${a} + ${b}`,
        `What number is ${b} more than ${a}?`,
        `Evaluate ${a} + ${b}.`,
      ],
      [
        `Work out ${a} + ${b}.`,
        `If I add ${a} and ${b}, what is the total?`,
        `Give me the total of ${a} and ${b}.`,
        `What does ${a} + ${b} equal?`,
      ],
      { things: [`${a} + ${b}`, `${a} plus ${b}`, `the sum of ${a} and ${b}`, `${a}+${b}`, `what ${a} and ${b} make`] },
    ),
    task: `${a}+${b}`,
    steps: addFromLeft(a, b),
    answer: String(a + b),
    program: `print(${a} + ${b})`,
    check: (value) => ends(addFromRight(a, b), value, a + b),
    nearMiss: (random) => nearNumber(random, a + b),
    slip: (random) => {
      const other = misread(random, a)
      return { steps: addFromLeft(other, b), value: String(other + b) }
    },
  }
}

const subtract: Maker = (random, difficulty, asking) => {
  const [a, b] = at(OPERANDS, difficulty)
    .map((size) => digits(random, size))
    .sort((x, y) => y - x) as [number, number]
  return {
    key: `subtract ${a} ${b}`,
    question: asking.of(
      [
        `What is ${a} - ${b}?`,
        `What is ${a}-${b}?`,
        `Compute ${a} - ${b}.`,
        `What is the difference between ${a} and ${b}?`,
        `How much is ${a} minus ${b}?`,
        `${a} - ${b} = ?`,
        `${a}-${b}=`,
        `${a} minus ${b}`,
        `Calculate ${a} - ${b}.`,
        `Subtract ${b} from ${a}.`,
        `Take ${b} away from ${a}.`,
        `What number is ${b} less than ${a}?`,
        `Evaluate ${a} - ${b}.`,
      ],
      [
        `Work out ${a} - ${b}.`,
        `What is left when ${b} is taken from ${a}?`,
        `By how much is ${a} larger than ${b}?`,
        `What does ${a} - ${b} equal?`,
      ],
      { things: [`${a} - ${b}`, `${a} minus ${b}`, `the difference of ${a} and ${b}`, `${a}-${b}`] },
    ),
    task: `${a}-${b}`,
    steps: subtractFromLeft(a, b),
    answer: String(a - b),
    program: `print(${a} - ${b})`,
    check: (value) => ends(subtractFromRight(a, b), value, a - b),
    nearMiss: (random) => nearNumber(random, a - b),
    slip: (random) => {
      const other = misread(random, b)
      const [large, small] = other > a ? [other, a] : [a, other]
      return {
        steps: subtractFromLeft(large, small),
        value: String(large - small === a - b ? a - b + 1 : large - small),
      }
    },
  }
}

function productOf(a: number, b: number, asking: Asking): Problem {
  return {
    key: `multiply ${[a, b].sort((x, y) => x - y)}`,
    question: asking.of(
      [
        `What is ${a} * ${b}?`,
        `What is ${a} times ${b}?`,
        `Compute ${a} * ${b}.`,
        `Multiply ${a} by ${b}.`,
        `What is the product of ${a} and ${b}?`,
        `How much is ${a} times ${b}?`,
        `${a} * ${b} = ?`,
        `${a}*${b}=`,
        `${a} times ${b}`,
        `What is ${a} x ${b}?`,
        `Calculate ${a} * ${b}.`,
        `Find the product of ${a} and ${b}.`,
        `Evaluate ${a} * ${b}.`,
      ],
      [
        `Work out ${a} * ${b}.`,
        `What do you get when you multiply ${a} and ${b}?`,
        `What does ${a} * ${b} equal?`,
        `${a} multiplied by ${b} is what?`,
      ],
      { things: [`${a} * ${b}`, `${a} times ${b}`, `the product of ${a} and ${b}`, `${a} x ${b}`, `${a} × ${b}`] },
    ),
    task: `${a}*${b}`,
    steps: multiplyFromLeft(a, b),
    answer: String(a * b),
    program: `print(${a} * ${b})`,
  }
}

const multiply: Maker = (random, difficulty, asking) => {
  const a = digits(random, at([1, 1, 2, 2, 3, 3, 4, 5], difficulty))
  const b = random.int(2, 9)
  return {
    ...(random.chance(0.7) ? productOf(a, b, asking) : productOf(b, a, asking)),
    task: `${a}*${b}`,
    steps: multiplyFromLeft(a, b),
    check: (value) => ends(multiplyFromRight(a, b), value, a * b),
    nearMiss: (random) => nearNumber(random, a * b),
    slip: (random) => {
      const other = misread(random, a)
      return { steps: multiplyFromLeft(other, b), value: String(other * b) }
    },
  }
}

const product: Maker = (random, difficulty, asking) => {
  const [m, n] = at(
    [
      [1, 1],
      [1, 1],
      [2, 1],
      [2, 1],
      [2, 2],
      [2, 2],
      [3, 2],
      [3, 2],
    ],
    difficulty,
  ) as [number, number]
  return productOf(digits(random, m), digits(random, n), asking)
}

const divide: Maker = (random, difficulty, asking) => {
  const b = random.int(2, at([5, 9, 9, 9, 9, 12, 12, 12], difficulty))
  const quotient = digits(random, at([1, 1, 1, 2, 2, 2, 3, 4], difficulty))
  const a = b * quotient
  return {
    key: `divide ${a} ${b}`,
    question: asking.of(
      [
        `What is ${a} / ${b}?`,
        `What is ${a} divided by ${b}?`,
        `Compute ${a} / ${b}.`,
        `Divide ${a} by ${b}.`,
        `How much is ${a} divided by ${b}?`,
        `${a} / ${b} = ?`,
        `${a}/${b}=`,
        `Calculate ${a} / ${b}.`,
        `How many times does ${b} go into ${a}?`,
        `Evaluate ${a} / ${b}.`,
        `What is the quotient of ${a} and ${b}?`,
      ],
      [`Work out ${a} / ${b}.`, `What does ${a} / ${b} equal?`, `Split ${a} into ${b} equal parts. How large is each?`],
      { things: [`${a} / ${b}`, `${a} divided by ${b}`, `${a} ÷ ${b}`, `the quotient of ${a} and ${b}`] },
    ),
    task: `${a}/${b}`,
    steps: divideFromLeft(a, b).lines,
    answer: String(quotient),
    program: `print(${a} // ${b})`,
  }
}
