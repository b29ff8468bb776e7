/** A conversation as a JSON file: `{ "model", "messages" }`, with the messages of OpenAI's chat completions. */
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { fieldsOf, misuse, oneOf, text } from '../../base/checks.js'
import { cannotRead, readBytes, writeWhole } from '../../base/files.js'
import { decodeText } from '../../base/text.js'
import type { ChatMessage } from '../../reason/messages.js'
import { UsageError } from '../args.js'

export interface SavedConversation {
  /** Undefined: there is none. */
  system: string | undefined
  /** The last one is the assistant's. */
  messages: ChatMessage[]
}

const roles = oneOf(['system', 'user', 'assistant'])

/** A path as a shell would read it. */
export function expandHome(path: string): string {
  return path.replace(/^~(?=$|[/\\])/, homedir())
}

/**
 * @param mayReplace Whether a file that is there may be replaced.
 * @throws {UsageError} for one that may not. @throws {Error} when it cannot be written.
 */
export async function saveConversation(
  path: string,
  model: string,
  { system, messages }: { system: string | undefined; messages: readonly ChatMessage[] },
  mayReplace: boolean,
): Promise<void> {
  if (!mayReplace && (await stat(path).catch(() => null))) {
    throw new UsageError(`${path} already exists and was not written by this chat: give another name`)
  }
  const all = [...(system === undefined ? [] : [{ role: 'system', content: system }]), ...messages]
  await writeWhole(path, `${JSON.stringify({ model, messages: all }, null, 2)}\n`)
}

/**
 * Reads what {@link saveConversation} wrote, or another program: other keys are left aside, and an array of messages will do.
 * @throws {Error} in one sentence that names the file.
 */
export async function loadConversation(path: string): Promise<SavedConversation> {
  let content: string
  try {
    content = decodeText(await readBytes(path))
  } catch (error) {
    throw cannotRead(path, error)
  }
  try {
    return read(JSON.parse(content))
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'not valid JSON' : (error as Error).message
    throw new UsageError(`Cannot load ${path}: ${reason}`)
  }
}

function read(value: unknown): SavedConversation {
  const given = Array.isArray(value) ? value : fieldsOf(value, 'the conversation').get('messages')
  if (!Array.isArray(given)) throw misuse(TypeError, 'array', 'messages', given)
  const messages = given.map((message, i) => {
    const fields = fieldsOf(message, `messages[${i}]`)
    const role = roles.read(fields.get('role'), `messages[${i}].role`)
    if (role === 'system' && i > 0)
      throw new RangeError(`Expected a system message only at the beginning, not as messages[${i}]`)
    return { role, content: text.read(fields.get('content'), `messages[${i}].content`) }
  })
  const [system, ...rest] = messages[0]?.role === 'system' ? messages : [undefined, ...messages]
  if (rest.length > 0 && rest.at(-1)?.role !== 'assistant') {
    throw new RangeError('Expected messages that end with one of the assistant')
  }
  return { system: system?.content, messages: rest as ChatMessage[] }
}
