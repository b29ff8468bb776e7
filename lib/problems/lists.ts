/** Sorting and searching lists of numbers. What is left of the list is restated, or its items are numbered. */

import type { Random } from '../base/random.js'
import { at, type Maker } from './problem.js'

export const lists: Maker = (random, difficulty) => {
  const make = random.weighted([
    [4, sort],
    [3, extreme],
    [2, search],
    [2, binarySearch],
  ])
  return make(random, difficulty)
}

/** A list as a question shows it. */
function shown(random: Random, list: number[]): string {
  const text = list.join(', ')
  return random.chance(0.6) ? `[${text}]` : text
}

/** The least number that a list may hold: mostly of two digits, in some lists of one among them. */
function least(random: Random): 1 | 10 {
  return random.chance(0.25) ? 1 : 10
}

function numbers(random: Random, count: number): number[] {
  const low = least(random)
  const single = low === 10 && random.chance(0.25) && count <= 7
  return single ? random.distinct(1, 9, count) : random.distinct(low, 99, count)
}

const sort: Maker = (random, difficulty) => {
  const list = numbers(random, at([2, 3, 3, 4, 4, 5, 6, 6], difficulty))
  const down = random.chance(0.3)
  const order = (x: number, y: number) => (down ? y - x : x - y)
  const steps = list.map((value, i) => {
    const left = list.slice(i + 1).join(' ')
    const sorted = list
      .slice(0, i + 1)
      .sort(order)
      .join(' ')
    return `${value}, left${left && ` ${left}`}, sorted ${sorted}`
  })
  const answer = [...list].sort(order).join(', ')
  const l = shown(random, list)
  return {
    key: `sort ${down} ${list}`,
    question: down
      ? random.pick([
          `Sort ${l} in descending order.`,
          `Sort these numbers from largest to smallest: ${l}.`,
          `Arrange ${l} from largest to smallest.`,
        ])
      : random.pick([
          `Sort ${l}.`,
          `Sort ${l} in ascending order.`,
          `Sort these numbers from smallest to largest: ${l}.`,
          `Arrange ${l} from smallest to largest.`,
        ]),
    steps: [`Sort ${down ? 'down' : 'up'}`, ...steps],
    answer,
    program: `print(*sorted([${list}], reverse=${down ? 'True' : 'False'}), sep=", ")`,
  }
}

const extreme: Maker = (random, difficulty) => {
  const list = numbers(random, at([2, 4, 5, 6, 8, 10, 12, 14], difficulty))
  const largest = random.chance(0.5)
  let best = list[0] as number
  const steps = list.map((value, i) => {
    best = largest ? Math.max(best, value) : Math.min(best, value)
    return `${i + 1}: ${value}, best ${best}`
  })
  const l = shown(random, list)
  return {
    key: `extreme ${largest} ${list}`,
    question: largest
      ? random.pick([
          `What is the largest of ${l}?`,
          `What is the largest number in ${l}?`,
          `Find the maximum of ${l}.`,
          `Which number is the biggest: ${l}?`,
        ])
      : random.pick([
          `What is the smallest of ${l}?`,
          `What is the smallest number in ${l}?`,
          `Find the minimum of ${l}.`,
          `Which number is the smallest: ${l}?`,
        ]),
    steps: [`Find the ${largest ? 'largest' : 'smallest'}`, ...steps],
    answer: String(best),
    program: `print(${largest ? 'max' : 'min'}(${list}))`,
  }
}

const search: Maker = (random, difficulty) => {
  const index = at([2, 4, 6, 8, 10, 13, 16, 19], difficulty)
  const list = random.distinct(least(random), 99, index + 1 + random.int(0, 2))
  const wanted = list[index] as number
  const l = shown(random, list)
  return {
    key: `search ${wanted} ${list}`,
    question: random.pick([
      `At which index is ${wanted} in ${l}?`,
      `What is the index of ${wanted} in ${l}?`,
      `Counting from 0, where is ${wanted} in ${l}?`,
      `Find the position of ${wanted} in ${l}, counting from 0.`,
    ]),
    steps: [
      `Find ${wanted}`,
      ...list.slice(0, index + 1).map((value, i) => `${i}: ${value} ${value === wanted ? 'yes' : 'no'}`),
    ],
    answer: String(index),
    program: `print([${list}].index(${wanted}))`,
  }
}

const binarySearch: Maker = (random, difficulty) => {
  const list = random.distinct(least(random), 99, at([3, 3, 4, 5, 7, 8, 9, 11], difficulty)).sort((x, y) => x - y)
  const wanted = random.pick(list)
  const steps: string[] = []
  let looks = 0
  for (let low = 0, high = list.length - 1; ; ) {
    const middle = Math.floor((low + high) / 2)
    const value = list[middle] as number
    looks++
    const sign = value === wanted ? '=' : value < wanted ? '<' : '>'
    steps.push(`${looks}: from ${low} to ${high}, look at ${middle}: ${value} ${sign} ${wanted}`)
    if (value === wanted) break
    if (value < wanted) low = middle + 1
    else high = middle - 1
  }
  const l = shown(random, list)
  return {
    key: `binary ${wanted} ${list}`,
    question: random.pick([
      `How many numbers does binary search look at to find ${wanted} in ${l}?`,
      `Binary search looks for ${wanted} in ${l}. How many numbers does it look at?`,
      `How many steps does binary search take to find ${wanted} in ${l}?`,
    ]),
    steps: [`Find ${wanted}`, ...list.map((value, i) => `${i}: ${value}`), 'Search', ...steps],
    answer: String(looks),
    program: [
      `a, w, n = [${list}], ${wanted}, 0`,
      'low, high = 0, len(a) - 1',
      'while True:',
      '    m, n = (low + high) // 2, n + 1',
      '    if a[m] == w: break',
      '    if a[m] < w: low = m + 1',
      '    else: high = m - 1',
      'print(n)',
    ].join('\n'),
  }
}
