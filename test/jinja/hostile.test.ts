/**
 * Templates come with models from strangers: none may hold the event loop, fill the memory, or fail with anything but a
 * TemplateError. A test that does not come back is ended by vitest.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { TemplateError } from '../../lib/jinja/budget.js'
import { toValue } from '../../lib/jinja/convert.js'
import { Template } from '../../lib/jinja/template.js'
import { missing, templates } from './cases.js'

function outcome(source: string): string {
  try {
    return `text of ${new Template(source).render([], { values: 0, characters: 0 }).value.length}`
  } catch (error) {
    if (error instanceof TemplateError) return error.message
    throw error
  }
}

const many = (text: string, count = 100_000) => text.repeat(count)
const STEPS = /^it takes more than 200000 steps$/
const TEXT = /^it makes more than 67108864 characters of text$/
const DEEP = /^it nests more than 500 levels deep$/
const RANGE = /^a range has more than 100000 elements$/
const LONG = /^it is longer than 500000 characters$/
/** `ns.x` grows in a loop. */
const grown = (first: string, next: string, use: string, times = 60) =>
  `{% set ns = namespace(x=${first}) %}{% for i in range(${times}) %}{% set ns.x = ${next} %}{% endfor %}${use}`
const loop = (body: string, times = 90_000) => `{% for i in range(${times}) %}${body}{% endfor %}`

describe('a budget ends', () => {
  it.each([
    ['a range', '{% for i in range(1000000000) %}{% endfor %}x', RANGE],
    ['a range that is counted', '{{ range(100000000) | list | length }}', RANGE],
    ['nested loops', loop(loop(loop('x'))), STEPS],
    ['replacements of replacements', `{{ 'a'${many(".replace('a', 'aaaaaaaaaa')", 9)} }}`, STEPS],
    ['a text that doubles', grown("'a'", 'ns.x ~ ns.x', '{{ ns.x }}'), TEXT],
    ['a list that doubles', grown('[1]', 'ns.x + ns.x', ''), STEPS],
    ['a list of shared lists', grown('[1]', '[ns.x, ns.x]', '{{ ns.x }}'), STEPS],
    ['a key of shared tuples', grown('(1, 2)', '(ns.x, ns.x)', '{{ {ns.x: 1} }}'), /^a key has more than 1000 items$/],
    ['a list in a list in a list', grown('[]', '[ns.x]', '{{ ns.x }}', 20_000), DEEP],
    ['lists that are compared', grown('[]', '[ns.x]', '{{ ns.x == [ns.x] }}', 20_000), DEEP],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', DEEP],
    ['a loop that calls itself', '{% for x in [1] recursive %}{{ loop([1]) }}{% endfor %}', DEEP],
    ['a repeated text', "{{ 'a' * 1000000000 }}", STEPS],
    ['a repeated list', '{{ [1] * 1000000000 }}', STEPS],
    ['a wide text', "{{ 'a'.center(1000000000) }}", TEXT],
    ['a number with zeros', "{{ 'a'.zfill(1000000000) }}", TEXT],
    ['a wide number', "{{ '%1000000000d' % 1 }}", TEXT],
    ['a wide field', "{{ '{:1000000000}'.format(1) }}", TEXT],
    ['a precise number', "{{ '%.1000000000f' % 1 }}", /^the precision of a number is limited to 100$/],
    ['an indent', "{{ 'a\\nb' | indent(1000000000) }}", TEXT],
    ['an indent of JSON', '{{ [[1]] | tojson(indent=1000000000) }}', TEXT],
    ['a tab', "{{ '\\t'.expandtabs(1000000000) }}", TEXT],
    ['a filled row', '{{ [1] | batch(1000000000, 0) | list }}', STEPS],
    ['columns', '{{ [1] | slice(1000000000) | list }}', STEPS],
    ['a long separator', "{{ range(90000) | join('x' * 10000) }}", TEXT],
    ['a large power', '{{ 9 ** 9 ** 9 }}', /^an integer is out of range$/],
    [
      'a text that is searched again and again',
      `{% set s = 'a' * 100000 %}${loop("{{ 'b' in s }}")}`,
      /^it (takes|makes) more than/,
    ],
    [
      'a text that is compared again and again',
      `{% set s = 'a' * 100000 %}${loop("{{ s == s ~ '' }}")}`,
      /^it (takes|makes) more than/,
    ],
    [
      'a text whose characters are asked for',
      `{% set s = '😀' * 50000 %}${loop('{{ s[i] }}', 40_000)}`,
      /^it (takes|makes) more than/,
    ],
  ])('%s', (_, source, message) => {
    expect(outcome(source)).toMatch(message)
  })

  it.each([
    ['parentheses', `{{ ${many('(')}1${many(')')} }}`],
    ['brackets', `{{ ${many('[')}${many(']')} }}`],
    ['braces', `{{ ${many('{1:')}1${many('}')} }}`],
    ['minus signs', `{{ ${many('-')}1 }}`],
    ['negations', `{{ ${many('not ')}1 }}`],
    ['blocks', many('{% if true %}', 30_000)],
    ['a sum', `{{ 1${many('+1')} }}`],
    ['calls', `{{ f${many('()')} }}`],
    ['subscripts', `{{ f${many('[0]')} }}`],
    ['attributes', `{{ f${many('.a')} }}`],
    ['filters', `{{ f${many('|e')} }}`],
    ['conditions', `{{ ${many('1 if (', 50_000)}1${many(')', 50_000)} }}`],
  ])('%s, nested', (_, source) => {
    expect(outcome(source)).toMatch(DEEP)
  })

  it('a loop, however much input there is', () => {
    const render = (source: string, input: { values: number; characters: number }) => () =>
      new Template(source).render([], input)
    const loops = loop(loop(loop('x')))
    expect(render(loops, { values: 100, characters: 10_000 })).toThrow('it takes more than 310000 steps')
    expect(render(loops, { values: 1e6, characters: 1e8 })).toThrow('it takes more than 5000000 steps')
  })

  it('a source', () => {
    expect(outcome(`{{ '${'x'.repeat(30e6)}' }}`)).toMatch(LONG)
  })
})

describe('is read in one go', () => {
  it.each([
    ['a string without an end', `{{ '${many(' ', 200_000)}`],
    ['white space', `{{${many(' ', 400_000)}x }}`],
    ['lines of white space', `${many(`${many(' ', 500)}\n`, 900)}{% if x %}{% endif %}`],
    ['beginnings of tags', many('{', 400_000)],
    ['a comment without an end', many('{#')],
    ['raw text without an end', `{% raw %}${many('{% endra', 50_000)}`],
    ['branches', `{% if 0 %}${many('{% elif 0 %}', 30_000)}{% endif %}`],
    ['strings side by side', `{{ ${many("'b' ")} }}`],
    ['digits', `{{ ${many('9', 400_000)} }}`],
    ['escapes', `{{ '${many('\\x', 200_000)}' }}`],
    ['names', `{% set ${many('a,')}b = 1 %}`],
    ['tags to strip', "{{ ('<' * 100000) | striptags }}{{ ('<!--' * 30000) | striptags }}"],
    ['a field without an end', `{{ '${many('{')}'.format() }}`],
    ['a chain of comparisons', `{{ 1${many(' < 2')} }}`],
    ['a chain of conditions', `{{ 1${many(' if 0 else 1', 30_000)} }}`],
    ['one long word', "{{ ('a' * 150000) | title }}{{ ('a' * 150000) | wordcount }}{{ ('9' * 150000) | int }}"],
  ])('%s', (_, source) => {
    expect(outcome(source)).toBeTypeOf('string')
  })
})

it('nothing of JavaScript can be reached', () => {
  for (const name of ['constructor', '__proto__', 'toString', 'hasOwnProperty', 'prototype']) {
    expect(outcome(`{{ ''.${name} is defined }}{{ [].${name} is defined }}{{ {}.${name} is defined }}`)).toBe(
      `text of ${'FalseFalseFalse'.length}`,
    )
    expect(outcome(`{{ 'x' | ${name} }}`)).toBe(`No filter named '${name}'.`)
    expect(outcome(`{{ 'x' is ${name} }}`)).toBe(`No test named '${name}'.`)
    expect(outcome(`{{ ${name} is defined }}`)).toBe(`text of ${'False'.length}`)
    expect(outcome(`{{ {'${name}': 1}['${name}'] }}`)).toBe('text of 1')
  }
})

it.skipIf(missing)('mutated templates render or fail as templates do', () => {
  const files = readdirSync(templates).filter((file) => file.endsWith('.jinja'))
  const sources = files.map((file) => readFileSync(join(templates, file), 'utf8'))
  let state = 11
  const below = (n: number) => {
    state = (state * 48271) % 2147483647
    return state % n
  }
  const pieces = [
    '{{',
    '}}',
    '{%',
    '%}',
    '-',
    '|',
    '(',
    ')',
    '[',
    ']',
    "'",
    '"',
    '\\',
    ' if ',
    ' for ',
    ' in ',
    '.',
    '9',
    '😀',
  ]
  const message = { role: 'user', content: 'Hi' }
  let rendered = 0
  for (let i = 0; i < Number(process.env.Z1_MUTATIONS ?? 400); i++) {
    let source = sources[below(sources.length)] as string
    for (let cuts = 1 + below(3); cuts > 0; cuts--) {
      const at = below(source.length)
      const piece = below(2) ? (pieces[below(pieces.length)] as string) : source.slice(at, at + below(40))
      source = source.slice(0, at) + piece + source.slice(at + below(20))
    }
    const size = { values: 0, characters: 0 }
    try {
      const messages = toValue([message, { role: 'assistant', content: 'Ho' }, message], 'input', size)
      new Template(source).render([['messages', messages]], size)
      rendered++
    } catch (error) {
      if (!(error instanceof TemplateError)) throw new Error(`${i}: ${source}`, { cause: error })
    }
  }
  expect(rendered).toBeGreaterThan(10)
})
