/**
 * Regular expressions of ECMAScript as automata over a whole text: anchors, word boundaries and look-aheads included, back
 * references not. The syntax is read by @eslint-community/regexpp.
 */
import { type AST, RegExpParser } from '@eslint-community/regexpp'
import { type Automaton, type Edge, explore, intersect, minimize, subtract, TooLarge, unite } from './automaton.js'
import { NotRegular, pointsOf, WORD } from './character-classes.js'
import { ALL, type CodePoints, codePoints, complement, intersection, pairsOf } from './code-points.js'

export { NotRegular }

const MAX_STEPS = 20_000

type Condition = 'start' | 'end' | 'boundary' | 'inside'

/** What is known of the character beside a position. */
type Side = 'none' | 'word' | 'other'

/** Nondeterministic: a state has steps over code points, and free ones that a condition may bind. */
interface Steps {
  over: { points: CodePoints; to: number }[]
  free: { to: number; when?: Condition }[]
}

const parsed = new Map<string, Automaton>()

/**
 * The texts that a pattern matches somewhere, as `RegExp.prototype.test` does.
 * @throws {SyntaxError} when it is no pattern, {@link NotRegular}, {@link TooLarge}.
 */
export function ofPattern(pattern: string): Automaton {
  const known = parsed.get(pattern)
  if (known) return known
  const result = ofAlternatives(parse(pattern).alternatives, 'anywhere')
  if (parsed.size > 500) parsed.clear()
  parsed.set(pattern, result)
  return result
}

/** JSON Schema asks for the flag u; patterns that are right only without it are common. */
function parse(pattern: string): AST.Pattern {
  const parser = new RegExpParser({ ecmaVersion: 2024 })
  try {
    return parser.parsePattern(pattern, 0, pattern.length, { unicode: true })
  } catch {
    return parser.parsePattern(pattern, 0, pattern.length, { unicode: false })
  }
}

/** Look-aheads at the beginning are sets of their own, which are intersected. */
function ofAlternatives(alternatives: readonly AST.Alternative[], where: 'anywhere' | 'here'): Automaton {
  const leads = alternatives.map(leadingLooks)
  if (leads.every(({ looks }) => looks.length === 0)) return new Builder().build(alternatives, where)
  let result: Automaton | undefined
  for (const { anchored, looks, rest } of leads) {
    if (!anchored && where === 'anywhere') throw new NotRegular('a look-ahead that is not at the beginning')
    let texts = new Builder().build([rest], 'here')
    for (const look of looks) {
      const ahead = ofAlternatives(look.alternatives, 'here')
      texts = look.negate ? subtract(texts, ahead) : intersect(texts, ahead)
    }
    result = result ? unite(result, texts) : texts
  }
  return result as Automaton
}

function leadingLooks(alternative: AST.Alternative) {
  const elements = [...alternative.elements]
  const anchored = elements[0]?.type === 'Assertion' && elements[0].kind === 'start'
  const from = anchored ? 1 : 0
  let to = from
  const looks: AST.LookaheadAssertion[] = []
  for (
    let element = elements[to];
    element?.type === 'Assertion' && element.kind === 'lookahead';
    element = elements[to]
  ) {
    looks.push(element)
    to++
  }
  const rest = { ...alternative, elements: [...elements.slice(0, from), ...elements.slice(to)] } as AST.Alternative
  return { anchored, looks, rest }
}

class Builder {
  readonly #states: Steps[] = []
  #hasWords = false

  build(alternatives: readonly AST.Alternative[], where: 'anywhere' | 'here'): Automaton {
    const start = this.#state()
    const end = this.#state()
    if (where === 'anywhere') this.#over(start, ALL, start)
    this.#over(end, ALL, end)
    this.#alternatives(alternatives, start, end)
    return minimize(this.#determinize(start, end))
  }

  #state(): number {
    if (this.#states.length >= MAX_STEPS) throw new TooLarge()
    this.#states.push({ over: [], free: [] })
    return this.#states.length - 1
  }

  #over(from: number, points: CodePoints, to: number): void {
    this.#states[from]?.over.push({ points, to })
  }

  #free(from: number, to: number, when?: Condition): void {
    this.#states[from]?.free.push(when ? { to, when } : { to })
  }

  #alternatives(alternatives: readonly AST.Alternative[], from: number, to: number): void {
    for (const { elements } of alternatives) {
      let at = from
      elements.forEach((element, i) => {
        const next = i === elements.length - 1 ? to : this.#state()
        this.#element(element, at, next)
        at = next
      })
      if (elements.length === 0) this.#free(from, to)
    }
  }

  #element(element: AST.Element, from: number, to: number): void {
    switch (element.type) {
      case 'Group':
      case 'CapturingGroup':
        this.#alternatives(element.alternatives, from, to)
        break
      case 'Quantifier':
        this.#repeat(element, from, to)
        break
      case 'Assertion':
        this.#assert(element, from, to)
        break
      case 'Backreference':
        throw new NotRegular('a back reference')
      default:
        this.#over(from, pointsOf(element), to)
    }
  }

  #assert(assertion: AST.Assertion, from: number, to: number): void {
    if (assertion.kind === 'start' || assertion.kind === 'end') {
      this.#free(from, to, assertion.kind)
      return
    }
    if (assertion.kind !== 'word') throw new NotRegular('a look-around that is not at the beginning')
    this.#hasWords = true
    this.#free(from, to, assertion.negate ? 'inside' : 'boundary')
  }

  #repeat({ element, min, max }: AST.Quantifier, from: number, to: number): void {
    let at = from
    for (let i = 0; i < min; i++) {
      const next = this.#state()
      this.#element(element, at, next)
      at = next
    }
    if (max === Infinity) {
      const loop = this.#state()
      this.#free(at, loop)
      const back = this.#state()
      this.#element(element, loop, back)
      this.#free(back, loop)
      this.#free(loop, to)
      return
    }
    for (let i = min; i < max; i++) {
      this.#free(at, to)
      const next = this.#state()
      this.#element(element, at, next)
      at = next
    }
    this.#free(at, to)
  }

  /** A state of the result: those that may hold, and what stands before. */
  #determinize(start: number, end: number): Automaton {
    const sides: { side: Side; points: CodePoints }[] = this.#hasWords
      ? [
          { side: 'word', points: WORD },
          { side: 'other', points: complement(WORD) },
        ]
      : [{ side: 'other', points: ALL }]
    return explore<{ states: number[]; before: Side }>(
      { states: [start], before: 'none' },
      ({ states, before }) => `${before}:${states.join()}`,
      ({ states, before }, index) => {
        const edges: Edge[] = []
        for (const { side, points } of sides) {
          const reached = this.#closure(states, before, side)
          for (const { set, targets } of split(reached.flatMap((state) => this.#states[state]?.over ?? []))) {
            for (const [first, last] of pairsOf(intersection(set, points))) {
              edges.push({ first, last, to: index({ states: targets, before: side }) })
            }
          }
        }
        edges.sort((a, b) => a.first - b.first)
        return { edges, accepts: this.#closure(states, before, 'none').includes(end) }
      },
    )
  }

  #closure(states: readonly number[], before: Side, after: Side): number[] {
    const reached = new Set(states)
    for (const state of reached) {
      for (const { to, when } of this.#states[state]?.free ?? []) {
        if (!when || holds(when, before, after)) reached.add(to)
      }
    }
    return [...reached].sort((a, b) => a - b)
  }
}

function holds(condition: Condition, before: Side, after: Side): boolean {
  if (condition === 'start') return before === 'none'
  if (condition === 'end') return after === 'none'
  const isBoundary = (before === 'word') !== (after === 'word')
  return isBoundary === (condition === 'boundary')
}

/** Steps over code points, with the targets of each code point told apart. */
function split(steps: Steps['over']): { set: CodePoints; targets: number[] }[] {
  const cuts = [
    ...new Set(steps.flatMap(({ points }) => pairsOf(points).flatMap(([first, last]) => [first, last + 1]))),
  ]
  cuts.sort((a, b) => a - b)
  const result = new Map<string, { pairs: [number, number][]; targets: number[] }>()
  for (let i = 0; i + 1 < cuts.length; i++) {
    const first = cuts[i] as number
    const over = steps.filter(({ points }) => intersection(points, [first, first]).length > 0)
    if (over.length === 0) continue
    const targets = [...new Set(over.map(({ to }) => to))].sort((a, b) => a - b)
    const key = targets.join()
    const known = result.get(key) ?? { pairs: [], targets }
    known.pairs.push([first, (cuts[i + 1] as number) - 1])
    result.set(key, known)
  }
  return [...result.values()].map(({ pairs, targets }) => ({ set: codePoints(pairs), targets }))
}
