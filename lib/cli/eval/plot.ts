/** `z1 eval plot`: a figure of runs. */
import { basename, resolve } from 'node:path'
import { checkDistinct, writeWhole } from '../../base/files.js'
import { figureOf } from '../../eval/figure.js'
import { filesOfRun } from '../../eval/results.js'
import { readSummary } from '../../eval/summary.js'
import { repeated, required, text, UsageError } from '../args.js'
import { defineCommand } from '../command.js'

export const command = defineCommand({
  usage: 'z1 eval plot [--label TEXT]… [--title TEXT] --output FILE.svg DIR…',
  operands: { min: 1, max: Infinity, expected: 'the folders of runs' },
  options: {
    label: repeated({ value: 'TEXT', help: 'name of a run, once for each', default: "the folders' names" }),
    title: text({ value: 'TEXT', help: 'title of the figure' }),
    output: required(text({ value: 'FILE.svg', help: 'the figure' }), 'a file'),
  },
  async run({ label, title, output }, directories) {
    if (label && label.length !== directories.length) throw new UsageError('Expected one --label for each run')
    await checkDistinct([output], directories.flatMap(filesOfRun))
    const runs = directories.map((directory, i) => ({
      label: label?.[i] ?? basename(resolve(directory)),
      summary: readSummary(directory),
    }))
    await writeWhole(output, figureOf(runs, title))
  },
})
