// Time from the start to a context that can run and to its first token, the time to end, and the memory of the process.
import { readFileSync, statSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { compare, inTurn, measure, median, number, printTable, ratio, spread } from './measure.mjs'
import { buildPeers, startServer } from './peers.mjs'
import { modelPath, models, text } from './setup.mjs'

const contextSize = 2048

export async function load({ names, rounds = 5, threads }) {
  buildPeers()
  for (const name of names) {
    const options = { model: await modelPath(name), threads, prompt: text(name, 8), contextSize }
    const reports = await inTurn(
      {
        'z1-native': () => measure('z1', 'load', options),
        'node-llama-cpp': () => measure('node-llama-cpp', 'load', options),
        'llama-server': () => llamaServer(options),
      },
      rounds,
    )
    // What no way of running the model can do without.
    const least = statSync(options.model).size + models[name].cellBytes * contextSize
    const column = (side, key, divisor = 1) => reports[side].map((report) => report[key] / divisor)
    const rows = Object.keys(reports).map((side) => [
      side,
      ...['loaded', 'first'].flatMap((key) => [
        number(median(column(side, key)), 0),
        spread(column(side, key), 0),
        side === 'z1-native' ? '' : number(ratio(column(side, key), column('z1-native', key)), 2),
      ]),
      number(median(column(side, 'disposed')), 0),
      number(median(column(side, 'rss', 2 ** 20)), 0),
      number(median(column(side, 'rssUsed', 2 ** 20)), 0),
      number((median(column(side, 'rssUsed')) - least) / 2 ** 20, 0),
    ])
    const [title] = models[name].title.split(',')
    for (const side of Object.keys(reports)) {
      if (side !== 'z1-native')
        compare(`to a first token, ${title}`, side, ratio(column(side, 'first'), column('z1-native', 'first')))
    }
    printTable(
      `${models[name].title}: a context of ${contextSize} tokens, the file in the page cache, ${rounds} rounds`,
      [
        ...['', 'ms to load', 'from … to', '÷ z1', 'to a token', 'from … to', '÷ z1', 'to end'],
        ...['MiB loaded', 'after a token', 'less file and KV'],
      ],
      rows,
    )
  }
}

async function llamaServer({ model, threads, prompt }) {
  const begin = performance.now()
  const server = await startServer(model, ['-np', 1, '-c', contextSize, '-t', threads, '-tb', threads])
  const loaded = performance.now() - begin
  const rss = residentBytes(server.pid)
  const body = JSON.stringify({ prompt, n_predict: 1, temperature: 0 })
  const response = await fetch(`${server.url}/completion`, { method: 'POST', body })
  if (!response.ok) throw new Error(await response.text())
  await response.json()
  const first = performance.now() - begin
  const rssUsed = residentBytes(server.pid)
  const ending = performance.now()
  await server.end()
  return { loaded, first, rss, rssUsed, disposed: performance.now() - ending }
}

/** NaN where the system does not say. */
function residentBytes(pid) {
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))[1]) * 1024
  } catch {
    return NaN
  }
}
