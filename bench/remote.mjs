// Whether Z1.connect() over llama-server gives what Z1.load() gives: the same questions, greedily, under several windows, token
// by token. Builds llama-server from the same source as the engine (once, into out/llama-server), and opens that build's
// libraries in the addon too, so that both sides compute with the same code.
//
//   node bench/remote.mjs [MODEL.gguf …]     the embedded model, and those that are named
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { argv } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { capture, root, script } from '../scripts/common.mjs'
import { ensureLlamaSource, llamaDir } from '../scripts/llama-source.mjs'

const tree = join(root, 'out', 'llama-server')
const bin = join(tree, 'bin')
const release = 'v0.5.0'

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

function build() {
  if (existsSync(join(bin, 'llama-server'))) return
  ensureLlamaSource({ full: true })
  const options = ['BUILD_SHARED_LIBS', 'GGML_BACKEND_DL', 'CMAKE_BUILD_RPATH_USE_ORIGIN', 'LLAMA_BUILD_SERVER']
  const off = ['GGML_NATIVE', 'LLAMA_BUILD_UI', 'LLAMA_BUILD_TESTS', 'LLAMA_BUILD_EXAMPLES', 'LLAMA_OPENSSL']
  const flags = [...options.map((name) => `-D${name}=ON`), ...off.map((name) => `-D${name}=OFF`)]
  capture('cmake', ['-S', llamaDir, '-B', tree, '-DCMAKE_BUILD_TYPE=Release', ...flags])
  capture('cmake', ['--build', tree, '--config', 'Release', '--target', 'llama-server', 'ggml-cpu'])
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((ready) => server.once('listening', ready))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}

/** A llama-server with one slot, and what ends it. */
async function startServer(model) {
  const port = await freePort()
  const sizes = ['-c', String(contextSize), '-np', '1', '-t', '1', '-tb', '1', '--port', String(port)]
  const child = spawn(join(bin, 'llama-server'), ['-m', model, ...sizes], { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const end = () => {
    child.kill()
    return ended
  }
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; i < 600 && child.exitCode === null; i++) {
    const { ok } = await fetch(`${url}/health`).catch(() => ({ ok: false }))
    if (ok) return { url, end }
    await sleep(200)
  }
  child.kill()
  throw new Error(`llama-server did not start with ${model}`)
}

async function compare(Z1, model) {
  const server = await startServer(model)
  const counts = { same: 0, sameText: 0, all: 0 }
  const local = await Z1.load({ model, contextSize, threads: 1, engine: bin })
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
  build()
  writeFileSync(
    join(bin, '_nlcBuildMetadata.json'),
    JSON.stringify({ buildOptions: { llamaCpp: { repo: 'ggml-org/llama.cpp', release } } }),
  )
  const { Z1 } = await import('../dist/index.js')
  const { EMBEDDED_MODEL } = await import('../dist/reason/model-file.js')
  for (const model of [EMBEDDED_MODEL, ...argv.slice(2)]) await compare(Z1, model)
})
