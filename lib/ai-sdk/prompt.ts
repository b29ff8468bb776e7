/** The AI SDK's prompt as the messages of a request. */
import type { LanguageModelV3Prompt } from '@ai-sdk/provider'
import { RequestError } from '../protocol/error.js'
import { joined } from '../protocol/messages.js'
import type { ChatMessage, MessageToolCall } from '../reason/messages.js'

type Message = LanguageModelV3Prompt[number]

/** @throws {RequestError} for what is neither text nor a call or its result: left out, it would change the question. */
export function messagesOf(prompt: LanguageModelV3Prompt): ChatMessage[] {
  return prompt.flatMap((message, i) => messagesAt(message, `prompt[${i}]`))
}

function messagesAt(message: Message, at: string): ChatMessage[] {
  switch (message.role) {
    case 'system':
      return [{ role: message.role, content: message.content }]
    case 'user': {
      const texts = message.content.map((part, j) => textAt(part, `${at}.content[${j}]`))
      return [{ role: message.role, content: texts.join('') }]
    }
    case 'assistant':
      return [assistantMessage(message.content, at)]
    case 'tool':
      return message.content.map((part, j) => toolMessage(part, `${at}.content[${j}]`))
  }
}

/** With the hint, which came as metadata of the reasoning, it is what was generated. */
function assistantMessage(content: Extract<Message, { role: 'assistant' }>['content'], at: string): ChatMessage {
  const [thoughts, said]: [string[], string[]] = [[], []]
  const toolCalls: MessageToolCall[] = []
  let hint: unknown
  for (const [j, part] of content.entries()) {
    const where = `${at}.content[${j}]`
    if (part.type === 'reasoning') {
      thoughts.push(part.text)
      hint = part.providerOptions?.z1?.hint ?? hint
    } else if (part.type === 'tool-call') {
      toolCalls.push({ id: part.toolCallId, name: part.toolName, arguments: inputOf(part.input, where) })
    } else said.push(textAt(part, where))
  }
  const text = joined(thoughts.join(''), typeof hint === 'string' ? hint : '', said.join(''))
  return { role: 'assistant', content: text, ...(toolCalls.length > 0 ? { toolCalls } : {}) }
}

function inputOf(input: unknown, at: string): Record<string, unknown> {
  if (typeof input === 'object' && input !== null && !Array.isArray(input)) return input as Record<string, unknown>
  throw new RequestError(`Expected an object for ${at}.input`, at)
}

function toolMessage(part: Extract<Message, { role: 'tool' }>['content'][number], at: string): ChatMessage {
  if (part.type !== 'tool-result') throw new RequestError(`${at} of the type ${part.type} is not supported`, at)
  const { output } = part
  let content: string
  switch (output.type) {
    case 'text':
    case 'error-text':
      content = output.value
      break
    case 'json':
    case 'error-json':
      content = JSON.stringify(output.value)
      break
    case 'execution-denied':
      content = output.reason ?? 'The call was denied'
      break
    case 'content':
      content = output.value.map((item, k) => textAt(item, `${at}.output.value[${k}]`)).join('')
      break
  }
  return { role: 'tool', content, toolCallId: part.toolCallId }
}

function textAt(part: { type: string; text?: string }, at: string): string {
  if (part.type === 'text') return part.text as string
  throw new RequestError(`${at} of the type ${part.type} is not supported: messages are text and calls of tools`, at)
}
