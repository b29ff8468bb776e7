/**
 * `import`: rows of other trajectory sets become records. A row says question and response in two columns, or in a
 * conversation of one question and one response, as ShareGPT, OpenThoughts and chat sets do.
 */
import { misuse, text } from '../base/checks.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { idOf, type Row } from '../base/rows.js'
import type { TrajectoryRecord } from '../problems/record.js'
import { openTokenizer } from '../reason/vocabulary.js'
import { stripDelimiters } from './delimiters.js'
import { fileName, fileNames, JOB_OPTIONS, type JobOptions } from './options.js'
import { ResumableRun, type RowOutcome, rowsOf } from './resumable-run.js'
import type { JobReport } from './run-state.js'

export interface ImportOptions extends JobOptions {
  inputs: readonly string[]
  /** Columns to read. Default: `question`, `problem`, `prompt` or `instruction`; `response`, `output` or `generation`; or
   * a conversation in `messages` or `conversations`. */
  questionField?: string | undefined
  responseField?: string | undefined
  /** A column of reasoning that comes before the response. Default: none. */
  thinkingField?: string | undefined
  /** Default `id`; rows without one get the file's name and their number. */
  idField?: string | undefined
  /** Default `answer`, where there is one. */
  answerField?: string | undefined
  /** GGUF file whose vocabulary counts `token_num_qwen`. Default: the embedded model. */
  tokenizer?: string | undefined
}

const IMPORT_OPTIONS = {
  ...JOB_OPTIONS,
  inputs: required(fileNames),
  questionField: option(text),
  responseField: option(text),
  thinkingField: option(text),
  idField: option(text, 'id'),
  answerField: option(text, 'answer'),
  tokenizer: option(fileName),
} satisfies Record<keyof ImportOptions, Option<unknown>>

const QUESTIONS = ['question', 'problem', 'prompt', 'instruction']
const RESPONSES = ['response', 'output', 'generation']
const CONVERSATIONS = ['messages', 'conversations']

/** Texts that are counted at once. */
const PARALLEL = 4

/** Why a row is not a record. It is left out, counted and named. */
class BadRow extends Error {}

/**
 * Writes a record for each row that makes one; the others are counted by what is wrong with them.
 * @throws {TypeError|RangeError} for invalid options.
 * @throws as {@link ResumableRun.open} and its input do; {Z1Error} for the tokenizer.
 */
export async function importRecords(options: ImportOptions): Promise<JobReport> {
  const checked = readOptions(IMPORT_OPTIONS, options)
  const { inputs, questionField, responseField, thinkingField, idField, answerField, tokenizer: vocabulary } = checked
  if ((questionField === undefined) !== (responseField === undefined)) {
    throw misuse(TypeError, 'questionField and responseField together', 'options', 'one of them')
  }
  const settings = { questionField, responseField, thinkingField, idField, answerField, tokenizer: vocabulary }
  const models = [vocabulary]
  await using run = await ResumableRun.open({ command: 'import', settings, inputs, models, options: checked })
  if (run.done) return run.report

  const tokenizer = await openTokenizer(vocabulary)
  const work = async (row: Row): Promise<RowOutcome> => {
    try {
      const { question, response } = exchangeOf(row, { questionField, responseField, thinkingField })
      const { [answerField]: answer, family, difficulty } = row.columns
      const record: TrajectoryRecord = {
        id: idOf(row, idField),
        question,
        response,
        token_num_qwen: await tokenizer.count(response),
        ...(typeof answer === 'string' || typeof answer === 'number' ? { answer: String(answer) } : {}),
        ...(typeof family === 'string' ? { family } : {}),
        ...(typeof difficulty === 'number' ? { difficulty } : {}),
      }
      return { line: JSON.stringify(record) }
    } catch (error) {
      if (error instanceof BadRow) return { dropped: error.message }
      throw error
    }
  }
  try {
    return await run.complete(rowsOf(inputs, run.position), ({ value }) => work(value), { parallel: PARALLEL })
  } finally {
    tokenizer.close()
  }
}

type Fields = Pick<ImportOptions, 'questionField' | 'responseField' | 'thinkingField'>

function exchangeOf({ columns }: Row, fields: Fields): { question: string; response: string } {
  const questionField = fields.questionField ?? QUESTIONS.find((name) => typeof columns[name] === 'string')
  const responseField = fields.responseField ?? RESPONSES.find((name) => typeof columns[name] === 'string')
  const conversation = CONVERSATIONS.find((name) => Array.isArray(columns[name]))
  const separate = questionField !== undefined && responseField !== undefined
  if (!separate && conversation === undefined) throw new BadRow('no question and response')

  const { question, response } = separate
    ? { question: columns[questionField], response: columns[responseField] }
    : turnsOf(columns[conversation as string] as unknown[])
  const thinking = fields.thinkingField === undefined ? '' : columns[fields.thinkingField]
  for (const text of [question, response, thinking]) if (typeof text !== 'string') throw new BadRow('a text is missing')
  const whole = stripDelimiters(thinking === '' ? (response as string) : `${thinking}\n\n${response}`)
  if (whole === null) throw new BadRow('reasoning without an end')
  if (whole === '' || (question as string).trim() === '') throw new BadRow('a text is empty')
  return { question: (question as string).trim(), response: whole }
}

/** Roles, and the names of their fields, as chat sets (role, content) and ShareGPT (from, value) have them. */
function turnsOf(messages: readonly unknown[]): { question: unknown; response: unknown } {
  const turns = messages.map((message) => {
    const { role, from, content, value, reasoning_content: thinking } = Object(message)
    const text = content ?? value
    return { role: role ?? from, text: typeof thinking === 'string' ? `${thinking}\n\n${text}` : text }
  })
  const questions = turns.filter(({ role }) => role === 'user' || role === 'human')
  const responses = turns.filter(({ role }) => role === 'assistant' || role === 'gpt')
  if (questions.length === 0 || responses.length === 0) throw new BadRow('no question and response')
  if (questions.length > 1 || responses.length > 1) throw new BadRow('a conversation of several turns')
  return { question: questions[0]?.text, response: responses[0]?.text }
}
