import { describe, expect, it } from 'vitest'
import { choiceOf, lastChoice } from '../../lib/grading/multiple-choice.js'

const tex = String.raw
const CITIES = ['Paris', 'London', 'New York', 'Rome']
const ENERGIES = [tex`10^{-4} \text{ eV}`, tex`10^{-8} \text{ eV}`, tex`10^{-9} \text{ eV}`, tex`10^{-11} \text{ eV}`]
const TEN = 'zero one two three four five six seven eight nine'.split(' ')

describe('choiceOf', () => {
  it.each([
    ['B'],
    ['(B)'],
    ['[B]'],
    ['B.'],
    ['B)'],
    ['**B**'],
    ['**(B)**'],
    ['`B`'],
    ['$B$'],
    [tex`\(B\)`],
    [tex`\text{B}`],
    [tex`\text{(B)}`],
    [tex`\textbf{(B)}`],
    [tex`\mathrm{B}`],
    [tex`\boxed{B}`],
    ['B. London'],
    ['(B) London'],
    ['B: London'],
    [tex`\textbf{(B)}\ \text{London}`],
    ['Option B'],
    ['option (B)'],
    ['Choice B'],
    ['The correct answer is B'],
    ['A or rather B.'],
    ['B, not A'],
    ['B because A is wrong'],
    ['London'],
    ['london.'],
    ['**London**'],
    [tex`\text{London}`],
  ])('%j is B', (answer) => {
    expect(choiceOf(answer, CITIES)).toBe('B')
  })

  it.each([
    ['A or B'],
    ['A and B'],
    ['neither A nor B'],
    ['not B'],
    ['Berlin'],
    ['b'],
    ['E'],
    ['BC'],
    [''],
    ['None of the above'],
  ])('%j is none', (answer) => {
    expect(choiceOf(answer, CITIES)).toBeNull()
  })

  it('finds a text in another notation, if it is that of one choice only', () => {
    expect(choiceOf('10^-8 eV', ENERGIES)).toBe('B')
    expect(choiceOf(tex`10^{-11}`, ENERGIES)).toBe('D')
    expect(choiceOf('10^{-5} eV', ENERGIES)).toBeNull()
    expect(choiceOf('5', ['5', '5.0', '6'])).toBeNull()
    expect(choiceOf('6', ['5', '5.0', '6'])).toBe('C')
  })

  it('takes a letter before a text', () => {
    expect(choiceOf('B', ['B', 'A'])).toBe('B')
    expect(choiceOf('A. London', CITIES)).toBe('A')
  })

  it('knows letters up to J, as many as there are choices', () => {
    expect(choiceOf('J', TEN)).toBe('J')
    expect(choiceOf('nine', TEN)).toBe('J')
    expect(choiceOf('J', CITIES)).toBeNull()
    expect(choiceOf('K', TEN)).toBeNull()
  })
})

describe('lastChoice', () => {
  it.each([
    ['First I thought of (A).\n\n**C**', 'C'],
    ['Let us see.\n(D)\n', 'D'],
    ['So option C is right.', 'C'],
    ['Option A is wrong. I choose (B).', 'B'],
    ['I pick B\nThat is all.', 'B'],
    ['A cat sat on a mat.', null],
    ['It is London.', null],
    ['', null],
  ])('%j: %j', (text, letter) => {
    expect(lastChoice(text, CITIES)).toBe(letter)
  })

  it('is over soon', () => {
    expect(lastChoice('option A '.repeat(50_000), CITIES)).toBe('A')
  })
})
