/** A grammar as a tree, before it is text: rules by name, what of them can end, and how GBNF writes them. */
import { type CodePoints, pairsOf } from './code-points.js'

export type Expression =
  | { kind: 'text'; text: string }
  | { kind: 'class'; points: CodePoints }
  | { kind: 'rule'; name: string }
  | { kind: 'sequence'; of: readonly Expression[] }
  | { kind: 'choice'; of: readonly Expression[] }
  | { kind: 'repeat'; of: Expression; least: number; most: number }

/** llama-grammar.cpp, MAX_REPETITION_THRESHOLD: more is an error, or no limit at all. */
const MAX_REPETITION = 2000

export const EMPTY: Expression = { kind: 'sequence', of: [] }
/** What no text matches. */
export const NOTHING: Expression = { kind: 'choice', of: [] }

export const literal = (text: string): Expression => ({ kind: 'text', text })
export const rule = (name: string): Expression => ({ kind: 'rule', name })

export function sequence(...of: Expression[]): Expression {
  const flat = of.flatMap((part) => (part.kind === 'sequence' ? part.of : [part]))
  return flat.length === 1 ? (flat[0] as Expression) : { kind: 'sequence', of: flat }
}

export function choice(of: readonly Expression[]): Expression {
  return of.length === 1 ? (of[0] as Expression) : { kind: 'choice', of }
}

export const optional = (of: Expression): Expression => repeat(of, 0, 1)

/** As often as is asked, in parts of what llama.cpp takes at once. `of` is not empty. */
export function repeat(of: Expression, least: number, most: number): Expression {
  if (most === 0) return EMPTY
  if (least > MAX_REPETITION) {
    return sequence(
      { kind: 'repeat', of, least: MAX_REPETITION, most: MAX_REPETITION },
      repeat(of, least - MAX_REPETITION, most - MAX_REPETITION),
    )
  }
  if (most === Infinity || most <= MAX_REPETITION) return { kind: 'repeat', of, least, most }
  const some: Expression = { kind: 'repeat', of, least, most: MAX_REPETITION - 1 }
  const all: Expression = { kind: 'repeat', of, least: MAX_REPETITION, most: MAX_REPETITION }
  return choice([some, sequence(all, repeat(of, 0, most - MAX_REPETITION))])
}

const numbered = (name: string, count: number) => (count === 0 ? name : `${name}-${count}`)

export class Rules {
  readonly #rules = new Map<string, Expression>()
  readonly #counts = new Map<string, number>()
  readonly #shared = new Map<string, string>()

  /** A name that no other rule has, for {@link set}. */
  reserve(hint: string): string {
    const clean =
      hint
        .replace(/[^A-Za-z0-9]+/g, '-')
        .slice(0, 40)
        .replace(/^-+|-+$/g, '') || 'rule'
    let count = this.#counts.get(clean) ?? 0
    // 'a-1' may be taken by a hint of that text.
    while (this.#rules.has(numbered(clean, count))) count++
    this.#counts.set(clean, count + 1)
    const name = numbered(clean, count)
    this.#rules.set(name, NOTHING)
    return name
  }

  set(name: string, expression: Expression): void {
    this.#rules.set(name, expression)
  }

  add(hint: string, expression: Expression): Expression {
    const name = this.reserve(hint)
    this.#rules.set(name, expression)
    return rule(name)
  }

  /** A rule for all that need it, made on first use. */
  shared(key: string, make: () => Expression): Expression {
    const known = this.#shared.get(key)
    if (known) return rule(known)
    const name = this.reserve(key)
    this.#shared.set(key, name)
    this.#rules.set(name, make())
    return rule(name)
  }

  get size(): number {
    return this.#rules.size
  }

  /** The rules that `root` needs, as GBNF; null when no text matches it. */
  print(root: string): string | null {
    const ends = this.#thoseThatEnd()
    if (!ends.has(root)) return null
    const used = new Set([root])
    const lines: string[] = []
    for (const name of used) {
      const expression = pruned(this.#rules.get(name) as Expression, ends)
      for (const next of namesIn(expression)) used.add(next)
      lines.push(`${name} ::= ${printed(expression, true)}`)
    }
    return `${lines.join('\n')}\n`
  }

  /** A rule that needs itself to end never does: what leads there would leave the model without a token. */
  #thoseThatEnd(): Set<string> {
    const users = new Map<string, string[]>()
    for (const [name, expression] of this.#rules) {
      for (const used of new Set(namesIn(expression))) {
        const list = users.get(used)
        if (list) list.push(name)
        else users.set(used, [name])
      }
    }
    const ends = new Set<string>()
    const queue = [...this.#rules.keys()]
    for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
      if (ends.has(name) || !canEnd(this.#rules.get(name) as Expression, ends)) continue
      ends.add(name)
      queue.push(...(users.get(name) ?? []))
    }
    return ends
  }
}

function canEnd(expression: Expression, ends: ReadonlySet<string>): boolean {
  switch (expression.kind) {
    case 'text':
      return true
    case 'class':
      return expression.points.length > 0
    case 'rule':
      return ends.has(expression.name)
    case 'sequence':
      return expression.of.every((part) => canEnd(part, ends))
    case 'choice':
      return expression.of.some((part) => canEnd(part, ends))
    case 'repeat':
      return expression.least === 0 || canEnd(expression.of, ends)
  }
}

function pruned(expression: Expression, ends: ReadonlySet<string>): Expression {
  switch (expression.kind) {
    case 'sequence':
      return sequence(...expression.of.map((part) => pruned(part, ends)))
    case 'choice':
      return choice(expression.of.filter((part) => canEnd(part, ends)).map((part) => pruned(part, ends)))
    case 'repeat':
      return canEnd(expression.of, ends) ? { ...expression, of: pruned(expression.of, ends) } : EMPTY
    default:
      return expression
  }
}

function namesIn(expression: Expression): string[] {
  if (expression.kind === 'rule') return [expression.name]
  if (expression.kind === 'repeat') return namesIn(expression.of)
  return expression.kind === 'sequence' || expression.kind === 'choice' ? expression.of.flatMap(namesIn) : []
}

function printed(expression: Expression, isTop = false): string {
  switch (expression.kind) {
    case 'text':
      return expression.text === '' ? '""' : `"${Array.from(expression.text, inText).join('')}"`
    case 'class':
      return printedClass(expression.points)
    case 'rule':
      return expression.name
    case 'sequence':
      return expression.of.length === 0 ? '""' : expression.of.map((part) => printed(part)).join(' ')
    case 'choice': {
      const text = expression.of.map((part) => printed(part)).join(' | ')
      return isTop ? text : `(${text})`
    }
    case 'repeat': {
      const text = expression.of.kind === 'sequence' ? `(${printed(expression.of)})` : printed(expression.of)
      return text + times(expression.least, expression.most)
    }
  }
}

function times(least: number, most: number): string {
  if (least === 0 && most === 1) return '?'
  if (most === Infinity) return least === 0 ? '*' : least === 1 ? '+' : `{${least},}`
  return least === most ? `{${least}}` : `{${least},${most}}`
}

function inText(character: string): string {
  if (character === '"' || character === '\\') return `\\${character}`
  return inClass(character.codePointAt(0) as number, /[\x20-\x7e]/)
}

/** Never by what it leaves out: that would have surrogates in it, and what is beyond Unicode. */
function printedClass(points: CodePoints): string {
  const ranges = pairsOf(points).map(([first, last]) => {
    const from = inClass(first, /[A-Za-z0-9]/)
    return first === last ? from : `${from}-${inClass(last, /[A-Za-z0-9]/)}`
  })
  return `[${ranges.join('')}]`
}

function inClass(point: number, plain: RegExp): string {
  const character = String.fromCodePoint(point)
  if (plain.test(character)) return character
  const hex = point.toString(16).toUpperCase()
  if (point < 0x80) return `\\x${hex.padStart(2, '0')}`
  return point < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
}
