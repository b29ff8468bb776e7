import { describe, expect, it } from 'vitest'
import { closingPart, extractFinalAnswer } from '../../lib/reason/answer.js'

describe('extractFinalAnswer', () => {
  it.each([
    ['so it is $\\boxed{42}$.', '42'],
    ['\\boxed{1}, no: \\boxed{2}', '2'],
    ['\\boxed{ \\frac{1}{2} }', '\\frac{1}{2}'],
    ['\\boxed{a\n\nb}', 'a\n\nb'],
    ['\\boxed {7}', '7'],
    ['"\\\\boxed{8}"', '8'],
    ['a \\\\\\boxed{9}', '9'],
    ['{ {\\boxed{10}', '10'],
    ['} \\boxed{11}', '11'],
    ['\\boxed{\\boxed{12}}', '12'],
  ])('takes the last box of %j', (text, value) => {
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each([
    ['\\boxed{3} and \\boxed{4', '3'],
    ['\\boxed{3} and \\boxed{\\frac{1}{2}', '3'],
    ['\\boxed{3}, as asked in \\boxed{}', '3'],
    ['\\boxed{3}, as asked in \\boxed{ }', '3'],
    ['The answer is 5. \\boxed{', '5'],
    ['\\boxed{', null],
    ['put it in \\boxed{}', null],
  ])('looks past a box that is not closed or empty: %j', (text, value) => {
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each([
    ['\\boxed{\\{1, 2\\}}', '\\{1, 2\\}'],
    ['\\boxed{\\left\\{ x \\right.}', '\\left\\{ x \\right.'],
    ['\\boxed{a \\\\}', 'a \\\\'],
  ])('takes an escaped brace for a character: %j', (text, value) => {
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each([
    ['$\\boxed 5$', '5'],
    ['$\\boxed -13$ metres', '-13'],
    ['\\boxed B.', 'B'],
    ['\\boxed \\frac{1}{2}$ and more', '\\frac{1}{2}'],
    ['{\\boxed 5}', '5'],
    ['\\boxed \\,', '\\'],
    ['\\boxed{1} then \\boxed 2', '2'],
    ['\\boxed 1\\boxed 2', '2'],
    ['\\boxed \\boxed{3}', '3'],
    ['\\boxed x{4', null],
    ['\\boxed{1} then \\boxed (.', '('],
    ['\\boxed{1} then \\boxed \\(', '1'],
    ['use \\boxed notation', null],
    ['\\boxed', null],
  ])('takes a box without braces up to a space or dollar sign: %j', (text, value) => {
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each([
    ['The final answer is 42.', '42'],
    ['the final answer is: $42$.', '42'],
    ['**Final Answer:** 42', '42'],
    ['**Final Answer**: 42', '42'],
    ['**The final answer is 42.**', '42'],
    ['Final answer: `x = 3`', 'x = 3'],
    ['So the answer is Paris', 'Paris'],
    ['The correct answer is (B).', '(B)'],
    ['the final answer should be \\(7\\).', '7'],
    ['The answer to this problem is 12', '12'],
    ['the answer for the second part would be 13', '13'],
    ['Answer: 3.14', '3.14'],
    ['Answer：甲', '甲'],
    ['**Answer**: **C**', 'C'],
    ['The answer = -1', '-1'],
    ['It costs more. The answer is $5.50', '$5.50'],
    ['Final answer: \\[ 9 \\]', '9'],
    ['first, the answer is 1\nno, the answer is 2\nthat was it', '2'],
    ['the answer is 1\n\nFinal answer:', '1'],
    ['the answer is 1\n\nFinal answer: **', '1'],
  ])('takes what follows the last phrase of %j', (text, value) => {
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each([
    ['**Final Answer**\n\n42', '42'],
    ['## Final Answer\r\n\r\n42\r\nbye', '42'],
    ['The final answer is:\n\n\\[\n42\n\\]', '42'],
    ['Final answer:\n$$\n42\n$$', '42'],
  ])('takes the next line that holds anything: %j', (text, value) => {
    expect(extractFinalAnswer(text)).toBe(value)
  })

  it.each([
    '',
    '   \n',
    'We want to find the answer we need',
    'I do not know',
    'the final answer\nis near',
    'unanswered: 5',
    'The answer that I gave is wrong',
  ])('finds nothing in %j', (text) => {
    expect(extractFinalAnswer(text)).toBeNull()
  })

  it('takes the later of box and phrase, and of a phrase with a box the box', () => {
    expect(extractFinalAnswer('\\boxed{1}\nThe answer is one.')).toBe('one')
    expect(extractFinalAnswer('The answer is one.\n\\boxed{1}')).toBe('1')
    expect(extractFinalAnswer('The answer is $x = \\boxed{1}$ here')).toBe('1')
    expect(extractFinalAnswer('\\boxed{the answer is 1}')).toBe('the answer is 1')
  })

  it('takes the first line after a cut for the value: the hint was the phrase', () => {
    expect(extractFinalAnswer('\n**42**.\n', true)).toBe('42')
    expect(extractFinalAnswer('42', false)).toBeNull()
    expect(extractFinalAnswer('42\nbecause', true)).toBe('42')
    expect(extractFinalAnswer('The answer is 42.', true)).toBe('42')
    expect(extractFinalAnswer('\\boxed{42}', true)).toBe('42')
    expect(extractFinalAnswer(' \n', true)).toBeNull()
    expect(extractFinalAnswer('**', true)).toBeNull()
  })
})

describe('closingPart', () => {
  it.each([
    ['', ''],
    [' \n\n ', ''],
    ['one', 'one'],
    ['one\n\ntwo\n', 'one\n\ntwo'],
    ['one\r\n\r\ntwo\r\nthree\r\n', 'one\r\n\r\ntwo\r\nthree'],
    ['# Packing\n\n1. Shirts\n2. Shoes\n\nHave fun!', '# Packing\n\n1. Shirts\n2. Shoes\n\nHave fun!'],
    ['Here:\n\n```js\nlet a\n\nlet b\n```\n\nThat is all.', 'Here:\n\n```js\nlet a\n\nlet b\n```\n\nThat is all.'],
    ['It runs.\n\nThe answer is correct.', 'It runs.\n\nThe answer is correct.'],
  ])('of %j, without box or phrase, is all of it', (text, part) => {
    expect(closingPart(text)).toBe(part)
  })

  it('is the paragraph of the last box', () => {
    expect(closingPart('\\boxed{1}\n\nno,\n\\boxed{2}\nit is\n\nbye')).toBe('no,\n\\boxed{2}\nit is')
  })

  it('is the paragraph of the last phrase', () => {
    expect(closingPart('think\n\nSo the answer is 4.\nDone.\n\nHope this helps!')).toBe('So the answer is 4.\nDone.')
  })

  it('goes from a heading to its value', () => {
    expect(closingPart('think\n\n**Final Answer**\n\n\n42\n\nbye')).toBe('**Final Answer**\n\n\n42')
  })

  it('holds the whole box', () => {
    expect(closingPart('x\n\n$\\boxed{a\n\nb}$ yes\n\nbye')).toBe('$\\boxed{a\n\nb}$ yes')
  })

  it('does not cut a code block', () => {
    const code = '```python\ndef f():\n\n    return 1\n\n\nprint(f())\n```'
    expect(closingPart(`Here it is:\n\nThe answer is\n${code}`)).toBe(`The answer is\n${code}`)
    expect(closingPart(`x\n\nThe answer is 4:\n${code}\n\nThat is all.`)).toBe(`The answer is 4:\n${code}`)
    expect(closingPart('x\n\n\\boxed{1}\n```\na\n\nb')).toBe('\\boxed{1}\n```\na\n\nb')
    expect(closingPart('```one line```\n\n\\boxed{2}')).toBe('\\boxed{2}')
  })
})

/** Small pieces of text that boxes, phrases and paragraphs are made of. */
const PIECES = [
  '\\boxed{',
  '\\boxed 1',
  '{',
  '}',
  '\\{',
  '\\',
  '\n',
  '\n\n',
  ' ',
  'Final answer',
  'the answer is',
  'Answer:',
  '42',
  'x',
  '.',
  '**',
  '$',
  '```',
]

/** Park and Miller's generator: the same texts in every run. */
function* randomTexts(count: number): Generator<string> {
  let state = 1
  const below = (n: number) => {
    state = (state * 48271) % 2147483647
    return state % n
  }
  for (let i = 0; i < count; i++) yield Array.from({ length: below(25) }, () => PIECES[below(PIECES.length)]).join('')
}

it('the closing part states the same value as the whole text, and is a part of it', () => {
  let stated = 0
  for (const text of randomTexts(30_000)) {
    const part = closingPart(text)
    expect(text).toContain(part)
    expect(part === '').toBe(text.trim() === '')
    const value = extractFinalAnswer(text)
    if (value !== null) {
      stated++
      expect([text, extractFinalAnswer(part)]).toEqual([text, value])
    }
  }
  expect(stated).toBeGreaterThan(10_000)
})

it.each([
  ['backslashes', '\\', ''],
  ['open braces', '{', ''],
  ['open boxes', '\\boxed{', ''],
  ['open boxes that close', '\\boxed{ ', '}'.repeat(100_000)],
  ['empty boxes', '\\boxed{}', ''],
  ['bare boxes', '\\boxed 1{', ''],
  ['long bare boxes', '\\boxed 1', '1{'.repeat(500_000)],
  ['spaces after a box', '\\boxed     ', ''],
  ['phrases', 'answer: ', ''],
  ['phrases without a value', 'Answer:\n**\n', ''],
  ['beginnings of phrases', 'the answer to ', ''],
  ['headings', '#', 'final answer'],
  ['blank lines', '\n', ''],
  ['blank lines after phrases', 'final answer: final answer: ', '\n'.repeat(500_000)],
  ['dollar signs', '$', 'a'],
  ['formulas that do not end', 'the answer is \\(', ''],
  ['dots in a bare box', '.', 'x\\boxed 1'],
  ['a bare box of dots', '\\boxed 1', `${'.'.repeat(1_000_000)}x`],
  ['boxes side by side', '\\boxed{1}, ', ''],
  ['emphasis after a phrase', 'answer: **', ''],
  ['phrases of other languages', '答案', 'la respuesta '],
  ['code fences', '```\n\n', ''],
])('takes linear time: %s', (_, unit, end) => {
  // A million characters take about 0.1 s; in quadratic time they would take minutes, and the test's time would be over.
  const text = unit.repeat(Math.ceil(1e6 / unit.length)) + end
  closingPart(text)
  extractFinalAnswer(text, true)
})
