/** What llama.cpp cannot take though it is GBNF: rules that are missing, and those that begin with themselves. */
import { Z1Error } from '../base/errors.js'
import { type Item, MAX_NESTING, parseGrammar, type Rule } from './gbnf.js'

/** Rules that begin with rules that begin with rules: llama.cpp calls itself for each, and for each way to get there. */
const MAX_WAYS = 2_000_000

/**
 * That llama.cpp can take a grammar: its syntax, its rules, what it takes of the stack and of time.
 * @throws {Z1Error} GRAMMAR_INVALID, with the line.
 */
export function checkGrammar(source: string): void {
  const rules = parseGrammar(source)
  if (!rules.has('root')) throw new Z1Error('GRAMMAR_INVALID', 'The grammar has no rule root')
  for (const { alternatives } of rules.values()) findUndefined(alternatives, rules)
  new Beginnings(rules).check()
}

function findUndefined(alternatives: readonly (readonly Item[])[], rules: ReadonlyMap<string, Rule>): void {
  for (const item of alternatives.flat()) {
    const inner = item.kind === 'repeat' ? innermost(item) : item
    if (inner.kind === 'group') findUndefined(inner.of, rules)
    if (inner.kind === 'rule' && !rules.has(inner.name)) fail(`a rule that is not defined: ${inner.name}`, inner.line)
  }
}

function innermost(item: Item): Item {
  let inner = item
  while (inner.kind === 'repeat') inner = inner.of
  return inner
}

/** How far a thing is followed before a character is read. */
interface Reach {
  ways: number
  depth: number
}

class Beginnings {
  readonly #rules: ReadonlyMap<string, Rule>
  readonly #canBeEmpty = new Set<string>()
  readonly #reach = new Map<string, Reach | 'open'>()

  constructor(rules: ReadonlyMap<string, Rule>) {
    this.#rules = rules
    for (let size = -1; size !== this.#canBeEmpty.size; ) {
      size = this.#canBeEmpty.size
      for (const [name, { alternatives }] of rules) if (this.#someEmpty(alternatives)) this.#canBeEmpty.add(name)
    }
  }

  check(): void {
    for (const name of this.#rules.keys()) this.#ofRule(name, 0)
  }

  #someEmpty(alternatives: readonly (readonly Item[])[]): boolean {
    return alternatives.some((items) => items.every((item) => this.#isEmpty(item)))
  }

  #isEmpty(item: Item): boolean {
    if (item.kind === 'text') return item.isEmpty
    if (item.kind === 'rule') return this.#canBeEmpty.has(item.name)
    if (item.kind === 'group') return this.#someEmpty(item.of)
    return item.least === 0 || this.#isEmpty(item.of)
  }

  /** What llama.cpp sees to be empty: an alternative without anything. */
  #isPlainlyEmpty(item: Item): boolean {
    const hasNothing = (items: readonly Item[]) => items.every(({ elements }) => elements === 0)
    if (item.kind === 'rule') return (this.#rules.get(item.name) as Rule).alternatives.some(hasNothing)
    if (item.kind === 'group') return item.of.some(hasNothing)
    return item.kind === 'repeat' && (item.least === 0 || this.#isPlainlyEmpty(item.of))
  }

  #ofRule(name: string, above: number): Reach {
    const known = this.#reach.get(name)
    const { alternatives, line } = this.#rules.get(name) as Rule
    if (known === 'open') return fail(`a rule that begins with itself: ${name}`, line)
    if (known) return known
    if (above > MAX_NESTING) return fail(`more than ${MAX_NESTING} rules that begin with one another`, line)
    this.#reach.set(name, 'open')
    const reach = this.#ofAlternatives(alternatives, above + 1, line)
    if (reach.ways > MAX_WAYS) return fail(`too many ways in which rules begin with others: ${name}`, line)
    if (reach.depth > 4 * MAX_NESTING) return fail('repetitions of what may be empty, too deep in one another', line)
    this.#reach.set(name, reach)
    return reach
  }

  #ofAlternatives(alternatives: readonly (readonly Item[])[], above: number, line: number): Reach {
    const reach = { ways: 1, depth: 1 }
    for (const items of alternatives) {
      for (const item of items) {
        const inner = this.#ofItem(item, above, line)
        reach.ways += inner.ways
        reach.depth = Math.max(reach.depth, inner.depth + 1)
        if (!this.#isEmpty(item)) break
      }
    }
    return reach
  }

  #ofItem(item: Item, above: number, line: number): Reach {
    if (item.kind === 'text') return { ways: 0, depth: 0 }
    if (item.kind === 'rule') return this.#ofRule(item.name, above)
    if (item.kind === 'group') return this.#ofAlternatives(item.of, above, line)
    const { ways, depth } = this.#ofItem(item.of, above, line)
    if (item.most === Infinity && this.#isPlainlyEmpty(item.of)) {
      // llama.cpp makes it a rule that goes on with itself, and finds that one to begin with itself.
      return fail('an unlimited repetition of what may be empty', line)
    }
    if (!this.#isEmpty(item.of) || item.most === Infinity) return { ways: ways + 1, depth: depth + 1 }
    return { ways: (ways + 1) * Math.max(1, item.most), depth: depth + item.most - item.least + 1 }
  }
}

function fail(what: string, line: number): never {
  throw new Z1Error('GRAMMAR_INVALID', `The grammar has, on line ${line}, ${what}`)
}
