/** Short word problems: somebody has things, and a number of events changes how many. A line for each event. */

import type { Random } from '../base/random.js'
import type { Maker } from './problem.js'

const HE = ['Tom', 'Ben', 'Max', 'Sam', 'Leo', 'Adam', 'Carl', 'Omar', 'Jack', 'Ravi']
const SHE = ['Ann', 'Eva', 'Mia', 'Zoe', 'Lily', 'Nina', 'Sara', 'Emma', 'Rosa', 'Kim']
const THINGS = [
  'apples',
  'books',
  'coins',
  'pens',
  'cards',
  'shells',
  'stamps',
  'balls',
  'eggs',
  'stones',
  'toys',
  'cookies',
]
const BOXES = ['bags', 'boxes', 'packs', 'baskets']

interface Event {
  verb: string
  /** Change of a number of things by n, as a sign and the sentence around it. */
  sign: '+' | '-'
  sentence: (n: number) => string
}

const EVENTS: Event[] = [
  { verb: 'buys', sign: '+', sentence: (n) => `buys ${n} more` },
  { verb: 'finds', sign: '+', sentence: (n) => `finds ${n} more` },
  { verb: 'wins', sign: '+', sentence: (n) => `wins ${n}` },
  { verb: 'gets', sign: '+', sentence: (n) => `gets ${n} from a friend` },
  { verb: 'takes', sign: '+', sentence: (n) => `takes ${n} from a shelf` },
  { verb: 'gives', sign: '-', sentence: (n) => `gives ${n} away` },
  { verb: 'loses', sign: '-', sentence: (n) => `loses ${n}` },
  { verb: 'sells', sign: '-', sentence: (n) => `sells ${n}` },
  { verb: 'drops', sign: '-', sentence: (n) => `drops ${n}` },
  { verb: 'breaks', sign: '-', sentence: (n) => `breaks ${n}` },
]

export const stories: Maker = (random, difficulty, asking) => {
  const she = random.chance(0.5)
  const name = random.pick(she ? SHE : HE)
  const pronoun = she ? 'She' : 'He'
  const things = random.pick(THINGS)
  const first = start(random, name, things)
  const sentences = [first.sentence]
  const steps = first.steps
  let have = first.have
  let expression = first.expression
  for (const event of random.sample(EVENTS, difficulty)) {
    const down = event.sign === '-' && have > 1
    // A verb that takes away needs something to take away: else it is told as a gain.
    const { verb, sentence, sign } = down || event.sign === '+' ? event : GAIN
    const n = down ? random.int(1, Math.min(9, have)) : random.int(1, 9)
    const next = sign === '+' ? have + n : have - n
    steps.push(`${have}, ${verb} ${n}: ${have}${sign}${n}=${next}`)
    sentences.push(`${random.pick([pronoun, pronoun, name, `Then ${pronoun.toLowerCase()}`])} ${sentence(n)}.`)
    expression += ` ${sign} ${n}`
    have = next
  }
  const question = asking.of(
    [
      `How many ${things} does ${name} have now?`,
      `How many ${things} does ${name} have in the end?`,
      `How many ${things} are left?`,
      `How many ${things} does ${pronoun.toLowerCase()} have?`,
      `How many ${things} does ${name} have left?`,
      `What is the number of ${things} that ${name} has now?`,
      `Find how many ${things} ${name} has at the end.`,
    ],
    [
      `With how many ${things} does ${name} end up?`,
      `Count the ${things} that ${pronoun.toLowerCase()} has after all this.`,
    ],
  )
  return {
    key: `story ${expression}`,
    question: [...sentences, question].join(' '),
    steps,
    answer: String(have),
    program: `print(${expression})`,
  }
}

interface Start {
  sentence: string
  steps: string[]
  have: number
  /** `have` as Python. */
  expression: string
}

const GAIN: Event = { verb: 'makes', sign: '+', sentence: (n) => `makes ${n} more` }

function start(random: Random, name: string, things: string): Start {
  if (random.chance(0.3)) {
    const boxes = random.pick(BOXES)
    const [a, b] = [random.int(2, 6), random.int(2, 9)]
    return {
      sentence: random.pick([
        `${name} has ${a} ${boxes} of ${b} ${things} each.`,
        `${name} has ${a} ${boxes} with ${b} ${things} in each.`,
      ]),
      steps: [`${a} of ${b}: ${a}*${b}=${a * b}`],
      have: a * b,
      expression: `${a} * ${b}`,
    }
  }
  const have = random.int(2, 40)
  return {
    sentence: random.pick([`${name} has ${have} ${things}.`, `${name} starts with ${have} ${things}.`]),
    steps: [`Start ${have}`],
    have,
    expression: String(have),
  }
}
