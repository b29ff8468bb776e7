/** What a schema says of strings: a set of texts, and their length. */
import { type Automaton, intersect, isEmpty, lengths, negate, ofLength } from './automaton.js'

export interface StringSet {
  /** Null: any. */
  texts: Automaton | null
  /** Characters. */
  least: number
  most: number
  /** Its texts are all that the schema allows, so that the others are those it does not. */
  exact: boolean
}

export const ANY_STRING: StringSet = { texts: null, least: 0, most: Infinity, exact: true }

export function intersectStrings(a: StringSet, b: StringSet): StringSet | null {
  const texts = a.texts && b.texts ? intersect(a.texts, b.texts) : (a.texts ?? b.texts)
  return settled({
    texts,
    least: Math.max(a.least, b.least),
    most: Math.min(a.most, b.most),
    exact: a.exact && b.exact,
  })
}

/** A length that the texts have anyhow is left out. Null: no text is left. */
function settled(set: StringSet): StringSet | null {
  if (set.least > set.most) return null
  if (!set.texts) return set
  if (isEmpty(set.texts)) return null
  if (set.least === 0 && set.most === Infinity) return set
  const { least, most } = lengths(set.texts)
  if (least > set.most || most < set.least) return null
  return { ...set, least: set.least <= least ? 0 : set.least, most: set.most >= most ? Infinity : set.most }
}

export function complementString({ texts, least, most, exact }: StringSet): StringSet[] | null {
  if (!exact) return null
  const result: StringSet[] = []
  if (least > 0) result.push({ ...ANY_STRING, most: least - 1 })
  if (most < Infinity) result.push({ ...ANY_STRING, least: most + 1 })
  if (texts) {
    const others = negate(texts)
    if (!isEmpty(others)) result.push({ ...ANY_STRING, texts: others })
  }
  return result
}

/** The texts as one automaton, length included. Throws TooLarge for what is too long to count. */
export function textsOf({ texts, least, most }: StringSet): Automaton | null {
  if (least === 0 && most === Infinity) return texts
  const length = ofLength(least, most)
  return texts ? intersect(texts, length) : length
}
