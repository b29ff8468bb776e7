/** Automata of patterns and numbers, compared with RegExp and with arithmetic over random texts. */
import { describe, expect, it } from 'vitest'
import {
  intersect,
  isEmpty,
  lengths,
  matches,
  negate,
  ofLength,
  ofTexts,
  subtract,
  unite,
} from '../../lib/grammar/automaton.js'
import {
  complementNumbers,
  holdsNumber,
  intersectNumbers,
  type NumberSet,
  textsOfNumbers,
} from '../../lib/grammar/numbers.js'
import { NotRegular, ofPattern } from '../../lib/grammar/regex.js'
import { Random } from '../support/random.js'

const random = new Random(7)
const uniform = () => random.uint32() / 2 ** 32
const pick = <T>(list: readonly T[]) => list[Math.floor(uniform() * list.length)] as T
const textsOver = (alphabet: string, count = 400) =>
  Array.from({ length: count }, () =>
    Array.from({ length: Math.floor(uniform() * 7) }, () => pick([...alphabet])).join(''),
  )

describe('patterns', () => {
  const patterns = [
    '',
    'a',
    '^a',
    'a$',
    '^$',
    '^(a|b)*c$',
    'a{2,3}',
    '^a{2,}b?$',
    '[^a]',
    '^[^ab]+$',
    '(?:ab)+',
    '^a.c$',
    '\\d',
    '^\\w+$',
    '\\s',
    '^\\S+$',
    '^\\D*$',
    '\\bab\\b',
    '\\Bb',
    'a\\b',
    '^(?=a)[ab]+$',
    '^(?!aa).*$',
    '^(?!.*c)a',
    'a|^b|c$',
    '(^a|b$)c?',
    '^\\u0061',
    '\\.',
    '[.\\-\\]]',
    '^\\p{L}+$',
    '\\P{Lu}',
    '^(a?){3}$',
    '^(?:a|b|)c',
    '$^',
    'a^',
    '(a*)*b',
  ]
  it.each(patterns)('%s', (pattern) => {
    const automaton = ofPattern(pattern)
    const regexp = new RegExp(pattern, 'u')
    for (const text of textsOver('abcA .-]1_é😀\n')) {
      expect([text, matches(automaton, text)]).toEqual([text, regexp.test(text)])
    }
  })

  it.each([
    ['(a)\\1', 'a back reference'],
    ['a(?=b)', 'a look-around'],
    ['(?<=a)b', 'a look-around'],
  ])('%s is not regular', (pattern, what) => {
    expect(() => ofPattern(pattern)).toThrow(NotRegular)
    expect(() => ofPattern(pattern)).toThrow(what)
  })
})

it('sets are combined as sets', () => {
  const a = ofPattern('^a')
  const b = ofPattern('b$')
  for (const text of textsOver('abc')) {
    const [inA, inB] = [text.startsWith('a'), text.endsWith('b')]
    expect(matches(intersect(a, b), text)).toBe(inA && inB)
    expect(matches(unite(a, b), text)).toBe(inA || inB)
    expect(matches(subtract(a, b), text)).toBe(inA && !inB)
    expect(matches(negate(a), text)).toBe(!inA)
  }
  expect(isEmpty(intersect(a, negate(a)))).toBe(true)
})

it('an automaton has as few states as can be', () => {
  // Counted by hand: before and after an a.
  expect(ofPattern('a|aa|ba*').edges).toHaveLength(2)
  expect(ofPattern('^(?:ab|cb)$').edges).toHaveLength(3)
  expect(ofTexts(['ab', 'cb']).edges).toHaveLength(3)
})

it.each([
  ['^abc?$', 2, 3],
  ['^a+$', 1, Infinity],
  ['x', 1, Infinity],
  ['^$', 0, 0],
])('lengths of %s', (pattern, least, most) => {
  expect(lengths(ofPattern(pattern))).toEqual({ least, most })
})

it('lengths are counted in characters', () => {
  expect(['', 'é', '😀😀', 'abc'].map((text) => matches(ofLength(1, 2), text))).toEqual([false, true, true, false])
})

describe('numbers', () => {
  const bound = () =>
    uniform() < 0.3
      ? undefined
      : { value: pick([-120, -12.5, -1, -0.05, 0, 0.5, 1, 9, 10, 99, 100.25, 1e3]), strict: uniform() < 0.5 }
  const sets = Array.from({ length: 60 }, (): NumberSet => {
    const of = pick([0, 0, 1, 1, 3, 0.25, 10])
    return { least: bound(), most: bound(), multiples: of ? [{ of, negated: uniform() < 0.3 }] : [] }
  })
  const numbers = [
    ...Array.from({ length: 150 }, () => Math.round((uniform() - 0.5) * 3000) / pick([1, 1, 4, 10, 100])),
    0,
    1,
    -1,
    9,
    10,
    99,
    100,
    100.25,
    0.5,
    -12.5,
    -120,
  ]

  it('their decimal notation is that of the numbers in a set', () => {
    for (const set of sets) {
      const texts = textsOfNumbers(set)
      // −0 is written 0.
      for (const number of numbers) {
        expect([set, number, matches(texts, String(number + 0))]).toEqual([set, number, holdsNumber(set, number)])
      }
    }
  })

  it('those of two sets, and of none', () => {
    for (let i = 0; i < 200; i++) {
      const [a, b] = [pick(sets), pick(sets)]
      const both = intersectNumbers(a, b)
      for (const number of numbers) {
        expect(both !== null && holdsNumber(both, number)).toBe(holdsNumber(a, number) && holdsNumber(b, number))
        expect(complementNumbers(a)?.some((set) => holdsNumber(set, number))).toBe(!holdsNumber(a, number))
      }
    }
  })
})
