/** Numbers written in other bases: into decimal from the first digit on, out of it from the last. */
import type { Random } from '../base/random.js'
import { divisionsOf } from './columns.js'
import { at, type Maker, misread, nearNumber } from './problem.js'

/** `1`, `1*2+0=2`, `2*2+1=5`: the value so far after each digit. Two digits are multiplied apart: `12*7+3=70+14+3=87`. */
function fromBase(text: string, base: number): string[] {
  let value = 0
  return [...text].map((digit, i) => {
    const [before, last] = [value, Number.parseInt(digit, 36)]
    value = value * base + last
    const [tens, ones] = [before - (before % 10), before % 10]
    const apart = before < 10 || base === 2 ? '' : `=${tens * base}+${ones * base}+${last}=${before * base}+${last}`
    return i === 0 ? `${text}: ${value}` : `${text.slice(i)}: ${before}*${base}+${last}${apart}=${value}`
  })
}

/** `13=2*6+1, 1`, `6=2*3+0, 01`: the digits so far from the right. A quotient of two digits is found by long division. */
function toBase(n: number, base: number): string[] {
  const steps: string[] = []
  let text = ''
  for (let x = n; x > 0; x = Math.floor(x / base)) {
    text = (x % base).toString(base) + text
    const quotient = Math.floor(x / base)
    const columns = quotient < 10 || base === 2 ? '' : `${divisionsOf(x, base).join(', ')}; `
    steps.push(`${columns}${x}=${base}*${quotient}+${x % base}, ${text}`)
  }
  return steps
}

/** The number in binary with one digit changed. */
function nearBits(random: Random, bits: string): string {
  const place = random.int(1, bits.length - 1)
  return bits.slice(0, place) + (bits[place] === '0' ? '1' : '0') + bits.slice(place + 1)
}

export const toBinary: Maker = (random, difficulty, asking) => {
  const n = random.int(2 ** difficulty, 2 ** (difficulty + 1) - 1)
  const bits = n.toString(2)
  return {
    key: `base ${n} 2`,
    question: asking.of(
      [
        `Write ${n} in binary.`,
        `What is ${n} in binary?`,
        `Convert ${n} to binary.`,
        `What is the binary form of ${n}?`,
        `${n} in binary`,
        `Give the binary representation of ${n}.`,
        `Convert the decimal number ${n} to binary.`,
        `How is ${n} written in base 2?`,
        `Express ${n} in binary.`,
      ],
      [`Turn ${n} into a binary number.`, `What does ${n} look like in base 2?`],
      { things: [`${n} in binary`, `the binary form of ${n}`, `${n} in base 2`] },
    ),
    task: `${n} to base 2`,
    steps: toBase(n, 2),
    answer: bits,
    program: `print(f"{${n}:b}")`,
    check: (value) => ({ lines: fromBase(value, 2), holds: value === bits }),
    nearMiss: (random) => nearBits(random, bits),
    slip: (random) => {
      const other = misread(random, n)
      return { steps: toBase(other, 2), value: other.toString(2) }
    },
  }
}

export const fromBinary: Maker = (random, difficulty, asking) => {
  const n = random.int(2 ** difficulty, 2 ** (difficulty + 1) - 1)
  const bits = n.toString(2)
  return {
    key: `base ${n} 2`,
    question: asking.of(
      [
        `What is binary ${bits} in decimal?`,
        `Convert the binary number ${bits} to decimal.`,
        `Which number is ${bits} in binary?`,
        `What is the decimal value of the binary number ${bits}?`,
        `Convert ${bits} from binary to decimal.`,
        `What is ${bits} in base 10 if it is binary?`,
        `What is 0b${bits} in decimal?`,
        `Write the binary number ${bits} as a decimal number.`,
      ],
      [`Read ${bits} as binary and give the decimal number.`, `Turn the binary number ${bits} into decimal.`],
      {
        things: [
          `binary ${bits} in decimal`,
          `the decimal value of binary ${bits}`,
          `the number that is ${bits} in binary`,
        ],
      },
    ),
    task: `${bits} from base 2`,
    steps: fromBase(bits, 2),
    answer: String(n),
    program: `print(int("${bits}", 2))`,
    check: (value) => ({ lines: toBase(Number(value), 2), holds: value === String(n) }),
    nearMiss: (random) => nearNumber(random, n),
  }
}

/** As people call a base. */
function nameOf(base: number): string {
  return base === 2 ? 'binary' : base === 16 ? 'hexadecimal' : `base-${base}`
}

export const baseConversion: Maker = (random, difficulty, asking) => {
  const largest = at([9, 20, 40, 60, 99, 120, 180, 255], difficulty)
  const bases = difficulty < 4 ? [2, 3, 4, 5, 8, 10] : [2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]
  const n = random.int(Math.ceil(largest / 3), largest)
  const [from, to] = random.sample(bases, 2) as [number, number]
  const [given, answer] = [n.toString(from), n.toString(to)]
  const [source, target] = [nameOf(from), nameOf(to)]
  const rule = '\n\nIf the target base is > 10, use lowercase letters a-z for digits above 9.\n\n'
  const intro = `Your task is to convert a number between two different bases.${rule}`
  return {
    key: `base ${n} ${[from, to].filter((base) => base !== 10).sort((x, y) => x - y)}`,
    question: asking.of(
      [
        `${intro}Now, convert the ${source} number ${given} to ${target}\n`,
        `${intro}Now, convert the ${source} number ${given} to ${target}\n`,
        `Convert the ${source} number ${given} to ${target}.`,
        `Convert ${given} from base ${from} to base ${to}.`,
        `What is ${given} in base ${from} written in base ${to}?`,
        `What is the ${source} number ${given} in ${target}?`,
        `Write the base ${from} number ${given} in base ${to}.`,
      ],
      [`Change ${given} from base ${from} into base ${to}.`, `Express the ${source} number ${given} in ${target}.`],
      {
        things: [
          `the ${source} number ${given} in ${target}`,
          `${given} from base ${from} in base ${to}`,
          `the base ${to} form of ${given}, which is in base ${from}`,
        ],
      },
    ),
    task: `${given} from base ${from} to base ${to}`,
    steps: [...(from === 10 ? [] : fromBase(given, from)), ...(to === 10 ? [] : ['Write', ...toBase(n, to)])],
    answer,
    program: [
      `n, text = int("${given}", ${from}), ""`,
      'while n:',
      `    text, n = "0123456789abcdef"[n % ${to}] + text, n // ${to}`,
      'print(text)',
    ].join('\n'),
  }
}
