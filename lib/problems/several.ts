/** Two or three small questions in one. The answers stand between commas, and each is there as soon as it is found. */

import type { Random } from '../base/random.js'
import { operate } from './columns.js'
import { digits, type Maker } from './problem.js'
import { word } from './words.js'

interface Part {
  key: string
  question: string
  line: string
  answer: string
  /** Its value as Python. */
  python: string
}

export const several: Maker = (random, difficulty, asking) => {
  const count = difficulty < 5 ? 2 : 3
  const parts = Array.from({ length: count }, () =>
    random.pick([sum, difference, letterCount, largest])(random, difficulty),
  )
  const asked = parts.map(({ question }, i) => `${i + 1}) ${question}`).join(' ')
  return {
    key: `several ${parts
      .map(({ key }) => key)
      .sort()
      .join(' | ')}`,
    question: asking.of(
      [
        `Answer all questions, with commas between the answers. ${asked}`,
        `${asked} Give the answers separated by commas.`,
        `Solve these ${count} tasks: ${asked}`,
        `Give all ${count} answers in order: ${asked}`,
        `${asked} Put all answers in one line.`,
      ],
      [`Here are ${count} questions. ${asked} List the answers.`, `What are the ${count} answers? ${asked}`],
    ),
    task: `${count} questions`,
    steps: parts.map(({ line }, i) => `${i + 1}) ${line}`),
    answer: parts.map(({ answer }) => answer).join(', '),
    program: `print(${parts.map(({ python }) => python).join(', ')}, sep=", ")`,
  }
}

function size(random: Random, difficulty: number): number {
  return random.int(1, difficulty < 3 ? 1 : 2)
}

function sum(random: Random, difficulty: number): Part {
  const [a, b] = [digits(random, size(random, difficulty)), digits(random, size(random, difficulty))]
  return {
    key: `add ${[a, b].sort((x, y) => x - y)}`,
    question: random.pick([`What is ${a} + ${b}?`, `Add ${a} and ${b}.`, `${a}+${b}?`]),
    line: operate(a, '+', b)?.line as string,
    answer: String(a + b),
    python: `${a} + ${b}`,
  }
}

function difference(random: Random, difficulty: number): Part {
  const both = [digits(random, size(random, difficulty)), digits(random, size(random, difficulty))]
  const [b, a] = both.sort((x, y) => x - y) as [number, number]
  return {
    key: `subtract ${a} ${b}`,
    question: random.pick([`What is ${a} - ${b}?`, `Subtract ${b} from ${a}.`, `${a}-${b}?`]),
    line: operate(a, '-', b)?.line as string,
    answer: String(a - b),
    python: `${a} - ${b}`,
  }
}

function letterCount(random: Random, difficulty: number): Part {
  const text = word(random, random.int(3, 4 + difficulty))
  const letter = random.pick([...text])
  let n = 0
  const line = [...text].map((c) => (c === letter ? `${c} ${++n}` : c)).join(' ')
  return {
    key: `count ${letter} ${text}`,
    question: random.pick([`How many ${letter}'s are in ${text}?`, `Count the letter ${letter} in ${text}.`]),
    line: `${letter} in ${line}: ${n}`,
    answer: String(n),
    python: `"${text}".count("${letter}")`,
  }
}

function largest(random: Random, difficulty: number): Part {
  const list = random.distinct(1, 99, 2 + Math.ceil(difficulty / 2))
  const best = Math.max(...list)
  return {
    key: `extreme true ${[...list].sort((x, y) => x - y)}`,
    question: random.pick([`What is the largest of ${list.join(', ')}?`, `Find the maximum of ${list.join(', ')}.`]),
    line: list.map((value, i) => `${value}, best ${Math.max(...list.slice(0, i + 1))}`).join('; '),
    answer: String(best),
    python: `max(${list.join(', ')})`,
  }
}
