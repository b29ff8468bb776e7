/** What a request to a server begins with: messages, or the text that the server makes of them. */
import { Z1Error } from '../base/errors.js'
import { DEFAULT_MAX_TOKENS } from '../reason/limits.js'
import type { ChatMessage } from '../reason/messages.js'
import type { ResolvedReasonOptions } from '../reason/options.js'
import { KNOWN_TAGS, stripOpenTag, tagsOf, templateTags } from '../reason/tags.js'
import { asked } from './http.js'
import type { Prompt } from './passes.js'
import { endpointOf, isAbsent, type Server, type ServerFacts } from './server.js'

/** Messages of which the server makes the prompt. */
export function chatPrompt(
  messages: ChatMessage[],
  options: ResolvedReasonOptions,
  server: Server,
  kind: ServerFacts['kind'],
) {
  const window = options.thinkingWindow ?? null
  if (kind === 'other' && window !== null && options.hint !== null) {
    throw new Z1Error(
      'REMOTE_REFUSED',
      `The server at ${server.root} cannot go on with a message: give the model's chatTemplate`,
    )
  }
  const prompt: Prompt = { form: 'chat', messages, reply: '' }
  const hint = options.hint === null ? null : { text: options.hint, tokens: new Int32Array() }
  return {
    prompt,
    promptTokens: null,
    hint,
    answer: null,
    grammar: null,
    window,
    maxTokens: options.maxTokens ?? DEFAULT_MAX_TOKENS,
  }
}

/** The prompt as the server renders it, without the think tag that it may end with. */
export async function applyTemplate(
  messages: ChatMessage[],
  variables: Readonly<Record<string, unknown>>,
  server: Server,
  signal: AbortSignal,
): Promise<string> {
  const body = { messages, ...(Object.keys(variables).length > 0 && { chat_template_kwargs: variables }) }
  const endpoint = endpointOf(server, '/apply-template')
  const { prompt } = await asked<{ prompt: string }>(endpoint, body, signal).catch((error) => {
    if (!isAbsent(error)) throw error
    throw new Z1Error('TEMPLATE_NOT_FOUND', `The server has no ${endpoint.url}: give the model's chatTemplate`)
  })
  return KNOWN_TAGS.map(tagsOf).reduce(stripOpenTag, prompt)
}

export function messagesOf(input: string | ChatMessage[], system: string | undefined): ChatMessage[] {
  const messages = typeof input === 'string' ? [{ role: 'user', content: input }] : input
  return system === undefined ? messages : [{ role: 'system', content: system }, ...messages]
}

/** The tags that a request names, or those of the template. */
export function tagsAsked({ tags }: ResolvedReasonOptions, template: string | null): readonly string[] {
  if (typeof tags === 'object') return [tags.open, tags.close]
  return (template !== null && templateTags(template)) || []
}
