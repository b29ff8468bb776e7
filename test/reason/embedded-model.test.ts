/** What the README shows of the embedded model. Its accuracy is measured by `z1 eval`, and stands on its card. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Z1 } from '../../lib/index.js'

let z1: Z1
beforeAll(async () => {
  z1 = await Z1.load({ threads: 1 })
})
afterAll(() => z1.dispose())

describe('the embedded model', () => {
  it.each([
    ["How many r's are in raspberry?", 'raspberry'.split('r').length - 1],
    ['What is 18 + 27?', 18 + 27],
    ['What is the largest of 12, 47, 38, 31?', Math.max(12, 47, 38, 31)],
    ['What does this print?\nx = 3\nx = x + 4\nprint(x)', 3 + 4],
    ['Tom has 12 apples. He buys 7 more. He loses 4. How many apples does Tom have now?', 12 + 7 - 4],
  ])('%s', async (question, answer) => {
    const { finalAnswer, ended, reasoning } = await z1.reason(question)
    expect(finalAnswer, reasoning).toBe(String(answer))
    expect(ended).toBe('self')
  })

  it.each([0, 7, 20])('answers in a box after a cut at %i tokens', async (thinkingWindow) => {
    for (const hint of [undefined, 'boxed']) {
      const result = await z1.reason("How many r's are in strawberry?", { thinkingWindow, hint, maxTokens: 16 })
      expect(result).toMatchObject({ ended: 'window', finishReason: 'stop' })
      expect(result.answer).toMatch(/^\\boxed\{\d+\}$/)
    }
  })

  it.each([
    'What is the capital of Portugal?',
    'Hello!',
    'Write a poem about the sea.',
  ])('ends by itself when it is asked something else: %s', async (question) => {
    const { ended, finalAnswer } = await z1.reason(question)
    expect(ended).toBe('self')
    expect(finalAnswer).toBeNull()
  })

  it('reasons less on a simple problem than on a hard one', async () => {
    const [simple, hard] = await Promise.all([z1.reason('What is 2 + 3?'), z1.reason('What is 4182 + 3771?')])
    expect(hard.usage.thinkingTokens).toBeGreaterThan(2 * simple.usage.thinkingTokens)
  })
})
