/** What a request is about: a text, or the messages of a conversation, and their check. Knows nothing of models. */
import { fieldsOf, isString, type Kind, kind, misuse, text, unknownName, wellFormed } from '../base/checks.js'

/** One message of a conversation. */
export interface ChatMessage {
  /**
   * `system`, `user`, `assistant`, or another role that the model's chat template knows: letters, digits, `_` and `-`.
   */
  role: string
  /** Text. Control tokens that it spells stay text. */
  content: string
}

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
      Array.from(messages, (message, i) => {
        const name = `${input}[${i}]`
        const fields = fieldsOf(message, name)
        for (const key of fields.keys()) {
          if (key !== 'role' && key !== 'content') throw unknownName(`key ${key} of ${name}`, key, ['role', 'content'])
        }
        return {
          role: role.read(fields.get('role'), `${name}.role`),
          content: text.read(fields.get('content'), `${name}.content`),
        }
      }),
  })
}
