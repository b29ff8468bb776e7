/** `z1 data import`: records of other trajectory sets. */
import { importRecords } from '../../data/import.js'
import { text } from '../args.js'
import { defineCommand } from '../command.js'
import { inputFiles, outputOptions, tokenizerOption } from '../groups.js'
import { writeRecords } from './run.js'

export const command = defineCommand({
  usage: 'z1 data import [options] FILE…',
  operands: inputFiles,
  options: {
    questionField: text({ value: 'NAME', default: 'question, problem, prompt or instruction; or a conversation' }),
    responseField: text({ value: 'NAME', default: 'response, output or generation; or a conversation' }),
    thinkingField: text({
      value: 'NAME',
      help: 'reasoning that comes before the response',
      default: 'reasoning_content, thinking or reasoning',
    }),
    idField: text({ value: 'NAME', default: "id, else the file's name and the row" }),
    answerField: text({ value: 'NAME', default: 'answer' }),
    tokenizer: tokenizerOption,
    ...outputOptions,
  },
  async run({ output, force, json, ...options }, inputs) {
    await writeRecords({ output, force, json }, (frame) => importRecords({ ...options, ...frame, inputs }))
  },
})
