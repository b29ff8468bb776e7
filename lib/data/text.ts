/** Text as duplicates are looked for in it: normalized, cut into words, hashed. */
import { hash } from '../base/random.js'
import { cutCharacters, cutWords } from '../base/words.js'

/** Lower case, compatible forms of characters made one, white space single: what makes two questions the same one. */
export function normalize(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()
}

/** Runs of letters and digits, lower case; where a script has no spaces, the words of a dictionary. */
export function wordsOf(text: string): string[] {
  return (normalize(text).match(/[\p{L}\p{N}\p{M}]+/gu) ?? []).flatMap(cutWords)
}

/**
 * Words, and every other character but white space as one of its own: 4 + 5 is not 4 - 5. Where a script has no spaces, each
 * character: the same text gives the same symbols, whatever stands beside it.
 */
export function symbolsOf(text: string): string[] {
  return (normalize(text).match(/[\p{L}\p{N}\p{M}]+|\S/gu) ?? []).flatMap(cutCharacters)
}

/** The runs of n items, each as one text; of fewer items the one run that there is. */
export function* runsOf(items: readonly string[], n: number): Generator<string> {
  for (let end = Math.min(n, items.length); end > 0 && end <= items.length; end++) {
    yield items.slice(Math.max(0, end - n), end).join(' ')
  }
}

/** 53 bits of a text: among a million texts, two share them with a probability of 6 in 100,000. */
export function hash53(text: string): number {
  return (hash(text) & 0x1fffff) * 2 ** 32 + hash(` ${text}`)
}
