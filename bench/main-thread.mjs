// How long a streamed token keeps JavaScript's thread busy.
import { compare, inTurn, measure, median, number, printTable, ratio, spread } from './measure.mjs'
import { modelPath, models, text } from './setup.mjs'

const promptTokens = 64

export async function mainThread({ names, rounds = 3, tokens = 1024, threads }) {
  for (const name of names) {
    const options = {
      model: await modelPath(name),
      threads,
      prompt: text(name, promptTokens),
      tokens,
      contextSize: tokens + 256,
    }
    const peer = (through) => () => measure('node-llama-cpp', 'stream', { ...options, through })
    const reports = await inTurn(
      {
        'z1-native stream': () => measure('z1', 'stream', options),
        'node-llama-cpp evaluate': peer('evaluate'),
        'node-llama-cpp LlamaChatSession': peer('chat'),
      },
      rounds,
    )
    const active = (side) => reports[side].map((report) => report.active)
    const rows = Object.keys(reports).map((side) => [
      side,
      number(median(active(side))),
      spread(active(side)),
      number(median(reports[side].map((report) => report.cpu))),
      side === 'z1-native stream' ? '' : number(ratio(active(side), active('z1-native stream'))),
    ])
    const [title] = models[name].title.split(',')
    for (const side of Object.keys(reports)) {
      if (side !== 'z1-native stream')
        compare(`main thread, ${title}`, side, ratio(active(side), active('z1-native stream')))
    }
    printTable(
      `${models[name].title}: µs of the main thread for each of ${tokens} tokens, ${threads} threads, ${rounds} rounds`,
      ['', 'loop active', 'from … to', 'on a core', 'this ÷ z1'],
      rows,
    )
  }
}
