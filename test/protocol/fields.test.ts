import { expect, it } from 'vitest'
import { boolean, text } from '../../lib/base/checks.js'
import { ignore, readFields, refuse, refuseUnless, use } from '../../lib/protocol/fields.js'
import { SAMPLING_FIELDS, samplingOptions } from '../../lib/protocol/sampling.js'
import { structureOf } from '../../lib/protocol/structure.js'

const table = {
  model: use(text),
  stream: use(boolean),
  user: ignore('nobody is told apart'),
  n: refuse('a request has one response', 1),
  tools: refuseUnless('tool calls are not', (value) => Array.isArray(value) && value.length === 0),
}

function read(body: object) {
  const warnings: string[] = []
  return { values: readFields(table, new Map(Object.entries(body)), warnings), warnings }
}

it('are used, named when they have no effect, and null is absent', () => {
  const body = { model: 'm', stream: null, user: 'u', n: 1, tools: [], modle: 1, constructor: 2 }
  expect(read(body)).toEqual({
    values: { model: 'm' },
    warnings: ['user has no effect', 'modle is unknown (did you mean model?)', 'constructor is unknown'],
  })
})

it.each([
  [{ n: 2 }, 'n', 'n is not supported: a request has one response'],
  [{ tools: [{}] }, 'tools', 'tools is not supported: tool calls are not'],
  [{ stream: 'yes' }, 'stream', 'Expected boolean for stream but received "yes"'],
])('%j is refused', (body, param, message) => {
  expect(() => read(body)).toThrow(expect.objectContaining({ param, message, status: 400 }))
})

it('name an unknown field in one line', () => {
  const [warning = ''] = read({ ['x\n'.repeat(100)]: 1 }).warnings
  expect(warning).not.toContain('\n')
  expect(warning.length).toBeLessThan(80)
})

it('of sampling are options, each under a name', () => {
  const body: Record<keyof typeof SAMPLING_FIELDS, unknown> = {
    temperature: 0.5,
    top_p: 0.6,
    top_k: 7,
    min_p: 0.1,
    typical_p: 0.8,
    repeat_penalty: 1.1,
    repetition_penalty: 1.1,
    frequency_penalty: 0.2,
    presence_penalty: 0.3,
    repeat_last_n: 9,
    dry_multiplier: 0.4,
    dry_base: 1.5,
    dry_allowed_length: 3,
    dry_penalty_last_n: 10,
    dry_sequence_breakers: ['x'],
    xtc_probability: 0.11,
    xtc_threshold: 0.12,
    logit_bias: { 3: -100 },
    seed: 5,
    stop: ['a'],
    stop_in_thinking: true,
    hint: 'boxed',
    loops: true,
    cache_prompt: false,
    speculation: true,
  }
  const warnings: string[] = []
  const options = samplingOptions(readFields(SAMPLING_FIELDS, new Map(Object.entries(body)), warnings))
  expect(warnings).toEqual([])
  expect(options).toEqual({
    temperature: 0.5,
    topP: 0.6,
    topK: 7,
    minP: 0.1,
    typicalP: 0.8,
    repeatPenalty: 1.1,
    frequencyPenalty: 0.2,
    presencePenalty: 0.3,
    penaltyLastN: 9,
    dryMultiplier: 0.4,
    dryBase: 1.5,
    dryAllowedLength: 3,
    dryPenaltyLastN: 10,
    drySequenceBreakers: ['x'],
    xtcProbability: 0.11,
    xtcThreshold: 0.12,
    logitBias: [[3, -100]],
    seed: 5,
    stop: ['a'],
    stopInThinking: true,
    hint: '\n\nI overthought it, the final answer in \\boxed{} should be:\n\n',
    loops: true,
    cachePrompt: false,
    speculation: true,
  })
  expect(samplingOptions({})).toEqual({})
  expect(samplingOptions({ seed: -1 })).toEqual({})
  expect(() => samplingOptions({ repeat_penalty: 1, repetition_penalty: 2 })).toThrow('disagree')
})

it('ask for a form of the answer', () => {
  expect(structureOf({ type: 'text' }, 'response_format')).toEqual({})
  expect(structureOf({ type: 'json_object' }, 'response_format')).toEqual({ schema: { type: 'object' } })
  const schema = { type: 'array' }
  expect(structureOf({ type: 'json_schema', json_schema: { name: 'x', schema } }, 'response_format')).toEqual({
    schema,
  })
  expect(structureOf({ type: 'json_schema', name: 'x', schema }, 'text.format')).toEqual({ schema })
  expect(() => structureOf({ type: 'json_schema' }, 'text.format')).toThrow('Expected a schema in text.format')
  expect(() => structureOf({ type: 'xml' }, 'response_format')).toThrow(
    /^Expected text, json_object or json_schema for/,
  )
  expect(() => structureOf('json', 'response_format')).toThrow('Expected an object for response_format')
})
