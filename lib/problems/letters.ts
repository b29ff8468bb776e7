/**
 * Questions about the letters of a word. The trajectory names the task in one form whatever the wording was, then goes
 * through the letters with their positions, so that the next letter is always found by what stands just before it.
 */

import type { Random } from '../base/random.js'
import { at, type Maker, type Problem } from './problem.js'
import { word } from './words.js'

const VOWELS = 'aeiou'

export const letters: Maker = (random, difficulty) => {
  const make = random.weighted([
    [5, count],
    [2, vowels],
    [2, reverse],
    [2, nth],
    [1, length],
  ])
  return make(random, difficulty)
}

/** The word as a question shows it. */
function shown(random: Random, text: string): string {
  return random.pick([text, text, text, `"${text}"`, `'${text}'`])
}

const LENGTH = [3, 5, 7, 8, 10, 12, 14, 16]

const count: Maker = (random, difficulty) => {
  const text = word(random, at(LENGTH, difficulty))
  const letter = random.chance(0.85) ? random.pick([...text]) : random.pick([...'abcdefghilmnoprstu'])
  let n = 0
  const steps = [...text].map((c, i) => {
    if (c === letter) n++
    return `${i + 1} ${c} ${n}`
  })
  const w = shown(random, text)
  return {
    key: `count ${letter} ${text}`,
    question: random.pick([
      `How many ${letter}'s are in ${w}?`,
      `How many ${letter}'s are there in ${w}?`,
      `How many times does the letter ${letter} appear in ${w}?`,
      `How many times does ${letter} occur in the word ${w}?`,
      `Count the letter ${letter} in ${w}.`,
      `How often does "${letter}" appear in ${w}?`,
      `How many ${letter}s in ${w}?`,
      `In the word ${w}, how many times is the letter ${letter} used?`,
    ]),
    steps: [`Count ${letter} in "${text}"`, ...steps],
    answer: String(n),
    program: `print("${text}".count("${letter}"))`,
  }
}

const vowels: Maker = (random, difficulty) => {
  const text = word(random, at(LENGTH, difficulty))
  let n = 0
  const steps = [...text].map((c, i) => {
    if (VOWELS.includes(c)) n++
    return `${i + 1} ${c} ${n}`
  })
  const w = shown(random, text)
  return {
    key: `vowels ${text}`,
    question: random.pick([
      `How many vowels are in ${w}?`,
      `How many vowels does the word ${w} have?`,
      `Count the vowels in ${w}.`,
      `How many of the letters in ${w} are vowels?`,
    ]),
    steps: [`Count vowels in "${text}"`, ...steps],
    answer: String(n),
    program: `print(sum(c in "${VOWELS}" for c in "${text}"))`,
  }
}

const reverse: Maker = (random, difficulty) => {
  const text = word(random, at([3, 4, 5, 6, 7, 8, 9, 10], difficulty))
  const turned = [...text].reverse().join('')
  const steps = [...text].map((c, i) => `${i + 1} ${c} "${turned.slice(text.length - i - 1)}"`)
  const w = shown(random, text)
  return {
    key: `reverse ${text}`,
    question: random.pick([
      `Reverse the word ${w}.`,
      `What is ${w} spelled backwards?`,
      `Write ${w} backwards.`,
      `What do you get when you reverse ${w}?`,
      `Spell ${w} in reverse.`,
    ]),
    steps: [`Reverse "${text}"`, ...steps],
    answer: turned,
    program: `print("${text}"[::-1])`,
  }
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth']

const nth: Maker = (random, difficulty) => {
  const n = at([4, 7, 9, 11, 14, 17, 20, 22], difficulty)
  const text = word(random, n + random.int(0, 2))
  const ordinal = n <= ORDINALS.length ? (ORDINALS[n - 1] as string) : n % 10 === 2 && n > 20 ? `${n}nd` : `${n}th`
  const w = shown(random, text)
  return {
    key: `nth ${n} ${text}`,
    question: random.pick([
      `What is letter number ${n} of ${w}?`,
      `What is the ${ordinal} letter of ${w}?`,
      `Which letter is at position ${n} in ${w}?`,
      `Tell me the ${ordinal} letter in the word ${w}.`,
    ]),
    steps: [`Letter ${n} of "${text}"`, ...[...text.slice(0, n)].map((c, i) => `${i + 1} ${c}`)],
    answer: text[n - 1] as string,
    program: `print("${text}"[${n - 1}])`,
  }
}

const length: Maker = (random, difficulty) => {
  const text = word(random, at([4, 7, 9, 12, 14, 17, 20, 22], difficulty))
  const w = shown(random, text)
  return {
    key: `length ${text}`,
    question: random.pick([
      `How many letters are in ${w}?`,
      `How many letters does the word ${w} have?`,
      `How long is the word ${w}?`,
      `What is the length of ${w}?`,
    ]),
    steps: [`Letters of "${text}"`, ...[...text].map((c, i) => `${i + 1} ${c}`)],
    answer: String(text.length),
    program: `print(len("${text}"))`,
  } satisfies Problem
}
