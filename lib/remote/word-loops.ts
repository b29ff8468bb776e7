/** Loops in a text whose tokens are not known: they are looked for in words, and in characters where a script has no spaces. */
import { LoopDetector } from '../base/loops.js'
import { cutCharacters } from '../base/words.js'

export class WordLoops {
  readonly #detector = new LoopDetector()
  #word = ''

  /** Whether the text repeats itself. The last word is whole only once something follows it. */
  push(text: string): boolean {
    const items = (this.#word + text).split(/\s+/).flatMap(cutCharacters)
    this.#word = items.pop() as string
    return items.some((item) => item !== '' && this.#detector.push(item))
  }
}
