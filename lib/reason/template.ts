/**
 * From messages to prompt text: the chat template, and the division of what it renders into text of the template, where
 * control tokens are recognized, and text of messages, where they are not. Knows nothing of tokens' ids: what the
 * segments become is the tokenizer's.
 */
import { Z1Error } from '../base/errors.js'
import { TemplateError } from '../jinja/budget.js'
import { type JsonValue, toValue } from '../jinja/convert.js'
import { Template } from '../jinja/template.js'
import type { Text } from '../jinja/text.js'
import type { Value } from '../jinja/values.js'
import type { ModelMetadata, TextSegment } from '../native/binding.js'
import type { ChatMessage, MessageToolCall } from './messages.js'

type SpecialTokens = ModelMetadata['specialTokens']

/** Variables of a template beside the messages. */
export type TemplateVariables = Readonly<Record<string, JsonValue>>

/** A chat template, parsed once. */
export class ChatTemplate {
  readonly #template: Template
  readonly #constants: TemplateVariables

  /** @throws {Z1Error} TEMPLATE_FAILED when the source is not a template. */
  constructor(source: string, { bosText, eosText }: Pick<ModelMetadata, 'bosText' | 'eosText'>) {
    this.#template = attempt(() => new Template(source))
    // The variables that Hugging Face's apply_chat_template passes; templates ask whether tools and documents are none.
    this.#constants = {
      add_generation_prompt: true,
      bos_token: bosText,
      eos_token: eosText,
      tools: null,
      documents: null,
    }
  }

  /**
   * The prompt for the next assistant message, in which the contents of messages and the texts of variables are marked.
   * @param variables Beside those that every template gets, or in their place.
   * @throws {Z1Error} TEMPLATE_FAILED when the template refuses the messages, fails, or takes more steps or text than it
   * may.
   */
  render(messages: readonly ChatMessage[], variables: TemplateVariables = {}): Text {
    const size = { values: 0, characters: 0 }
    const values = new Map<string, Value>()
    for (const [name, value] of Object.entries(this.#constants)) values.set(name, toValue(value, 'template', size))
    for (const [name, value] of Object.entries(variables)) values.set(name, toValue(value, 'input', size))
    // A role is a word that the template writes between control tokens, which it may be a part of.
    const conversation = messages.map(({ role, content, toolCalls, toolCallId }) => ({
      role,
      content,
      ...(toolCalls && toolCalls.length > 0 ? { tool_calls: toolCalls.map(templateCall) } : {}),
      ...(toolCallId === undefined ? {} : { tool_call_id: toolCallId }),
    }))
    values.set(
      'messages',
      toValue(conversation, 'input', size, (name) => name !== 'role'),
    )
    return attempt(() => this.#template.render(values, size))
  }
}

function templateCall({ id, name, arguments: given }: MessageToolCall): JsonValue {
  const call = { type: 'function', function: { name, arguments: given as JsonValue } }
  return id === undefined ? call : { id, ...call }
}

function attempt<T>(action: () => T): T {
  try {
    return action()
  } catch (cause) {
    if (!(cause instanceof TemplateError)) throw cause
    const at = cause.line === undefined ? '' : ` at line ${cause.line}`
    throw new Z1Error('TEMPLATE_FAILED', `The chat template failed${at}: ${cause.message}`, { cause })
  }
}

/**
 * A rendered prompt as text segments in which only the template writes control tokens: what stands in a message is text,
 * whatever it spells. A prompt whose messages have no part in a control token is one segment, which tokenizes as Hugging
 * Face's does.
 */
export function segmentPrompt(prompt: Text, specialTokens: SpecialTokens): TextSegment[] {
  if (!spellsControl(prompt, specialTokens)) {
    return prompt.value ? [{ text: prompt.value, parseSpecial: true, continuation: false }] : []
  }
  const segments: TextSegment[] = []
  for (const { text, input } of prompt.parts()) {
    const before = segments.at(-1)
    // Vocabularies that begin a text with a space do so again after every special token (llama-vocab.cpp, tokenize).
    const afterToken = specialTokens.some(
      ({ text: token, control }) => token && before?.text.endsWith(token) && (before.parseSpecial || !control),
    )
    segments.push({ text, parseSpecial: !input, continuation: before !== undefined && !afterToken })
  }
  return segments
}

/**
 * Whether text of a message is a part of what the tokenizer would recognize as a control token. User-defined tokens are
 * recognized in any text.
 */
function spellsControl(prompt: Text, specialTokens: SpecialTokens): boolean {
  if (prompt.inputs.length === 0) return false
  let at = 0
  for (const [start, end] of controlSpans(prompt.value, specialTokens)) {
    while (at < prompt.inputs.length && (prompt.inputs[at] as readonly [number, number])[1] <= start) at++
    const input = prompt.inputs[at]
    if (!input) return false
    if (input[0] < end) return true
  }
  return false
}

/** Where a text spells control tokens: from left to right, the longest first, as the tokenizer does. */
function* controlSpans(text: string, specialTokens: SpecialTokens): Generator<[start: number, end: number]> {
  let index = indices.get(specialTokens)
  if (!index) {
    index = controlIndex(specialTokens)
    indices.set(specialTokens, index)
  }
  for (let at = 0; at < text.length; at++) {
    const length = index.get(text.charCodeAt(at))?.find((token) => text.startsWith(token, at))?.length
    if (length === undefined) continue
    yield [at, at + length]
    at += length - 1
  }
}

/** One index per model. */
const indices = new WeakMap<SpecialTokens, Map<number, string[]>>()

/** Control tokens by their first UTF-16 unit, the longest first. */
function controlIndex(specialTokens: SpecialTokens): Map<number, string[]> {
  const index = new Map<number, string[]>()
  for (const { text, control } of specialTokens) {
    if (!control || !text) continue
    const first = text.charCodeAt(0)
    index.set(first, [...(index.get(first) ?? []), text])
  }
  for (const texts of index.values()) texts.sort((a, b) => b.length - a.length)
  return index
}
