/** `POST /v1/chat/completions` of OpenAI, with the reasoning where llama-server, vLLM and DeepSeek have it. */
import { boolean, integer, isPlainObject, kind, text } from '../../base/checks.js'
import { RequestError } from '../../protocol/error.js'
import { type FieldTable, ignore, readFields, refuse, refuseUnless, use } from '../../protocol/fields.js'
import { chatFinishReason } from '../../protocol/finish-reason.js'
import { chatLogprobs, logprobsOf } from '../../protocol/logprobs.js'
import { chatMessages } from '../../protocol/messages.js'
import type { Outcome, Part } from '../../protocol/outcome.js'
import { SAMPLING_FIELDS, samplingOptions } from '../../protocol/sampling.js'
import { structureOf } from '../../protocol/structure.js'
import { chatCallDelta, chatCalls, chatTools } from '../../protocol/tools.js'
import { chatUsage } from '../../protocol/usage.js'
import { windowOf } from '../../protocol/window-fields.js'
import type { ReasonResult } from '../../reason/result.js'
import type { Asked, Dialect, ResponseFacts, Writer } from '../dialect.js'
import { type Failure, openAiError } from '../failure.js'
import type { SseEvent } from '../sse.js'
import {
  COMMON_FIELDS,
  elsewhere,
  isEmpty,
  otherKeys,
  THINKING_FIELDS,
  TOOL_FIELDS,
  tokens,
  warnOfOtherKeys,
} from './fields.js'

export const streamOptions = kind('object', (value): value is object => isPlainObject(value), {
  convert: (value) => (value as { include_usage?: unknown }).include_usage === true,
})

const isTextOnly = (value: unknown) => Array.isArray(value) && value.length === 1 && value[0] === 'text'

export const CHAT_FIELDS = {
  ...COMMON_FIELDS,
  ...SAMPLING_FIELDS,
  ...TOOL_FIELDS,
  messages: elsewhere,
  max_tokens: use(tokens),
  max_completion_tokens: use(tokens),
  stream_options: use(streamOptions),
  response_format: elsewhere,
  grammar: use(text),
  json_schema: refuse('response_format asks for one'),
  guided_json: refuse('response_format asks for one'),
  structured_outputs: refuse('response_format asks for a schema'),
  n: refuse('a request has one response', 1),
  logprobs: use(boolean),
  top_logprobs: use(integer(0, 20)),
  audio: refuse('messages are text'),
  modalities: refuseUnless('messages are text', isTextOnly),
  functions: refuseUnless('tools asks for them', isEmpty),
  function_call: refuse('tool_choice asks for one', 'none', 'auto'),
  web_search_options: refuse('nothing is searched'),
  moderation: refuse('nothing is moderated'),
  prediction: ignore('it would only be faster'),
  verbosity: ignore('the model has no such setting'),
} satisfies FieldTable

export const chat: Dialect = {
  idPrefix: 'chatcmpl-',
  error: openAiError,
  read(body, warnings, reasoningField): Asked {
    const fields = readFields({ ...THINKING_FIELDS, ...CHAT_FIELDS }, body, warnings) as ChatValues
    warnOfOtherKeys(body, warnings)
    const { max_tokens: old, max_completion_tokens: total = old } = fields
    if (old !== undefined && old !== total) {
      throw new RequestError('max_tokens and max_completion_tokens disagree: give one of them', 'max_tokens')
    }
    const { asked, name } = windowOf(body)
    const variables = otherKeys(body, 'chat_template_kwargs')
    const format = fields.response_format
    return {
      model: fields.model,
      input: chatMessages(body.get('messages')),
      options: {
        ...samplingOptions(fields),
        ...chatTools(body),
        ...logprobsOf(fields.logprobs, fields.top_logprobs),
        ...(Object.keys(variables).length > 0 ? { templateVariables: variables } : {}),
        ...(format === undefined ? {} : structureOf(format, 'response_format')),
        ...(fields.grammar === undefined ? {} : { grammar: fields.grammar }),
      },
      total,
      thinking: asked,
      names: {
        window: name ?? 'thinking_window',
        total: fields.max_completion_tokens === undefined ? 'max_tokens' : 'max_completion_tokens',
      },
      continues: false,
      stream: fields.stream ?? false,
      writer: (facts) => new ChatWriter(facts, reasoningField, fields.stream_options ?? false),
    }
  },
}

type ChatValues = ReturnType<typeof readFields<typeof CHAT_FIELDS>>

class ChatWriter implements Writer {
  readonly #facts: ResponseFacts
  readonly #reasoningField: string
  readonly #tellsUsage: boolean

  constructor(facts: ResponseFacts, reasoningField: string, tellsUsage: boolean) {
    this.#facts = facts
    this.#reasoningField = reasoningField
    this.#tellsUsage = tellsUsage
  }

  start(): SseEvent[] {
    return [this.#chunk({ role: 'assistant', content: '' })]
  }

  part(part: Part): SseEvent[] {
    switch (part.type) {
      case 'reasoning':
        return [this.#chunk({ [this.#reasoningField]: part.text })]
      case 'cut': {
        const { ended, thinkingTokens, hint } = part
        return [this.#chunk({ z1: { ended, thinkingTokens, hint } })]
      }
      case 'text':
        return [this.#chunk({ content: part.text }, null, chatLogprobs(part.logprobs))]
      case 'toolCall':
        return part.deltas.map((delta) => this.#chunk({ tool_calls: [chatCallDelta(delta)] }))
      case 'end': {
        const last = this.#chunk({ z1: part.outcome.metadata }, chatFinishReason(part.result))
        return [last, ...(this.#tellsUsage ? [this.#usage(part.result)] : []), { data: '[DONE]' }]
      }
    }
  }

  failed(failure: Failure): SseEvent[] {
    return [{ data: openAiError(failure) }]
  }

  whole(result: ReasonResult, { reasoning, text, metadata }: Outcome): object {
    const calls = chatCalls(result.toolCalls)
    const logprobs = chatLogprobs(result.logprobs?.answer)
    const message = {
      role: 'assistant',
      content: text === '' && calls.length > 0 ? null : text,
      refusal: null,
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
      ...(reasoning === '' ? {} : { [this.#reasoningField]: reasoning }),
      z1: metadata,
    }
    return {
      ...this.#head('chat.completion'),
      choices: [{ index: 0, message, logprobs, finish_reason: chatFinishReason(result) }],
      usage: chatUsage(result.usage),
    }
  }

  #chunk(delta: object, finishReason: string | null = null, logprobs: object | null = null): SseEvent {
    const choices = [{ index: 0, delta, logprobs, finish_reason: finishReason }]
    return { data: { ...this.#head('chat.completion.chunk'), choices, ...(this.#tellsUsage ? { usage: null } : {}) } }
  }

  #usage({ usage }: ReasonResult): SseEvent {
    return { data: { ...this.#head('chat.completion.chunk'), choices: [], usage: chatUsage(usage) } }
  }

  #head(object: string) {
    const { id, created, model, fingerprint } = this.#facts
    return { id, object, created, model, system_fingerprint: fingerprint }
  }
}
