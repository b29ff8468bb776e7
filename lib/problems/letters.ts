/**
 * Questions about the letters of a word or a text. The letters are gone through with their positions, so that the next
 * one is always found by what stands just before it, and what is counted is there after each.
 */

import { count, countInText, vowels } from './letter-counts.js'
import { at, type Maker } from './problem.js'
import { shownWord, word } from './words.js'

export const letters: Maker = (random, difficulty, asking) => {
  const make = random.weighted([
    [5, count],
    [4, countInText],
    [2, vowels],
    [4, reverse],
    [2, nth],
    [1, length],
    [3, palindrome],
  ])
  return make(random, difficulty, asking)
}

const reverse: Maker = (random, difficulty, asking) => {
  const small = word(random, at([3, 4, 5, 6, 7, 8, 9, 10], difficulty))
  const text = random.chance(0.1) ? small.charAt(0).toUpperCase() + small.slice(1) : small
  const turned = [...text].reverse().join('')
  const w = shownWord(random, text)
  return {
    key: `reverse ${[text.toLowerCase(), turned.toLowerCase()].sort()[0]}`,
    question: asking.of(
      [
        `Reverse the word ${w}.`,
        `What is ${w} spelled backwards?`,
        `Write ${w} backwards.`,
        `What do you get when you reverse ${w}?`,
        `Spell ${w} in reverse.`,
        `Spell this word backward (example: sun -> nus): ${text}`,
        `Spell this word backward (example: sun -> nus): ${text}`,
        `Spell ${w} backward.`,
        `What is ${w} in reverse?`,
        `Write the letters of ${w} in reverse order.`,
        `Turn ${w} around.`,
        `Give me ${w} backwards.`,
      ],
      [`Read ${w} from right to left.`, `How do you write ${w} from the last letter to the first?`],
      {
        things: [
          `the reverse of ${w}`,
          `${w} backwards`,
          `the word ${w} spelled backward`,
          `${w} with its letters in reverse order`,
        ],
      },
    ),
    task: `Reverse "${text}"`,
    steps: [...text].map((c, i) => `${i + 1} ${c} "${turned.slice(text.length - i - 1)}"`),
    answer: turned,
    program: `print("${text}"[::-1])`,
  }
}

const ORDINALS = ['first', 'second', 'third', 'fourth', 'fifth', 'sixth', 'seventh', 'eighth', 'ninth', 'tenth']

const nth: Maker = (random, difficulty, asking) => {
  const n = at([4, 7, 9, 11, 14, 17, 20, 22], difficulty) - random.int(0, 2)
  const text = word(random, n + random.int(0, 3))
  const ending = n > 20 && n % 10 === 1 ? 'st' : n > 20 && n % 10 === 2 ? 'nd' : 'th'
  const ordinal = n <= ORDINALS.length ? (ORDINALS[n - 1] as string) : `${n}${ending}`
  const w = shownWord(random, text)
  return {
    key: `nth ${n} ${text}`,
    question: asking.of(
      [
        `What is letter number ${n} of ${w}?`,
        `What is the ${ordinal} letter of ${w}?`,
        `Which letter is at position ${n} in ${w}?`,
        `Tell me the ${ordinal} letter in the word ${w}.`,
        `Which letter comes ${ordinal} in ${w}?`,
        `What letter is number ${n} in the word ${w}?`,
        `Find the ${ordinal} letter of ${w}.`,
      ],
      [`Look at ${w}: which is its ${ordinal} letter?`, `Give the letter at place ${n} of ${w}.`],
      {
        things: [
          `letter number ${n} of ${w}`,
          `the ${ordinal} letter of ${w}`,
          `the letter at position ${n} of the word ${w}`,
        ],
      },
    ),
    task: `Letter ${n} of "${text}"`,
    steps: [...text.slice(0, n)].map((c, i) => `${i + 1} ${c}`),
    answer: text[n - 1] as string,
    program: `print("${text}"[${n - 1}])`,
  }
}

const length: Maker = (random, difficulty, asking) => {
  const text = word(random, at([4, 7, 9, 12, 14, 17, 20, 22], difficulty) - random.int(0, 2))
  const w = shownWord(random, text)
  return {
    key: `length ${text}`,
    question: asking.of(
      [
        `How many letters are in ${w}?`,
        `How many letters does the word ${w} have?`,
        `How long is the word ${w}?`,
        `What is the length of ${w}?`,
        `Count the letters in ${w}.`,
        `How many letters is ${w} made of?`,
        `What is the number of letters in ${w}?`,
      ],
      [`How many letters do you need to write ${w}?`, `Find the length of the word ${w}.`],
      { things: [`the number of letters of ${w}`, `how many letters ${w} has`, `how long the word ${w} is`] },
    ),
    task: `Letters of "${text}"`,
    steps: [...text].map((c, i) => `${i + 1} ${c}`),
    answer: String(text.length),
    program: `print(len("${text}"))`,
  }
}

/** The first pair that differs decides; where none does, all have to be looked at. */
const palindrome: Maker = (random, difficulty, asking) => {
  const half = word(random, at([2, 2, 3, 3, 4, 5, 6, 7], difficulty))
  const middle = random.chance(0.5) ? random.pick([...'abcdefghilmnoprstu']) : ''
  const mirrored = [...half].reverse()
  // A pair that differs stands anywhere.
  if (random.chance(0.55)) mirrored[random.int(0, mirrored.length - 1)] = random.pick([...'abcdefghilmnoprstu'])
  const text = half + middle + mirrored.join('')
  const steps: string[] = []
  let isSame = true
  for (let i = 0; i < Math.floor(text.length / 2) && isSame; i++) {
    const [first, second] = [text[i], text[text.length - 1 - i]]
    isSame = first === second
    steps.push(`${i + 1} ${first}, ${text.length - i} ${second}: ${isSame ? 'same' : 'other'}`)
  }
  const w = shownWord(random, text)
  return {
    key: `palindrome ${text}`,
    question: asking.of(
      [
        `Is ${w} a palindrome?`,
        `Is the word ${w} a palindrome?`,
        `Does ${w} read the same backwards?`,
        `Tell me whether ${w} is a palindrome.`,
        `Yes or no: is ${w} a palindrome?`,
        `Is ${w} the same when reversed?`,
        `Check if ${w} is a palindrome.`,
      ],
      [`Does ${w} stay the same from right to left?`, `Can you read ${w} in both directions?`],
      { claims: [`${w} is a palindrome`, `${w} reads the same backwards`, `the word ${w} is the same when reversed`] },
    ),
    task: `Palindrome "${text}"`,
    steps: [[...text].map((c, i) => `${i + 1} ${c}`).join(' '), ...steps],
    answer: isSame ? 'yes' : 'no',
    program: `print("yes" if "${text}" == "${text}"[::-1] else "no")`,
  }
}
