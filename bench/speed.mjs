// Tokens a second of one greedy stream, from its first token to its last.
import { compare, inTurn, measure, measureRaw, median, number, printTable, ratio, spread } from './measure.mjs'
import { modelPath, models, text } from './setup.mjs'

const promptTokens = 64
const defaults = { small: { tokens: 1024 }, large: { tokens: 128 } }

export async function speed({ names, rounds = 5, tokens, threads }) {
  for (const name of names) {
    const n = tokens ?? defaults[name].tokens
    const model = await modelPath(name)
    // The chat template adds a little to the prompt; node-llama-cpp shifts a context that is full.
    const options = { model, threads, prompt: text(name, promptTokens), tokens: n, contextSize: n + 256 }
    const peer = (through) => () => measure('node-llama-cpp', 'stream', { ...options, through }).tokensPerSecond
    const rates = await inTurn(
      {
        // The first line warms up, as the sides do.
        'raw loop': () => measureRaw('bench', model, promptTokens, n, threads, 2)[1][1],
        'z1-native': () => {
          const report = measure('z1', 'stream', options)
          if (report.promptTokens !== promptTokens) throw new Error(`The prompt has ${report.promptTokens} tokens`)
          return report.tokensPerSecond
        },
        'node-llama-cpp evaluate': peer('evaluate'),
        'node-llama-cpp LlamaCompletion': peer('completion'),
        'node-llama-cpp LlamaChatSession': peer('chat'),
      },
      rounds,
    )
    const rows = Object.entries(rates).map(([side, values]) => [
      side,
      number(median(values)),
      spread(values),
      side === 'z1-native' ? '' : number(ratio(rates['z1-native'], values), 2),
    ])
    const [title] = models[name].title.split(',')
    for (const [side, values] of Object.entries(rates)) {
      if (side !== 'z1-native') compare(`one stream, ${title}`, side, ratio(rates['z1-native'], values))
    }
    printTable(
      `${models[name].title}: ${n} tokens after a prompt of ${promptTokens}, ${threads} threads, ${rounds} rounds`,
      ['', 'tokens/s', 'from … to', 'z1 ÷ this'],
      rows,
    )
  }
}
