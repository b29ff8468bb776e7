/** The AI SDK's prompt as the messages of a request. */
import type { LanguageModelV3Prompt } from '@ai-sdk/provider'
import { RequestError } from '../protocol/error.js'
import { joined } from '../protocol/messages.js'
import type { ChatMessage } from '../reason/messages.js'

/** @throws {RequestError} for what is not text: left out, it would change the question. */
export function messagesOf(prompt: LanguageModelV3Prompt): ChatMessage[] {
  return prompt.map((message, i) => ({ role: message.role, content: contentOf(message, `prompt[${i}]`) }))
}

function contentOf(message: LanguageModelV3Prompt[number], at: string): string {
  switch (message.role) {
    case 'system':
      return message.content
    case 'user':
      return message.content.map((part, j) => textAt(part, `${at}.content[${j}]`)).join('')
    case 'assistant':
      return assistantText(message.content, at)
    case 'tool':
      throw new RequestError(`${at} is the result of a tool: tool calls are not supported`, at)
  }
}

type AssistantContent = Extract<LanguageModelV3Prompt[number], { role: 'assistant' }>['content']

/** With the hint, which came as metadata of the reasoning, it is what was generated. */
function assistantText(content: AssistantContent, at: string): string {
  const [thoughts, said]: [string[], string[]] = [[], []]
  let hint: unknown
  for (const [j, part] of content.entries()) {
    if (part.type === 'reasoning') {
      thoughts.push(part.text)
      hint = part.providerOptions?.z1?.hint ?? hint
    } else said.push(textAt(part, `${at}.content[${j}]`))
  }
  return joined(thoughts.join(''), typeof hint === 'string' ? hint : '', said.join(''))
}

function textAt(part: { type: string; text?: string }, at: string): string {
  if (part.type === 'text') return part.text as string
  throw new RequestError(`${at} of the type ${part.type} is not supported: messages are text`, at)
}
