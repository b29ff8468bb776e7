import { describe, expect, it } from 'vitest'
import { extractFinalAnswer } from '../../lib/reason/answer.js'
import { type Case, CONTINUED, STATED } from './final-answers.js'

describe.each(Object.entries(STATED))('%s', (_rule, cases) => {
  it.each<Case>(cases)('%j: %j', (text, answer) => {
    expect(extractFinalAnswer(text)).toBe(answer)
  })
})

describe.each(Object.entries(CONTINUED))('after a cut %s', (_rule, cases) => {
  it.each<Case>(cases)('%j: %j', (text, answer) => {
    expect(extractFinalAnswer(text, true)).toBe(answer)
  })
})

it('the table is as long as it is meant to be', () => {
  const cases = [STATED, CONTINUED].flatMap((rules) => Object.values(rules)).flat()
  expect(new Set(cases.map(([text]) => text)).size).toBeGreaterThanOrEqual(250)
})
