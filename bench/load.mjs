// Time from the import of the library to a context that can run, and the memory of the process.
import { inTurn, measure, median, number, printTable, ratio, spread } from './measure.mjs'
import { modelPath, models, text } from './setup.mjs'

export async function load({ names, rounds = 5, threads }) {
  for (const name of names) {
    const options = { model: await modelPath(name), threads, prompt: text(name, 8), contextSize: 2048 }
    const reports = inTurn(
      {
        'z1-native': () => measure('z1', 'load', options),
        'node-llama-cpp': () => measure('node-llama-cpp', 'load', options),
      },
      rounds,
    )
    const column = (side, key, divisor = 1) => reports[side].map((report) => report[key] / divisor)
    const rows = Object.keys(reports).map((side) => [
      side,
      number(median(column(side, 'loaded')), 0),
      spread(column(side, 'loaded'), 0),
      side === 'z1-native' ? '' : number(ratio(column(side, 'loaded'), column('z1-native', 'loaded')), 2),
      number(median(column(side, 'rss', 2 ** 20)), 0),
      number(median(column(side, 'rssUsed', 2 ** 20)), 0),
    ])
    printTable(
      `${models[name].title}: loading with a context of 2048 tokens, the file in the page cache, ${rounds} rounds`,
      ['', 'ms', 'from … to', 'this ÷ z1', 'MiB loaded', 'MiB after a token'],
      rows,
    )
  }
}
