/**
 * `POST /v1/completions` of OpenAI: goes on from a raw prompt. Without a window the response is one text, whatever the model; with
 * one, the thinking stands in a field of its own and the text is what followed the hint.
 */
import { integer, kind } from '../../base/checks.js'
import { RequestError } from '../../protocol/error.js'
import { type FieldTable, readFields, refuse, use } from '../../protocol/fields.js'
import { chatFinishReason } from '../../protocol/finish-reason.js'
import { textLogprobs } from '../../protocol/logprobs.js'
import type { Outcome, Part } from '../../protocol/outcome.js'
import { SAMPLING_FIELDS, samplingOptions } from '../../protocol/sampling.js'
import { chatUsage } from '../../protocol/usage.js'
import { windowOf } from '../../protocol/window-fields.js'
import type { ReasonResult } from '../../reason/result.js'
import type { Asked, Dialect, ResponseFacts, Writer } from '../dialect.js'
import { type Failure, openAiError } from '../failure.js'
import type { SseEvent } from '../sse.js'
import { streamOptions } from './chat.js'
import { COMMON_FIELDS, otherKeys, THINKING_FIELDS, tokens, warnOfOtherKeys } from './fields.js'

/** One prompt as text; a list of one is one too. */
const prompt = kind(
  'string',
  (value): value is string | [string] => {
    return typeof value === 'string' || (Array.isArray(value) && value.length === 1 && typeof value[0] === 'string')
  },
  { convert: (value) => (typeof value === 'string' ? value : value[0]) },
)

export const COMPLETION_FIELDS = {
  ...COMMON_FIELDS,
  ...SAMPLING_FIELDS,
  prompt: use(prompt),
  max_tokens: use(tokens),
  stream_options: use(streamOptions),
  n: refuse('a request has one response', 1),
  best_of: refuse('a request has one response', 1),
  echo: refuse('the text is what follows the prompt', false),
  logprobs: use(integer(0, 20)),
  suffix: refuse('text goes on at its end', ''),
} satisfies FieldTable

export const completions: Dialect = {
  idPrefix: 'cmpl-',
  error: openAiError,
  read(body, warnings, reasoningField): Asked {
    const fields = readFields({ ...THINKING_FIELDS, ...COMPLETION_FIELDS }, body, warnings) as CompletionValues
    warnOfOtherKeys(body, warnings)
    otherKeys(body, 'chat_template_kwargs', warnings)
    if (fields.prompt === undefined) throw new RequestError('Expected a prompt', 'prompt')
    const { asked, name } = windowOf(body)
    const continues = name === null
    return {
      model: fields.model,
      input: fields.prompt,
      options: {
        ...samplingOptions(fields),
        template: false,
        // What the server has for others is about templates.
        system: undefined,
        chatTemplate: undefined,
        templateVariables: undefined,
        ...(fields.logprobs !== undefined && { logprobs: { top: fields.logprobs, thinking: continues } }),
      },
      total: fields.max_tokens,
      thinking: asked,
      names: { window: name ?? 'thinking_window', total: 'max_tokens' },
      continues,
      stream: fields.stream ?? false,
      writer: (facts) => new CompletionWriter(facts, continues, reasoningField, fields.stream_options ?? false),
    }
  },
}

type CompletionValues = ReturnType<typeof readFields<typeof COMPLETION_FIELDS>>

class CompletionWriter implements Writer {
  readonly #facts: ResponseFacts
  readonly #continues: boolean
  readonly #reasoningField: string
  readonly #tellsUsage: boolean
  /** Of the text whose log-probabilities were told. */
  #offset = 0

  constructor(facts: ResponseFacts, continues: boolean, reasoningField: string, tellsUsage: boolean) {
    this.#facts = facts
    this.#continues = continues
    this.#reasoningField = reasoningField
    this.#tellsUsage = tellsUsage
  }

  start(): SseEvent[] {
    return []
  }

  part(part: Part): SseEvent[] {
    switch (part.type) {
      case 'reasoning':
        if (this.#continues) return [this.#text(part)]
        return [this.#chunk({ text: '', [this.#reasoningField]: part.text })]
      case 'cut':
      case 'toolCall': // a raw prompt has no tools
        return []
      case 'text':
        // Of a text that goes on, it would be a part of it again.
        return this.#continues ? [] : [this.#text(part)]
      case 'end': {
        const last = this.#chunk({ text: '', ...this.#metadata(part.outcome) }, chatFinishReason(part.result))
        const usage = { data: { ...this.#head(), choices: [], usage: this.#usage(part.result) } }
        return [last, ...(this.#tellsUsage ? [usage] : []), { data: '[DONE]' }]
      }
    }
  }

  failed(failure: Failure): SseEvent[] {
    return [{ data: openAiError(failure) }]
  }

  whole(result: ReasonResult, outcome: Outcome): object {
    const { text, reasoning } = outcome
    const said = this.#continues ? { text: result.text } : { text, [this.#reasoningField]: reasoning }
    const choice = {
      index: 0,
      ...said,
      ...this.#metadata(outcome),
      logprobs: textLogprobs(this.#continues ? all(result.logprobs) : result.logprobs?.answer),
      finish_reason: chatFinishReason(result),
    }
    return { ...this.#head(), choices: [choice], usage: this.#usage(result) }
  }

  #metadata({ metadata }: Outcome) {
    return this.#continues ? {} : { z1: metadata }
  }

  #usage({ usage }: ReasonResult) {
    if (!this.#continues) return chatUsage(usage)
    const { thinkingTokens, answerTokens } = usage
    return chatUsage({ ...usage, thinkingTokens: 0, answerTokens: thinkingTokens + answerTokens })
  }

  #text({ text, logprobs }: Extract<Part, { type: 'reasoning' | 'text' }>): SseEvent {
    const told = textLogprobs(logprobs, this.#offset)
    this.#offset += told?.tokens.join('').length ?? 0
    return this.#chunk({ text, logprobs: told })
  }

  #chunk(said: object, finishReason: string | null = null): SseEvent {
    const choice = { index: 0, logprobs: null, ...said, finish_reason: finishReason }
    return { data: { ...this.#head(), choices: [choice] } }
  }

  #head() {
    const { id, created, model, fingerprint } = this.#facts
    return { id, object: 'text_completion', created, model, system_fingerprint: fingerprint }
  }
}

/** Of a text that goes on, all tokens in order. */
function all(logprobs: ReasonResult['logprobs']) {
  return logprobs ? [...logprobs.reasoning, ...logprobs.answer] : undefined
}
