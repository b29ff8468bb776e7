import { describe, expect, it } from 'vitest'
import { WINDOW_FIELDS, windowKeysOf, windowOf } from '../../lib/protocol/window-fields.js'

const asked = (body: object) => windowOf(new Map(Object.entries(body))).asked

describe('every name', () => {
  it.each([
    [{ thinking_window: 5 }],
    [{ thinking_token_budget: 5 }],
    [{ reasoning_budget_tokens: 5 }],
    [{ thinking_budget_tokens: 5 }],
    [{ thinking_budget: 5 }],
    [{ reasoning_max_tokens: 5 }],
    [{ thinking: { type: 'enabled', budget_tokens: 5 } }],
    [{ chat_template_kwargs: { thinking_budget: 5 } }],
    [{ custom_params: { thinking_budget: 5 } }],
    [{ nvext: { max_thinking_tokens: 5 } }],
    [{ reasoning: { max_tokens: 5 } }],
  ])('%j is a window of 5', (body) => {
    expect(asked(body)).toEqual({ window: 5 })
  })

  it.each([
    [{ reasoning_effort: 'low' }],
    [{ reasoning: { effort: 'low', summary: null } }],
    [{ output_config: { effort: 'low' } }],
    [{ think: 'low' }],
  ])('%j is a low effort', (body) => {
    expect(asked(body)).toEqual({ effort: 'low' })
  })

  it.each([
    [{ enable_thinking: false }],
    [{ chat_template_kwargs: { enable_thinking: false } }],
    [{ chat_template_kwargs: { thinking: false } }],
    [{ thinking: { type: 'disabled' } }],
    [{ reasoning: { enabled: false } }],
    [{ think: false }],
  ])('%j is no thinking', (body) => {
    expect(asked(body)).toEqual({ thinks: false })
  })

  it.each([
    [{}],
    [{ thinking_window: null, reasoning: null, thinking: undefined }],
    [{ thinking: { type: 'adaptive' } }],
    [{ chat_template_kwargs: { other: 5 } }],
  ])('%j says nothing', (body) => {
    expect(windowOf(new Map(Object.entries(body)))).toEqual({ asked: {}, name: null })
  })

  it('-1 is as much as possible', () => {
    expect(asked({ reasoning_budget_tokens: -1 })).toEqual({ window: Infinity })
  })
})

describe('two', () => {
  it.each([
    [{ thinking_window: 5, thinking_budget: 5 }, { window: 5 }],
    [{ thinking_window: 5, enable_thinking: true }, { window: 5 }],
    [{ enable_thinking: true, thinking_window: 5 }, { window: 5 }],
    [{ enable_thinking: false, thinking_budget: 0 }, { window: 0 }],
    [{ reasoning_effort: 'none', enable_thinking: false }, { effort: 'none' }],
    [{ reasoning_effort: 'none', thinking_window: 0 }, { window: 0 }],
    [{ reasoning_effort: 'high', think: true }, { effort: 'high' }],
  ])('%j agree', (body, expected) => {
    expect(asked(body)).toEqual(expected)
  })

  it.each([
    [{ thinking_window: 5, thinking_budget: 6 }, 'thinking_budget'],
    [{ thinking_window: 5, enable_thinking: false }, 'enable_thinking'],
    [{ thinking_window: 0, enable_thinking: true }, 'enable_thinking'],
    [{ thinking_window: 5, reasoning_effort: 'low' }, 'reasoning_effort'],
    [{ reasoning_effort: 'low', reasoning: { effort: 'high' } }, 'reasoning.effort'],
    [{ thinking_budget: 5, chat_template_kwargs: { thinking_budget: 6 } }, 'chat_template_kwargs.thinking_budget'],
    [{ enable_thinking: true, think: false }, 'think'],
  ])('%j disagree', (body, param) => {
    expect(() => asked(body)).toThrow(/^(\S+) and (\S+) disagree: give one of them$/)
    expect(() => asked(body)).toThrow(expect.objectContaining({ param, status: 400 }))
  })

  it('are named by the one that says more', () => {
    expect(windowOf(new Map(Object.entries({ enable_thinking: true, thinking_budget_tokens: 3 }))).name).toBe(
      'thinking_budget_tokens',
    )
  })
})

describe('a wrong value', () => {
  it.each([
    [{ thinking_window: 1.5 }],
    [{ thinking_window: -2 }],
    [{ thinking_window: '5' }],
    [{ thinking_window: {} }],
    [{ enable_thinking: 'yes' }],
    [{ reasoning_effort: 'huge' }],
    [{ reasoning: 'high' }],
    [{ thinking: [] }],
    [{ thinking: { type: 'sometimes' } }],
    [{ chat_template_kwargs: { enable_thinking: 1 } }],
  ])('%j is refused', (body) => {
    expect(() => asked(body)).toThrow(/^Expected .* but received /)
  })
})

it('says which fields it reads, and what of them', () => {
  expect(WINDOW_FIELDS).toContain('chat_template_kwargs')
  expect(windowKeysOf('reasoning')).toEqual(['effort', 'max_tokens', 'enabled'])
  expect(windowKeysOf('thinking_window')).toEqual([])
})
