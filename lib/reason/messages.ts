/** What a request is about: a text, or the messages of a conversation, and their check. Knows nothing of models. */
import {
  fieldsOf,
  isPlainObject,
  isString,
  type Kind,
  kind,
  listOf,
  misuse,
  text,
  unknownName,
  wellFormed,
} from '../base/checks.js'
import type { JsonValue } from '../jinja/convert.js'
import { copyJson } from './kinds.js'

/** One message of a conversation. */
export interface ChatMessage {
  /**
   * `system`, `user`, `assistant`, or another role that the model's chat template knows: letters, digits, `_` and `-`.
   */
  role: string
  /** Text. Control tokens that it spells stay text. */
  content: string
  /** Of the assistant: the calls that stand after its text, as `toolCalls` of a result has them. */
  toolCalls?: readonly MessageToolCall[] | undefined
  /** Of the role `tool`, whose content is what the tool gave: the id of its call. */
  toolCallId?: string | undefined
}

/** A call that an assistant's message asked for. */
export interface MessageToolCall {
  id?: string | undefined
  name: string
  arguments: Readonly<Record<string, unknown>>
}

const KEYS = ['role', 'content', 'toolCalls', 'toolCallId']
const CALL_KEYS = ['id', 'name', 'arguments']

/**
 * A question or a conversation; without template, only text. Messages are copied: what the caller does to its own later
 * has no effect.
 */
export function checkInput(input: unknown, template = true): string | ChatMessage[] {
  if (typeof input === 'string') return wellFormed(input, 'input')
  if (!template) throw misuse(TypeError, 'string', 'input without template', input)
  return conversation().read(input, 'input')
}

function conversation(): Kind<ChatMessage[]> {
  // Templates write the role beside control tokens, where it could spell one.
  const role = kind('word such as user or assistant', isString, { isValid: (value) => /^[\w-]+$/.test(value) })
  return kind('string or non-empty array of messages', Array.isArray, {
    isValid: (messages) => messages.length > 0,
    convert: (messages, input) =>
      Array.from(messages, (value, i) => {
        const name = `${input}[${i}]`
        const fields = knownFields(value, name, KEYS)
        const message: ChatMessage = {
          role: role.read(fields.get('role'), `${name}.role`),
          content: text.read(fields.get('content'), `${name}.content`),
        }
        const [calls, id] = [fields.get('toolCalls'), fields.get('toolCallId')]
        if (calls !== undefined) {
          if (message.role !== 'assistant') throw misuse(TypeError, 'nothing', `${name}.toolCalls`, calls)
          message.toolCalls = toolCalls.read(calls, `${name}.toolCalls`)
        }
        if (id !== undefined) message.toolCallId = text.read(id, `${name}.toolCallId`)
        return message
      }),
  })
}

/** Properties of an object. @throws {TypeError} for others than those. */
export function knownFields(value: unknown, name: string, known: readonly string[]): Map<string, unknown> {
  const fields = fieldsOf(value, name)
  for (const key of fields.keys()) {
    if (!known.includes(key)) throw unknownName(`key ${key} of ${name}`, key, known)
  }
  return fields
}

const callArguments: Kind<Record<string, JsonValue>> = kind('plain object of JSON values', isPlainObject, {
  convert: (value, name) => copyJson(value, name, 0) as Record<string, JsonValue>,
})

const toolCalls: Kind<MessageToolCall[]> = listOf(
  kind('object', isPlainObject, {
    convert: (value, name) => {
      const fields = knownFields(value, name, CALL_KEYS)
      const id = fields.get('id')
      return {
        ...(id === undefined ? {} : { id: text.read(id, `${name}.id`) }),
        name: text.read(fields.get('name'), `${name}.name`),
        arguments: callArguments.read(fields.get('arguments'), `${name}.arguments`),
      }
    },
  }),
  'array of calls',
)
