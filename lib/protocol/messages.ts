/**
 * Conversations as the clients of each protocol send them, as the messages of a request. Text and calls of tools: what else a message may
 * hold is refused with its name. Reasoning that a client sends back stands before its answer again, with the hint between them where
 * the client sends that too, so that the conversation continues what is in the KV cache.
 */
import { fieldsOf, isPlainObject } from '../base/checks.js'
import { closingPart } from '../reason/answer.js'
import type { ChatMessage, MessageToolCall } from '../reason/messages.js'
import { RequestError } from './error.js'

/** The content of an assistant's message, from its parts. A text that repeats a part of the reasoning is in it already. */
export function joined(reasoning: string, hint: string, text: string): string {
  if (reasoning === '') return text
  if (hint === '' && text.trim() === closingPart(reasoning)) return reasoning
  return reasoning + hint + text
}

/** Messages of `/v1/chat/completions`. @throws {RequestError} */
export function chatMessages(value: unknown, name = 'messages'): ChatMessage[] {
  return list(value, name).map((item, i): ChatMessage => {
    const at = `${name}[${i}]`
    const fields = objectAt(item, at)
    const role = roleAt(fields, at)
    for (const key of ['function_call', 'audio']) {
      const given = fields.get(key)
      if (given !== undefined && !(Array.isArray(given) && given.length === 0)) throw unsupported(`${at}.${key}`)
    }
    const reasoning = fields.get('reasoning_content') ?? fields.get('reasoning') ?? ''
    const content = fields.get('content') ?? ''
    const said = typeof content === 'string' ? content : textOf(content, `${at}.content`, TEXT_PARTS)
    if (role === 'tool') return toolMessage(said, fields.get('tool_call_id'), `${at}.tool_call_id`)
    if (role !== 'assistant') return { role, content: said }
    const thought = typeof reasoning === 'string' ? reasoning : textOf(reasoning, `${at}.reasoning`, TEXT_PARTS)
    const message = { role, content: joined(thought, hintOf(fields.get('z1')), said) }
    const calls = list(fields.get('tool_calls') ?? [], `${at}.tool_calls`, 0).map((call, j) => {
      const where = `${at}.tool_calls[${j}]`
      const called = objectAt(call, where)
      if ((called.get('type') ?? 'function') !== 'function') throw unsupported(`${where}.type`)
      const { name, arguments: given } = Object.fromEntries(objectAt(called.get('function'), `${where}.function`))
      return callOf(called.get('id'), name, given, where)
    })
    return calls.length > 0 ? { ...message, toolCalls: calls } : message
  })
}

function toolMessage(content: string, id: unknown, name: string): ChatMessage {
  return { role: 'tool', content, ...(id === undefined ? {} : { toolCallId: stringAt(id, name) }) }
}

/** @param given The arguments, as JSON. */
function callOf(id: unknown, name: unknown, given: unknown, at: string): MessageToolCall {
  return {
    ...(id === undefined ? {} : { id: stringAt(id, `${at}.id`) }),
    name: stringAt(name, `${at}.name`),
    arguments: argumentsOf(given, at),
  }
}

function argumentsOf(given: unknown, at: string): Record<string, unknown> {
  let value: unknown
  try {
    // A call of a tool without parameters may have no text at all.
    value = JSON.parse(stringAt(given ?? '', `${at}.arguments`) || '{}')
  } catch (error) {
    if (error instanceof RequestError) throw error
  }
  if (isPlainObject(value)) return value as Record<string, unknown>
  throw new RequestError(`Expected an object as JSON for ${at}.arguments`, `${at}.arguments`)
}

/** `input` and `instructions` of `/v1/responses`. @throws {RequestError} */
export function responsesMessages(input: unknown, instructions: unknown): ChatMessage[] {
  const messages: ChatMessage[] = []
  if (instructions !== undefined) messages.push({ role: 'system', content: stringAt(instructions, 'instructions') })
  if (typeof input === 'string') return [...messages, { role: 'user', content: input }]
  let before = { reasoning: '', hint: '' }
  for (const [i, item] of list(input, 'input').entries()) {
    const at = `input[${i}]`
    const fields = objectAt(item, at)
    const type = fields.get('type') ?? 'message'
    if (type === 'reasoning') {
      const content = fields.get('content') ?? []
      before = { reasoning: textOf(content, `${at}.content`, ['reasoning_text']), hint: hintOf(fields.get('z1')) }
      continue
    }
    if (type === 'function_call_output') {
      const output = fields.get('output')
      const said = typeof output === 'string' ? output : textOf(output, `${at}.output`, TEXT_PARTS)
      messages.push(toolMessage(said, fields.get('call_id'), `${at}.call_id`))
      continue
    }
    if (type === 'function_call') {
      const call = callOf(fields.get('call_id'), fields.get('name'), fields.get('arguments'), at)
      const last = messages.at(-1)
      if (last?.role === 'assistant' && before.reasoning === '') last.toolCalls = [...(last.toolCalls ?? []), call]
      else messages.push({ role: 'assistant', content: joined(before.reasoning, before.hint, ''), toolCalls: [call] })
      before = { reasoning: '', hint: '' }
      continue
    }
    if (type !== 'message') throw unsupported(`${at} of the type ${JSON.stringify(type)}`, at)
    const role = roleAt(fields, at)
    const content = fields.get('content')
    const said = typeof content === 'string' ? content : textOf(content, `${at}.content`, TEXT_PARTS)
    const { reasoning, hint } = before
    before = { reasoning: '', hint: '' }
    messages.push({ role, content: role === 'assistant' ? joined(reasoning, hint, said) : said })
  }
  return messages
}

/** `messages` and `system` of `/v1/messages`. @throws {RequestError} */
export function anthropicMessages(value: unknown, system: unknown): ChatMessage[] {
  const first: ChatMessage[] = []
  if (system !== undefined) {
    first.push({ role: 'system', content: typeof system === 'string' ? system : textOf(system, 'system', ['text']) })
  }
  const rest = list(value, 'messages').flatMap((item, i): ChatMessage[] => {
    const at = `messages[${i}]`
    const fields = objectAt(item, at)
    const role = roleAt(fields, at)
    const content = fields.get('content')
    if (typeof content === 'string') return [{ role, content }]
    let [reasoning, hint] = ['', '']
    const calls: MessageToolCall[] = []
    const results: ChatMessage[] = []
    const blocks = list(content, `${at}.content`).filter((block, j) => {
      const where = `${at}.content[${j}]`
      const part = objectAt(block, where)
      const type = part.get('type')
      if (role === 'user' && type === 'tool_result') {
        const said = part.get('content') ?? ''
        const result = typeof said === 'string' ? said : textOf(said, `${where}.content`, ['text'])
        results.push(toolMessage(result, part.get('tool_use_id'), `${where}.tool_use_id`))
        return false
      }
      if (role !== 'assistant') return true
      if (type === 'tool_use') {
        calls.push(callOf(part.get('id'), part.get('name'), JSON.stringify(part.get('input') ?? {}), where))
        return false
      }
      if (type !== 'thinking') return true
      reasoning += stringAt(part.get('thinking') ?? '', `${where}.thinking`)
      hint = hintOfSignature(part.get('signature'))
      return false
    })
    const said = textOf(blocks, `${at}.content`, ['text'])
    if (results.length > 0) return blocks.length > 0 ? [...results, { role, content: said }] : results
    const message = { role, content: joined(reasoning, hint, said) }
    return [calls.length > 0 ? { ...message, toolCalls: calls } : message]
  })
  return [...first, ...rest]
}

const SIGNATURE = 'z1.'

/** A thinking block's signature: clients of `/v1/messages` send it back as it came, so it carries the hint. */
export function signatureOf(hint: string): string {
  return SIGNATURE + Buffer.from(hint).toString('base64url')
}

function hintOfSignature(signature: unknown): string {
  if (typeof signature !== 'string' || !signature.startsWith(SIGNATURE)) return ''
  return Buffer.from(signature.slice(SIGNATURE.length), 'base64url').toString()
}

/** Of the metadata that came with the message. */
function hintOf(metadata: unknown): string {
  const { hint } = Object(metadata)
  return typeof hint === 'string' ? hint : ''
}

const TEXT_PARTS = ['text', 'input_text', 'output_text']

/** The text of a list of parts. */
function textOf(parts: unknown, name: string, types: readonly string[]): string {
  const texts = list(parts, name, 0).map((part, i) => {
    const at = `${name}[${i}]`
    if (typeof part === 'string') return part
    const fields = objectAt(part, at)
    const type = fields.get('type')
    if (!types.includes(type as string)) throw unsupported(`${at} of the type ${JSON.stringify(type)}`, at)
    return stringAt(fields.get('text'), `${at}.text`)
  })
  return texts.join('')
}

function roleAt(fields: Map<string, unknown>, at: string): string {
  const role = fields.get('role')
  if (role === 'developer') return 'system'
  if (role === 'function') throw unsupported(`${at} of the role ${role}`, at)
  // Which other roles there are is the template's business.
  return stringAt(role, `${at}.role`)
}

function list(value: unknown, name: string, least = 1): unknown[] {
  if (Array.isArray(value) && value.length >= least) return value
  throw new RequestError(`Expected ${least > 0 ? 'a non-empty array' : 'an array or a string'} for ${name}`, name)
}

/** Null is absent. */
function objectAt(value: unknown, name: string): Map<string, unknown> {
  try {
    return new Map([...fieldsOf(value, name)].filter(([, field]) => field !== null))
  } catch {
    throw new RequestError(`Expected an object for ${name}`, name)
  }
}

function stringAt(value: unknown, name: string): string {
  if (typeof value === 'string') return value
  throw new RequestError(`Expected a string for ${name}`, name)
}

function unsupported(what: string, name = what): RequestError {
  return new RequestError(`${what} is not supported: messages are text`, name)
}
