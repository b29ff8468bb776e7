/**
 * Questions about the letters of a word or a text. The letters are gone through with their positions, so that the next
 * one is always found by what stands just before it, and what is counted is there after each.
 */

import type { Random } from '../base/random.js'
import { at, type Maker, nearNumber } from './problem.js'
import { word } from './words.js'

const VOWELS = 'aeiou'

export const letters: Maker = (random, difficulty, asking) => {
  const make = random.weighted([
    [5, count],
    [4, countInText],
    [2, vowels],
    [4, reverse],
    [2, nth],
    [1, length],
    [2, palindrome],
  ])
  return make(random, difficulty, asking)
}

/** The word as a question shows it. */
function shown(random: Random, text: string): string {
  return random.pick([text, text, text, `"${text}"`, `'${text}'`])
}

const LENGTH = [3, 5, 7, 8, 10, 12, 14, 16]

/** `1 s 0`, `2 t 0`, `3 r 1`: place, letter, how many so far. */
function counted(text: string, isCounted: (letter: string) => boolean): string[] {
  let n = 0
  return [...text].map((c, i) => `${i + 1} ${c} ${isCounted(c) ? ++n : n}`)
}

/** `r at 3 8 9: 3` */
function places(text: string, letter: string): string {
  const found = [...text].flatMap((c, i) => (c === letter ? [i + 1] : []))
  return `${letter} at ${found.join(' ') || 'no place'}: ${found.length}`
}

const count: Maker = (random, difficulty, asking) => {
  const text = word(random, at(LENGTH, difficulty))
  const letter = random.chance(0.85) ? random.pick([...text]) : random.pick([...'abcdefghilmnoprstu'])
  const n = [...text].filter((c) => c === letter).length
  const w = shown(random, text)
  return {
    key: `count ${letter} ${text}`,
    question: asking.of(
      [
        `How many ${letter}'s are in ${w}?`,
        `How many ${letter}'s are there in ${w}?`,
        `How many times does the letter ${letter} appear in ${w}?`,
        `How many times does ${letter} occur in the word ${w}?`,
        `Count the letter ${letter} in ${w}.`,
        `How often does "${letter}" appear in ${w}?`,
        `How many ${letter}s in ${w}?`,
        `In the word ${w}, how many times is the letter ${letter} used?`,
        `Count the ${letter}'s in ${w}.`,
        `How many ${letter} are in the word ${w}?`,
        `How many letters "${letter}" does ${w} have?`,
        `What is the number of ${letter}'s in ${w}?`,
        `Tell me how many ${letter}'s ${w} has.`,
        `Count how many times "${letter}" occurs in ${w}.`,
      ],
      [
        `Find the number of times ${letter} is used to spell ${w}.`,
        `Look at ${w}. How many ${letter}'s can you find?`,
        `How many copies of the letter ${letter} does ${w} contain?`,
      ],
    ),
    task: `Count ${letter} in "${text}"`,
    steps: counted(text, (c) => c === letter),
    answer: String(n),
    program: `print("${text}".count("${letter}"))`,
    check: (value) => ({ lines: [places(text, letter)], holds: value === String(n) }),
    nearMiss: (random) => String(n > 0 && random.chance(0.5) ? n - 1 : n + 1),
    slip: (random) => {
      // One more where there is one already, or one in the place of another letter.
      const place = random.int(0, text.length - 1)
      const wrong =
        text[place] === letter
          ? text.slice(0, place) + letter + text.slice(place)
          : text.slice(0, place) + letter + text.slice(place + 1)
      return { steps: counted(wrong, (c) => c === letter), value: String(n + 1) }
    },
  }
}

/** Each word of a text is spelled, with how many it has and how many there are so far. */
const countInText: Maker = (random, difficulty, asking) => {
  const size = at([2, 2, 3, 4, 5, 6, 7, 8], difficulty)
  const words = Array.from({ length: size }, () => word(random, random.int(1, 8)))
  if (random.chance(0.3)) words[0] = (words[0] as string).charAt(0).toUpperCase() + (words[0] as string).slice(1)
  const text = words.join(' ')
  const present = [...text.toLowerCase()].filter((c) => c !== ' ')
  const letter = random.chance(0.8) ? random.pick(present) : random.pick([...'abcdefghilmnoprstu'])
  let n = 0
  const steps = words.map((each) => {
    const spelled = [...each.toLowerCase()]
    const found = spelled.filter((c) => c === letter).length
    n += found
    return `${spelled.join(' ')}: ${found}, ${n}`
  })
  return {
    key: `count ${letter} ${text.toLowerCase()}`,
    question: asking.of(
      [
        `How many times does the letter "${letter}" appear in the text: "${text}"?`,
        `How many times does the letter "${letter}" appear in the text: "${text}"?`,
        `How many ${letter}'s are in "${text}"?`,
        `Count the letter ${letter} in the sentence "${text}".`,
        `How often does ${letter} occur in "${text}"?`,
        `How many times is ${letter} used in "${text}"?`,
        `In the text "${text}", how many ${letter}'s are there?`,
      ],
      [`Find how many letters ${letter} the text "${text}" holds.`, `"${text}" - how many ${letter}'s does it have?`],
    ),
    task: `Count ${letter} in ${size} words`,
    steps,
    answer: String(n),
    program: `print("${text}".lower().count("${letter}"))`,
  }
}

const vowels: Maker = (random, difficulty, asking) => {
  const text = word(random, at(LENGTH, difficulty))
  const n = [...text].filter((c) => VOWELS.includes(c)).length
  const w = shown(random, text)
  return {
    key: `vowels ${text}`,
    question: asking.of(
      [
        `How many vowels are in ${w}?`,
        `How many vowels does the word ${w} have?`,
        `Count the vowels in ${w}.`,
        `How many of the letters in ${w} are vowels?`,
        `What is the number of vowels in ${w}?`,
        `How many vowels are there in ${w}?`,
        `Tell me the number of vowels in the word ${w}.`,
      ],
      [`Look at ${w}. How many vowels do you see?`, `Find out how many vowels ${w} contains.`],
    ),
    task: `Count vowels in "${text}"`,
    steps: counted(text, (c) => VOWELS.includes(c)),
    answer: String(n),
    program: `print(sum(c in "${VOWELS}" for c in "${text}"))`,
    nearMiss: (random) => nearNumber(random, n),
  }
}

const reverse: Maker = (random, difficulty, asking) => {
  const small = word(random, at([3, 4, 5, 6, 7, 8, 9, 10], difficulty))
  const text = random.chance(0.1) ? small.charAt(0).toUpperCase() + small.slice(1) : small
  const turned = [...text].reverse().join('')
  const w = shown(random, text)
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
  const w = shown(random, text)
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
    ),
    task: `Letter ${n} of "${text}"`,
    steps: [...text.slice(0, n)].map((c, i) => `${i + 1} ${c}`),
    answer: text[n - 1] as string,
    program: `print("${text}"[${n - 1}])`,
  }
}

const length: Maker = (random, difficulty, asking) => {
  const text = word(random, at([4, 7, 9, 12, 14, 17, 20, 22], difficulty) - random.int(0, 2))
  const w = shown(random, text)
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
  const w = shown(random, text)
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
    ),
    task: `Palindrome "${text}"`,
    steps: [[...text].map((c, i) => `${i + 1} ${c}`).join(' '), ...steps],
    answer: isSame ? 'yes' : 'no',
    program: `print("yes" if "${text}" == "${text}"[::-1] else "no")`,
  }
}
