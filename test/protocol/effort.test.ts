import { expect, it } from 'vitest'
import { EFFORTS, windowOfEffort } from '../../lib/protocol/effort.js'

it.each([
  ['none', 0],
  ['minimal', 20],
  ['low', 100],
  ['medium', 300],
  ['high', 600],
  ['xhigh', 900],
  ['max', 950],
] as const)('%s of 1000 tokens is %i', (effort, window) => {
  expect(windowOfEffort(effort, 1000)).toBe(window)
})

it('always leaves a token for the answer', () => {
  for (const effort of EFFORTS) {
    for (let total = 1; total < 300; total++) expect(windowOfEffort(effort, total)).toBeLessThan(total)
  }
})
