/** Number theory: common divisors, primes, remainders, sums of digits, bases. Each line starts from the one before it. */
import { baseConversion, fromBinary, toBinary } from './bases.js'
import { divideFromLeft, divisionsOf } from './columns.js'
import { at, digits, type Maker, misread, nearNumber } from './problem.js'

export const numbers: Maker = (random, difficulty, asking) => {
  const make = random.weighted([
    [4, gcd],
    [3, prime],
    [4, countPrimes],
    [2, remainder],
    [2, toBinary],
    [2, fromBinary],
    [7, baseConversion],
    [2, digitSum],
  ])
  return make(random, difficulty, asking)
}

/** Lines that find the greatest common divisor, and it: by division, and where the divisor has two digits, by its multiples. */
function euclid(a: number, b: number): { steps: string[]; divisor: number } {
  const steps: string[] = []
  let [x, y] = a > b ? [a, b] : [b, a]
  while (y > 0) {
    const rest = x % y
    if (y < 10) steps.push(`${x} ${y}: ${divisionsOf(x, y).join('; ')}, ${rest}`)
    else {
      const multiples = Array.from({ length: Math.floor(x / y) }, (_, i) => y * (i + 1))
      steps.push(`${x} ${y}: ${multiples.join(' ')}, ${x}-${multiples.at(-1)}=${rest}`)
    }
    ;[x, y] = [y, rest]
  }
  return { steps: [...steps, `${x} 0`], divisor: x }
}

const gcd: Maker = (random, difficulty, asking) => {
  const largest = at([12, 20, 40, 60, 99, 99, 200, 400], difficulty)
  for (;;) {
    const factor = random.int(1, 12)
    if (largest < 2 * factor) continue
    const [a, b] = [1, 2].map(() => factor * random.int(1, Math.floor(largest / factor))) as [number, number]
    const { steps, divisor } = euclid(a, b)
    const lengths = [2, 2, 3, 3, 3, 4, 4, 5]
    if (a === b || steps.length < Math.min(at(lengths, difficulty), 4) || steps.some((step) => step.length > 60))
      continue
    return {
      key: `gcd ${[a, b].sort((x, y) => x - y)}`,
      question: asking.of(
        [
          `What is the greatest common divisor of ${a} and ${b}?`,
          `Find the gcd of ${a} and ${b}.`,
          `What is gcd(${a}, ${b})?`,
          `gcd(${a}, ${b})`,
          `What is the largest number that divides both ${a} and ${b}?`,
          `Find the Greatest Common Divisor (GCD) of these numbers: ${a}, ${b}. Give only the GCD as your final answer.`,
          `Find the Greatest Common Divisor (GCD) of these numbers: ${a}, ${b}.`,
          `What is the GCD of ${a} and ${b}?`,
          `Calculate the greatest common divisor of ${a} and ${b}.`,
          `What is the highest common factor of ${a} and ${b}?`,
          `Find the greatest common factor of ${a} and ${b}.`,
        ],
        [
          `Which is the biggest integer that divides ${a} as well as ${b}?`,
          `Compute the GCD of the numbers ${a} and ${b}.`,
          `What is the largest common divisor of ${a} and ${b}?`,
        ],
        {
          things: [
            `the gcd of ${a} and ${b}`,
            `the greatest common divisor of ${a} and ${b}`,
            `the largest number that divides ${a} and ${b}`,
            `gcd(${a}, ${b})`,
            `the greatest common factor of ${a} and ${b}`,
          ],
        },
      ),
      task: `gcd ${a} ${b}`,
      steps,
      answer: String(divisor),
      program: `import math\nprint(math.gcd(${a}, ${b}))`,
      nearMiss: (random) => String(random.pick([1, 2, 3, 4, 6, 2 * divisor].filter((each) => each !== divisor))),
      check: (value) => {
        const parts = [a, b].map((number) => ({
          number,
          rest: number % Number(value),
          part: Math.floor(number / Number(value)),
        }))
        const divides = parts.map(({ number, rest, part }) => `${number}=${value}*${part}+${rest}`)
        if (parts.some(({ rest }) => rest > 0)) return { lines: [divides.join(', ')], holds: false }
        const common = euclid(parts[0]?.part as number, parts[1]?.part as number).divisor
        return {
          lines: [divides.join(', '), `common of ${parts.map(({ part }) => part).join(' ')}: ${common}`],
          holds: common === 1,
        }
      },
    }
  }
}

const PRIMES = [2, 3, 5, 7, 11, 13, 17]

/** The divisor that decides, or all that do not. */
const prime: Maker = (random, difficulty, asking) => {
  const wanted = at([1, 1, 2, 3, 3, 4, 5, 6], difficulty)
  for (;;) {
    const n = random.int(4, 288)
    const steps: string[] = []
    let composite = false
    for (const p of PRIMES) {
      if (p * p > n || composite) break
      composite = n % p === 0
      steps.push(`${n}/${p}: ${divisionsOf(n, p).join(', ')}, ${composite ? 'yes' : 'no'}`)
    }
    if (steps.length !== wanted) continue
    // Even numbers would be most of the easy ones.
    if (composite && steps.length === 1 && random.chance(0.5)) continue
    return {
      key: `prime ${n}`,
      question: asking.of(
        [
          `Is ${n} a prime number?`,
          `Is ${n} prime?`,
          `Is the number ${n} prime?`,
          `Tell me whether ${n} is a prime number.`,
          `Is ${n} a prime?`,
          `Check if ${n} is prime.`,
          `Does ${n} have no divisors but 1 and itself?`,
          `Yes or no: is ${n} prime?`,
          `Would you say that ${n} is a prime number?`,
        ],
        [`Determine whether ${n} is prime.`, `Can ${n} only be divided by 1 and ${n}?`, `${n}: prime or not?`],
        { claims: [`${n} is prime`, `${n} is a prime number`, `the number ${n} is a prime`] },
      ),
      task: `prime ${n}`,
      steps,
      answer: composite ? 'no' : 'yes',
      program: `print("yes" if all(${n} % d for d in range(2, ${n})) else "no")`,
    }
  }
}

function isPrime(n: number): boolean {
  return n > 1 && PRIMES.every((p) => n === p || n % p !== 0)
}

/** The primes from the first on, up to the first that is too large. */
const countPrimes: Maker = (random, difficulty, asking) => {
  const wanted = at([1, 2, 3, 5, 7, 9, 12, 16], difficulty)
  for (;;) {
    const [low, high] = [random.int(1, 99), random.int(1, 100)].sort((x, y) => x - y) as [number, number]
    const found = Array.from({ length: high - low + 1 }, (_, i) => low + i).filter(isPrime)
    if (Math.abs(found.length - wanted) > wanted / 4 || low === high) continue
    let beyond = high + 1
    while (!isPrime(beyond)) beyond++
    return {
      key: `primes ${low} ${high}`,
      question: asking.of(
        [
          `Count how many prime numbers there are between ${low} and ${high} (inclusive) ?`,
          `How many primes are there from ${low} to ${high}?`,
          `How many prime numbers are there between ${low} and ${high}, both included?`,
          `Count the primes between ${low} and ${high} (inclusive).`,
          `Count the prime numbers from ${low} to ${high}.`,
          `How many of the numbers from ${low} to ${high} are prime?`,
        ],
        [
          `What is the number of primes in the range ${low} to ${high}?`,
          `Find how many primes lie from ${low} to ${high}.`,
        ],
        {
          things: [
            `how many primes there are from ${low} to ${high}`,
            `the number of primes between ${low} and ${high} (inclusive)`,
            `the count of prime numbers from ${low} to ${high}`,
          ],
        },
      ),
      task: `primes ${low} to ${high}`,
      steps: [...found.map((p, i) => `${p} ${i + 1}`), `${beyond} over`],
      answer: String(found.length),
      program: `print(sum(n > 1 and all(n % d for d in range(2, n)) for n in range(${low}, ${high} + 1)))`,
    }
  }
}

const remainder: Maker = (random, difficulty, asking) => {
  const n = digits(random, at([1, 2, 2, 3, 4, 5, 6, 6], difficulty))
  const divisor = random.int(2, 9)
  const { lines, remainder: result } = divideFromLeft(n, divisor)
  const divisions = divisionsOf(n, divisor)
  return {
    key: `remainder ${n} ${divisor}`,
    question: asking.of(
      [
        `What is the remainder when ${n} is divided by ${divisor}?`,
        `What is ${n} mod ${divisor}?`,
        `What is ${n} % ${divisor}?`,
        `Divide ${n} by ${divisor}. What is the remainder?`,
        `${n} mod ${divisor} = ?`,
        `Find the remainder of ${n} divided by ${divisor}.`,
        `Compute ${n} modulo ${divisor}.`,
        `Calculate ${n} % ${divisor}.`,
        `What remains when you divide ${n} by ${divisor}?`,
      ],
      [`What is left over when ${n} is divided by ${divisor}?`, `Give the remainder of ${n} / ${divisor}.`],
      {
        things: [
          `the remainder of ${n} divided by ${divisor}`,
          `${n} mod ${divisor}`,
          `${n} % ${divisor}`,
          `the rest when ${n} is divided by ${divisor}`,
        ],
      },
    ),
    task: `${n} mod ${divisor}`,
    steps: lines.map((line, i) => `${line.slice(0, line.indexOf('/'))}: ${divisions[i]}`),
    answer: String(result),
    program: `print(${n} % ${divisor})`,
  }
}

const digitSum: Maker = (random, difficulty, asking) => {
  const count = at([2, 3, 4, 5, 6, 7, 8, 9], difficulty)
  const text = Array.from({ length: count }, (_, i) => random.int(i === 0 ? 1 : 0, 9)).join('')
  const total = [...text].reduce((sum, digit) => sum + Number(digit), 0)
  const steps = (digits: string[]): string[] => {
    let sum = 0
    return digits.map((digit, i) => {
      const step = `${digits.slice(i).join('')}: ${sum}+${digit}=${sum + Number(digit)}`
      sum += Number(digit)
      return step
    })
  }
  return {
    key: `digits ${text}`,
    question: asking.of(
      [
        `What is the sum of the digits of ${text}?`,
        `Add up the digits of ${text}.`,
        `What is the digit sum of ${text}?`,
        `Find the sum of all digits in ${text}.`,
        `Sum the digits of ${text}.`,
        `What do the digits of ${text} add up to?`,
        `Compute the digit sum of ${text}.`,
      ],
      [`If you add all digits of ${text}, what do you get?`, `Give the total of the digits in ${text}.`],
      {
        things: [
          `the sum of the digits of ${text}`,
          `the digit sum of ${text}`,
          `what the digits of ${text} add up to`,
        ],
      },
    ),
    task: `digits ${text}`,
    steps: steps([...text]),
    answer: String(total),
    program: `print(sum(map(int, "${text}")))`,
    check: (value) => ({ lines: steps([...text].reverse()), holds: value === String(total) }),
    nearMiss: (random) => nearNumber(random, total),
    slip: (random) => {
      const other = [...String(misread(random, Number(text)))]
      return { steps: steps(other), value: String(other.reduce((sum, digit) => sum + Number(digit), 0)) }
    },
  }
}
