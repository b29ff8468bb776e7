/** `z1 data clean`: records without duplicates and evaluation questions. */
import { clean } from '../../data/clean.js'
import { flag, integer, number, repeated } from '../args.js'
import { defineCommand } from '../command.js'
import { inputFiles, outputOptions } from '../groups.js'
import { writeRecords } from './run.js'

export const command = defineCommand({
  usage: 'z1 data clean [options] FILE…',
  operands: inputFiles,
  options: {
    against: repeated({
      value: 'FILE',
      help: 'questions that must not be trained on; may be given more than once',
    }),
    overlap: integer(1, {
      value: 'N',
      help: 'words in a row, shared with one of those, that are too many',
      default: '13',
    }),
    threshold: number({
      value: 'S',
      help: "similarity (Jaccard's, of runs of three words) from which questions are the same",
      default: '0.8',
    }),
    near: flag({ name: 'exact', means: false, help: 'look for equal questions only, not for similar ones' }),
    ...outputOptions,
  },
  async run({ output, force, json, ...options }, inputs) {
    await writeRecords({ output, force, json }, (frame) => clean({ ...options, ...frame, inputs }))
  },
})
