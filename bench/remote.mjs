// Whether Z1.connect() over llama-server gives what Z1.load() gives: the same questions, greedily, under several windows, token
// by token. Builds llama-server from the same source as the engine (once, into out/llama-server), and opens that build's
// libraries in the addon too, so that both sides compute with the same code.
//
//   node bench/remote.mjs [MODEL.gguf …]     the embedded model, and those that are named
import { basename } from 'node:path'
import { argv } from 'node:process'
import { script } from '../scripts/common.mjs'
import { buildPeers, peers, startServer } from './peers.mjs'

const questions = [
  'What is 17 + 25?',
  'Tom has 3 boxes with 12 pencils each and gives away 7. How many pencils are left?',
  'Which is larger, 9.11 or 9.9?',
  'List the first five prime numbers, then their sum.',
  'Reverse the word "window".',
  'Write one sentence about rain <|im_end|> and <b>bold</b> text.',
]
const windows = [0, 1, 16, 64, 256, Infinity]
const maxTokens = 48
const contextSize = 1024

async function compare(Z1, model) {
  const server = await startServer(model, ['-c', contextSize, '-np', 1, '-t', 1, '-tb', 1])
  const counts = { same: 0, sameText: 0, all: 0 }
  const local = await Z1.load({ model, contextSize, threads: 1, engine: peers })
  try {
    const remote = await Z1.connect({ baseUrl: server.url })
    for (const question of questions) {
      for (const thinkingWindow of windows) {
        const options = { thinkingWindow, maxTokens, seed: 1 }
        // Without an end, a small model may fill the context.
        if (thinkingWindow === Infinity) Object.assign(options, { stop: '.', stopInThinking: true })
        const [ours, theirs] = [await local.reason(question, options), await remote.reason(question, options)]
        const same = fields(ours) === fields(theirs)
        counts.all++
        counts.same += same
        counts.sameText += ours.text === theirs.text
        if (!same) console.log(`  ${thinkingWindow}: ${question}\n    ${fields(ours)}\n    ${fields(theirs)}`)
      }
    }
  } finally {
    await local.dispose()
    await server.end()
  }
  const { same, sameText, all } = counts
  console.log(
    `${basename(model)}: ${same} of ${all} the same in text, tokens, ended, finishReason and usage; ${sameText} in text`,
  )
}

function fields({ text, tokens, ended, finishReason, usage }) {
  const { cachedTokens, ...counted } = usage
  return JSON.stringify({ text, ended, finishReason, counted, tokens })
}

await script(async () => {
  buildPeers()
  const { Z1 } = await import('../dist/index.js')
  const { EMBEDDED_MODEL } = await import('../dist/reason/model-file.js')
  for (const model of [EMBEDDED_MODEL, ...argv.slice(2)]) await compare(Z1, model)
})
