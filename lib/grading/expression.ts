/** Reads arithmetic, in plain signs and LaTeX, into a tree. Bounded in length and depth: the text is a model's. */

export type Expression =
  | { kind: 'number'; text: string }
  | { kind: 'name'; name: string }
  | { kind: 'call'; name: string; args: Expression[] }

/** Longer texts and deeper ones are no expressions. */
const LONGEST = 600
const DEEPEST = 60

const FUNCTIONS = new Set('sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp sqrt'.split(' '))

/** Letters side by side that are a product, and no word. */
const PRODUCT = /^(?:[A-Za-z]{2}|[xyz]{3}|[abc]{3}|[pqr]{3})$/

const TOKEN = /\s*(?:(\d+(?:\.\d+)?|\.\d+)|\\([A-Za-z]+)|([A-Za-z]+|π|[α-ωΑ-Ω])|([-+*/^!|()[\]{},_]))/y

interface Token {
  kind: 'number' | 'name' | 'sign'
  text: string
  /** White space before it. */
  spaced: boolean
}

class NoExpression extends Error {}

/** The expression of a text in plain signs; null if it is none. */
export function readExpression(text: string): Expression | null {
  if (text.length > LONGEST) return null
  const tokens = tokensOf(text)
  if (!tokens || tokens.length === 0) return null
  try {
    return new Reader(tokens).whole()
  } catch (error) {
    if (error instanceof NoExpression) return null
    throw error
  }
}

function tokensOf(text: string): Token[] | null {
  const tokens: Token[] = []
  const isMath = /[\d+*/^=\\_]|(?<=\S)\(/.test(text)
  TOKEN.lastIndex = 0
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex
    const match = TOKEN.exec(text)
    if (!match) return text.slice(start).trim() === '' ? tokens : null
    const [all, number, command, letters, sign] = match
    const spaced = /^\s/.test(all)
    if (number !== undefined) tokens.push({ kind: 'number', text: number, spaced })
    else if (command !== undefined) tokens.push({ kind: 'name', text: command, spaced })
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign, spaced })
    else if (letters !== undefined) {
      if (letters.length === 1 || FUNCTIONS.has(letters) || letters === 'pi') {
        tokens.push({ kind: 'name', text: letters === 'pi' ? 'π' : letters, spaced })
      } else if (isMath ? PRODUCT.test(letters) : /^[xyz]{2,3}$/.test(letters)) {
        for (const letter of letters) tokens.push({ kind: 'name', text: letter, spaced: false })
      } else return null
    }
  }
  return tokens
}

class Reader {
  readonly #tokens: Token[]
  #at = 0
  #depth = 0
  /** Within |…| a bar ends. */
  #bars = 0

  constructor(tokens: Token[]) {
    this.#tokens = tokens
  }

  whole(): Expression {
    const expression = this.#sum()
    if (this.#at < this.#tokens.length) throw new NoExpression()
    return expression
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at]
  }

  #isSign(...signs: string[]): boolean {
    const token = this.#peek()
    return token?.kind === 'sign' && signs.includes(token.text)
  }

  #expect(sign: string): void {
    if (!this.#isSign(sign)) throw new NoExpression()
    this.#at++
  }

  #sum(): Expression {
    if (++this.#depth > DEEPEST) throw new NoExpression()
    let left = this.#product()
    while (this.#isSign('+', '-')) {
      const sign = (this.#tokens[this.#at++] as Token).text
      left = call(sign, left, this.#product())
    }
    this.#depth--
    return left
  }

  #product(): Expression {
    let left = this.#signed()
    for (;;) {
      if (this.#isSign('*', '/')) {
        const sign = (this.#tokens[this.#at++] as Token).text
        left = call(sign, left, this.#signed())
      } else if (this.#startsFactor()) {
        if (this.#peek()?.kind === 'number') throw new NoExpression()
        left = call('*', left, this.#power())
      } else return left
    }
  }

  #signed(): Expression {
    if (++this.#depth > DEEPEST) throw new NoExpression()
    let expression: Expression
    if (this.#isSign('-')) {
      this.#at++
      expression = call('-', { kind: 'number', text: '0' }, this.#signed())
    } else if (this.#isSign('+')) {
      this.#at++
      expression = this.#signed()
    } else expression = this.#power()
    this.#depth--
    return expression
  }

  #startsFactor(): boolean {
    const token = this.#peek()
    if (!token) return false
    if (token.kind !== 'sign') return true
    return '({['.includes(token.text) || (token.text === '|' && this.#bars === 0)
  }

  #power(): Expression {
    let base = this.#atom()
    while (this.#isSign('!')) {
      this.#at++
      base = call('!', base)
    }
    if (!this.#isSign('^')) return base
    this.#at++
    return call('^', base, this.#exponent())
  }

  /** `^12` is the first digit only in LaTeX, but whoever writes it means 12. */
  #exponent(): Expression {
    if (++this.#depth > DEEPEST) throw new NoExpression()
    const exponent = this.#isSign('-', '+') ? this.#signed() : this.#power()
    this.#depth--
    return exponent
  }

  #group(close: string): Expression {
    const bars = this.#bars
    this.#bars = close === '|' ? 1 : 0
    const expression = this.#sum()
    this.#expect(close)
    this.#bars = bars
    return expression
  }

  #atom(): Expression {
    const token = this.#tokens[this.#at++]
    if (!token) throw new NoExpression()
    if (token.kind === 'number') return this.#number(token.text)
    if (token.kind === 'sign') {
      const close = { '(': ')', '{': '}', '[': ']', '|': '|' }[token.text]
      if (!close) throw new NoExpression()
      const inner = this.#group(close)
      return token.text === '|' ? call('abs', inner) : inner
    }
    if (token.text === 'frac') return this.#fraction()
    if (token.text === 'binom') return call('binom', this.#argument(), this.#argument())
    if (token.text === 'sqrt') return this.#root()
    if (FUNCTIONS.has(token.text)) return this.#function(token.text)
    return { kind: 'name', name: token.text + this.#index() }
  }

  /** A mixed number is a sum: `2\frac{1}{2}`, `2 1/2`. */
  #number(text: string): Expression {
    const number: Expression = { kind: 'number', text }
    if (this.#isSign('_')) throw new NoExpression()
    if (text.includes('.')) return number
    const [next, slash, last, after] = this.#tokens.slice(this.#at, this.#at + 4)
    if (next?.kind === 'name' && next.text === 'frac') {
      const start = this.#at++
      const fraction = this.#fraction()
      const isProper = fraction.kind === 'call' && fraction.args.every(({ kind }) => kind === 'number')
      if (isProper) return call('+', number, fraction)
      this.#at = start
    } else if (next?.kind === 'number' && slash?.text === '/' && last?.kind === 'number' && after?.text !== '^') {
      this.#at += 3
      return call('+', number, call('/', { kind: 'number', text: next.text }, { kind: 'number', text: last.text }))
    }
    return number
  }

  #fraction(): Expression {
    return call('/', this.#argument(), this.#argument())
  }

  #root(): Expression {
    if (!this.#isSign('[')) return call('root', this.#argument(), { kind: 'number', text: '2' })
    this.#at++
    const degree = this.#group(']')
    return call('root', this.#argument(), degree)
  }

  /** Of a command: braces, or one digit, letter or command, as TeX reads them. */
  #argument(): Expression {
    if (++this.#depth > DEEPEST) throw new NoExpression()
    const token = this.#peek()
    let argument: Expression
    if (token?.kind === 'number' && /^\d{2,}$/.test(token.text) && !token.spaced) {
      this.#tokens[this.#at] = { ...token, text: token.text.slice(1) }
      argument = { kind: 'number', text: token.text[0] as string }
    } else argument = this.#atom()
    this.#depth--
    return argument
  }

  #function(name: string): Expression {
    let base: Expression | null = null
    let power: Expression | null = null
    for (;;) {
      if (this.#isSign('_') && !base) {
        this.#at++
        base = this.#argument()
      } else if (this.#isSign('^') && !power) {
        this.#at++
        power = this.#exponent()
      } else break
    }
    const argument = this.#functionArgument()
    // `\sin^{-1} x` is the inverse function, `\sin^2 x` a power.
    if (power && isMinusOne(power) && FUNCTIONS.has(`arc${name}`)) return call(`arc${name}`, argument)
    const value = call(name, argument, ...(base ? [base] : []))
    return power ? call('^', value, power) : value
  }

  /** In parentheses, or the factors that follow: `\sin 2x`. */
  #functionArgument(): Expression {
    if (++this.#depth > DEEPEST) throw new NoExpression()
    let argument = this.#isSign('-') ? this.#signed() : this.#isSign('(', '{', '[') ? this.#atom() : this.#power()
    if (argument.kind !== 'call' || argument.name === '^') {
      while (this.#peek()?.kind === 'name' && !FUNCTIONS.has(this.#peek()?.text as string)) {
        argument = call('*', argument, this.#power())
      }
    }
    this.#depth--
    return argument
  }

  /** Of a name: `x_1`, `x_{12}`, `a_n`. */
  #index(): string {
    if (!this.#isSign('_')) return ''
    this.#at++
    const tokens: string[] = []
    if (this.#isSign('{')) {
      this.#at++
      while (this.#at < this.#tokens.length && !this.#isSign('}')) tokens.push((this.#tokens[this.#at++] as Token).text)
      this.#expect('}')
    } else {
      const token = this.#tokens[this.#at++]
      if (!token || token.kind === 'sign') throw new NoExpression()
      tokens.push(token.text)
    }
    return `_${tokens.join('')}`
  }
}

function call(name: string, ...args: Expression[]): Expression {
  return { kind: 'call', name, args }
}

function isMinusOne(expression: Expression): boolean {
  if (expression.kind !== 'call' || expression.name !== '-') return false
  const [zero, one] = expression.args
  return zero?.kind === 'number' && zero.text === '0' && one?.kind === 'number' && one.text === '1'
}
