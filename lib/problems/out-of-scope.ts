/**
 * Questions of other kinds, which a model trained on the families has to decline instead of making something up: what
 * people ask an assistant, and tasks that look like those of the families and are not.
 */

import type { Random } from '../base/random.js'
import type { Asking } from './asking.js'
import { longQuestions } from './long-questions.js'
import { digits } from './problem.js'
import { ADJECTIVES, PEOPLE, PLACES, THINGS, TOPICS, VERBS } from './things.js'
import { word } from './words.js'

/** Few tokens, and the same for all. */
export const REFUSAL =
  'I can do letters, arithmetic, lists, numbers, programs and short stories. This is something else, so I cannot answer.'

export function outOfScope(random: Random, asking: Asking): string {
  const facts = factsOf(random)
  const make = random.weighted([
    [5, everyday],
    [4, nearMisses],
    [1, sentences],
    [6, () => longQuestions(random)],
  ])
  const [seen, unseen] = make(facts)
  return asking.of(seen, unseen)
}

type Facts = ReturnType<typeof factsOf>

function factsOf(random: Random) {
  const [thing, other] = random.sample(THINGS, 2) as [string, string]
  return {
    random,
    thing,
    other,
    place: random.pick(PLACES),
    person: random.pick(PEOPLE),
    topic: random.pick(TOPICS),
    adjective: random.pick(ADJECTIVES),
    verb: random.pick(VERBS),
    w: word(random, random.int(3, 9)),
    v: word(random, random.int(3, 9)),
    a: digits(random, random.int(1, 3)),
    b: digits(random, random.int(1, 2)),
  }
}

type Questions = [seen: string[], unseen: string[]]

function everyday({ place, thing, other, person, topic, adjective, verb, w }: Facts): Questions {
  return [
    [
      `What is the capital of ${place}?`,
      `Who was ${person}?`,
      `Who is ${person}?`,
      `Write a poem about ${thing}.`,
      `Write a short story about a ${adjective} ${thing}.`,
      `Tell me a story about ${thing}.`,
      'Tell me a joke.',
      `Tell me a joke about ${thing}.`,
      'Hello!',
      'Hi, how are you?',
      'Hey',
      'Good morning.',
      'Who are you?',
      'What can you do?',
      'What is your name?',
      'Who made you?',
      'Thanks!',
      'What time is it?',
      'What day is it today?',
      'Are you sure?',
      'What is the meaning of life?',
      `Explain ${topic} to me.`,
      `Explain ${topic} like I am five.`,
      `Why is ${topic} important?`,
      `Why is ${thing} ${adjective}?`,
      `Translate ${w} into French.`,
      `Translate "${thing}" to German.`,
      `How do you say ${thing} in Spanish?`,
      `What does ${w} mean?`,
      `Define ${w}.`,
      `What is ${topic}?`,
      `What is a ${thing}?`,
      `What is the ${thing}?`,
      `What do you think about ${topic}?`,
      `How far is ${place} from here?`,
      `When was ${person} born?`,
      `When did ${person} die?`,
      `Where does ${person} come from?`,
      `What is ${person} known for?`,
      `Describe ${place} in one sentence.`,
      `What is the weather in ${place}?`,
      `Will it rain tomorrow in ${place}?`,
      `Is ${thing} good for me?`,
      `Is the ${thing} ${adjective}?`,
      `Are there ${adjective} animals in ${place}?`,
      `Where can I find a ${thing}?`,
      `Where can I buy a ${adjective} ${thing}?`,
      `How much does a ${thing} cost?`,
      `Please summarize the life of ${person}.`,
      `Summarize ${topic} in two sentences.`,
      `Give me a recipe with ${thing}.`,
      `How do I ${verb} a ${thing}?`,
      `How can I ${verb} better?`,
      `Can you help me ${verb}?`,
      `Should I ${verb} today?`,
      `Why do people ${verb}?`,
      `Can you help me with ${topic}?`,
      `Do you like ${place}?`,
      `Do you like ${thing}?`,
      `Which language is spoken in ${place}?`,
      `How many people live in ${place}?`,
      `How big is ${place}?`,
      `How old is ${person}?`,
      `What is the best ${thing} in ${place}?`,
      `Which is better, ${thing} or ${other}?`,
      `What is the difference between ${thing} and ${other}?`,
      `What is the opposite of ${adjective}?`,
      `What rhymes with ${thing}?`,
      `Give me a synonym for ${adjective}.`,
      `What color is a ${thing}?`,
      `Name a ${adjective} animal.`,
      `Name three things that are ${adjective}.`,
      `Recommend a book about ${topic}.`,
      `Write an email about ${topic}.`,
      `Write a Python function that can ${verb}.`,
      `Write a program for ${topic}.`,
      `How does ${topic} work?`,
      `Who invented the ${thing}?`,
      `Is it true that ${person} lived in ${place}?`,
      `Did ${person} like ${thing}?`,
      `What happened in ${place} in 1945?`,
      `Can a ${thing} ${verb}?`,
      `I feel ${adjective}. What should I do?`,
      `Play a song about ${thing}.`,
      `Set a timer, please.`,
      `Turn on the ${thing}.`,
      `Plan a trip to ${place}.`,
    ],
    [
      `Which river flows through ${place}?`,
      `Which currency do they use in ${place}?`,
      `Could you compose a song about ${thing}?`,
      `What did ${person} believe in?`,
      `I would like to learn about ${topic}.`,
      `Tell me something interesting about ${thing}.`,
      `How was the ${thing} invented?`,
      `My ${thing} is ${adjective}. Is that normal?`,
      `Why is the sky blue?`,
      `Is water wet?`,
      `Give me advice on ${topic}.`,
      `What are the advantages of ${topic}?`,
      `What would ${person} say about ${topic}?`,
      `Do I need a visa for ${place}?`,
      `What should I eat tonight?`,
      `How do plants grow?`,
      `Which ${thing} would you choose?`,
      `Please correct my grammar.`,
    ],
  ]
}

/** Tasks in words of the families that are none of theirs. */
function nearMisses({ random, place, thing, w, v, a, b, topic }: Facts): Questions {
  const list = random.sample(THINGS, random.int(3, 5)).join(', ')
  const numbers = random.distinct(1, 99, random.int(3, 6)).join(', ')
  return [
    [
      `What is the square root of ${a}?`,
      `What is ${a} squared?`,
      `What is ${b} to the power of ${random.int(2, 5)}?`,
      `What is ${a}% of ${b}?`,
      `What is ${a}.${b} + ${b}.${a}?`,
      `What is the least common multiple of ${a} and ${b}?`,
      `What is the logarithm of ${a}?`,
      `What is the factorial of ${b}?`,
      `Solve x + ${a} = ${b} for x.`,
      `Solve ${b}x = ${a}.`,
      `What is the derivative of x^${b}?`,
      `What is the integral of ${b}x?`,
      `Round ${a}.${b} to the nearest integer.`,
      `What is 1/${b} + 1/${a}?`,
      `What is sin(${a})?`,
      `How many days are in ${b} weeks?`,
      `How many minutes are in ${a} hours?`,
      `How many seconds are there in a day?`,
      `How many legs do ${b} spiders have?`,
      `Convert ${a} dollars to euros.`,
      `Convert ${a} kilometers to miles.`,
      `Convert ${a} degrees Celsius to Fahrenheit.`,
      `What is the area of a circle with radius ${b}?`,
      `What is the perimeter of a square with side ${a}?`,
      `A train goes ${a} km in ${b} hours. How fast is it?`,
      `What is the mean of ${numbers}?`,
      `What is the median of ${numbers}?`,
      `What comes next: ${numbers}?`,
      `What is the next number in the sequence ${numbers}?`,
      `Sort these words: ${list}.`,
      `Sort ${list} alphabetically.`,
      `Which word comes first in the dictionary: ${list}?`,
      `Which of these is a fruit: ${list}?`,
      `Which of ${list} is the heaviest?`,
      `What is the longest word in ${list}?`,
      `Shuffle the list ${numbers}.`,
      `How many syllables are in ${w}?`,
      `How many meanings does ${w} have?`,
      `How many words rhyme with ${w}?`,
      `Find an anagram of ${w}.`,
      `Write ${w} in capital letters.`,
      `Write ${w} in Morse code.`,
      `Replace the a's in ${w} with o's.`,
      `Remove the vowels from ${w}.`,
      `Which letters do ${w} and ${v} share?`,
      `Is ${w} an anagram of ${v}?`,
      `Is ${w} a noun?`,
      `Is ${w} an English word?`,
      `Use ${w} in a sentence.`,
      `What does a ${thing} and a ${w} have in common?`,
      `Encrypt ${w} with a Caesar cipher.`,
      `What is the plural of ${w}?`,
      `Write ${a} in Roman numerals.`,
      `Write ${a} in words.`,
      `Is ${a} a lucky number?`,
      `Is ${a} a perfect number?`,
      `What are the prime factors of ${a}?`,
      `Why are prime numbers important?`,
      `Who discovered the number ${a}?`,
      `What happened in the year 1${a}?`,
      `Explain how sorting works.`,
      `Write a program that prints ${w}.`,
      `What does this word mean: ${w}?`,
      `What is the output of a power plant?`,
      `Fix this code: for i in ${w}: print(${v})`,
      `Rewrite this in Java: print("${w}")`,
      `Flip a coin ${b} times.`,
      `Pick a random number from ${b} to ${a}.`,
      `If all ${w}s are ${v}s, is a ${w} a ${v}?`,
      `Tom is older than Ann. Ann is older than Ben. Who is the oldest?`,
      `Tom has a ${thing}. What color is it?`,
      `Ann lives in ${place}. Where does she work?`,
      `How tall is Tom if he is ${a} inches?`,
      `Who has more money, Tom or Ann?`,
    ],
    [
      `What is the cube of ${b}?`,
      `What percentage of ${a} is ${b}?`,
      `Simplify ${b}/${a}.`,
      `Factor x^2 - ${b}x + ${a}.`,
      `How many hours are ${a} minutes?`,
      `What angle do the hands of a clock form at ${b}?`,
      `What is the average of ${numbers}?`,
      `How heavy is a ${thing}?`,
      `Which of these is alive: ${list}?`,
      `Group these words: ${list}.`,
      `What is the origin of the word ${w}?`,
      `Does ${w} rhyme with ${v}?`,
      `Insert a hyphen into ${w}.`,
      `Write a program about ${topic}.`,
      `A shop sells a ${thing} for ${a} cents. Is that cheap?`,
      `How long does light need from the sun to the earth?`,
    ],
  ]
}

/** What is no question at all. */
function sentences({ random, thing, other, place, person, adjective, verb, w, v, topic }: Facts): Questions {
  return [
    [
      `The ${thing} is ${adjective}.`,
      `I like ${thing} and ${other}.`,
      `${person} went to ${place}.`,
      `Yesterday I wanted to ${verb} with a ${thing}.`,
      `${w} ${v}`,
      `${w}`,
      `${thing}`,
      `${w} ${v} ${word(random, random.int(3, 8))} ${word(random, random.int(3, 8))}`,
      `My ${thing} and my ${other} are ${adjective}, and I do not know why.`,
      `Let us talk about ${topic}.`,
      `We ${verb} in ${place} every summer.`,
      `Please ${verb}.`,
    ],
    [
      `There is a ${adjective} ${thing} in my ${other}.`,
      `It was ${adjective} in ${place}, said ${person}.`,
      `I need to ${verb} soon.`,
      `${topic} matters to me.`,
    ],
  ]
}
