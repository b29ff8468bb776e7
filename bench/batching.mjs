// Requests at once: tokens a second of all together, against llama.cpp's own programs, all on the libraries that were built with them.
import { basename, join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { capture, ScriptError } from '../scripts/common.mjs'
import { compare, inTurn, measure, median, number, printTable, ratio, spread } from './measure.mjs'
import { buildPeers, peers, startServer } from './peers.mjs'

const CASES = [
  ...[1, 2, 4, 8, 16].map((parallel) => ({ parallel, promptTokens: 64 })),
  { parallel: 8, promptTokens: 1500 },
]

export async function batching({ model, parallel: only, promptTokens: length = 64, ...more }) {
  const { rounds = 3, tokens = 64, threads } = more
  if (!model) throw new ScriptError('batching needs --model FILE.')
  buildPeers()
  const cases = only === undefined ? CASES : [{ parallel: only, promptTokens: length }]
  for (const { parallel, promptTokens } of cases) {
    const options = { model, threads, parallel, promptTokens, tokens }
    const results = await inTurn(
      {
        'z1-native': () => measure('z1', 'batching', { ...options, engine: peers }),
        "z1-native, kvCache: 'shared'": () =>
          measure('z1', 'batching', { ...options, engine: peers, kvCache: 'shared' }),
        'llama-batched-bench': () => batchedBench(options),
        'llama-server': () => llamaServer(options),
      },
      rounds,
    )
    const of = (side, key) => results[side].map((result) => result[key])
    for (const side of ['llama-batched-bench', 'llama-server']) {
      const times = ratio(of('z1-native', 'generated'), of(side, 'generated'))
      compare(`${parallel} at once after ${promptTokens}`, side, times)
    }
    printTable(
      `${basename(model)}: ${parallel} × (a prompt of ${promptTokens} + ${tokens} tokens), ${threads} threads, ${rounds} rounds`,
      ['', 'tokens/s', 'from … to', 'z1 ÷ this', 'of prompts', 'from … to', 'z1 ÷ this'],
      Object.keys(results).map((side) => [
        side,
        ...['generated', 'read'].flatMap((key) => [
          number(median(of(side, key))),
          spread(of(side, key)),
          side === 'z1-native' ? '' : number(ratio(of('z1-native', key), of(side, key)), 2),
        ]),
      ]),
    )
  }
}

function batchedBench({ model, threads, parallel, promptTokens, tokens }) {
  const sizes = {
    '-npl': parallel,
    '-npp': promptTokens,
    '-ntg': tokens,
    '-c': parallel * (promptTokens + tokens + 16),
  }
  const others = { '-m': model, '-t': threads, '-tb': threads, '-b': 512, '-ub': 512, '--output-format': 'jsonl' }
  const args = Object.entries({ ...sizes, ...others })
    .flat()
    .map(String)
  const output = capture(join(peers, 'llama-batched-bench'), args)
  const { speed_pp: read, speed_tg: generated } = JSON.parse(output.split('\n').find((line) => line.startsWith('{')))
  return { read, generated }
}

async function llamaServer({ model, threads, parallel, promptTokens, tokens }) {
  const room = parallel * (promptTokens + tokens + 16)
  const server = await startServer(model, ['-np', parallel, '-c', room, '-t', threads, '-tb', threads, '-b', 512])
  const post = async (path, body) => {
    const response = await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body) })
    if (!response.ok) throw new Error(await response.text())
    return response.json()
  }
  try {
    const sentence = 'The quick brown fox jumps over the lazy dog, and the dog sleeps on. '
    const { tokens: words } = await post('/tokenize', { content: sentence.repeat(promptTokens + parallel) })
    const all = async (predicted) => {
      const begin = performance.now()
      const results = await Promise.all(
        Array.from({ length: parallel }, (_, i) =>
          post('/completion', {
            ...{ prompt: words.slice(i, i + promptTokens), id_slot: i, n_predict: predicted },
            ...{ temperature: 0, samplers: [], ignore_eos: true, cache_prompt: true },
          }),
        ),
      )
      const seconds = (performance.now() - begin) / 1000
      const sum = (key) => results.reduce((total, { timings }) => total + timings[key], 0)
      return { read: sum('prompt_n') / seconds, generated: sum('predicted_n') / seconds }
    }
    await post('/completion', { prompt: 'A short one', n_predict: 4, cache_prompt: false })
    const { read } = await all(1)
    const { generated } = await all(tokens)
    return { read, generated }
  } finally {
    await server.end()
  }
}
