/** `import`: rows of other trajectory sets become records. */
import { misuse, text } from '../base/checks.js'
import { type Option, option, readOptions, required } from '../base/options.js'
import { idOf, type Row, scalarOf } from '../base/rows.js'
import type { TrajectoryRecord } from '../problems/record.js'
import { openTokenizer } from '../reason/vocabulary.js'
import { BadRow, exchangeOf } from './exchange.js'
import { fileName, fileNames, JOB_OPTIONS, type JobOptions } from './options.js'
import { ResumableRun, type RowOutcome, rowsOf } from './resumable-run.js'
import type { JobReport } from './run-state.js'

export interface ImportOptions extends JobOptions {
  inputs: readonly string[]
  /** Columns to read. Default: `question`, `problem`, `prompt` or `instruction`; `response`, `output` or `generation`; or
   * a conversation in `messages` or `conversations`. An `instruction` goes on in `input` or `context`. */
  questionField?: string | undefined
  responseField?: string | undefined
  /** A column of reasoning that comes before the response. Default: `reasoning_content`, `thinking` or `reasoning`. */
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

/** Texts that are counted at once. */
const PARALLEL = 4

/**
 * Writes a record for each row that makes one; the others are counted by what is wrong with them, and so are texts of a row
 * that its record does not hold.
 * @throws {TypeError|RangeError} for invalid options.
 * @throws as {@link ResumableRun.open} and its input do; {Z1Error} for the tokenizer.
 */
export async function importRecords(options: ImportOptions): Promise<JobReport> {
  const checked = readOptions(IMPORT_OPTIONS, options)
  const { inputs, questionField, responseField, thinkingField, idField, answerField, tokenizer: vocabulary } = checked
  if ((questionField === undefined) !== (responseField === undefined)) {
    throw misuse(TypeError, 'questionField and responseField together', 'options', 'one of them')
  }
  const fields = { question: questionField, response: responseField, thinking: thinkingField }
  const settings = { questionField, responseField, thinkingField, idField, answerField, tokenizer: vocabulary }
  const models = [vocabulary]
  await using run = await ResumableRun.open({ command: 'import', settings, inputs, models, options: checked })
  if (run.done) return run.report

  const tokenizer = await openTokenizer(vocabulary)
  const work = async (row: Row): Promise<RowOutcome> => {
    try {
      const { family, difficulty } = row.columns
      const answer = scalarOf(row, answerField)
      const known = {
        ...(answer === undefined ? {} : { answer }),
        ...(typeof family === 'string' ? { family } : {}),
        ...(typeof difficulty === 'number' ? { difficulty } : {}),
      }
      const kept = [idField, ...Object.keys(known).map((name) => (name === 'answer' ? answerField : name))]
      const { question, response, unused } = exchangeOf(row.columns, fields, kept)
      const record: TrajectoryRecord = {
        id: idOf(row, idField),
        question,
        response,
        token_num_qwen: await tokenizer.count(response),
        ...known,
      }
      return { line: JSON.stringify(record), unused }
    } catch (error) {
      if (error instanceof BadRow) return { dropped: error.message, detail: error.detail }
      throw error
    }
  }
  try {
    return await run.complete(rowsOf(inputs, run.position), ({ value }) => work(value), { parallel: PARALLEL })
  } finally {
    tokenizer.close()
  }
}
