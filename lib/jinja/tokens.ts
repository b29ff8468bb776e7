/** The tokens of a template as the parsers read them: what comes next, and the complaint when it is something else. */
import { MAX_DEPTH, TemplateError, tooDeep } from './budget.js'
import type { Token } from './lexer.js'

export class TokenStream {
  readonly #tokens: readonly Token[]
  #at = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  get current(): Token {
    return this.#tokens[this.#at] as Token
  }

  get line(): number {
    return this.current.line
  }

  ahead(): Token {
    return this.#tokens[Math.min(this.#at + 1, this.#tokens.length - 1)] as Token
  }

  next(): Token {
    const token = this.current
    if (token.type !== 'eof') this.#at++
    return token
  }

  is(type: Token['type'], ...values: string[]): boolean {
    const { current } = this
    return current.type === type && (values.length === 0 || values.includes(current.value))
  }

  take(type: Token['type'], value: string): boolean {
    if (!this.is(type, value)) return false
    this.#at++
    return true
  }

  expect(type: Token['type'], value?: string): Token {
    if (!this.is(type, ...(value === undefined ? [] : [value]))) {
      this.fail(`expected ${value === undefined ? type : `'${value}'`}, got ${describe(this.current)}`)
    }
    return this.next()
  }

  /** What stands between commas, up to and with the end. */
  items<T>(end: string, parse: () => T): T[] {
    const items: T[] = []
    while (!this.take('operator', end)) {
      if (items.length > 0) {
        this.expect('operator', ',')
        if (this.take('operator', end)) break
      }
      items.push(parse())
    }
    return items
  }

  dottedName(): string {
    let name = this.expect('name').value
    while (this.take('operator', '.')) name += `.${this.expect('name').value}`
    return name
  }

  /** One level of nesting in the source. */
  nested<T>(parse: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw tooDeep()
    const result = parse()
    this.#depth--
    return result
  }

  fail(message: string, line = this.line): never {
    throw new TemplateError(message, line)
  }
}

function describe({ type, value }: Token): string {
  if (type === 'eof') return 'the end of the template'
  return type === 'data' ? 'text' : `'${value.slice(0, 40)}'`
}
