/** `POST /v1/messages` of Anthropic. `thinking.budget_tokens` is the window. */
import { listOf, text } from '../../base/checks.js'
import { RequestError } from '../../protocol/error.js'
import { type FieldTable, ignore, readFields, refuse, use } from '../../protocol/fields.js'
import { messagesStop } from '../../protocol/finish-reason.js'
import { anthropicMessages, signatureOf } from '../../protocol/messages.js'
import type { Outcome, Part } from '../../protocol/outcome.js'
import { SAMPLING_FIELDS, samplingOptions } from '../../protocol/sampling.js'
import { structureOf } from '../../protocol/structure.js'
import { messagesTools } from '../../protocol/tools.js'
import { messagesUsage } from '../../protocol/usage.js'
import { windowOf } from '../../protocol/window-fields.js'
import type { ReasonOptions } from '../../reason/options.js'
import type { ReasonResult } from '../../reason/result.js'
import type { ToolCallDelta } from '../../reason/tool-calls.js'
import type { Asked, Dialect, ResponseFacts, Writer } from '../dialect.js'
import { anthropicError, type Failure } from '../failure.js'
import type { SseEvent } from '../sse.js'
import { COMMON_FIELDS, elsewhere, otherKeys, THINKING_FIELDS, tokens, warnOfOtherKeys } from './fields.js'

const { stop: _, ...sampling } = SAMPLING_FIELDS

export const MESSAGES_FIELDS = {
  ...COMMON_FIELDS,
  ...sampling,
  messages: elsewhere,
  system: elsewhere,
  max_tokens: use(tokens),
  stop_sequences: use(listOf(text, 'array of texts')),
  tools: elsewhere,
  tool_choice: elsewhere,
  container: refuse('nothing is run'),
  cache_control: ignore('prefixes are found by their tokens'),
  diagnostics: ignore('there are none'),
  inference_geo: ignore('the model runs on this machine'),
  speed: ignore('there is one'),
  user_profile_id: ignore('nobody is told apart'),
  workspace_id: ignore('nobody is told apart'),
} satisfies FieldTable

export const messages: Dialect = {
  idPrefix: 'msg_',
  error: anthropicError,
  read(body, warnings): Asked {
    const fields = readFields({ ...THINKING_FIELDS, ...MESSAGES_FIELDS }, body, warnings) as MessagesValues
    warnOfOtherKeys(body, warnings, ['output_config'])
    otherKeys(body, 'chat_template_kwargs', warnings)
    if (fields.max_tokens === undefined) throw new RequestError('Expected max_tokens', 'max_tokens')
    const { asked, name } = windowOf(body)
    return {
      model: fields.model,
      input: anthropicMessages(fields.messages, fields.system),
      options: { ...samplingOptions(fields), ...stopOf(fields), ...formatOf(body), ...messagesTools(body) },
      total: fields.max_tokens,
      thinking: asked,
      names: { window: name ?? 'thinking.budget_tokens', total: 'max_tokens' },
      continues: false,
      stream: fields.stream ?? false,
      writer: (facts) => new MessageWriter(facts),
    }
  },
}

type MessagesValues = ReturnType<typeof readFields<typeof MESSAGES_FIELDS>>

function stopOf({ stop_sequences: stop }: MessagesValues): ReasonOptions {
  return stop === undefined ? {} : { stop }
}

function formatOf(body: ReadonlyMap<string, unknown>): ReasonOptions {
  const { format } = Object(body.get('output_config'))
  return format === undefined || format === null ? {} : structureOf(format, 'output_config.format')
}

class MessageWriter implements Writer {
  readonly #facts: ResponseFacts
  #index = -1
  #open: 'thinking' | 'text' | 'tool_use' | undefined
  #hasCalls = false
  #hint = ''

  constructor(facts: ResponseFacts) {
    this.#facts = facts
  }

  start(): SseEvent[] {
    const usage = messagesUsage({
      promptTokens: this.#facts.promptTokens,
      cachedTokens: 0,
      thinkingTokens: 0,
      answerTokens: 0,
    })
    const message = { ...this.#head(), content: [], stop_reason: null, stop_sequence: null, usage }
    return [event({ type: 'message_start', message })]
  }

  part(part: Part): SseEvent[] {
    switch (part.type) {
      case 'reasoning':
        return this.#write('thinking', part.text)
      case 'cut':
        this.#hint = part.hint
        return this.#close()
      case 'text':
        return this.#write('text', part.text)
      case 'toolCall':
        return part.deltas.flatMap((delta) => this.#writeCall(delta))
      case 'end': {
        // There is a block, even where the model said nothing.
        const empty = this.#open === 'text' || this.#hasCalls ? [] : this.#write('text', '')
        const { result, outcome } = part
        const delta = { ...messagesStop(result), stop_details: null, container: null }
        const last = { type: 'message_delta', delta, usage: messagesUsage(result.usage), z1: outcome.metadata }
        return [...empty, ...this.#close(), event(last), event({ type: 'message_stop' })]
      }
    }
  }

  failed(failure: Failure): SseEvent[] {
    return [event(anthropicError(failure))]
  }

  whole(result: ReasonResult, { reasoning, text, metadata }: Outcome): object {
    const thinking = { type: 'thinking', thinking: reasoning, signature: signatureOf(metadata.hint) }
    const calls = result.toolCalls.map(({ id, name, arguments: input }) => ({ type: 'tool_use', id, name, input }))
    const said = text === '' && calls.length > 0 ? [] : [{ type: 'text', text, citations: null }]
    const content = [...(reasoning === '' ? [] : [thinking]), ...said, ...calls]
    return { ...this.#head(), content, ...messagesStop(result), usage: messagesUsage(result.usage), z1: metadata }
  }

  #write(kind: 'thinking' | 'text', delta: string): SseEvent[] {
    const before = this.#open === kind ? [] : [...this.#close(), this.#begin(kind)]
    if (delta === '') return before
    const said = kind === 'thinking' ? { type: 'thinking_delta', thinking: delta } : { type: 'text_delta', text: delta }
    return [...before, this.#delta(said)]
  }

  #writeCall({ id, name, arguments: text }: ToolCallDelta): SseEvent[] {
    if (text !== '') return [this.#delta({ type: 'input_json_delta', partial_json: text })]
    this.#hasCalls = true
    return [...this.#close(), this.#start({ type: 'tool_use', id, name, input: {} })]
  }

  #begin(kind: 'thinking' | 'text'): SseEvent {
    return this.#start(
      kind === 'thinking' ? { type: kind, thinking: '', signature: '' } : { type: kind, text: '', citations: null },
    )
  }

  #start(block: { type: 'thinking' | 'text' | 'tool_use'; [field: string]: unknown }): SseEvent {
    this.#open = block.type
    this.#index++
    return event({ type: 'content_block_start', index: this.#index, content_block: block })
  }

  #close(): SseEvent[] {
    const kind = this.#open
    if (!kind) return []
    this.#open = undefined
    const signed =
      kind === 'thinking' ? [this.#delta({ type: 'signature_delta', signature: signatureOf(this.#hint) })] : []
    return [...signed, event({ type: 'content_block_stop', index: this.#index })]
  }

  #delta(delta: object): SseEvent {
    return event({ type: 'content_block_delta', index: this.#index, delta })
  }

  #head() {
    const { id, model } = this.#facts
    return { id, type: 'message', role: 'assistant', model, container: null, diagnostics: null, stop_details: null }
  }
}

function event(data: { type: string; [field: string]: unknown }): SseEvent {
  return { event: data.type, data }
}
