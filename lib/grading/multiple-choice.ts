/** Which of several choices a response states: by its letter, or by its text. */
import { sameAnswer } from './answers.js'
import { chosenLetter, loneLetter, unmarked } from './choices.js'

const LETTERS = 'ABCDEFGHIJ'

/** Of a text without a final answer: longer ones are read from here to their end. */
const LONGEST = 20_000

/** `Option B is right`, `I choose (C)`. */
const NAMED = /\b(?:option|choice|choose|select|pick)\s+(?:option\s+)?\(?([A-J])\)?(?![\w'])/gi

/**
 * The letter that a final answer states, else that of the one choice whose text it is.
 * @param choices Texts of the choices, that of A first; at most ten.
 * @returns Null where it states none of them, or several.
 */
export function choiceOf(answer: string, choices: readonly string[]): string | null {
  const letters = LETTERS.slice(0, choices.length)
  const letter = chosenLetter(unmarked(answer))
  const byText = choices.filter((choice) => sameText(choice, answer))
  // `A` may be the text of a choice, too: then it says which.
  if (letter !== null && letters.includes(letter)) return letter
  return byText.length === 1 ? (letters[choices.indexOf(byText[0] as string)] as string) : null
}

/** The last choice that a text without a final answer states: in words, or as a line of its own. Null: none. */
export function lastChoice(text: string, choices: readonly string[]): string | null {
  const read = text.slice(-LONGEST)
  const lines = read.split('\n').filter((line) => line.trim() !== '')
  const line = lines.at(-1) ?? ''
  const named = [...unmarked(line).matchAll(NAMED)].at(-1)?.[1]
  const letter = loneLetter(unmarked(line)) ?? named ?? [...unmarkedLines(lines)].at(-1)
  return letter !== undefined && LETTERS.slice(0, choices.length).includes(letter) ? letter : null
}

function unmarkedLines(lines: readonly string[]): string[] {
  return lines.flatMap((line) => [...unmarked(line).matchAll(NAMED)].map((match) => match[1] as string))
}

function sameText(choice: string, answer: string): boolean {
  // A choice that is a letter itself is compared as a letter, and a text that begins with one is no choice.
  return loneLetter(unmarked(choice)) === null && sameAnswer(choice, answer)
}
