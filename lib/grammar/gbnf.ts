/**
 * GBNF as llama.cpp's parser reads it (src/llama-grammar.cpp), without what that parser does about mistakes: it prints the
 * whole grammar to stderr, and some it takes end the process, or do not end at all.
 */
import { Z1Error } from '../base/errors.js'

/** One thing that stands in a rule. `elements` is what it takes in llama.cpp's memory. */
export type Item =
  | { kind: 'text'; isEmpty: boolean; elements: number }
  | { kind: 'rule'; name: string; elements: number; line: number }
  | { kind: 'group'; of: readonly (readonly Item[])[]; elements: number }
  | { kind: 'repeat'; of: Item; least: number; most: number; elements: number }

export interface Rule {
  alternatives: readonly (readonly Item[])[]
  line: number
}

/** llama-grammar.cpp, MAX_REPETITION_THRESHOLD. */
const MAX_REPETITION = 2000
/** Parentheses in parentheses: llama.cpp's parser calls itself for each. */
export const MAX_NESTING = 256
const MAX_CHARACTERS = 4 * 2 ** 20
const MAX_ELEMENTS = 4_000_000

const NAME = /[A-Za-z0-9-]+/y
const DIGITS = /[0-9]+/y

/** @throws {Z1Error} GRAMMAR_INVALID, with the line. */
export function parseGrammar(source: string): Map<string, Rule> {
  return new Parser(source).parse()
}

class Parser {
  readonly #source: string
  readonly #rules = new Map<string, Rule>()
  readonly #names = new Set<string>()
  #at = 0
  /** Rules that llama.cpp makes for groups and repetitions. */
  #made = 0
  #elements = 0
  #counted = 0
  #lines = 1

  constructor(source: string) {
    this.#source = source
    if (source.length > MAX_CHARACTERS) this.#fail(`more than ${MAX_CHARACTERS} characters`)
    const broken = /\0|\p{Surrogate}/u.exec(source)
    if (!broken) return
    this.#at = broken.index
    this.#fail(broken[0] === '\0' ? 'a NUL character' : 'half a surrogate pair')
  }

  parse(): Map<string, Rule> {
    this.#space(true)
    while (this.#at < this.#source.length) this.#rule()
    return this.#rules
  }

  #rule(): void {
    const line = this.#line()
    const name = this.#take(NAME) ?? this.#fail('expected the name of a rule')
    this.#space(false)
    this.#names.add(name)
    if (!this.#source.startsWith('::=', this.#at)) this.#fail('expected ::=')
    this.#at += 3
    this.#space(true)
    this.#rules.set(name, { alternatives: this.#alternatives(0), line })
    const next = this.#source[this.#at]
    if (next !== undefined && next !== '\r' && next !== '\n') this.#fail('expected a new line or the end')
    this.#space(true)
  }

  #alternatives(depth: number): Item[][] {
    const alternatives = [this.#sequence(depth)]
    while (this.#source[this.#at] === '|') {
      this.#at++
      this.#space(true)
      alternatives.push(this.#sequence(depth))
    }
    return alternatives
  }

  #sequence(depth: number): Item[] {
    const items: Item[] = []
    /** Rules that the last item stands for, by which llama.cpp limits its repetition. */
    let weight = 1
    const add = (item: Item, itemWeight = 1) => {
      items.push(item)
      weight = itemWeight
      this.#count(item.elements)
      this.#space(depth > 0)
    }
    const repeatLast = (least: number, most: number) => {
      const item = items.pop()
      if (!item || item.elements === 0) return this.#fail('expected something to repeat before * + ? {')
      const total = most < Infinity && most > 0 ? most : Math.max(least, 1)
      if (weight * total > MAX_REPETITION) this.#fail(`a repetition of more than ${MAX_REPETITION} rules`)
      weight *= total
      const options = most === Infinity ? 1 : most - least
      this.#made += options
      const elements = item.elements * Math.max(least, 0) + (options > 0 ? 1 : 0)
      items.push({ kind: 'repeat', of: item, least, most, elements })
      this.#count(elements + options * (item.elements + 3))
    }
    for (;;) {
      const character = this.#source[this.#at]
      if (character === '"') add(this.#text())
      else if (character === '[') add(this.#class())
      else if (character === '<' || character === '!') add(this.#token())
      else if (character === '.') {
        this.#at++
        add({ kind: 'text', isEmpty: false, elements: 1 })
      } else if (character === '(') {
        const before = this.#symbols()
        const group = this.#group(depth)
        add(group, Math.max(1, this.#symbols() - before))
      } else if (character === '*' || character === '+' || character === '?') {
        this.#at++
        this.#space(depth > 0)
        repeatLast(character === '+' ? 1 : 0, character === '?' ? 1 : Infinity)
      } else if (character === '{') repeatLast(...this.#bounds(depth))
      else {
        const line = this.#line()
        const name = this.#take(NAME)
        if (name === null) return items
        this.#names.add(name)
        add({ kind: 'rule', name, elements: 1, line })
      }
    }
  }

  #group(depth: number): Item {
    if (depth >= MAX_NESTING) this.#fail(`parentheses in more than ${MAX_NESTING} others`)
    this.#at++
    this.#space(true)
    this.#made++
    const of = this.#alternatives(depth + 1)
    if (this.#source[this.#at] !== ')') this.#fail('expected )')
    this.#at++
    return { kind: 'group', of, elements: 1 }
  }

  #text(): Item {
    this.#at++
    let elements = 0
    for (; this.#source[this.#at] !== '"'; elements++) this.#character()
    this.#at++
    return { kind: 'text', isEmpty: elements === 0, elements }
  }

  #class(): Item {
    this.#at++
    if (this.#source[this.#at] === '^') this.#at++
    let elements = 0
    while (this.#source[this.#at] !== ']') {
      this.#character()
      elements++
      if (this.#source[this.#at] !== '-' || this.#source[this.#at + 1] === ']') continue
      this.#at++
      this.#character()
      elements++
    }
    this.#at++
    return { kind: 'text', isEmpty: elements === 0, elements }
  }

  /** By its number only: llama.cpp looks up a text by tokenizing it, and prints the grammar when it is not one token. */
  #token(): Item {
    if (this.#source[this.#at] === '!') this.#at++
    const id = this.#take(/<\[([0-9]+)\]>/y)
    if (id === null) this.#fail('expected a token by its number, as <[42]>')
    if (Number(id?.slice(2, -2)) >= 2 ** 31) this.#fail('a token beyond any vocabulary')
    return { kind: 'text', isEmpty: false, elements: 1 }
  }

  #bounds(depth: number): [least: number, most: number] {
    this.#at++
    this.#space(depth > 0)
    const least = Number(this.#take(DIGITS) ?? this.#fail('expected a number of repetitions'))
    this.#space(depth > 0)
    let most = least
    if (this.#source[this.#at] === ',') {
      this.#at++
      this.#space(depth > 0)
      most = Number(this.#take(DIGITS) ?? Infinity)
      this.#space(depth > 0)
    }
    if (this.#source[this.#at] !== '}') this.#fail('expected }')
    this.#at++
    this.#space(depth > 0)
    if (least > MAX_REPETITION) this.#fail(`more than ${MAX_REPETITION} repetitions`)
    if (most < least) this.#fail('a repetition whose most is below its least')
    // llama.cpp takes more for no limit, without a word.
    if (most < Infinity && most > MAX_REPETITION) this.#fail(`more than ${MAX_REPETITION} repetitions`)
    return [least, most]
  }

  #character(): void {
    const character = this.#source[this.#at]
    if (character === undefined) this.#fail('the end within a text or class')
    if (character !== '\\') {
      this.#at += String.fromCodePoint(this.#source.codePointAt(this.#at) as number).length
      return
    }
    if (this.#take(/\\(?:x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[trn\\"[\]-])/y) === null) {
      this.#fail(`an unknown escape ${this.#source.slice(this.#at, this.#at + 2)}`)
    }
  }

  #take(pattern: RegExp): string | null {
    pattern.lastIndex = this.#at
    const found = pattern.exec(this.#source)
    if (!found) return null
    this.#at += found[0].length
    return found[0]
  }

  #space(withLines: boolean): void {
    this.#take(withLines ? /(?:[ \t\r\n]|#[^\r\n]*)*/y : /(?:[ \t]|#[^\r\n]*)*/y)
  }

  #symbols(): number {
    return this.#names.size + this.#made
  }

  #count(elements: number): void {
    this.#elements += elements
    if (this.#elements > MAX_ELEMENTS) this.#fail('too large once its repetitions are written out')
  }

  /** Of where the parser is, which only goes forward: counted from where it was asked for last. */
  #line(): number {
    const next = () => this.#source.indexOf('\n', this.#counted)
    for (let i = next(); i !== -1 && i < this.#at; i = next()) {
      this.#counted = i + 1
      this.#lines++
    }
    return this.#lines
  }

  #fail(what: string): never {
    throw new Z1Error('GRAMMAR_INVALID', `The grammar has, on line ${this.#line()}, ${what}`)
  }
}
