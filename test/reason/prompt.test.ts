/** The think tags of a rendered prompt, given templates and variables, and formats that are refused. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ModelMetadata } from '../../lib/native/binding.js'
import type { ChatMessage } from '../../lib/reason/messages.js'
import { checkReasonOptions, type ReasonOptions } from '../../lib/reason/options.js'
import { PromptRenderer, type TemplateOptions } from '../../lib/reason/prompt.js'
import { missing, templates } from '../jinja/cases.js'

function prompts(chatTemplate: string | null, given: TemplateOptions = {}) {
  const renderer = new PromptRenderer(
    { chatTemplate, bosText: '<s>', eosText: '</s>', specialTokens: [] } as unknown as ModelMetadata,
    given,
  )
  return (input: string | ChatMessage[] = 'Hi', options: ReasonOptions = {}) => {
    const { segments, ...rest } = renderer.render(input, checkReasonOptions(options))
    return { text: segments.map(({ text }) => text).join(''), ...rest }
  }
}

const plain = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>'

describe('tags that no source spells', () => {
  it.each([
    ['a macro that builds it', `{% macro tag(n) %}{{ '<' ~ n ~ '>' }}{% endmacro %}${plain}{{ tag('think') }}\n`],
    ['joined words', `${plain}{{ ['<thi', 'nk>'] | join }}`],
    ['an empty block', `${plain}{{ '<%s></%s>' % ('think', 'think') }}`],
  ])('are taken off the end: %s', (_, template) => {
    const { text, tags, thinks } = prompts(template)()
    expect(text).toBe('<user>Hi<assistant>')
    expect(tags).toMatchObject({ open: '<think>', close: '</think>' })
    expect(thinks).toBe(true)
    expect(prompts(template)('Hi', { tags: 'keep' }).text).toMatch(/<assistant><think>\n?$/)
  })

  it('of a variant are found by their form', () => {
    const template = `${plain}{{ '<think{}></think{}>'.format(':x', ':x') }}`
    expect(prompts(template)()).toMatchObject({
      text: '<user>Hi<assistant>',
      tags: { open: '<think:x>', close: '</think:x>' },
      thinks: true,
    })
  })

  it("are the template's only: a message may spell them", () => {
    expect(prompts(plain)('What is <think>?')).toEqual({
      text: '<user>What is <think>?<assistant>',
      tags: null,
      callForm: false,
      thinks: false,
    })
  })

  it('can be named', () => {
    const template = `${plain}[deliberate]\n`
    const tags = { open: '[deliberate]', close: '[/deliberate]' }
    expect(prompts(template)().text).toBe('<user>Hi<assistant>[deliberate]')
    expect(prompts(template)('Hi', { tags }).text).toBe('<user>Hi<assistant>')
    expect(prompts(plain)('Hi', { tags: { ...tags, mode: 'keep' } }).text).toBe('<user>Hi<assistant>[deliberate]')
  })
})

describe('what is given', () => {
  const given = { chatTemplate: 'L:{{ a }}{{ b }}{{ messages[0].content }}', templateVariables: { a: 1, b: 2 } }

  it('with the model goes before its own template, and with the request before that', () => {
    expect(prompts(plain, given)().text).toBe('L:12Hi')
    expect(prompts(null, given)().text).toBe('L:12Hi')
    expect(prompts(plain, given)('Hi', { templateVariables: { b: 3 } }).text).toBe('L:13Hi')
    expect(prompts(plain, given)('Hi', { chatTemplate: 'R:{{ a }}' }).text).toBe('R:1')
  })

  it('takes the place of what every template gets', () => {
    expect(prompts('{{ bos_token }}{{ messages[0].content }}', { templateVariables: { bos_token: '' } })().text).toBe(
      'Hi',
    )
  })
})

describe('roles', () => {
  const known = "{% for m in messages %}{% if m.role == 'user' %}{{ m.content }}{% endif %}{% endfor %}"

  it('that a template leaves out are an error, and not a message that is gone', () => {
    const messages = [
      { role: 'narrator', content: 'Night.' },
      { role: 'user', content: 'Hi' },
    ]
    expect(() => prompts(known)(messages)).toThrow('The chat template leaves out message 0, of the role narrator')
    expect(() => prompts(known)('Hi', { system: 'Be brief.' })).toThrow('leaves out message 0, of the role system')
    expect(prompts(plain)(messages).text).toBe('<narrator>Night.<user>Hi<assistant>')
  })
})

describe.skipIf(missing)('formats with a message for each channel', () => {
  const source = (name: string) => readFileSync(join(templates, `${name}.jinja`), 'utf8')

  it.each([
    'openai-gpt-oss-120b',
    'muse-glimmer',
    'upstage-Solar-Open-100B',
    'meetkai-functionary-medium-v3.2',
  ])('%s is refused, but for raw prompts', (name) => {
    expect(() => prompts(source(name))()).toThrow(
      expect.objectContaining({
        code: 'MODEL_UNSUPPORTED',
        message: expect.stringMatching(/^The model writes thinking and answer as messages of their own/),
      }),
    )
    expect(prompts(source(name))('raw', { template: false }).text).toBe('raw')
  })

  it.each([
    ['google-gemma-4-31B-it', '<|turn>model\n'],
    ['Kimi-K3', '<|open|>message role="assistant"<|sep|>'],
    ['tencent-Hy3', '<｜hy_Assistant:opensource｜>'],
    ['ibm-granite-granite-4.0', '<|start_of_role|>assistant<|end_of_role|>'],
    ['poolside-Laguna-XS.2', '<assistant>\n'],
    ['deepseek-ai-DeepSeek-V3.2', '<｜Assistant｜>'],
  ])('%s is not one of them: its prompt ends before the thinking', (name, end) => {
    const { text } = prompts(source(name))()
    expect(text.slice(-end.length)).toBe(end)
  })
})
