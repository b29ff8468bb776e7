/** `z1 data select`: part of a set. */
import { MODES, RULES, select } from '../../data/select.js'
import { integer, required, word } from '../args.js'
import { defineCommand } from '../command.js'
import { inputFiles, outputOptions } from '../groups.js'
import { writeRecords } from './run.js'

export const command = defineCommand({
  usage: 'z1 data select --tokens T --mode MODE [options] FILE…',
  operands: inputFiles,
  options: {
    tokens: required(integer(0, { value: 'T', help: "budget of tokens; the paper's is 73996112" })),
    mode: required(word(MODES, { value: 'MODE', help: 'longest, shortest or random: which records come first' })),
    rule: word(RULES, {
      value: 'RULE',
      help:
        "script: take records until the budget is reached or exceeded, as the paper's repository does; " +
        'algorithm1: take every record that still fits, as the paper says',
      default: 'script',
    }),
    seed: integer(0, { value: 'N', help: 'for --mode random', default: '42' }),
    ...outputOptions,
  },
  async run({ output, force, json, ...options }, inputs) {
    await writeRecords({ output, force, json }, (frame) => select({ ...options, ...frame, inputs }))
  },
})
