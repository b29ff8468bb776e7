/**
 * Conversations as the clients of each protocol send them, as the messages of a request. Text only: what else a message may hold
 * is refused with its name. Reasoning that a client sends back stands before its answer again, with the hint between them where
 * the client sends that too, so that the conversation continues what is in the KV cache.
 */
import { fieldsOf } from '../base/checks.js'
import { closingPart } from '../reason/answer.js'
import type { ChatMessage } from '../reason/messages.js'
import { RequestError } from './error.js'

/** The content of an assistant's message, from its parts. A text that repeats a part of the reasoning is in it already. */
export function joined(reasoning: string, hint: string, text: string): string {
  if (reasoning === '') return text
  if (hint === '' && text.trim() === closingPart(reasoning)) return reasoning
  return reasoning + hint + text
}

/** Messages of `/v1/chat/completions`. @throws {RequestError} */
export function chatMessages(value: unknown, name = 'messages'): ChatMessage[] {
  return list(value, name).map((item, i) => {
    const at = `${name}[${i}]`
    const fields = objectAt(item, at)
    const role = roleAt(fields, at)
    for (const key of ['tool_calls', 'function_call', 'tool_call_id', 'audio']) {
      const given = fields.get(key)
      if (given !== undefined && !(Array.isArray(given) && given.length === 0)) throw unsupported(`${at}.${key}`)
    }
    const reasoning = fields.get('reasoning_content') ?? fields.get('reasoning') ?? ''
    const content = fields.get('content') ?? ''
    const said = typeof content === 'string' ? content : textOf(content, `${at}.content`, TEXT_PARTS)
    if (role !== 'assistant') return { role, content: said }
    const thought = typeof reasoning === 'string' ? reasoning : textOf(reasoning, `${at}.reasoning`, TEXT_PARTS)
    return { role, content: joined(thought, hintOf(fields.get('z1')), said) }
  })
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
  const rest = list(value, 'messages').map((item, i) => {
    const at = `messages[${i}]`
    const fields = objectAt(item, at)
    const role = roleAt(fields, at)
    const content = fields.get('content')
    if (typeof content === 'string') return { role, content }
    let [reasoning, hint] = ['', '']
    const blocks = list(content, `${at}.content`).filter((block, j) => {
      const part = objectAt(block, `${at}.content[${j}]`)
      if (role !== 'assistant' || part.get('type') !== 'thinking') return true
      reasoning += stringAt(part.get('thinking') ?? '', `${at}.content[${j}].thinking`)
      hint = hintOfSignature(part.get('signature'))
      return false
    })
    const said = textOf(blocks, `${at}.content`, ['text'])
    return { role, content: joined(reasoning, hint, said) }
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
  if (role === 'tool' || role === 'function') throw unsupported(`${at} of the role ${role}`, at)
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
