/** Sets of code points, as sorted pairs of a first and a last one. Surrogates are in none: text in UTF-8 has none. */

/** `[first, last, first, last, …]`, sorted, without overlap. */
export type CodePoints = readonly number[]

export const ALL: CodePoints = [0, 0xd7ff, 0xe000, 0x10ffff]

/** Any pairs, made a set. */
export function codePoints(pairs: readonly (readonly [number, number])[]): CodePoints {
  const sorted = [...pairs].sort((a, b) => a[0] - b[0])
  const result: number[] = []
  for (const [first, last] of sorted) {
    const end = result.at(-1)
    if (end !== undefined && first <= end + 1) result[result.length - 1] = Math.max(end, last)
    else result.push(first, last)
  }
  return result
}

export function pairsOf(set: CodePoints): [number, number][] {
  const pairs: [number, number][] = []
  for (let i = 0; i < set.length; i += 2) pairs.push([set[i] as number, set[i + 1] as number])
  return pairs
}

export function union(...sets: CodePoints[]): CodePoints {
  return codePoints(sets.flatMap(pairsOf))
}

export function intersection(a: CodePoints, b: CodePoints): CodePoints {
  const result: number[] = []
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const first = Math.max(a[i] as number, b[j] as number)
    const last = Math.min(a[i + 1] as number, b[j + 1] as number)
    if (first <= last) result.push(first, last)
    if ((a[i + 1] as number) < (b[j + 1] as number)) i += 2
    else j += 2
  }
  return result
}

/** All code points but these. */
export function complement(set: CodePoints): CodePoints {
  const result: number[] = []
  let next = 0
  for (const [first, last] of pairsOf(set)) {
    if (first > next) result.push(next, first - 1)
    next = last + 1
  }
  if (next <= 0x10ffff) result.push(next, 0x10ffff)
  return intersection(result, ALL)
}
