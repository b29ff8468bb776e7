/** Choices: answers that are one letter, A to J, perhaps with the text of the choice. */

export interface Choice {
  letter: string
  /** What follows the letter; '' if nothing does. */
  text: string
}

/** A letter that marks a choice: `(B)`, `B.`, `B) Paris`, `B: because`, `\textbf{(B)}\ 25`, `Option B`, or alone. */
const MARKED =
  /^(?:(?:the|my)\s+)?(?:(?:final|correct)\s+)?(?:(?:option|choice|answer)\s*(?:is)?[\s:]*)?(?:\(([A-J])\)|\[([A-J])\]|([A-J])(?=$|[.):,;\]]|\s*[-–—]\s|\s+(?:because|since|as|is|and not)\b))[.):,;\]]?\s*(.*)$/s

/** `A or B`, `B, C`: no choice has been made. */
const SEVERAL = /(?<![\w'])\(?[A-J]\)?\s*(?:,\s*(?:and|or)?|and|or|nor|&|\/)\s*(?:\([A-J]\)|[A-J](?![\w']))/

/** Longer ones are cut. */
const LONGEST = 3000

/** Case and brackets kept; without commands of style. */
export function unmarked(value: string): string {
  return value
    .slice(0, LONGEST)
    .replace(/\\(?:text(?:bf|it|rm)?|math(?:bf|rm|it)|boxed)\s?\{([^{}]*)\}/g, '$1')
    .replace(/\\[ ,;]|\\\(|\\\)|\*\*|[$`"]/g, ' ')
    .trim()
    .replace(/\.$/, '')
}

/** A lone letter. */
export function loneLetter(value: string): string | null {
  return /^[([]?([A-J])[)\].:]{0,2}$/.exec(value)?.[1] ?? null
}

/** The choice at the beginning of an answer without its marks; null if it begins otherwise. */
export function markedChoice(value: string): Choice | null {
  if (SEVERAL.exec(value)?.index === 0) return null
  const match = MARKED.exec(value)
  const letter = match?.[1] ?? match?.[2] ?? match?.[3]
  return letter === undefined ? null : { letter, text: (match?.[4] as string).trim() }
}

/** Of a sentence the last letter that stands alone; formulas have letters of their own. */
export function chosenLetter(value: string): string | null {
  const marked = markedChoice(value)
  if (marked) return marked.letter
  if (SEVERAL.test(value) || /[\\=^_+*/<>|]/.test(value)) return null
  const letter = [...value.matchAll(/(\bnot\s+)?(?<![\w'])([A-J])(?![\w'])/g)].at(-1)
  return letter && letter[1] === undefined ? (letter[2] as string) : null
}
