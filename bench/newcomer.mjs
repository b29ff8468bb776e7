// What a running stream notices of another request whose long prompt is read: the time between its tokens.
import { basename } from 'node:path'
import { ScriptError } from '../scripts/common.mjs'
import { inTurn, measure, median, number, print, printTable, spread } from './measure.mjs'

export async function newcomer({ model, promptTokens = 1500, tokens = 256, rounds = 3, threads }) {
  if (!model) throw new ScriptError('newcomer needs --model FILE.')
  const options = { model, threads, promptTokens, tokens }
  const { all } = await inTurn({ all: () => measure('z1', 'newcomer', options) }, rounds)
  const rowOf = (title, key) => {
    const gaps = all.flatMap((result) => result[key]).toSorted((a, b) => a - b)
    const at = (share) => gaps[Math.min(gaps.length - 1, Math.floor(share * gaps.length))]
    return [title, String(gaps.length), ...[at(0.5), at(0.99), gaps.at(-1)].map((ms) => number(ms))]
  }
  printTable(
    `${basename(model)}: a stream beside a request with a prompt of ${promptTokens}, ${threads} threads, ${rounds} rounds`,
    ['milliseconds between tokens', 'of them', 'median', 'p99', 'longest'],
    [rowOf('alone', 'alone'), rowOf('while the prompt is read', 'beside')],
  )
  const times = all.map(({ promptMs }) => promptMs)
  print(`  The prompt was read in ${number(median(times))} ms (${spread(times)}).`)
}
