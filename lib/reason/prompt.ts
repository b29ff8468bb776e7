/** From input and options to the text of a prompt: the template, its variables, and the think tags in it. */
import { Z1Error } from '../base/errors.js'
import { concat, Text } from '../jinja/text.js'
import type { ModelMetadata, TextSegment } from '../native/binding.js'
import { callFormProblem } from './call-form.js'
import type { ChatMessage } from './messages.js'
import type { ResolvedReasonOptions } from './options.js'
import {
  ensureOpenTag,
  findTags,
  KNOWN_TAGS,
  stripOpenTag,
  type Tags,
  tagsOf,
  templateTags,
  writtenTags,
} from './tags.js'
import { ChatTemplate, segmentPrompt, type TemplateVariables } from './template.js'
import { callsAllowed, templateTools } from './tools.js'

/** What a template is given by those who load a model. */
export interface TemplateOptions {
  /** In place of the model's own. */
  chatTemplate?: string | undefined
  templateVariables?: TemplateVariables | undefined
}

export interface Prompt {
  segments: TextSegment[]
  /** The think tags of the model, or those that were asked for; null: there are none. */
  tags: Tags | null
  /** Whether the template shows a model that was made to think. */
  thinks: boolean
  /** Whether the template knows tool calls in the form that is understood, and was given no tools but those of the request. */
  callForm: boolean
}

type PromptOptions = Pick<
  ResolvedReasonOptions,
  'tags' | 'system' | 'template' | 'chatTemplate' | 'templateVariables' | 'calls'
>

/** What depends on the source of a template alone. */
interface SourceFacts {
  source: string | null
  ownTags: Tags | null
  thinks: boolean
  /** Parsed when a prompt is rendered: a raw one needs none. */
  template?: ChatTemplate
  /** Why tools cannot be called; null: they can. */
  callProblem?: string | null
}

/** Renders the prompts of one model. */
export class PromptRenderer {
  readonly #metadata: ModelMetadata
  readonly #given: TemplateOptions
  /** Of the template of the last request, which is mostly that of all. */
  #last: SourceFacts | undefined

  constructor(metadata: ModelMetadata, given: TemplateOptions = {}) {
    this.#metadata = metadata
    this.#given = given
  }

  /** @throws {Z1Error} TEMPLATE_FAILED, TEMPLATE_NOT_FOUND, TOOLS_UNSUPPORTED, MODEL_UNSUPPORTED, SCHEMA_INVALID. */
  render(input: string | readonly ChatMessage[], options: PromptOptions): Prompt {
    const source = options.chatTemplate ?? this.#given.chatTemplate ?? this.#metadata.chatTemplate
    const asked = typeof options.tags === 'object' ? tagsOf([options.tags.open, options.tags.close]) : null
    const { ownTags, thinks } = this.#factsOf(source)
    if (!options.template) {
      const segments = [{ text: input as string, parseSpecial: true, continuation: false }]
      return { segments, tags: asked ?? ownTags, thinks, callForm: false }
    }

    const messages: ChatMessage[] = typeof input === 'string' ? [{ role: 'user', content: input }] : [...input]
    if (options.system !== undefined) messages.unshift({ role: 'system', content: options.system })
    const variables = { ...this.#given.templateVariables, ...options.templateVariables }
    const facts = this.#factsOf(source)
    const template = this.#template(facts)
    if (facts.callProblem === undefined) facts.callProblem = callFormProblem(source as string, template)
    const { tools } = options.calls
    if (tools.length > 0) {
      if (facts.callProblem !== null && callsAllowed(options.calls)) throw unsupportedTools(facts.callProblem)
      variables.tools = templateTools(tools)
    }
    const rendered = template.render(messages, variables)
    checkShown(messages, rendered)

    const written = writtenTags(rendered.parts().flatMap(({ text, input: isInput }) => (isInput ? [] : [text])))
    const tags = asked ?? ownTags ?? (written ? tagsOf(written) : null)
    const prompt = withEnd(rendered, (end) => {
      checkHeader(end)
      if (keepsTags(options.tags)) return tags ? ensureOpenTag(end, tags) : end
      const pairs = [...(tags ? [tags] : []), ...KNOWN_TAGS.map(tagsOf)]
      return pairs.reduce(stripOpenTag, end)
    })
    return {
      segments: segmentPrompt(prompt, this.#metadata.specialTokens),
      tags,
      thinks: thinks || written !== undefined,
      callForm: facts.callProblem === null && (tools.length > 0 || variables.tools === undefined),
    }
  }

  #factsOf(source: string | null): SourceFacts {
    if (this.#last?.source !== source) {
      this.#last = {
        source,
        ownTags: findTags(source, this.#metadata.specialTokens),
        thinks: source !== null && templateTags(source) !== undefined,
      }
    }
    return this.#last as SourceFacts
  }

  #template(facts: SourceFacts): ChatTemplate {
    if (facts.source === null) {
      throw new Z1Error(
        'TEMPLATE_NOT_FOUND',
        'The model has no chat template: give one as chatTemplate, or the raw prompt and template: false',
      )
    }
    facts.template ??= new ChatTemplate(facts.source, this.#metadata)
    return facts.template
  }
}

/** Whether thinking stands between the tags. */
export function keepsTags(tags: ResolvedReasonOptions['tags']): boolean {
  return (typeof tags === 'object' ? tags.mode : tags) === 'keep'
}

/** What the template wrote after the last message changes; a message that ends in a think tag stays. */
function withEnd(prompt: Text, change: (end: string) => string): Text {
  const start = prompt.inputs.at(-1)?.[1] ?? 0
  return concat([prompt.slice(0, start), new Text(change(prompt.value.slice(start)))])
}

/**
 * gpt-oss and its like leave the header of the reply open: the model writes there which channel follows, thinking or
 * answer, and its response is markup throughout.
 */
function checkHeader(end: string): void {
  const header = /<\|(?:start|begin)\|>assistant\s*$|>>>$/.exec(end)?.[0]
  if (header === undefined) return
  throw new Z1Error(
    'MODEL_UNSUPPORTED',
    `The model writes thinking and answer as messages of their own (after ${header}), where no window can be enforced: ` +
      'give a chatTemplate that opens the message, or the raw prompt and template: false',
  )
}

function unsupportedTools(why: string): Z1Error {
  return new Z1Error('TOOLS_UNSUPPORTED', `The chat template cannot be used with tools: ${why}`)
}

/** A role that a template does not know is often left out without a word. */
function checkShown(messages: readonly ChatMessage[], rendered: Text): void {
  for (const [i, { role, content, toolCalls = [] }] of messages.entries()) {
    const missing = toolCalls.find(({ name }) => !rendered.value.includes(name))
    if (missing) throw new Z1Error('TEMPLATE_FAILED', `The chat template leaves out the tool calls of message ${i}`)
    if (role === 'user' || role === 'assistant' || content.trim() === '') continue
    if (rendered.value.includes(content.trim())) continue
    throw new Z1Error('TEMPLATE_FAILED', `The chat template leaves out message ${i}, of the role ${role}`)
  }
}
