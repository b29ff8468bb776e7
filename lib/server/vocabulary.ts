/** What llama-server tells of its vocabulary and its template, under its paths: `/tokenize`, `/detokenize`, `/apply-template`. */
import { boolean, kind, text } from '../base/checks.js'
import { RequestError } from '../protocol/error.js'
import { type FieldTable, ignore, readFields, refuse, use } from '../protocol/fields.js'
import { chatMessages } from '../protocol/messages.js'
import { canRender } from '../protocol/room.js'
import type { Reasoner } from '../reason/reasoner.js'
import { elsewhere, otherKeys } from './dialects/fields.js'
import type { ServerState } from './state.js'

const TOKENIZE_FIELDS = {
  content: use(text),
  add_special: use(boolean),
  parse_special: refuse('control tokens that a text spells are recognized', true),
  with_pieces: use(boolean),
} satisfies FieldTable

const tokenIds = kind('array of token ids', (value): value is number[] => {
  return Array.isArray(value) && value.every((id) => Number.isInteger(id) && id >= 0)
})

const DETOKENIZE_FIELDS = { tokens: use(tokenIds) } satisfies FieldTable

const TEMPLATE_FIELDS = {
  messages: elsewhere,
  chat_template_kwargs: elsewhere,
  model: ignore('there is one'),
} satisfies FieldTable

type Body = ReadonlyMap<string, unknown>

/** A text as the beginning of a context: with BOS, where the vocabulary has one there. @throws {RequestError} 501. */
async function promptOf(reasoner: Reasoner, text: string): Promise<number[]> {
  if (!canRender(reasoner)) throw new RequestError('This model does not tell its prompts', 'add_special', 501)
  return (await reasoner.renderPrompt(text, { template: false })).tokens
}

/** The answers, by path. @throws {RequestError} */
export const VOCABULARY: Readonly<Record<string, (state: ServerState, body: Body) => Promise<object>>> = {
  '/tokenize': async ({ reasoner }, body) => {
    const { content = '', with_pieces: withPieces, add_special: begins } = readFields(TOKENIZE_FIELDS, body, [])
    const tokens = await (begins ? promptOf(reasoner, content) : reasoner.tokenize(content))
    if (!withPieces) return { tokens }
    const pieces = await Promise.all(tokens.map((id) => reasoner.detokenize([id], { special: true })))
    return { tokens: tokens.map((id, i) => ({ id, piece: pieces[i] })) }
  },
  '/detokenize': async ({ reasoner }, body) => {
    const { tokens = [] } = readFields(DETOKENIZE_FIELDS, body, [])
    try {
      return { content: await reasoner.detokenize(tokens, { special: true }) }
    } catch (error) {
      if (error instanceof RangeError || error instanceof TypeError) throw new RequestError(error.message, 'tokens')
      throw error
    }
  },
  '/apply-template': async ({ reasoner, options }, body) => {
    readFields(TEMPLATE_FIELDS, body, [])
    if (!canRender(reasoner)) throw new RequestError('This model does not tell its prompts', null, 501)
    const messages = chatMessages(body.get('messages'))
    const variables = otherKeys(body, 'chat_template_kwargs')
    const { chatTemplate, templateVariables, system, tags } = options.defaults
    const { text: prompt } = await reasoner.renderPrompt(messages, {
      ...(chatTemplate !== undefined && { chatTemplate }),
      ...(tags !== undefined && { tags }),
      ...(system !== undefined && messages.every(({ role }) => role !== 'system') && { system }),
      templateVariables: { ...templateVariables, ...variables },
    })
    return { prompt }
  },
}
