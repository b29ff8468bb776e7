/** GBNF: what is refused never reaches llama.cpp, and what is let through it can read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { checkGrammar } from '../../lib/grammar/check-grammar.js'
import { type Judge, loadJudge } from './judge.js'

let judge: Judge
beforeAll(async () => {
  judge = await loadJudge()
})
afterAll(() => judge.close())

const nested = (levels: number) => `root ::= ${'('.repeat(levels)}"a"${')'.repeat(levels)}`
const chain = (length: number) =>
  Array.from({ length }, (_, i) => `${i === 0 ? 'root' : `r${i}`} ::= ${i === length - 1 ? '"a"' : `r${i + 1}`}`).join(
    '\n',
  )
const doubling = (depth: number) =>
  Array.from(
    { length: depth },
    (_, i) => `${i === 0 ? 'root' : `r${i}`} ::= ${i === depth - 1 ? '"a"' : `r${i + 1} "x" | r${i + 1} "y"`}`,
  ).join('\n')

describe('taken, as by llama.cpp', () => {
  it.each([
    ['root ::= "a"', 'a', 'b'],
    ['root ::= "a" | "b" # a comment\n', 'b', 'c'],
    ['# before\nroot ::= (\n "a" |\n "b" )+\r\nother ::= ""\n', 'abab', ''],
    ['root ::= [a-c\\x41\\u00e9\\U0001F600\\]\\-]{2}', 'aé', 'd'],
    ['root ::= [^a] . "\\"\\\\\\n\\t"', 'bc"\\\n\t', 'ac"\\\n\t'],
    ['root ::= x{2,3} y? z* w{ 0 , }\nx ::= "x"\ny ::= "y"\nz ::= "z"\nw ::= "w"', 'xxyzz', 'x'],
    ['root ::= ( [x]* )*', 'xxx', 'y'],
    ['root ::= <[97]> !<[98]>', 'ac', 'ab'],
    ['root ::= ', '', 'a'],
    ['root ::= a root | "z"\na ::= "a"', 'aaz', 'a'],
    [nested(256), 'a', 'b'],
    [chain(200), 'a', 'b'],
    ['root ::= "a"{2000}', 'a'.repeat(2000), 'a'],
  ])('grammar %#', (grammar, accepted, rejected) => {
    checkGrammar(grammar)
    expect([judge.accepts(grammar, accepted), judge.accepts(grammar, rejected)]).toEqual([true, false])
  })
})

describe('refused', () => {
  it.each([
    ['', 'no rule root'],
    ['other ::= "a"', 'no rule root'],
    ['root = "a"', 'on line 1, expected ::='],
    ['root ::= "a', 'the end within a text or class'],
    ['root ::= [a', 'the end within a text or class'],
    ['root ::= ("a"', 'expected )'],
    ['root ::= "a")', 'expected a new line or the end'],
    ['root ::= "a"\n\nroot ::= "\\q"', 'on line 3, an unknown escape \\q'],
    ['root ::= [\\x4]', 'an unknown escape'],
    ['root ::= *', 'expected something to repeat'],
    ['root ::= "" +', 'expected something to repeat'],
    ['root ::= "a"{,3}', 'expected a number of repetitions'],
    ['root ::= "a"{1', 'expected }'],
    ['root ::= "a"{3,2}', 'most is below its least'],
    ['root ::= "a"{2001}', 'more than 2000 repetitions'],
    ['root ::= "a"{0,5000}', 'more than 2000 repetitions'],
    ['root ::= ("a"{50}){50}{50}', 'more than 2000 rules'],
    ['root ::= (("a"? "b"?){100}){1000}', 'more than 2000 rules'],
    [`root ::= "${'a'.repeat(5000)}"{2000}`, 'too large once its repetitions are written out'],
    ['root ::= missing', 'not defined: missing'],
    ['root ::= (("a" missing)?)*', 'not defined: missing'],
    ['root ::= root "a" | "b"', 'begins with itself: root'],
    ['root ::= a\na ::= b\nb ::= a "x" | "y"', 'begins with itself'],
    ['root ::= a root "z" | "y"\na ::= b\nb ::= [x]*', 'begins with itself: root'],
    ['root ::= ("a" | )*', 'an unlimited repetition of what may be empty'],
    ['root ::= "a"?*', 'an unlimited repetition of what may be empty'],
    ['root ::= <think>', 'a token by its number'],
    ['root ::= <[99999999999999999999]>', 'beyond any vocabulary'],
    ['root ::= "\0"', 'a NUL character'],
    ['root ::= "\ud800"', 'half a surrogate pair'],
    [nested(257), 'parentheses in more than 256 others'],
    [nested(100_000), 'parentheses in more than 256 others'],
    [chain(5000), 'more than 256 rules that begin with one another'],
    [doubling(60), 'too many ways'],
    ['x'.repeat(5 * 2 ** 20), 'more than 4194304 characters'],
  ])('grammar %#', (grammar, message) => {
    expect(() => checkGrammar(grammar)).toThrow(expect.objectContaining({ code: 'GRAMMAR_INVALID' }))
    expect(() => checkGrammar(grammar)).toThrow(message)
  })
})
