/**
 * From source to tokens, with the settings under which Hugging Face renders chat templates: a newline after a block is
 * dropped (trim_blocks), and so is white space before one on its line (lstrip_blocks).
 */
import { MAX_SOURCE, TemplateError } from './budget.js'

export interface Token {
  type: 'data' | 'begin' | 'end' | 'name' | 'integer' | 'float' | 'string' | 'operator' | 'eof'
  /** Of `begin` and `end`: `{{` or `{%`. Of a string: what it stands for. */
  value: string
  line: number
}

const PAIRS: Record<string, string> = { '(': ')', '[': ']', '{': '}' }
// biome-ignore format: one row for each length
const OPERATORS = [
  '//', '**', '==', '!=', '>=', '<=',
  '+', '-', '/', '*', '%', '~', '[', ']', '(', ')', '{', '}', '>', '<', '=', '.', ':', '|', ',', ';',
]
const SPACE = /\s*/y
const NAME = /[\p{L}\p{Nl}_][\p{L}\p{M}\p{N}_]*/uy
const FLOAT = /\d[\d_]*(?:\.\d[\d_]*(?:[eE][+-]?\d[\d_]*)?|[eE][+-]?\d[\d_]*)/y
const INTEGER = /0[bB][01_]+|0[oO][0-7_]+|0[xX][\da-fA-F_]+|\d[\d_]*/y

/** @throws {TemplateError} */
export function tokenize(template: string): Token[] {
  if (template.length > MAX_SOURCE) throw new TemplateError(`it is longer than ${MAX_SOURCE} characters`)
  return new Lexer(template.replace(/\r\n?/g, '\n').replace(/\n$/, '')).run()
}

class Lexer {
  readonly #source: string
  readonly #tokens: Token[] = []
  #at = 0
  #line = 1
  /** Whether the text before ended a line: then white space before a block can go. */
  #lineStarts = true

  constructor(source: string) {
    this.#source = source
  }

  run(): Token[] {
    while (this.#at < this.#source.length) this.#data()
    this.#push('eof', '')
    return this.#tokens
  }

  #data(): void {
    const source = this.#source
    let begin = source.indexOf('{', this.#at)
    while (begin >= 0 && !'{%#'.includes(source[begin + 1] || ' ')) begin = source.indexOf('{', begin + 1)
    if (begin < 0) {
      this.#push('data', source.slice(this.#at))
      this.#at = source.length
      return
    }
    const kind = source.slice(begin, begin + 2)
    const sign = '+-'.includes(source[begin + 2] || ' ') ? (source[begin + 2] as string) : ''
    this.#text(source.slice(this.#at, begin), sign, kind !== '{{')
    this.#at = begin + 2 + sign.length

    if (kind === '{#') {
      this.#comment()
      return
    }
    if (kind === '{%' && this.#raw()) return
    this.#push('begin', kind)
    this.#inside(kind === '{{' ? '}}' : '%}')
  }

  /** Text of the template before a block. */
  #text(text: string, sign: string, block: boolean): void {
    let kept = text
    if (sign === '-') kept = text.trimEnd()
    else if (sign === '' && block) {
      const start = text.lastIndexOf('\n') + 1
      if ((start > 0 || this.#lineStarts) && !text.slice(start).trim()) kept = text.slice(0, start)
    }
    if (kept) this.#push('data', kept)
    this.#advanceLines(text)
  }

  #comment(): void {
    const end = this.#source.indexOf('#}', this.#at)
    if (end < 0) this.#fail('missing end of comment tag')
    this.#advanceLines(this.#source.slice(this.#at, end))
    const sign = end > this.#at ? this.#source[end - 1] : ''
    this.#at = end + 2
    this.#afterBlock(sign === '-' || sign === '+' ? sign : '')
  }

  /** `{% raw %}` to `{% endraw %}`, in which nothing is a tag. */
  #raw(): boolean {
    const begin = /\s*raw\s*(-?)%\}/y
    begin.lastIndex = this.#at
    const found = begin.exec(this.#source)
    if (!found) return false
    this.#advanceLines(found[0])
    this.#at = begin.lastIndex
    if (found[1]) this.#skipSpace()
    const close = /\{%([+-]?)\s*endraw\s*([+-]?)%\}/g
    close.lastIndex = this.#at
    const end = close.exec(this.#source)
    if (!end) this.#fail('missing end of raw directive')
    this.#lineStarts = false
    this.#text(this.#source.slice(this.#at, end.index), end[1] as string, true)
    this.#at = close.lastIndex
    this.#afterBlock(end[2] as string)
    return true
  }

  /** White space that goes with the end of a block or comment. */
  #afterBlock(sign: string): void {
    this.#lineStarts = false
    if (sign === '-') this.#skipSpace()
    else if (sign === '' && this.#source[this.#at] === '\n') {
      this.#at++
      this.#line++
      this.#lineStarts = true
    }
  }

  #skipSpace(): void {
    const space = this.#match(SPACE) as string
    this.#advanceLines(space)
    this.#lineStarts = space.endsWith('\n')
  }

  /** The tokens of a tag, up to its end. */
  #inside(end: '}}' | '%}'): void {
    const open: string[] = []
    for (;;) {
      this.#advanceLines(this.#match(SPACE) as string)
      if (this.#at >= this.#source.length) this.#fail(`unexpected end of template, expected '${end}'`)
      if (open.length === 0 && this.#atEnd(end)) return
      const value = this.#source[this.#at] as string
      if (value === '"' || value === "'") this.#string(value)
      else if (this.#take('name', NAME) || this.#number()) continue
      else {
        const operator = OPERATORS.find((candidate) => this.#source.startsWith(candidate, this.#at))
        if (!operator) this.#fail(`unexpected char ${JSON.stringify(value)}`)
        this.#at += operator.length
        this.#push('operator', operator)
        if (PAIRS[operator]) open.push(PAIRS[operator])
        else if (')]}'.includes(operator) && open.pop() !== operator) this.#fail(`unexpected '${operator}'`)
      }
    }
  }

  #atEnd(end: '}}' | '%}'): boolean {
    const sign = this.#source[this.#at] === '-' || (this.#source[this.#at] === '+' && end === '%}') ? 1 : 0
    if (!this.#source.startsWith(end, this.#at + sign)) return false
    const mark = sign ? (this.#source[this.#at] as string) : ''
    this.#push('end', end)
    this.#at += sign + 2
    // A newline after {{ }} stays.
    this.#afterBlock(end === '}}' && mark === '' ? '+' : mark)
    return true
  }

  #number(): boolean {
    // x.0.1 is two subscripts, not a float.
    const last = this.#tokens.at(-1)
    const afterDot = last?.type === 'operator' && last.value === '.' && this.#source[this.#at - 1] === '.'
    return (!afterDot && this.#take('float', FLOAT)) || this.#take('integer', INTEGER)
  }

  #string(quote: string): void {
    const start = this.#at + 1
    let end = start
    while (this.#source[end] !== quote) {
      end += this.#source[end] === '\\' ? 2 : 1
      if (end >= this.#source.length) this.#fail('unexpected end of a string')
    }
    const raw = this.#source.slice(start, end)
    this.#push(
      'string',
      unescaped(raw, () => this.#fail('broken escape in a string')),
    )
    this.#advanceLines(raw)
    this.#at = end + 1
  }

  #take(type: Token['type'], pattern: RegExp): boolean {
    const value = this.#match(pattern)
    if (value === undefined) return false
    this.#push(type, value)
    return true
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)
    if (!found) return undefined
    this.#at = pattern.lastIndex
    return found[0]
  }

  #push(type: Token['type'], value: string): void {
    this.#tokens.push({ type, value, line: this.#line })
  }

  #advanceLines(text: string): void {
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) this.#line++
  }

  #fail(message: string): never {
    throw new TemplateError(message, this.#line)
  }
}

const ESCAPES: Record<string, string> = { a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\n': '' }

/** Python's escapes; a backslash before any other character stays. */
function unescaped(raw: string, fail: () => never): string {
  return raw.replace(
    /\\(?:([0-7]{1,3})|x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([\s\S]))/g,
    (whole, octal?: string, x?: string, u?: string, long?: string, other?: string) => {
      const hex = x ?? u ?? long
      const code = octal ? Number.parseInt(octal, 8) : hex ? Number.parseInt(hex, 16) : undefined
      if (code !== undefined) return code <= 0x10ffff ? String.fromCodePoint(code) : fail()
      if ('xuUN'.includes(other as string)) fail()
      return ESCAPES[other as string] ?? ('\\\'"'.includes(other as string) ? (other as string) : whole)
    },
  )
}
