/** Number theory: greatest common divisors, primes, remainders, digit sums, binary. Each line starts from the one before it. */
import { at, type Maker } from './problem.js'

export const numbers: Maker = (random, difficulty) => {
  const make = random.weighted([
    [3, gcd],
    [3, prime],
    [3, remainder],
    [3, toBinary],
    [3, fromBinary],
    [2, digitSum],
  ])
  return make(random, difficulty)
}

const gcd: Maker = (random, difficulty) => {
  const wanted = difficulty
  // By subtraction, a pair of numbers takes as many steps as its quotients sum to: found by trying.
  for (;;) {
    const factor = random.int(1, 12)
    const a = factor * random.int(1, Math.floor(96 / factor))
    const b = factor * random.int(1, Math.floor(96 / factor))
    const steps: string[] = []
    let [x, y] = [a, b]
    while (x !== y && steps.length <= wanted) {
      const [large, small] = x > y ? [x, y] : [y, x]
      steps.push(`${x} ${y}: ${large}-${small}=${large - small}`)
      if (x > y) x -= y
      else y -= x
    }
    if (steps.length !== wanted) continue
    steps.push(`${x} ${y}`)
    return {
      key: `gcd ${a} ${b}`,
      question: random.pick([
        `What is the greatest common divisor of ${a} and ${b}?`,
        `Find the gcd of ${a} and ${b}.`,
        `What is gcd(${a}, ${b})?`,
        `What is the largest number that divides both ${a} and ${b}?`,
      ]),
      steps,
      answer: String(x),
      program: `import math\nprint(math.gcd(${a}, ${b}))`,
    }
  }
}

/** Long division: one `number = divisor * quotient + remainder` for each digit. */
function longDivision(n: number, divisor: number): { lines: string[]; remainder: number } {
  let remainder = 0
  const lines = [...String(n)].map((digit) => {
    const part = remainder * 10 + Number(digit)
    remainder = part % divisor
    return `${part}=${divisor}*${Math.floor(part / divisor)}+${remainder}`
  })
  return { lines, remainder }
}

const PRIMES = [2, 3, 5, 7, 11, 13, 17]

const prime: Maker = (random, difficulty) => {
  const wanted = at([1, 1, 2, 3, 3, 4, 5, 6], difficulty)
  for (;;) {
    const n = random.int(4, 288)
    const steps: string[] = []
    let composite = false
    for (const p of PRIMES) {
      if (p * p > n || composite) break
      const { lines, remainder } = longDivision(n, p)
      composite = remainder === 0
      steps.push(`${n}/${p}: ${lines.join(', ')}`)
    }
    if (steps.length !== wanted) continue
    // Even numbers would be most of the easy ones.
    if (composite && steps.length === 1 && random.chance(0.5)) continue
    return {
      key: `prime ${n}`,
      question: random.pick([
        `Is ${n} a prime number?`,
        `Is ${n} prime?`,
        `Is the number ${n} prime?`,
        `Tell me whether ${n} is a prime number.`,
      ]),
      steps,
      answer: composite ? 'no' : 'yes',
      program: `print("yes" if all(${n} % d for d in range(2, ${n})) else "no")`,
    }
  }
}

const remainder: Maker = (random, difficulty) => {
  const count = at([1, 2, 2, 3, 4, 5, 6, 6], difficulty)
  const n = random.int(count === 1 ? 1 : 10 ** (count - 1), 10 ** count - 1)
  const divisor = random.int(2, 9)
  const { lines, remainder: result } = longDivision(n, divisor)
  // What is left of the number: the remainder so far, then the digits to come.
  let left = String(n)
  const steps = lines.map((line, i) => {
    const step = `${left}: ${line}`
    left = line.slice(line.indexOf('+') + 1) + String(n).slice(i + 1)
    return step
  })
  return {
    key: `remainder ${n} ${divisor}`,
    question: random.pick([
      `What is the remainder when ${n} is divided by ${divisor}?`,
      `What is ${n} mod ${divisor}?`,
      `What is ${n} % ${divisor}?`,
      `Divide ${n} by ${divisor}. What is the remainder?`,
    ]),
    steps,
    answer: String(result),
    program: `print(${n} % ${divisor})`,
  }
}

const toBinary: Maker = (random, difficulty) => {
  const n = random.int(2 ** difficulty, 2 ** (difficulty + 1) - 1)
  const steps: string[] = []
  let bits = ''
  for (let x = n; x > 0; x = Math.floor(x / 2)) {
    bits = (x % 2) + bits
    steps.push(`${x}=2*${Math.floor(x / 2)}+${x % 2}, ${bits}`)
  }
  return {
    key: `binary ${n}`,
    question: random.pick([
      `Write ${n} in binary.`,
      `What is ${n} in binary?`,
      `Convert ${n} to binary.`,
      `What is the binary form of ${n}?`,
    ]),
    steps,
    answer: bits,
    program: `print(f"{${n}:b}")`,
  }
}

const fromBinary: Maker = (random, difficulty) => {
  const n = random.int(2 ** difficulty, 2 ** (difficulty + 1) - 1)
  const bits = n.toString(2)
  let value = 0
  const steps = [...bits].map((bit, i) => {
    const next = value * 2 + Number(bit)
    const step = `${bits.slice(i)}: ${value}*2+${bit}=${next}`
    value = next
    return step
  })
  return {
    key: `decimal ${n}`,
    question: random.pick([
      `What is binary ${bits} in decimal?`,
      `Convert the binary number ${bits} to decimal.`,
      `Which number is ${bits} in binary?`,
      `What is the decimal value of the binary number ${bits}?`,
    ]),
    steps,
    answer: String(n),
    program: `print(int("${bits}", 2))`,
  }
}

const digitSum: Maker = (random, difficulty) => {
  const count = at([2, 3, 4, 5, 6, 7, 8, 9], difficulty)
  const text = Array.from({ length: count }, (_, i) => random.int(i === 0 ? 1 : 0, 9)).join('')
  let sum = 0
  const steps = [...text].map((digit, i) => {
    const step = `${text.slice(i)}: ${sum}+${digit}=${sum + Number(digit)}`
    sum += Number(digit)
    return step
  })
  return {
    key: `digits ${text}`,
    question: random.pick([
      `What is the sum of the digits of ${text}?`,
      `Add up the digits of ${text}.`,
      `What is the digit sum of ${text}?`,
    ]),
    steps,
    answer: String(sum),
    program: `print(sum(map(int, "${text}")))`,
  }
}
