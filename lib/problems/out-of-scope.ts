/** Questions of other kinds, which a model trained on the families has to decline instead of making something up. */

import type { Random } from '../base/random.js'
import { word } from './words.js'

const PLACES = ['France', 'Japan', 'Brazil', 'Kenya', 'Canada', 'India', 'Spain', 'Egypt', 'Norway', 'Peru']
const THINGS = [
  'a cat',
  'the moon',
  'gravity',
  'a poem',
  'the ocean',
  'love',
  'a computer',
  'history',
  'a castle',
  'rain',
  'music',
  'bread',
]
const PEOPLE = ['Einstein', 'Shakespeare', 'Newton', 'Mozart', 'Darwin', 'Cleopatra', 'Picasso']

export const REFUSAL =
  'I can do letters, arithmetic, lists, numbers, programs and short stories. This is something else, so I cannot answer.'

export function outOfScope(random: Random): string {
  const [place, thing, person] = [random.pick(PLACES), random.pick(THINGS), random.pick(PEOPLE)]
  const w = word(random, random.int(3, 9))
  return random.pick([
    `What is the capital of ${place}?`,
    `Who was ${person}?`,
    `Write a poem about ${thing}.`,
    `Tell me a story about ${thing}.`,
    `Tell me a joke.`,
    'Hello!',
    'Hi, how are you?',
    'Who are you?',
    'What can you do?',
    `Explain ${thing} to me.`,
    `Why is ${thing} important?`,
    `Translate ${w} into French.`,
    `What does ${w} mean?`,
    `What is ${thing}?`,
    `What do you think about ${thing}?`,
    `How far is ${place} from here?`,
    `When was ${person} born?`,
    `Describe ${place} in one sentence.`,
    `What is the weather in ${place}?`,
    `Is ${thing} good for me?`,
    `Where can I find ${thing}?`,
    `Please summarise the life of ${person}.`,
    `Give me a recipe with ${w}.`,
    `Can you help me with ${thing}?`,
    `Do you like ${place}?`,
    `Which language is spoken in ${place}?`,
  ])
}
