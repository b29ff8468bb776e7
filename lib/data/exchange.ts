/**
 * Question and response of a row of another set, in whichever of the usual ways it says them: in columns, as Alpaca's, or in
 * a conversation, as ShareGPT's, OpenThoughts' and chat sets have it. What is in neither is named.
 */
import { type Content, readContent } from '../remote/content.js'
import { stripDelimiters } from './delimiters.js'

export interface Exchange {
  question: string
  /** Reasoning and answer, without delimiters. */
  response: string
  /** Texts of the row that are in neither, by what they are: `system turns`, `column source`, `message field name`. */
  unused: string[]
}

/** The columns to read; where none is named, the usual ones. */
export interface ExchangeFields {
  question?: string | undefined
  response?: string | undefined
  thinking?: string | undefined
}

/** Why a row is not a record. It is left out, counted and named. */
export class BadRow extends Error {
  constructor(
    /** One of a few. */
    reason: string,
    readonly detail?: string,
  ) {
    super(reason)
  }
}

const QUESTIONS = ['question', 'problem', 'prompt', 'instruction']
const RESPONSES = ['response', 'output', 'generation']
const CONVERSATIONS = ['messages', 'conversations']

/** Columns, and fields of a message, of reasoning that comes before the response. */
const THINKING = ['reasoning_content', 'thinking', 'reasoning']

/** What an `instruction` goes on with: in Alpaca's sets, in Dolly's. */
const CONTINUATIONS = ['input', 'context']

const ROLES = new Map([
  ...['system', 'developer'].map((name) => [name, 'system'] as const),
  ...['user', 'human'].map((name) => [name, 'user'] as const),
  ...['assistant', 'gpt'].map((name) => [name, 'assistant'] as const),
])

type Fields = Readonly<Record<string, unknown>>

/** Question and response as they were found, and what else there is, by what it is called. */
interface Found {
  question: string
  response: string
  rest: [name: string, value: unknown][]
}

/**
 * @param kept Columns that are read elsewhere.
 * @throws {BadRow} where there is not one question with one response, or a text of theirs is missing or cannot be read.
 */
export function exchangeOf(columns: Fields, fields: ExchangeFields, kept: readonly string[]): Exchange {
  const found = inColumns(columns, fields) ?? inConversation(columns)
  if (found === null) throw new BadRow('no question and response')
  if (Array.isArray(columns.history) && holdsText(columns.history)) throw new BadRow('a conversation of several turns')
  const question = found.question.trim()
  const response = stripDelimiters(found.response)
  if (response === null) throw new BadRow('reasoning without an end')
  if (response === '' || question === '') throw new BadRow('a text is empty')
  const known = new Set(kept.map((name) => `column ${name}`))
  const unused = found.rest
    .filter(([name, value]) => !known.has(name) && holdsText(value, [question, response]))
    .map(([name]) => name)
  return { question, response, unused: [...new Set(unused)] }
}

function inColumns(row: Fields, fields: ExchangeFields): Found | null {
  const question = fields.question ?? QUESTIONS.find((name) => isContent(row[name]))
  const response = fields.response ?? RESPONSES.find((name) => isContent(row[name]))
  if (question === undefined || response === undefined) return null
  const continued = question === 'instruction' ? CONTINUATIONS.filter((name) => isContent(row[name])) : []
  const thinking = fields.thinking === undefined ? THINKING.filter((name) => isContent(row[name])) : [fields.thinking]
  const texts = [question, ...continued].map((name) => contentOf(row[name]).text.trim())
  return {
    question: texts[0] === '' ? '' : texts.filter(Boolean).join('\n\n'),
    response: responseOf(row, response, thinking),
    rest: named('column', without(row, [question, ...continued, response, ...thinking])),
  }
}

function inConversation(row: Fields): Found | null {
  const column = CONVERSATIONS.find((name) => Array.isArray(row[name]))
  if (column === undefined) return null
  const turns = (row[column] as unknown[]).map((message) => turnOf(Object(message)))
  const byRole = (role: string) => turns.filter((turn) => turn.role === role)
  const [question, ...questions] = byRole('user')
  const [response, ...responses] = byRole('assistant')
  if (!question || !response) throw new BadRow('no question and response')
  if (questions.length + responses.length > 0) throw new BadRow('a conversation of several turns')
  if (turns.indexOf(response) < turns.indexOf(question)) throw new BadRow('a response before its question')
  const thinking = THINKING.filter((name) => isContent(response.message[name]))
  return {
    question: contentOf(question.message[question.field]).text,
    response: responseOf(response.message, response.field, thinking),
    rest: [
      ...byRole('system').map(({ message, field }): [string, unknown] => ['system turns', message[field]]),
      ...[question, ...byRole('system')].flatMap((turn) => restOf(turn, [])),
      ...restOf(response, thinking),
      ...named('column', without(row, [column])),
    ],
  }
}

interface Turn {
  role: string
  message: Fields
  /** Of its content. */
  field: string
}

function turnOf(message: Fields): Turn {
  const said = String(message.role ?? message.from)
  const role = ROLES.get(said.toLowerCase())
  if (role === undefined) throw new BadRow('a turn of another role', said)
  return { role, message, field: (message.content ?? undefined) === undefined ? 'value' : 'content' }
}

function restOf({ message, field }: Turn, read: readonly string[]): Found['rest'] {
  return named('message field', without(message, ['role', 'from', field, ...read]))
}

/** Reasoning that stands apart comes first, unless the response has it already. */
function responseOf(row: Fields, field: string, thinking: readonly string[]): string {
  const content = contentOf(row[field])
  const apart = [...thinking.map((name) => contentOf(row[name]).text), content.thinking]
    .map((text) => text.trim())
    .filter(Boolean)
  if (apart.length > 0 && content.text.trim() === '') throw new BadRow('a text is empty')
  const whole = stripDelimiters(content.text) ?? ''
  const fresh = [...new Set(apart)].filter((text) => !whole.startsWith(`${text}\n\n`))
  return [...fresh, content.text].join('\n\n')
}

function contentOf(value: unknown): Content {
  const content = readContent(value)
  if (content) return content
  throw new BadRow(value === undefined || value === null ? 'a text is missing' : 'a part that is not text')
}

function isContent(value: unknown): boolean {
  return readContent(value) !== null
}

/** Whether there is a text, other than those that are known. */
function holdsText(value: unknown, known: readonly string[] = []): boolean {
  if (typeof value === 'string') return value.trim() !== '' && !known.includes(value.trim())
  return typeof value === 'object' && value !== null && Object.values(value).some((field) => holdsText(field, known))
}

function named(kind: string, fields: Fields): Found['rest'] {
  return Object.entries(fields).map(([name, value]) => [`${kind} ${name}`, value])
}

function without(fields: Fields, names: readonly string[]): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !names.includes(name)))
}
