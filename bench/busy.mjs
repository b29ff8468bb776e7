// What the default number of threads is worth on a machine that does other things too, against numbers that are given.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { basename } from 'node:path'
import { execPath } from 'node:process'
import { ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, printTable, ratio, spread } from './measure.mjs'

/** Numbers of processes that do nothing but compute. */
const LOADS = [0, 1]

export async function busy({ model, rounds = 3, tokens = 96, threads }) {
  if (!model) throw new ScriptError('busy needs --model FILE.')
  const given = [...new Set([1, threads])]
  const sides = {
    default: () => measure('z1', 'rate', { model, tokens }),
    ...Object.fromEntries(
      given.map((n) => [`threads: ${n}`, () => measure('z1', 'rate', { model, tokens, threads: n })]),
    ),
  }
  for (const load of LOADS) {
    const others = await start(load)
    let results
    try {
      results = await inTurn(sides, rounds)
    } finally {
      for (const other of others) other.kill('SIGKILL')
    }
    const rates = Object.fromEntries(Object.entries(results).map(([name, all]) => [name, all.map(({ rate }) => rate)]))
    const [best] = given.map((n) => rates[`threads: ${n}`]).toSorted((a, b) => median(b) - median(a))
    const beside = load === 0 ? 'an idle machine' : `beside ${load} busy`
    compare(`threads by default, ${beside}`, 'the better of those given', ratio(rates.default, best))
    printTable(
      `${basename(model)}: ${tokens} tokens beside ${load} busy processes, ${rounds} rounds`,
      ['', 'tokens/s', 'from … to', 'of the better given one', 'threads at the end'],
      Object.entries(rates).map(([name, all]) => [
        name,
        number(median(all)),
        spread(all),
        number(ratio(all, best), 2),
        results[name].map(({ used }) => used).join(' '),
      ]),
    )
  }
}

/** Processes that compute for ever. Resolves when all of them do. */
async function start(count) {
  // Not longer than this process, however it ends.
  const loop = "process.stdout.write('.'); const parent = process.ppid; while (process.ppid === parent);"
  const others = Array.from({ length: count }, () =>
    spawn(execPath, ['-e', loop], { stdio: ['ignore', 'pipe', 'inherit'] }),
  )
  await Promise.all(others.map(({ stdout }) => once(stdout, 'data')))
  return others
}
