// A few requests at once: in turns where that is measured to be faster, as by default, and always together, as with a given number of
// threads. Both have as many threads as the process may use cores.
import { availableParallelism } from 'node:os'
import { basename } from 'node:path'
import { ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, printTable, ratio, spread } from './measure.mjs'

const PARALLEL = [1, 2, 3, 4, 8]

export async function turns({ model, promptTokens = 64, tokens = 64, rounds = 3 }) {
  if (!model) throw new ScriptError('turns needs --model FILE.')
  const threads = availableParallelism()
  const rows = []
  for (const parallel of PARALLEL) {
    const options = { model, parallel, promptTokens, tokens }
    const results = await inTurn(
      {
        default: () => measure('z1', 'batching', options),
        given: () => measure('z1', 'batching', { ...options, threads }),
      },
      rounds,
    )
    const [usual, given] = Object.values(results).map((all) => all.map(({ generated }) => generated))
    const times = ratio(usual, given)
    compare(`${parallel} at once, by default`, `threads: ${threads}`, times)
    rows.push([
      String(parallel),
      number(median(usual)),
      spread(usual),
      number(median(given)),
      spread(given),
      number(times, 2),
    ])
  }
  printTable(
    `${basename(model)}: requests at once, ${tokens} tokens each after a prompt of ${promptTokens}, ${threads} threads, ${rounds} rounds`,
    ['at once', 'by default, tokens/s', 'from … to', `threads: ${threads}`, 'from … to', 'default ÷ given'],
    rows,
  )
}
