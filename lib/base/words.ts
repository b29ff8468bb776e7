/**
 * Words, also of scripts that put no space between them: Chinese, Japanese, Thai, Lao, Khmer, Burmese. They are cut in two ways:
 * into words by a dictionary, or into characters, which do not depend on what stands beside them.
 */

const UNSPACED = '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}ー\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}'

const HAS_UNSPACED = new RegExp(`[${UNSPACED}]`, 'u')

const CHARACTERS = new RegExp(`[${UNSPACED}]|[^${UNSPACED}]+`, 'gu')

/** The time of a segmentation grows with the square of the length: characters that are segmented at once. */
const LONGEST = /.{1,200}/gsu

const segmenter = new Intl.Segmenter('und', { granularity: 'word' })

/** A text without white space as words: itself, or as a dictionary cuts what has no spaces. */
export function cutWords(text: string): string[] {
  if (!HAS_UNSPACED.test(text)) return [text]
  const pieces = text.match(LONGEST) ?? []
  return pieces.flatMap((piece) => Array.from(segmenter.segment(piece), ({ segment }) => segment))
}

/** A text without white space as words: itself, or the single characters of what has no spaces and what stands between. */
export function cutCharacters(text: string): string[] {
  return HAS_UNSPACED.test(text) ? (text.match(CHARACTERS) ?? []) : [text]
}
