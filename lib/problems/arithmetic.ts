/**
 * Sums, differences and products in columns, from the right. Each line restates what is left of the operands and ends
 * with the digits of the result so far, so that a step needs the line before it and nothing else.
 */

import type { Random } from '../base/random.js'
import { at, type Maker } from './problem.js'

export const arithmetic: Maker = (random, difficulty) => {
  const make = random.weighted([
    [4, add],
    [3, subtract],
    [3, multiply],
  ])
  return make(random, difficulty)
}

/** An integer with exactly this many digits. */
function digits(random: Random, count: number): number {
  return random.int(count === 1 ? 1 : 10 ** (count - 1), 10 ** count - 1)
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

const add: Maker = (random, difficulty) => {
  const sizes = random.sample(at(OPERANDS, difficulty), 2)
  const [a, b] = sizes.map((size) => digits(random, size)) as [number, number]
  const steps: string[] = []
  let result = ''
  for (let x = a, y = b, carry = 0; x > 0 || y > 0 || carry > 0; ) {
    const sum = (x % 10) + (y % 10) + carry
    result = (sum % 10) + result
    const next = Math.floor(sum / 10)
    steps.push(`${x}+${y}: ${x % 10}+${y % 10}+${carry}=${sum}, carry ${next}, ${result}`)
    x = Math.floor(x / 10)
    y = Math.floor(y / 10)
    carry = next
  }
  return {
    key: `add ${a} ${b}`,
    question: random.pick([
      `What is ${a} + ${b}?`,
      `What is ${a}+${b}?`,
      `Compute ${a} + ${b}.`,
      `Add ${a} and ${b}.`,
      `What is the sum of ${a} and ${b}?`,
      `How much is ${a} plus ${b}?`,
      `${a} + ${b} = ?`,
    ]),
    steps,
    answer: String(a + b),
    program: `print(${a} + ${b})`,
  }
}

const subtract: Maker = (random, difficulty) => {
  const [a, b] = at(OPERANDS, difficulty)
    .map((size) => digits(random, size))
    .sort((x, y) => y - x) as [number, number]
  const steps: string[] = []
  let result = ''
  for (let x = a, y = b, borrow = 0; x > 0 || y > 0; ) {
    const need = (y % 10) + borrow
    const next = x % 10 < need ? 1 : 0
    const have = (x % 10) + 10 * next
    result = have - need + result
    steps.push(`${x}-${y}: ${have}-${y % 10}-${borrow}=${have - need}, borrow ${next}, ${result}`)
    x = Math.floor(x / 10)
    y = Math.floor(y / 10)
    borrow = next
  }
  return {
    key: `subtract ${a} ${b}`,
    question: random.pick([
      `What is ${a} - ${b}?`,
      `What is ${a}-${b}?`,
      `Compute ${a} - ${b}.`,
      `What is the difference between ${a} and ${b}?`,
      `How much is ${a} minus ${b}?`,
      `${a} - ${b} = ?`,
    ]),
    steps,
    answer: String(a - b),
    program: `print(${a} - ${b})`,
  }
}

const multiply: Maker = (random, difficulty) => {
  const a = digits(random, at([1, 1, 2, 2, 3, 3, 4, 5], difficulty))
  const b = random.int(2, 9)
  const steps: string[] = []
  let result = ''
  for (let x = a, carry = 0; x > 0 || carry > 0; ) {
    const product = (x % 10) * b + carry
    result = (product % 10) + result
    const next = Math.floor(product / 10)
    steps.push(`${x}*${b}: ${x % 10}*${b}+${carry}=${product}, carry ${next}, ${result}`)
    x = Math.floor(x / 10)
    carry = next
  }
  return {
    key: `multiply ${a} ${b}`,
    question: random.pick([
      `What is ${a} * ${b}?`,
      `What is ${a} times ${b}?`,
      `Compute ${a} * ${b}.`,
      `Multiply ${a} by ${b}.`,
      `What is the product of ${a} and ${b}?`,
      `How much is ${a} times ${b}?`,
    ]),
    steps,
    answer: String(a * b),
    program: `print(${a} * ${b})`,
  }
}
