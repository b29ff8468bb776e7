/** `z1 data generate`: problems with their trajectories. */
import { generateFile } from '../../data/generate.js'
import { integer, list, oneOf, range, text } from '../args.js'
import { defineCommand } from '../command.js'
import { outputOptions, tokenizerOption } from '../groups.js'
import { writeRecords } from './run.js'

export const command = defineCommand({
  usage: 'z1 data generate [options]',
  operands: { min: 0, max: 0, expected: 'no file' },
  options: {
    count: integer(1, { value: 'N', help: 'records', fallback: 1000 }),
    seed: integer(0, { value: 'N', help: 'equal seeds give equal records', fallback: 0 }),
    families: list({
      value: 'A,B:3',
      help:
        'letters, arithmetic, lists, numbers, programs, stories, several, outside; ' +
        'the :3 makes B come three times as often',
      default: 'all but the last',
    }),
    difficulty: range({ value: 'A-B', help: 'within 1-8', default: '1-8' }),
    split: oneOf(['train', 'test'], {
      value: 'NAME',
      help: 'train or test: no problem is in both',
      fallback: 'train',
    }),
    wordings: oneOf(['seen', 'unseen'], {
      value: 'NAME',
      help: 'unseen: questions put in ways that seen ones never are',
      fallback: 'seen',
    }),
    style: oneOf(['z1', 'delimited'], {
      value: 'NAME',
      help: 'z1: one text; delimited: the reasoning between think tags',
      fallback: 'z1',
    }),
    lengths: oneOf(['short-and-long', 'long'], {
      value: 'NAME',
      help: 'of the reasoning: as the difficulty asks for, or always long and with a check',
      fallback: 'short-and-long',
    }),
    check: text({
      value: 'PYTHON',
      implied: 'python3',
      help: "run each problem's program, and end at one that prints another answer",
      default: 'python3',
    }),
    tokenizer: tokenizerOption,
    ...outputOptions,
  },
  async run({ output, force, json, ...options }) {
    await writeRecords({ output, force, json }, (frame) => generateFile({ ...options, ...frame }))
  },
})
