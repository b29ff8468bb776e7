import { expect, it } from 'vitest'
import * as evaluation from '../../lib/eval/index.js'
import * as main from '../../lib/index.js'

it.each([
  ['z1-native', main],
  ['z1-native/eval', evaluation],
])('%s finds and compares answers, without a model', (_name, { extractFinalAnswer, sameAnswer }) => {
  expect(extractFinalAnswer('25\n\nThere are 25 primes below 100.', true)).toBe('25')
  expect(sameAnswer('\\frac{1}{2}', '0.5')).toBe(true)
})
