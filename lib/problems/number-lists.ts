/** Lists of numbers to ask about. */
import type { Random } from '../base/random.js'

/** A list as a question shows it. */
export function shown(random: Random, list: readonly (number | string)[]): string {
  const text = list.join(', ')
  return random.chance(0.6) ? `[${text}]` : text
}

/** Different numbers of one and two digits, in some lists with a sign. */
export function numbers(random: Random, count: number): number[] {
  const kind = random.int(0, 9)
  if (kind === 0 && count <= 7) return random.distinct(1, 9, count)
  if (kind < 4) return random.distinct(1, 99, count)
  if (kind < 6) return random.distinct(-99, 99, count)
  return random.distinct(10, 99, count)
}

/** `36 23 >`: the sign after both numbers, so that nobody has to look ahead to write it. */
export function compared(a: number, b: number): string {
  return `${a} ${b} ${a === b ? '=' : a < b ? '<' : '>'}`
}
