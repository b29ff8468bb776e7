import { describe, expect, it } from 'vitest'
import { limitsOf, type Room, type ThinkingAsked } from '../../lib/protocol/limits.js'

/** 1010 tokens after the prompt, of which a hint takes 10. */
const thinks: Room = { left: 1010, hint: 10, defaultWindow: 4096 }
const chats: Room = { left: 1010, hint: 10, defaultWindow: null }
const unknown: Room = { left: Infinity, hint: 0, defaultWindow: 512 }

describe('a model that thinks', () => {
  it.each<[string, ThinkingAsked, number | undefined, number, number]>([
    ['a window and a total', { window: 30 }, 100, 30, 70],
    ['a window of 0', { window: 0 }, 100, 0, 100],
    ['a window without a total: the context is the total', { window: 30 }, undefined, 30, 970],
    ['a total that the context has no room for', { window: 30 }, 5000, 30, 970],
    ['an effort', { effort: 'high' }, 100, 60, 40],
    ['an effort without a total', { effort: 'low' }, undefined, 100, 900],
    ['no effort', { effort: 'none' }, 100, 0, 100],
    ['as much as possible', { window: Infinity }, 100, 95, 5],
    ['nothing: at most 60% of the total', {}, 100, 60, 40],
    ['nothing, without a total', {}, undefined, 600, 400],
    ['thinking', { thinks: true }, 100, 60, 40],
    ['no thinking', { thinks: false }, 100, 0, 100],
    ['a total of 1', {}, 1, 0, 1],
  ])('%s', (_, asked, total, thinkingWindow, maxTokens) => {
    expect(limitsOf(asked, total, thinks)).toEqual({ thinkingWindow, maxTokens })
  })

  it('takes its own window where that is less', () => {
    expect(limitsOf({}, 100, { ...thinks, defaultWindow: 8 })).toEqual({ thinkingWindow: 8, maxTokens: 92 })
  })

  it('never gets more than the total', () => {
    for (const effort of ['minimal', 'medium', 'max'] as const) {
      for (let total = 1; total < 200; total++) {
        const { thinkingWindow, maxTokens } = limitsOf({ effort }, total, thinks)
        expect((thinkingWindow as number) + (maxTokens as number)).toBe(total)
        expect(maxTokens).toBeGreaterThan(0)
      }
    }
  })
})

describe('an ordinary chat model', () => {
  it.each<[string, ThinkingAsked, number | undefined, object]>([
    ['answers when nothing is asked', {}, 100, { maxTokens: 100 }],
    ['within the context, without a hint', {}, undefined, { maxTokens: 1010 }],
    ['does not think when it shall not', { thinks: false }, 100, { maxTokens: 100 }],
    ['thinks when it shall', { thinks: true }, 100, { thinkingWindow: 60, maxTokens: 40 }],
    ['thinks with a window', { window: 5 }, 100, { thinkingWindow: 5, maxTokens: 95 }],
    ['thinks with an effort', { effort: 'medium' }, 100, { thinkingWindow: 30, maxTokens: 70 }],
  ])('%s', (_, asked, total, expected) => {
    expect(limitsOf(asked, total, chats)).toEqual(expected)
  })
})

describe('a context that is not known', () => {
  it('leaves what was not given to the reasoner', () => {
    expect(limitsOf({}, undefined, unknown)).toEqual({ thinkingWindow: 512 })
    expect(limitsOf({ window: 9 }, undefined, unknown)).toEqual({ thinkingWindow: 9 })
    expect(limitsOf({ window: 9 }, 20, unknown)).toEqual({ thinkingWindow: 9, maxTokens: 11 })
    expect(limitsOf({ window: Infinity }, undefined, unknown)).toEqual({ thinkingWindow: Infinity })
  })

  it('gives no share', () => {
    expect(() => limitsOf({ effort: 'low' }, undefined, unknown)).toThrow(/^Expected max_tokens beside an effort/)
  })
})

it('refuses a window that leaves no answer, in the words of the client', () => {
  const names = { window: 'thinking.budget_tokens', total: 'max_tokens' }
  for (const window of [100, 101]) {
    expect(() => limitsOf({ window }, 100, thinks, names)).toThrow(
      `Expected thinking.budget_tokens < max_tokens (100), which counts thinking and answer, but received ${window}`,
    )
  }
  expect(limitsOf({ window: 99 }, 100, thinks)).toEqual({ thinkingWindow: 99, maxTokens: 1 })
})

it('asks for a token at least where nothing fits, so that the reasoner says what is needed', () => {
  expect(limitsOf({}, undefined, { ...chats, left: -5 })).toEqual({ maxTokens: 1 })
  expect(limitsOf({ window: 50 }, undefined, { ...thinks, left: 20 })).toEqual({ thinkingWindow: 50, maxTokens: 1 })
  expect(limitsOf({ effort: 'max' }, undefined, { ...thinks, left: -5 })).toEqual({ thinkingWindow: 0, maxTokens: 1 })
})
