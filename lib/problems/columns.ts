/**
 * Arithmetic in columns. From the left, each line restates what is left of the operands and ends with the result so
 * far, zeros for the places that are to come: a running answer that is close early. From the right, each line carries.
 */

/** `4182+0377: 4+0=4, 4000`, `182+377: 1+3=4, 4400`, … of integers ≥ 0. */
export function addFromLeft(a: number, b: number): string[] {
  return fromLeft(a, b, '+', (x, y) => x + y)
}

/** As {@link addFromLeft}, for a ≥ b ≥ 0: `182-377: 1-3=-2, 3800`. */
export function subtractFromLeft(a: number, b: number): string[] {
  return fromLeft(a, b, '-', (x, y) => x - y)
}

function fromLeft(a: number, b: number, sign: string, operate: (x: number, y: number) => number): string[] {
  const length = Math.max(String(a).length, String(b).length)
  const [x, y] = [String(a).padStart(length, '0'), String(b).padStart(length, '0')]
  let total = 0
  return [...x].map((digit, i) => {
    const result = operate(Number(digit), Number(y[i]))
    total += result * 10 ** (length - 1 - i)
    return `${x.slice(i)}${sign}${y.slice(i)}: ${digit}${sign}${y[i]}=${result}, ${total}`
  })
}

/** `47*30: 4*3=12, 1200`, `7*30: 7*3=21, 1410`, `47*6: …` of integers > 0. */
export function multiplyFromLeft(a: number, b: number): string[] {
  const [x, y] = [String(a), String(b)]
  let total = 0
  return [...y].flatMap((factor, j) => {
    const zeros = '0'.repeat(y.length - 1 - j)
    if (factor === '0') return []
    return [...x].map((digit, i) => {
      const result = Number(digit) * Number(factor)
      total += result * 10 ** (x.length - 1 - i) * 10 ** zeros.length
      return `${x.slice(i)}*${factor}${zeros}: ${digit}*${factor}=${result}, ${total}`
    })
  })
}

/** Long division: `478/2: 4=2*2+0, 200`, `078/2: 7=2*3+1, 230`, …, and the remainder. */
export function divideFromLeft(a: number, divisor: number): { lines: string[]; remainder: number } {
  const x = String(a)
  let [total, remainder] = [0, 0]
  const lines = [...x].map((digit, i) => {
    const part = remainder * 10 + Number(digit)
    const left = `${part}${x.slice(i + 1)}`
    const quotient = Math.floor(part / divisor)
    remainder = part % divisor
    total += quotient * 10 ** (x.length - 1 - i)
    return `${left}/${divisor}: ${part}=${divisor}*${quotient}+${remainder}, ${total}`
  })
  return { lines, remainder }
}

/** The divisions of {@link divideFromLeft} alone: `4=2*2+0`, `7=2*3+1`, … */
export function divisionsOf(a: number, divisor: number): string[] {
  return divideFromLeft(a, divisor).lines.map((line) => line.slice(line.indexOf(': ') + 2, line.lastIndexOf(', ')))
}

/** `4182+377: 2+7+0=9, carry 0, 9`, `418+37: …` of integers ≥ 0. */
export function addFromRight(a: number, b: number): string[] {
  const lines: string[] = []
  let result = ''
  for (let x = a, y = b, carry = 0; x > 0 || y > 0 || carry > 0; x = Math.floor(x / 10), y = Math.floor(y / 10)) {
    const sum = (x % 10) + (y % 10) + carry
    result = (sum % 10) + result
    const next = Math.floor(sum / 10)
    lines.push(`${x}+${y}: ${x % 10}+${y % 10}+${carry}=${sum}, carry ${next}, ${result}`)
    carry = next
  }
  return lines
}

/** As {@link addFromRight}, for a ≥ b ≥ 0: `4182-377: 12-7-0=5, borrow 1, 5`. */
export function subtractFromRight(a: number, b: number): string[] {
  const lines: string[] = []
  let result = ''
  for (let x = a, y = b, borrow = 0; x > 0 || y > 0; x = Math.floor(x / 10), y = Math.floor(y / 10)) {
    const next = x % 10 < (y % 10) + borrow ? 1 : 0
    const have = (x % 10) + 10 * next
    const digit = have - (y % 10) - borrow
    result = digit + result
    lines.push(`${x}-${y}: ${have}-${y % 10}-${borrow}=${digit}, borrow ${next}, ${result}`)
    borrow = next
  }
  return lines
}

/** `4182*7: 2*7+0=14, carry 1, 4`, … by one digit > 0. */
export function multiplyFromRight(a: number, b: number): string[] {
  const lines: string[] = []
  let result = ''
  for (let x = a, carry = 0; x > 0 || carry > 0; x = Math.floor(x / 10)) {
    const product = (x % 10) * b + carry
    result = (product % 10) + result
    const next = Math.floor(product / 10)
    lines.push(`${x}*${b}: ${x % 10}*${b}+${carry}=${product}, carry ${next}, ${result}`)
    carry = next
  }
  return lines
}

export type Operator = '+' | '-' | '*' | '/'

/**
 * One operation on integers of either sign as one line, brought back to numbers ≥ 0:
 * `205-838=-(838-205): 8-2=6, 600; …; -633`. Null: a division that leaves a remainder, or by zero.
 */
export function operate(a: number, operator: Operator, b: number): { line: string; value: number } | null {
  const asked = `${a}${operator}${b}`
  if (operator === '*' || operator === '/') {
    if (operator === '/' && (b === 0 || a % b !== 0)) return null
    const value = operator === '*' ? a * b : a / b
    const isShort = Math.max(Math.abs(a), Math.abs(b)) < 10 || Math.abs(a) === 1 || Math.abs(b) === 1
    if (value === 0 || isShort) return { line: `${asked}=${value + 0}`, value: value + 0 }
    const [x, y] = [Math.abs(a), Math.abs(b)]
    const lines = operator === '*' ? multiplyFromLeft(x, y) : divideFromLeft(x, y).lines
    return { line: signed(asked, `${x}${operator}${y}`, value < 0, lines), value }
  }
  const second = operator === '+' ? b : -b
  const value = a + second
  if (a === 0 || b === 0 || Math.max(Math.abs(a), Math.abs(b)) < 10) return { line: `${asked}=${value}`, value }
  const [large, small] = Math.abs(a) >= Math.abs(second) ? [a, second] : [second, a]
  const [x, y] = [Math.abs(large), Math.abs(small)]
  const isSum = large > 0 === small > 0
  const lines = isSum ? addFromLeft(x, y) : subtractFromLeft(x, y)
  return { line: signed(asked, `${x}${isSum ? '+' : '-'}${y}`, large < 0, lines), value }
}

function signed(asked: string, positive: string, isNegative: boolean, lines: string[]): string {
  const turned = isNegative ? `=-(${positive})` : asked === positive ? '' : `=${positive}`
  // The columns' own restatements of the operands would double the line.
  const columns = lines.map((line) => line.slice(line.indexOf(': ') + 2))
  const last = columns.at(-1) as string
  const end = isNegative ? [`-${last.slice(last.lastIndexOf(', ') + 2)}`] : []
  return `${asked}${turned}: ${[...columns, ...end].join('; ')}`
}
