/**
 * A response of `/v1/responses` as its events: a reasoning item, if the model thought, a message, and calls of tools. Every field of the resource is
 * there: the suite of Open Responses wants them.
 */
import type { SampledLogprob } from '../../native/binding.js'
import { responsesStatus } from '../../protocol/finish-reason.js'
import { partLogprobs } from '../../protocol/logprobs.js'
import type { Outcome, Part } from '../../protocol/outcome.js'
import { responsesUsage } from '../../protocol/usage.js'
import type { ReasonResult } from '../../reason/result.js'
import type { ToolCallDelta } from '../../reason/tool-calls.js'
import type { ResponseFacts, Writer } from '../dialect.js'
import { type Failure, openAiError } from '../failure.js'
import type { SseEvent } from '../sse.js'

/** An item that is being written. */
interface Open {
  kind: 'reasoning' | 'message'
  index: number
  id: string
  text: string
  /** Of a message. */
  logprobs: SampledLogprob[]
}

/** A call of a tool that is. */
interface OpenCall {
  index: number
  call: { id: string; name: string }
  text: string
}

const PART = { reasoning: 'reasoning_text', message: 'output_text' } as const
const EVENT = { reasoning: 'response.reasoning_text', message: 'response.output_text' } as const

export class ResponseWriter implements Writer {
  readonly #facts: ResponseFacts
  readonly #body: ReadonlyMap<string, unknown>
  #sequence = 0
  #items: object[] = []
  #open: Open | undefined
  #call: OpenCall | undefined
  #hasCalls = false
  #hint = ''

  constructor(facts: ResponseFacts, body: ReadonlyMap<string, unknown>) {
    this.#facts = facts
    this.#body = body
  }

  start(): SseEvent[] {
    const response = this.#resource({ status: 'in_progress' })
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })]
  }

  part(part: Part): SseEvent[] {
    switch (part.type) {
      case 'reasoning':
        return this.#write('reasoning', part.text)
      case 'cut':
        this.#hint = part.hint
        return this.#close()
      case 'text':
        return this.#write('message', part.text, part.logprobs)
      case 'toolCall':
        return part.deltas.flatMap((delta) => this.#writeCall(delta))
      case 'end':
        return this.#end(part.result, part.outcome)
    }
  }

  failed(failure: Failure): SseEvent[] {
    const { error } = openAiError(failure)
    const response = this.#resource({
      status: 'failed',
      error: { code: 'server_error', message: error.message },
      output: this.#items,
    })
    return [this.#event('response.failed', { response })]
  }

  whole(result: ReasonResult, { reasoning, text, metadata }: Outcome): object {
    this.#hint = metadata.hint
    const { status } = responsesStatus(result)
    if (reasoning !== '') this.#items.push(this.#item(this.#next('reasoning', reasoning), 'completed'))
    const calls = result.toolCalls
    if (text !== '' || calls.length === 0) {
      this.#items.push(this.#item(this.#next('message', text, result.logprobs?.answer), status))
    }
    for (const call of calls) this.#items.push(callItem(call, JSON.stringify(call.arguments), 'completed'))
    return this.#finished(result, metadata)
  }

  #end(result: ReasonResult, { metadata }: Outcome): SseEvent[] {
    const { status } = responsesStatus(result)
    // There is a message, even where the model said nothing.
    const empty = this.#open?.kind === 'message' || this.#hasCalls ? [] : this.#write('message', '')
    const closed = [...this.#close(status), ...this.#closeCall(status)]
    const response = this.#finished(result, metadata)
    return [...empty, ...closed, this.#event(`response.${status}`, { response })]
  }

  #write(kind: Open['kind'], delta: string, told: SampledLogprob[] = []): SseEvent[] {
    const before = this.#open?.kind === kind ? [] : [...this.#close(), ...this.#begin(kind)]
    const open = this.#open as Open
    open.text += delta
    open.logprobs.push(...told)
    if (delta === '') return before
    return [...before, this.#event(`${EVENT[kind]}.delta`, { ...this.#at(open), delta, ...logprobs(kind, told) })]
  }

  #writeCall({ id, name, arguments: text }: ToolCallDelta): SseEvent[] {
    if (text !== '' && this.#call) {
      this.#call.text += text
      const { index } = this.#call
      const at = { item_id: callItemId(id), output_index: index }
      return [this.#event('response.function_call_arguments.delta', { ...at, delta: text })]
    }
    const closed = [...this.#close(), ...this.#closeCall()]
    this.#hasCalls = true
    this.#call = { index: this.#items.length, call: { id, name }, text: '' }
    const item = callItem(this.#call.call, '', 'in_progress')
    return [...closed, this.#event('response.output_item.added', { output_index: this.#call.index, item })]
  }

  #closeCall(status = 'completed'): SseEvent[] {
    if (!this.#call) return []
    const { index, call, text } = this.#call
    this.#call = undefined
    const item = callItem(call, text, status)
    this.#items.push(item)
    const at = { item_id: item.id, output_index: index }
    return [
      this.#event('response.function_call_arguments.done', { ...at, name: call.name, arguments: text }),
      this.#event('response.output_item.done', { output_index: index, item }),
    ]
  }

  #begin(kind: Open['kind']): SseEvent[] {
    const open = this.#next(kind, '')
    this.#open = open
    const item = { ...this.#item(open, 'in_progress'), content: [] }
    return [
      this.#event('response.output_item.added', { output_index: open.index, item }),
      this.#event('response.content_part.added', { ...this.#at(open), part: partOf(open) }),
    ]
  }

  #close(status = 'completed'): SseEvent[] {
    const open = this.#open
    if (!open) return []
    this.#open = undefined
    const item = this.#item(open, status)
    this.#items.push(item)
    return [
      this.#event(`${EVENT[open.kind]}.done`, {
        ...this.#at(open),
        text: open.text,
        ...logprobs(open.kind, open.logprobs),
      }),
      this.#event('response.content_part.done', { ...this.#at(open), part: partOf(open) }),
      this.#event('response.output_item.done', { output_index: open.index, item }),
    ]
  }

  #next(kind: Open['kind'], text: string, logprobs: SampledLogprob[] = []): Open {
    const prefix = kind === 'reasoning' ? 'rs' : 'msg'
    const index = this.#items.length
    return { kind, index, id: `${prefix}_${this.#facts.id.replace(/^resp_/, '')}`, text, logprobs }
  }

  #at({ id, index }: Open) {
    return { item_id: id, output_index: index, content_index: 0 }
  }

  #item(open: Open, status: string) {
    const { kind, id } = open
    const content = [partOf(open)]
    // Clients send items back as they came: with its hint, the next turn continues what is in the KV cache.
    if (kind === 'reasoning') return { id, type: kind, summary: [], content, status, z1: { hint: this.#hint } }
    return { id, type: kind, role: 'assistant', content, status }
  }

  #finished(result: ReasonResult, metadata: Outcome['metadata']): object {
    return this.#resource({
      ...responsesStatus(result),
      output: this.#items,
      usage: responsesUsage(result.usage),
      completed_at: Math.floor(Date.now() / 1000),
      z1: metadata,
    })
  }

  #resource(known: object): object {
    const { id, created, model } = this.#facts
    const asked = (name: string, absent: unknown = null) => this.#body.get(name) ?? absent
    return {
      id,
      object: 'response',
      created_at: created,
      completed_at: null,
      status: 'in_progress',
      background: false,
      error: null,
      incomplete_details: null,
      instructions: asked('instructions'),
      max_output_tokens: asked('max_output_tokens'),
      max_tool_calls: null,
      metadata: asked('metadata', {}),
      model,
      output: [],
      parallel_tool_calls: asked('parallel_tool_calls', true),
      presence_penalty: asked('presence_penalty', 0),
      frequency_penalty: asked('frequency_penalty', 0),
      previous_response_id: null,
      prompt_cache_key: null,
      reasoning: asked('reasoning', { effort: null, summary: null }),
      safety_identifier: null,
      service_tier: 'default',
      store: false,
      temperature: asked('temperature', 0),
      text: asked('text', { format: { type: 'text' } }),
      tool_choice: asked('tool_choice', 'auto'),
      tools: asked('tools', []),
      top_logprobs: asked('top_logprobs', 0),
      top_p: asked('top_p', 1),
      truncation: asked('truncation', 'disabled'),
      usage: null,
      user: null,
      ...known,
    }
  }

  #event(type: string, fields: object): SseEvent {
    return { event: type, data: { type, sequence_number: this.#sequence++, ...fields } }
  }
}

function callItemId(callId: string): string {
  return callId.replace(/^call_/, 'fc_')
}

function callItem({ id, name }: { id: string; name: string }, text: string, status: string) {
  return { id: callItemId(id), type: 'function_call', call_id: id, name, arguments: text, status }
}

function partOf({ kind, text, logprobs: told }: Open) {
  return { type: PART[kind], text, ...(kind === 'message' && { annotations: [] }), ...logprobs(kind, told) }
}

function logprobs(kind: Open['kind'], told: readonly SampledLogprob[]) {
  return kind === 'message' ? { logprobs: partLogprobs(told) } : {}
}
