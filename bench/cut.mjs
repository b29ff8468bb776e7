// The stall when the window closes: from the last token of the thinking to the first of the answer, compared with a raw
// llama_decode of as many tokens at the same position, and the sampling of one.
import { inTurn, measure, measureRaw, median, number, printTable, ratio } from './measure.mjs'
import { modelPath, models, text } from './setup.mjs'

const promptTokens = 64
const windows = [100, 1500, 4000]

export async function cut({ names, rounds = 3, threads }) {
  for (const name of names) {
    const model = await modelPath(name)
    const options = { model, threads, prompt: text(name, promptTokens), windows, contextSize: 4352 }
    let hintTokens
    const { z1, raw } = await inTurn(
      {
        z1: () => {
          const reports = measure('z1', 'cut', options)
          hintTokens = reports[0].usage.hintTokens
          return reports
        },
        // One repeat: a second one would find the graph of the first, which a cut never does.
        raw: () =>
          windows.map(
            (window) => measureRaw('cut', model, promptTokens + window - 1, hintTokens, threads, 1)[0][0] / 1000,
          ),
      },
      rounds,
    )
    const rows = windows.map((window, i) => {
      const stalls = z1.map((reports) => reports[i].stall)
      const hints = z1.map((reports) => reports[i].hint)
      const decodes = raw.map((values) => values[i])
      return [
        String(window),
        number(median(decodes), 2),
        number(median(hints), 2),
        number(median(stalls), 2),
        number(ratio(stalls, decodes), 2),
      ]
    })
    printTable(
      `${models[name].title}: ms at the cut, hint of ${hintTokens} tokens, ${threads} threads, ${rounds} rounds`,
      ['thinking tokens', 'raw decode', 'z1 hintMs', 'z1 stall', 'stall ÷ raw'],
      rows,
    )
  }
}
