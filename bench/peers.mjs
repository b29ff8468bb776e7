// llama.cpp's own programs, built once from the same source as the engine (into out/llama-server). The addon can open that build's
// libraries as its engine, so that both sides compute with the same code.
import { spawn } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { capture, jobs, root } from '../scripts/common.mjs'
import { ensureLlamaSource, llamaDir } from '../scripts/llama-source.mjs'

const tree = join(root, 'out', 'llama-server')
const programs = ['llama-server', 'llama-batched-bench']

/** The folder of the programs and their libraries: what `engine` of `Z1.load()` takes. */
export const peers = join(tree, 'bin')

/** Builds what is missing: minutes, the first time. */
export function buildPeers() {
  if (programs.every((program) => existsSync(join(peers, program)))) return
  console.log("Building llama.cpp's programs: minutes, this once")
  ensureLlamaSource({ full: true })
  const on = ['BUILD_SHARED_LIBS', 'GGML_BACKEND_DL', 'CMAKE_BUILD_RPATH_USE_ORIGIN', 'LLAMA_BUILD_SERVER']
  const off = ['GGML_NATIVE', 'LLAMA_BUILD_UI', 'LLAMA_BUILD_TESTS', 'LLAMA_BUILD_EXAMPLES', 'LLAMA_OPENSSL']
  const flags = [...on.map((name) => `-D${name}=ON`), ...off.map((name) => `-D${name}=OFF`)]
  capture('cmake', ['-S', llamaDir, '-B', tree, '-DCMAKE_BUILD_TYPE=Release', ...flags])
  capture('cmake', ['--build', tree, '--config', 'Release', '--parallel', jobs, '--target', ...programs, 'ggml-cpu'])
  // What the addon asks of a folder of libraries.
  const metadata = { buildOptions: { llamaCpp: { repo: 'ggml-org/llama.cpp', release: 'v0.5.0' } } }
  writeFileSync(join(peers, '_nlcBuildMetadata.json'), JSON.stringify(metadata))
}

/** A llama-server, once it answers, its process, and what ends it. */
export async function startServer(model, options) {
  const port = await freePort()
  const args = ['-m', model, '--port', port, ...options].map(String)
  const child = spawn(join(peers, 'llama-server'), args, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const end = () => {
    child.kill()
    return ended
  }
  const url = `http://127.0.0.1:${port}`
  for (let i = 0; i < 12_000 && child.exitCode === null; i++) {
    const { ok } = await fetch(`${url}/health`).catch(() => ({ ok: false }))
    if (ok) return { url, pid: child.pid, end }
    await sleep(10)
  }
  child.kill()
  throw new Error(`llama-server did not start with ${model}`)
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((ready) => server.once('listening', ready))
  const { port } = server.address()
  await new Promise((closed) => server.close(closed))
  return port
}
