/** Automata and JSON's own tokens as rules of a grammar. */
import type { Automaton } from './automaton.js'
import { type CodePoints, codePoints, complement, intersection, pairsOf } from './code-points.js'
import { choice, EMPTY, type Expression, literal, type Rules, repeat, rule, sequence } from './expressions.js'

const CONTROLS: CodePoints = [0, 0x1f]
/** What a string has only behind a backslash. */
const ESCAPED: CodePoints = codePoints([
  [0, 0x1f],
  [0x22, 0x22],
  [0x5c, 0x5c],
])
const RAW = complement(ESCAPED)
const SHORT: Record<number, string> = { 8: 'b', 9: 't', 10: 'n', 12: 'f', 13: 'r', 34: '"', 92: '\\' }

const characters = (text: string): Expression => ({
  kind: 'class',
  points: codePoints(Array.from(text, (one) => [one.codePointAt(0), one.codePointAt(0)] as [number, number])),
})
const HEX = characters('0123456789abcdefABCDEF')

/** Between tokens: nothing, a space, or a new line with its indentation. */
export function space(rules: Rules): Expression {
  return rules.shared('space', () =>
    choice([EMPTY, literal(' '), sequence(literal('\n'), repeat(characters(' \t'), 0, 20))]),
  )
}

/** Any string, whichever way its characters are written. */
export function anyString(rules: Rules): Expression {
  return rules.shared('string', () => sequence(literal('"'), repeat(anyCharacter(rules), 0, Infinity), literal('"')))
}

function anyCharacter(rules: Rules): Expression {
  return rules.shared('char', () =>
    choice([
      { kind: 'class', points: RAW },
      sequence(literal('\\'), choice([characters('"\\/bfnrt'), sequence(literal('u'), repeat(HEX, 4, 4))])),
    ]),
  )
}

/** A string of so many characters. Half a surrogate pair is none, so its escape is left out. */
export function stringOfLength(rules: Rules, least: number, most: number): Expression {
  const one = rules.shared('one-char', () =>
    choice([
      { kind: 'class', points: RAW },
      sequence(
        literal('\\'),
        choice([
          characters('"\\/bfnrt'),
          sequence(
            literal('u'),
            choice([
              sequence(characters('0123456789abcABCefEF'), repeat(HEX, 3, 3)),
              sequence(characters('dD'), characters('01234567'), repeat(HEX, 2, 2)),
            ]),
          ),
        ]),
      ),
    ]),
  )
  const name = `string-${least}-${most === Infinity ? 'up' : most}`
  return rules.shared(name, () => sequence(literal('"'), repeat(one, least, most), literal('"')))
}

/** The strings of an automaton, with their quotes. */
export function stringOf(rules: Rules, hint: string, texts: Automaton): Expression {
  return sequence(
    literal('"'),
    ruleOf(rules, hint, texts, literal('"'), (points) => inString(rules, points)),
  )
}

/** The texts of an automaton as they are: numbers. */
export function plainTexts(rules: Rules, hint: string, texts: Automaton): Expression {
  return ruleOf(rules, hint, texts, EMPTY, (points) => ({ kind: 'class', points }))
}

/** A rule for each state that more than one way leads to; the others stand where they are needed. */
function ruleOf(
  rules: Rules,
  hint: string,
  automaton: Automaton,
  end: Expression,
  write: (points: CodePoints) => Expression,
): Expression {
  const into = automaton.edges.map(() => 0)
  for (const edges of automaton.edges)
    for (const to of new Set(edges.map((edge) => edge.to))) into[to] = (into[to] as number) + 1
  const names = automaton.edges.map((_, state) => (state > 0 && into[state] === 1 ? null : rules.reserve(hint)))
  const bodyOf = (state: number, depth: number): Expression => {
    const targets = new Map<number, [number, number][]>()
    for (const { first, last, to } of automaton.edges[state] ?? []) {
      const pairs = targets.get(to) ?? []
      pairs.push([first, last])
      targets.set(to, pairs)
    }
    const ways = [...targets].map(([to, pairs]) => sequence(write(codePoints(pairs)), ruleFor(to, depth + 1)))
    return choice(automaton.accepts[state] ? [end, ...ways] : ways)
  }
  const ruleFor = (state: number, depth: number): Expression => {
    let name = names[state]
    // Parentheses are nested no deeper than llama.cpp's parser likes.
    if (!name && depth < 40) return bodyOf(state, depth)
    if (!name) {
      name = rules.reserve(hint)
      rules.set(name, bodyOf(state, 0))
    }
    return rule(name)
  }
  names.forEach((name, state) => {
    if (name) rules.set(name, bodyOf(state, 0))
  })
  return rule(names[0] as string)
}

function inString(rules: Rules, points: CodePoints): Expression {
  const raw = intersection(points, RAW)
  const ways: Expression[] = raw.length > 0 ? [{ kind: 'class', points: raw }] : []
  const escaped = intersection(points, ESCAPED)
  if (escaped.length > 0) ways.push(escapes(rules, escaped))
  return choice(ways)
}

function escapes(rules: Rules, points: CodePoints): Expression {
  const hex = (set: CodePoints) => rules.shared(`escape-${set.join('-')}`, () => makeEscapes(set))
  return points.length > 2 || (points[1] as number) > (points[0] as number) ? hex(points) : makeEscapes(points)
}

function makeEscapes(points: CodePoints): Expression {
  const short = pairsOf(points).flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, i) => SHORT[first + i] ?? '').filter((letter) => letter !== ''),
  )
  const ways: Expression[] = short.length > 0 ? [sequence(literal('\\'), characters(short.join('')))] : []
  for (const [first, last] of pairsOf(intersection(points, CONTROLS))) {
    for (let point = first; point <= last; point++) {
      if (!(point in SHORT)) ways.push(literal(`\\u${point.toString(16).padStart(4, '0')}`))
    }
  }
  return choice(ways)
}
