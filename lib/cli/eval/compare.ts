/** `z1 eval compare`: two runs, window by window and as curves. */
import { compareRuns } from '../../eval/compare.js'
import { compareCurves } from '../../eval/compare-curves.js'
import { reportOfComparison, reportOfCurves } from '../../eval/report.js'
import { flag, list } from '../args.js'
import { defineCommand } from '../command.js'
import { print } from '../terminal.js'

export const command = defineCommand({
  usage: 'z1 eval compare [--windows A:B,…] [--json] DIR DIR',
  operands: { min: 2, max: 2, expected: 'the folders of two runs' },
  options: {
    windows: list({
      value: 'A:B,…',
      help: 'windows of the first run, each with the one of the second that it is compared with',
      default: 'those that both runs have',
    }),
    json: flag({ help: 'print the comparisons as JSON: windows and curves' }),
  },
  async run({ windows, json }, operands) {
    const [a, b] = operands as [string, string]
    const pairs = windows?.map((pair) => {
      const [windowA = pair, windowB = windowA] = pair.split(':')
      return [windowA, windowB] as const
    })
    const comparisons = await compareRuns(a, b, pairs)
    const curves = await compareCurves(a, b)
    if (json) print(`${JSON.stringify({ windows: comparisons, curves }, null, 2)}\n`)
    else
      print(
        `A: ${a}\nB: ${b}\n\n${[reportOfComparison(comparisons), reportOfCurves(curves)].filter(Boolean).join('\n\n')}\n`,
      )
  },
})
