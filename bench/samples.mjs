// What several samples of one prompt cost, against what they are made of: one prefill, and the batched decode.
import { basename } from 'node:path'
import { ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, print, printTable, ratio, spread } from './measure.mjs'

export async function samples({
  model,
  samples = 8,
  promptTokens = 512,
  rounds = 3,
  tokens = 64,
  banned = [],
  threads,
}) {
  if (!model) throw new ScriptError('samples needs --model FILE.')
  const options = { model, threads, samples, promptTokens, tokens, banned }
  const { all } = await inTurn({ all: () => measure('z1', 'samples', options) }, rounds)
  for (const { tokens: generated } of all) {
    if (generated.some((n) => n !== samples * tokens))
      throw new ScriptError('A sample ended before its length: --ban the tokens that end one.')
  }
  const rowOf = (title, value, digits = 0) => {
    const [ms, cpuMs] = ['ms', 'cpuMs'].map((clock) => all.map((report) => value(report[clock])))
    return [title, number(median(ms), digits), spread(ms, digits), number(median(cpuMs), digits), spread(cpuMs, digits)]
  }
  const parts = all.map(({ ms }) => ms.prefill + ms.decode)
  const whole = all.map(({ ms }) => ms.all)
  compare(`${samples} samples of a prompt`, 'prefill + decode', ratio(parts, whole))
  printTable(
    `${basename(model)}: ${samples} samples of ${tokens} tokens, a prompt of ${all[0].prompt}, ${threads} threads, ${rounds} rounds`,
    ['', 'ms', 'from … to', 'on cores', 'from … to'],
    [
      rowOf('prefill alone', ({ prefill }) => prefill),
      rowOf('batched decode alone', ({ decode }) => decode),
      rowOf('samples', (one) => one.all),
      rowOf('samples ÷ (prefill + decode)', (one) => one.all / (one.prefill + one.decode), 3),
    ],
  )
  print(`  Of the ${samples} prompts ${all[0].decoded} tokens were decoded.`)
}
