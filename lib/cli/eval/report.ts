/** `z1 eval report`: runs as one page to read, and their curve as a drawing. */
import { checkDistinct, writeWhole } from '../../base/files.js'
import { figureOf } from '../../eval/figure.js'
import { readReport } from '../../eval/html/data.js'
import { pageOf } from '../../eval/html/page.js'
import { filesOfRun } from '../../eval/results.js'
import { flag, repeated, required, text, UsageError } from '../args.js'
import { defineCommand } from '../command.js'

export const command = defineCommand({
  usage: 'z1 eval report [--label TEXT]… [--no-texts] [--svg FILE] --output FILE DIR…',
  operands: { min: 1, max: Infinity, expected: 'the folders of runs' },
  options: {
    label: repeated({ value: 'TEXT', help: 'name of a run, once for each', default: "the folders' names" }),
    title: text({ value: 'TEXT', help: 'title of the page', default: "the tasks' names" }),
    texts: flag({ name: 'no-texts', means: false, help: 'leave questions, responses and long answers out' }),
    svg: text({ value: 'FILE.svg', help: 'the curve as a drawing of its own, for runs of one task' }),
    output: required(text({ value: 'FILE.html', help: 'the page, which needs no other file' }), 'a file'),
  },
  async run({ label, title, texts = true, svg, output }, directories) {
    if (label && label.length !== directories.length) throw new UsageError('Expected one --label for each run')
    const outputs = svg === undefined ? [output] : [output, svg]
    await checkDistinct(outputs, directories.flatMap(filesOfRun))
    const report = await readReport(directories, label, texts)
    const tasks = [...new Set(report.runs.map(({ run }) => run.options.task))]
    if (svg !== undefined && tasks.length > 1) {
      throw new UsageError(`Expected runs of one task for --svg but they are of ${tasks.join(', ')}`)
    }
    await writeWhole(output, pageOf(report, { title, texts }))
    if (svg !== undefined) await writeWhole(svg, figureOf(report.runs, title))
  },
})
