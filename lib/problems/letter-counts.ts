/** How many of a letter, or of the vowels, there are in a word or a text: what is counted is there after each letter. */
import { at, type Maker, nearNumber } from './problem.js'
import { FREQUENT, shownWord, word } from './words.js'

const VOWELS = 'aeiou'

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

export const count: Maker = (random, difficulty, asking) => {
  const text = word(random, at(LENGTH, difficulty))
  const letter = random.chance(0.85) ? random.pick([...text]) : random.pick([...'abcdefghilmnoprstu'])
  const n = [...text].filter((c) => c === letter).length
  const w = shownWord(random, text)
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
      {
        things: [
          `the number of ${letter}'s in ${w}`,
          `how many times ${letter} is in ${w}`,
          `the count of the letter ${letter} in the word ${w}`,
          `how often the letter ${letter} occurs in ${w}`,
        ],
      },
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

/** Each word of a text is spelled behind the letter, each one found with how many there are so far. */
export const countInText: Maker = (random, difficulty, asking) => {
  const size = at([2, 2, 3, 4, 5, 6, 7, 8], difficulty)
  const words = Array.from({ length: size }, () =>
    random.chance(0.5) ? random.pick(FREQUENT) : word(random, random.int(1, 8)),
  )
  if (random.chance(0.3)) words[0] = (words[0] as string).charAt(0).toUpperCase() + (words[0] as string).slice(1)
  const text = words.join(' ')
  const present = [...text.toLowerCase()].filter((c) => c !== ' ')
  const letter = random.chance(0.8) ? random.pick(present) : random.pick([...'abcdefghilmnoprstu'])
  let n = 0
  const steps = words.map((each) => {
    const spelled = [...each.toLowerCase()].map((c) => (c === letter ? `${c} ${++n}` : c))
    return `${letter} in ${spelled.join(' ')}: ${n}`
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
      {
        things: [
          `the number of ${letter}'s in "${text}"`,
          `how often the letter ${letter} occurs in "${text}"`,
          `the count of ${letter} in the sentence "${text}"`,
        ],
      },
    ),
    task: `Count ${letter} in ${size} words`,
    steps,
    answer: String(n),
    program: `print("${text}".lower().count("${letter}"))`,
  }
}

export const vowels: Maker = (random, difficulty, asking) => {
  const text = word(random, at(LENGTH, difficulty))
  const n = [...text].filter((c) => VOWELS.includes(c)).length
  const w = shownWord(random, text)
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
      { things: [`the number of vowels in ${w}`, `how many vowels ${w} has`, `the count of vowels of the word ${w}`] },
    ),
    task: `Count vowels in "${text}"`,
    steps: counted(text, (c) => VOWELS.includes(c)),
    answer: String(n),
    program: `print(sum(c in "${VOWELS}" for c in "${text}"))`,
    nearMiss: (random) => nearNumber(random, n),
  }
}
