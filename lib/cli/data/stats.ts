/** `z1 data stats`: what a set holds, in numbers or as a drawing. */
import { checkDistinct, writeWhole } from '../../base/files.js'
import { chartOf } from '../../data/chart.js'
import { stats } from '../../data/stats.js'
import { flag, integer, text } from '../args.js'
import { defineCommand } from '../command.js'
import { inputFiles } from '../groups.js'
import { print } from '../terminal.js'
import { rowProgress, runReading } from './run.js'
import { statsTable } from './stats-table.js'

export const command = defineCommand({
  usage: 'z1 data stats [options] FILE…',
  operands: inputFiles,
  options: {
    json: flag({ help: 'print everything as JSON' }),
    svg: text({ value: 'FILE', help: 'draw the lengths and the frequent phrases' }),
    title: text({ value: 'TEXT', help: 'title of the drawing' }),
    trigrams: integer(0, { value: 'N', help: 'frequent runs of three words to list', default: '15' }),
  },
  async run({ json, svg, title, trigrams }, inputs) {
    if (svg !== undefined) await checkDistinct([svg], inputs)
    const found = await runReading(({ signal, show }) => {
      return stats({ inputs, trigrams, signal, onProgress: rowProgress(show) })
    })
    if (!found) return
    if (svg !== undefined) await writeWhole(svg, chartOf(found, title))
    print(json ? `${JSON.stringify(found, null, 2)}\n` : statsTable(found))
  },
})
