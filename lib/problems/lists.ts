/**
 * Sorting and searching lists of numbers. What is left of the list is restated, or its items are numbered. Where two numbers are
 * compared, both stand right before what comes of it.
 */

import { decide } from './decisions.js'
import { compared, numbers, shown } from './number-lists.js'
import { at, type Maker } from './problem.js'

export const lists: Maker = (random, difficulty, asking) => {
  const make = random.weighted([
    [8, sort],
    [3, extreme],
    [2, search],
    [2, binarySearch],
    [2, total],
    [3, decide],
  ])
  return make(random, difficulty, asking)
}

const sort: Maker = (random, difficulty, asking) => {
  const list = numbers(random, at([2, 3, 3, 4, 4, 5, 6, 7], difficulty))
  if (list.length > 2 && random.chance(0.2)) list[list.length - 1] = list[random.int(0, list.length - 2)] as number
  if (random.chance(0.1)) list[random.int(0, list.length - 1)] = random.int(100, 199)
  const down = random.chance(0.4)
  const order = (x: number, y: number) => (down ? y - x : x - y)
  const steps = list.map((value, i) => {
    const left = list.slice(i + 1).join(' ')
    const sorted = list
      .slice(0, i + 1)
      .sort(order)
      .join(' ')
    return `${value}, left${left && ` ${left}`}, sorted ${sorted}`
  })
  const sorted = [...list].sort(order)
  const key = `sort ${[...list].sort((x, y) => x - y)}`
  const task = `Sort ${down ? 'down' : 'up'}`
  const way = down ? 'descending' : 'ascending'
  if (random.chance(0.35)) {
    const quoted = `[${sorted.map((value) => `'${value}.0'`).join(', ')}]`
    const rules =
      'Please follow the instruction below:\n## 1. Let all your answers be a list of numbers. Instead of reporting your ' +
      "answer as -69, -13, 1, 7, 11, 43, 59, 61, use ['-69', '-13', '1', '7', '11', '43', '59', '61'] instead\n## 2. Convert " +
      "all numbers in the square brackets as strings. For example, ['-69', '-13', '1', '7', '11', '43', '59', '61']\n"
    return {
      key,
      question: `Sort these numbers in ${way} order: ${list.map((value) => `${value}.0`).join(', ')}\n${rules}`,
      task: `${task} as strings`,
      steps,
      answer: quoted,
      program: `print([f"{x}.0" for x in sorted([${list}], reverse=${down ? 'True' : 'False'})])`,
    }
  }
  const l = shown(random, list)
  const [from, to] = down ? ['largest', 'smallest'] : ['smallest', 'largest']
  const neutral = [
    `Sort ${l} in ${way} order.`,
    `Sort these numbers from ${from} to ${to}: ${l}.`,
    `Arrange ${l} from ${from} to ${to}.`,
    `Sort these numbers in ${way} order: ${l}`,
    `Put ${l} in order from ${from} to ${to}.`,
    `Order ${l} from ${from} to ${to}.`,
    `Please sort ${l} (${way}).`,
    `Write these numbers from ${from} to ${to}: ${l}.`,
    `Sort the list ${l} in ${way} order.`,
  ]
  const answer = sorted.join(', ')
  return {
    key,
    question: asking.of(
      down ? neutral : [...neutral, `Sort ${l}.`, `Sort the numbers ${l}.`, `Put these numbers in order: ${l}.`],
      [`Bring ${l} into ${way} order.`, `List ${l} with the ${from} first.`, `Rearrange ${l}, ${from} to ${to}.`],
      { things: [`${l} in ${way} order`, `the numbers ${l} sorted from ${from} to ${to}`, `the ${way} order of ${l}`] },
    ),
    task,
    steps,
    answer,
    program: `print(*sorted([${list}], reverse=${down ? 'True' : 'False'}), sep=", ")`,
    check: (value) => {
      const given = value.split(', ').map(Number)
      const pairs = given.slice(1).map((each, i) => compared(given[i] as number, each))
      return { lines: [`${pairs.join(', ')}; ${given.length} of ${list.length}`], holds: value === answer }
    },
    nearMiss: (random) => {
      // Equal numbers would be the same the other way round.
      const places = sorted.flatMap((value, i) => (i > 0 && value !== sorted[i - 1] ? [i] : []))
      const place = random.pick(places)
      const wrong = [...sorted]
      ;[wrong[place - 1], wrong[place]] = [wrong[place] as number, wrong[place - 1] as number]
      return wrong.join(', ')
    },
  }
}

/** The largest or smallest so far after each; the winner stands in each place equally often. */
const extreme: Maker = (random, difficulty, asking) => {
  const list = numbers(random, at([2, 4, 5, 6, 8, 10, 12, 14], difficulty))
  const largest = random.chance(0.5)
  let best = list[0] as number
  const steps = list.map((value, i) => {
    best = largest ? Math.max(best, value) : Math.min(best, value)
    return `${i + 1}: ${value}, best ${best}`
  })
  const l = shown(random, list)
  const most = largest ? 'largest' : 'smallest'
  return {
    key: `extreme ${largest} ${[...list].sort((x, y) => x - y)}`,
    question: asking.of(
      [
        `What is the ${most} of ${l}?`,
        `What is the ${most} number in ${l}?`,
        `Find the ${largest ? 'maximum' : 'minimum'} of ${l}.`,
        `Which number is the ${largest ? 'biggest' : 'smallest'}: ${l}?`,
        `Find the ${most} number in ${l}.`,
        `What is the ${largest ? 'maximum' : 'minimum'} of ${l}?`,
        `Which of these numbers is the ${most}: ${l}?`,
        `${largest ? 'max' : 'min'}(${list.join(', ')})`,
        `Tell me the ${most} number of ${l}.`,
        `What is the ${largest ? 'highest' : 'lowest'} number in ${l}?`,
      ],
      [`Look through ${l} for the ${most} number.`, `Of ${l}, which one is the ${most}?`],
      {
        things: [
          `the ${most} of ${l}`,
          `the ${most} number of ${l}`,
          `the ${largest ? 'maximum' : 'minimum'} of the list ${l}`,
          `the ${largest ? 'highest' : 'lowest'} value in ${l}`,
        ],
      },
    ),
    task: `Find the ${most}`,
    steps,
    answer: String(best),
    program: `print(${largest ? 'max' : 'min'}(${list}))`,
  }
}

/** The sum so far after each. */
const total: Maker = (random, difficulty, asking) => {
  const list = Array.from({ length: at([2, 3, 4, 5, 6, 7, 8, 9], difficulty) }, () =>
    random.int(1, difficulty < 4 ? 9 : 30),
  )
  let sum = 0
  const steps = list.map((value) => {
    const step = `${sum}+${value}=${sum + value}`
    sum += value
    return step
  })
  const l = shown(random, list)
  return {
    key: `total ${[...list].sort((x, y) => x - y)}`,
    question: asking.of(
      [
        `What is the sum of ${l}?`,
        `Add up ${l}.`,
        `Find the sum of the numbers ${l}.`,
        `What do ${l} add up to?`,
        `sum(${list.join(', ')})`,
        `Compute the sum of ${l}.`,
        `What is the total of ${l}?`,
      ],
      [`Add all of ${l} together.`, `If you add ${l}, what do you get?`],
      { things: [`the sum of ${l}`, `the sum of the list ${l}`, `the total of ${l}`, `how much ${l} are together`] },
    ),
    task: `Sum of ${list.join(' ')}`,
    steps,
    answer: String(sum),
    program: `print(sum([${list}]))`,
  }
}

const search: Maker = (random, difficulty, asking) => {
  const size = at([3, 5, 7, 9, 11, 14, 17, 20], difficulty)
  const list = numbers(random, size)
  // Anywhere in the second half: the answer would else say little of the length.
  const index = random.int(Math.floor(size / 2), size - 1)
  const wanted = list[index] as number
  const l = shown(random, list)
  return {
    key: `search ${wanted} ${list}`,
    question: asking.of(
      [
        `At which index is ${wanted} in ${l}?`,
        `What is the index of ${wanted} in ${l}?`,
        `Counting from 0, where is ${wanted} in ${l}?`,
        `Find the position of ${wanted} in ${l}, counting from 0.`,
        `Find the index of ${wanted} in the list ${l}.`,
        `Where is ${wanted} in ${l}, counting from 0?`,
        `[${list.join(', ')}].index(${wanted})`,
      ],
      [`Look for ${wanted} in ${l} and give its index.`, `Which index (from 0) does ${wanted} have in ${l}?`],
      {
        things: [
          `the index of ${wanted} in ${l}`,
          `the position of ${wanted} in the list ${l}, counting from 0`,
          `at which index ${wanted} stands in ${l}`,
        ],
      },
    ),
    task: `Find ${wanted}`,
    steps: list.slice(0, index + 1).map((value, i) => `${i}: ${value} ${wanted} ${value === wanted ? 'yes' : 'no'}`),
    answer: String(index),
    program: `print([${list}].index(${wanted}))`,
  }
}

const binarySearch: Maker = (random, difficulty, asking) => {
  const list = random.distinct(1, 99, at([3, 3, 4, 5, 7, 8, 9, 11], difficulty)).sort((x, y) => x - y)
  const wanted = random.pick(list)
  const steps: string[] = []
  let looks = 0
  for (let low = 0, high = list.length - 1; ; ) {
    const middle = Math.floor((low + high) / 2)
    const value = list[middle] as number
    looks++
    steps.push(`${looks}: from ${low} to ${high}, look at ${middle}: ${compared(value, wanted)}`)
    if (value === wanted) break
    if (value < wanted) low = middle + 1
    else high = middle - 1
  }
  const l = shown(random, list)
  return {
    key: `binary ${wanted} ${list}`,
    question: asking.of(
      [
        `How many numbers does binary search look at to find ${wanted} in ${l}?`,
        `Binary search looks for ${wanted} in ${l}. How many numbers does it look at?`,
        `How many steps does binary search take to find ${wanted} in ${l}?`,
        `In ${l}, how many numbers does binary search look at until it finds ${wanted}?`,
        `Count the steps of a binary search for ${wanted} in ${l}.`,
      ],
      [`A binary search for ${wanted} in ${l}: how many steps?`],
      {
        things: [
          `how many numbers a binary search for ${wanted} looks at in ${l}`,
          `the number of steps of binary search for ${wanted} in ${l}`,
        ],
      },
    ),
    task: `Binary search ${wanted}`,
    steps: [...list.map((value, i) => `${i}: ${value}`), 'Search', ...steps],
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
