// What an abort during a long prompt costs: the caller, the next request, and the stream beside it.
import { inTurn, measure, median, number, printTable } from './measure.mjs'
import { modelPath, models, text } from './setup.mjs'

const promptTokens = 8000

export async function abort({ names, rounds = 3, threads }) {
  for (const name of names) {
    const options = {
      model: await modelPath(name),
      threads,
      long: [text(name, promptTokens), text(name, promptTokens, 1)],
      short: text(name, 8),
      contextSize: 8192,
    }
    const reports = await inTurn(
      {
        'z1-native': () => measure('z1', 'abort', options),
        'node-llama-cpp': () => measure('node-llama-cpp', 'abort', options),
      },
      rounds,
    )
    const columns = {
      'caller waits': 'settled',
      'next request later by': 'idle',
      'caller waits, beside a stream': 'settledBeside',
      'longest gap of a stream': 'gap',
      'with the prompt beside it': 'gapBeside',
    }
    const sides = Object.keys(reports)
    const rows = Object.entries(columns).map(([title, key]) => {
      return [title, ...sides.map((side) => number(median(reports[side].map((report) => report[key]))))]
    })
    printTable(
      `${models[name].title}: a prompt of ${promptTokens} tokens aborted after 200 ms, ms, ${threads} threads, ${rounds} rounds`,
      ['', ...sides],
      rows,
    )
  }
}
