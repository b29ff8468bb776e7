/** Questions of yes and no about a list: the first item that decides ends the search, and it stands anywhere. */

import { compared, numbers, shown } from './number-lists.js'
import { at, type Maker } from './problem.js'

export const decide: Maker = (random, difficulty, asking) => {
  const make = random.pick([exceeds, sorted])
  return make(random, difficulty, asking)
}

const SIZE = [2, 4, 5, 7, 9, 11, 13, 15]

const exceeds: Maker = (random, difficulty, asking) => {
  const limit = random.int(20, 90)
  const list = random.distinct(1, limit, at(SIZE, difficulty))
  const place = random.int(0, list.length - 1)
  if (random.chance(0.5)) list[place] = random.int(limit + 1, 99)
  const found = list.findIndex((value) => value > limit)
  const l = shown(random, list)
  return {
    key: `exceeds ${limit} ${list}`,
    question: asking.of(
      [
        `Is any of ${l} greater than ${limit}?`,
        `Is there a number over ${limit} in ${l}?`,
        `Does ${l} have a number larger than ${limit}?`,
        `Does the list ${l} contain a number above ${limit}?`,
        `Is one of the numbers ${l} greater than ${limit}?`,
        `Yes or no: is there a number greater than ${limit} in ${l}?`,
      ],
      [`Can you find a number beyond ${limit} in ${l}?`, `Are there numbers over ${limit} among ${l}?`],
      {
        claims: [
          `there is a number over ${limit} in ${l}`,
          `${l} has a number greater than ${limit}`,
          `one of ${l} is above ${limit}`,
        ],
      },
    ),
    task: `Over ${limit}`,
    steps: list.slice(0, found < 0 ? list.length : found + 1).map((value, i) => `${i + 1}: ${compared(value, limit)}`),
    answer: found < 0 ? 'no' : 'yes',
    program: `print("yes" if any(x > ${limit} for x in [${list}]) else "no")`,
  }
}

const sorted: Maker = (random, difficulty, asking) => {
  const size = at(SIZE, difficulty)
  const list = numbers(random, size).sort((x, y) => x - y)
  if (random.chance(0.5)) {
    const place = random.int(0, size - 2)
    ;[list[place], list[place + 1]] = [list[place + 1] as number, list[place] as number]
  }
  const found = list.findIndex((value, i) => i > 0 && value < (list[i - 1] as number))
  const l = shown(random, list)
  return {
    key: `sorted ${list}`,
    question: asking.of(
      [
        `Is ${l} sorted?`,
        `Is the list ${l} in ascending order?`,
        `Are the numbers ${l} in order from smallest to largest?`,
        `Is ${l} in ascending order?`,
        `Check if ${l} is sorted.`,
        `Yes or no: is ${l} sorted in ascending order?`,
      ],
      [`Do the numbers ${l} only go up?`, `Are ${l} already sorted?`],
      {
        claims: [
          `${l} is sorted`,
          `the list ${l} is in ascending order`,
          `the numbers ${l} go from smallest to largest`,
        ],
      },
    ),
    task: 'Is it sorted',
    steps: list.slice(1, found < 0 ? size : found + 1).map((value, i) => compared(list[i] as number, value)),
    answer: found < 0 ? 'yes' : 'no',
    program: `a = [${list}]\nprint("yes" if a == sorted(a) else "no")`,
  }
}
