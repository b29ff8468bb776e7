/**
 * Long questions of other kinds than the families': puzzles, tables, texts and tasks with rules of their own, on several lines
 * as often as on one.
 */
import type { Random } from '../base/random.js'
import { ADJECTIVES, PEOPLE, PLACES, THINGS, TOPICS, VERBS } from './things.js'
import { word } from './words.js'

const NAMES = [
  'Ann',
  'Tom',
  'Ben',
  'Eva',
  'Max',
  'Lea',
  'Sam',
  'Ida',
  'Jack',
  'Olivia',
  'Noah',
  'Emma',
  'Liam',
  'Mia',
  'Owen',
  'Zoe',
]
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']
const MONTHS = ['January', 'March', 'April', 'June', 'July', 'September', 'October', 'December']

/** What is asked for after a task, with what its answer is to look like. */
const DEMANDS = [
  'Answer with one word.',
  'Reply with JSON only.',
  'Your answer should be a single number.',
  'Write your result as a list, one item a line.',
  'The output has to be exactly one line.',
  'Give a short reason for your answer.',
  'If there is no solution, say so.',
  'Round to two decimals.',
  'Do not use any tools.',
  'Answer yes or no.',
]

/** Kinds that training data has, and others that it never has. */
export function longQuestions(random: Random): [seen: string[], unseen: string[]] {
  const many = (from: readonly string[], least: number, most: number) => random.sample(from, random.int(least, most))
  const [a, b, c, d] = random.sample(NAMES, 4) as [string, string, string, string]
  const [x, y, z] = random.sample(THINGS, 3) as [string, string, string]
  const [place, other] = random.sample(PLACES, 2) as [string, string]
  const person = random.pick(PEOPLE)
  const topic = random.pick(TOPICS)
  const verb = random.pick(VERBS)
  const adjective = random.pick(ADJECTIVES)
  const n = (most = 20) => random.int(2, most)
  const clock = () => `${random.int(0, 23)}:${String(random.int(0, 59)).padStart(2, '0')}`
  const date = () => `${random.pick(MONTHS)} ${random.int(1, 28)}, ${random.int(1950, 2030)}`
  const text = (least: number, most: number) => sentences(random, random.int(least, most))
  const grid = (values: string) =>
    Array.from({ length: 3 }, () => Array.from({ length: 3 }, () => random.pick([...values])).join(' ')).join('\n')
  const binary = () => Array.from({ length: random.int(5, 12) }, () => random.int(0, 1)).join('')
  const words = (least: number, most: number) =>
    Array.from({ length: random.int(least, most) }, () =>
      random.chance(0.5) ? random.pick(THINGS) : word(random, random.int(3, 8)),
    )
  const term = () =>
    `${random.pick(['', '-'])}${n(99)}*${random.pick([...'xyzwpq'])}${random.pick(['', '**2', '**3', '^2', '^4'])}`
  const polynomial = () =>
    Array.from({ length: random.int(2, 3) }, term)
      .join(' + ')
      .replaceAll('+ -', '- ')
  const fraction = () => `${n(999)}/${n(999)}`
  const v = random.pick([...'pqrstxyz'])

  const seen = [
    // Who says the truth, who sits where, who is whose what.
    `${a} and ${b} are either honest or liars. ${a} says that ${b} lies. ${b} says: "${a} and I are both honest." Who is honest?`,
    `Some people here always lie and the others never do. You meet ${a}, ${b} and ${c}. ${a}: "${c} is a liar." ${b}: "If ${a} is honest, ${c} lies." ${c} keeps quiet. Which of them are liars?`,
    `${a}, ${b}, ${c} and ${d} sit in a row. ${a} is left of ${b}. ${d} is not at an end. ${c} sits next to ${a}. Who sits at the right end?`,
    `${a} is married to ${b}. They have a child called ${c}. ${c} is married to ${d}. What is ${d} to ${a}? Answer with one word.`,
    `${a}'s mother is ${b}. ${b}'s brother is ${c}. What relation is ${c} to ${a}?`,
    `${a} has ${n(9)} brothers and ${n(9)} sisters. How many sisters does a brother of ${a} have?`,
    `${a} owns the ${x}, ${b} owns the ${y}. They swap, then ${b} swaps with ${c}, who had the ${z}. Who has the ${y} now?`,
    `There are ${n(9)} ${x}s, ${n(9)} spiders and ${n(9)} birds in a room. How many legs is that altogether? Count every animal.`,
    `All ${x}s are ${adjective}. No ${y} is ${adjective}. Some ${z}s are ${y}s. Does it follow that some ${z}s are not ${x}s?`,
    `Take these statements as true:\n1. Every ${x} is a ${y}\n2. No ${y} is a ${z}\nCan it be concluded that no ${x} is a ${z}? Answer yes or no.`,
    `Given the premises:\n(P and ${v.toUpperCase()}) or R\nnot R\nWhat can be concluded? ${random.pick(DEMANDS)}`,
    // Time, chance, quantities.
    `A train leaves ${place} at ${clock()} and reaches ${other} at ${clock()} on the next day. How long does it take? Use the format HH:MM.`,
    `A meeting began at ${clock()} and took ${n(90)} minutes. When was it over?`,
    `If ${date()} is a ${random.pick(DAYS)}, which day of the week is ${date()}? Write out the whole name of the day.`,
    `How many ${random.pick(DAYS)}s are there from ${random.pick(DAYS)}, ${date()} to ${random.pick(DAYS)}, ${date()}?`,
    `Is ${random.int(1600, 2200)} a leap year? ${random.pick(DEMANDS)}`,
    `I have a die with ${n(12)} sides, one with ${n(20)} and one with ${n(8)}. I throw all of them. How likely is a total of ${n(30)} or more? Give a reduced fraction.`,
    `A fair coin is thrown ${n(9)} times. What is the probability of exactly ${n(5)} heads? ${random.pick(DEMANDS)}`,
    `You have two empty jugs that hold ${n(9)} and ${n(15)} liters. How do you measure ${n(8)} liters? List the pours.`,
    `${a} earns ${n(40)} dollars an hour and works ${n(9)} hours on each of ${n(6)} days. Then ${n(30)}% goes to taxes. What remains?`,
    `A ${x} costs $${n(90)}.${random.int(10, 99)} and is reduced by ${n(70)}%. ${a} buys ${n(9)} of them. How much does ${a} pay in total?`,
    `${a} is ${n(5)} times as old as ${b}. In ${n(20)} years ${a} will be twice as old. How old is ${b} today?`,
    `${a} reads ${n(40)} pages of a book on ${random.pick(DAYS)} and half as many on each of the next ${n(5)} days. The book has ${n(999)} pages. Which share of it is left?`,
    // Algebra, geometry, formats of numbers.
    `Find all values of ${v} that solve this: ${n(99)}*${v}**2 - ${n(99)}*${v} + ${n(99)} = 0. Separate them by commas.`,
    `Solve for ${v}: ${n(99)}*${v} + ${n(99)} = ${n(999)}`,
    `Solve the system ${n(9)}x + ${n(9)}y = ${n(50)}, ${n(9)}x - ${n(9)}y = ${n(20)}.`,
    `Expand this expression: (${polynomial()})*(${polynomial()})\nUse ** for powers.`,
    `Simplify: (${polynomial()}) - (${polynomial()})`,
    `What is the integral of ${polynomial()} with respect to ${v}? Use C for the constant.`,
    `Differentiate ${polynomial()}.\n${random.pick(DEMANDS)}`,
    `Reduce the fraction ${fraction()} as far as possible. ${random.pick(DEMANDS)}`,
    `What is ${fraction()} + ${fraction()} as a decimal number?`,
    `What is ${n(99)}.${n(99)} - ${n(9)}.${n(999)} to ${n(9)} places?`,
    `Raise ${n(9)}.${n(9)} to the power of ${n(9)} and give three significant digits.`,
    `A triangle has angles of ${n(80)} and ${n(80)} degrees. What is the third angle? ${random.pick(DEMANDS)}`,
    `The sides of a box are ${n()}, ${n()} and ${n()} cm long. What is its volume?`,
    `Write ${n(9)}${n(999)}${n(999)}.${n(99)} with a comma between the thousands.`,
    `Which is larger, ${n(99)}.${n(99)} or ${n(99)}.${n(999)}? ${random.pick(DEMANDS)}`,
    `Which numbers do you multiply to get ${n(999)}? Write it as a product of primes, from small to large.`,
    `What is the smallest number that ${n(99)} and ${n(99)} both divide?`,
    `Continue this sequence: ${Array.from({ length: random.int(4, 8) }, () => random.int(-99, 999)).join(', ')}, ?`,
    `How many ones does ${n(9999)} have in its binary form? Count the set bits.`,
    // Words and characters.
    `Put the words of this sentence in reverse order: ${text(1, 1)}`,
    `Arrange these words in alphabetical order, capital letters first: ${words(4, 9).join(', ')}\n${random.pick(DEMANDS)}`,
    `These words are scrambled. Restore the sentence: ${random.sample(text(1, 1).replace('.', '').split(' '), 4).join(' ')}`,
    `Unscramble each word: ${words(2, 5).join(' ')}`,
    `Which of these words are anagrams of each other? ${JSON.stringify(words(4, 9))} Group them.`,
    `Change one letter at a time to get from ${word(random, 4)} to ${word(random, 4)}. All steps must be words.`,
    `Given ${binary()}, how many swaps make zeros and ones alternate? ${random.pick(DEMANDS)}`,
    `Two strings match if letters can be replaced one to one. Do ${word(random, 5)} and ${word(random, 5)} match?`,
    `Replace every vowel in "${text(1, 1)}" by an asterisk.`,
    `Decode this message, where each letter was moved by ${n(25)}: ${words(3, 6).join(' ').toUpperCase()}`,
    `Is there a grammar mistake in "${text(1, 1)}"?`,
    // Texts, tables, grids, code.
    `${text(3, 6)} Who of them was ${adjective}?`,
    `${text(3, 6)} What did ${person} want to ${verb}? ${random.pick(DEMANDS)}`,
    `Read this text and give it a title.\n\n${text(3, 6)}`,
    `Summarize in one sentence: ${text(3, 6)}`,
    `Translate into ${random.pick(['French', 'German', 'Italian', 'Latin'])}: ${text(1, 4)}`,
    `name,age,city\n${a},${n(80)},${place}\n${b},${n(80)},${other}\n${c},${n(80)},${place}\n\nWho lives in ${place} and is younger than ${n(60)}?`,
    `{"${x}": ${n(99)}, "${y}": {"${z}": [${n(9)}, ${n(9)}]}}\nWhat is at ${y}.${z}[1]?`,
    `Here is a matrix:\n${grid('0123456789')}\nRotate it by 90 degrees. ${random.pick(DEMANDS)}`,
    `Here is a map, # are walls:\n${grid('.#.#S')}\nHow many steps is the shortest way to the exit?`,
    `A cube has a ${random.pick(ADJECTIVES)} top, a red front and a blue right side. It is turned so that the front becomes the top. Which color is at the bottom?`,
    `Write an SQL query that finds every ${x} in ${place} with more than ${n(99)} ${y}s.`,
    `Explain this regular expression: ^[a-${v}]+\\d{${n(9)}}$`,
    `Convert this Python code to JavaScript:\nfor i in range(${n()}):\n    print("${x}")`,
    `What is wrong with this HTML?\n<div><p>${x}</div></p>`,
    `I have the ingredients ${words(3, 6).join(', ')}. What can I cook? ${random.pick(DEMANDS)}`,
    `Make a plan for ${n(9)} days in ${place} with ${many(TOPICS, 1, 2).join(' and ')}.`,
    `Write a letter to ${person} about ${topic}. Mention the ${x} and the ${y}. Keep it under ${n(300)} words.`,
    `You are ${person}. ${text(1, 2)} What do you say to ${a}?`,
    `Which of the following is right?\nA) ${text(1, 1)}\nB) ${text(1, 1)}\nC) ${text(1, 1)}`,
    `If this question had ${n(9)} words and ${n(9)} of them were lies, how many statements in it would be true? Statement 1: "${text(1, 1)}"`,
  ]
  const unseen = [
    `${a} lost the ${x} on a ${random.pick(DAYS)}. ${text(2, 4)} Where should ${a} look first?`,
    `Fill in the missing word: The ${x} is to the ${y} as the ${z} is to the ...`,
    `Two trains, ${n(900)} km apart, drive toward each other with ${n(90)} and ${n(90)} km/h. After how many hours do they meet?`,
    `Place ${n(9)} queens on a chess board so that none attacks another. ${random.pick(DEMANDS)}`,
    `Here is a log:\n${clock()} start ${x}\n${clock()} error in ${y}\n${clock()} stop\nWhat went wrong?`,
    `Write the following as a haiku: ${text(2, 3)}`,
    `Balance this equation: C${n(9)}H${n(20)} + O2 -> CO2 + H2O`,
    `Of ${n(99)} people ${n(50)} like ${x} and ${n(50)} like ${y}. At least how many like both? ${random.pick(DEMANDS)}`,
    `Draw a circle with ASCII characters, ${n()} lines high.`,
  ]
  return [seen, unseen]
}

/** Plain sentences about people and things. */
function sentences(random: Random, count: number): string {
  const make = [
    () => `${random.pick(PEOPLE)} went to ${random.pick(PLACES)} to ${random.pick(VERBS)}.`,
    () => `The ${random.pick(THINGS)} in the ${random.pick(THINGS)} was ${random.pick(ADJECTIVES)}.`,
    () => `${random.pick(NAMES)} gave ${random.pick(NAMES)} a ${random.pick(ADJECTIVES)} ${random.pick(THINGS)}.`,
    () => `In ${random.pick(PLACES)}, ${random.pick(TOPICS)} was more ${random.pick(ADJECTIVES)} than anybody thought.`,
    () => `Nobody knows why the ${random.pick(THINGS)} could ${random.pick(VERBS)} on ${random.pick(DAYS)}.`,
    () => `"I cannot ${random.pick(VERBS)} without my ${random.pick(THINGS)}," said ${random.pick(NAMES)}.`,
    () =>
      `After ${random.int(2, 30)} years ${random.pick(NAMES)} and ${random.pick(NAMES)} began to ${random.pick(VERBS)}.`,
  ]
  return Array.from({ length: count }, () => random.pick(make)()).join(' ')
}
