// `z1 serve` under the load of many clients for minutes: that nothing fails, memory stays, all are served alike, and what the main
// thread spends on a token.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { execPath } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { root, ScriptError } from '../scripts/common.mjs'
import { median, number, print, printTable } from './measure.mjs'

const WORDS = 'apple river stone window letter garden copper silver morning paper forest engine'.split(' ')

export async function serving({ model, clients = 64, parallel = 4, seconds = 300, tokens = 48, threads }) {
  const server = await start({ model, parallel, threads })
  const begin = performance.now()
  const end = begin + seconds * 1000
  const memory = []
  const all = Array.from({ length: clients }, () => ({ waits: [], tokens: 0, aborted: 0, failures: [] }))
  try {
    const cpuBefore = mainThreadMs(server.pid)
    const watching = watch(server.pid, end, memory)
    await Promise.all(all.map((client, i) => run(client, i, { url: server.url, end, tokens })))
    await watching
    const cpuMs = mainThreadMs(server.pid) - cpuBefore
    // The last of those that went away have been ended by then.
    await sleep(1000)
    const metrics = await (await fetch(`${server.url}/metrics`)).text()
    report({ all, memory, cpuMs, metrics, seconds: (performance.now() - begin) / 1000, threads, parallel, tokens })
  } finally {
    server.child.kill('SIGTERM')
    await server.ended
  }
}

async function start({ model, parallel, threads }) {
  const options = [
    '--port',
    0,
    '--parallel',
    parallel,
    '--threads',
    threads,
    '--context-size',
    1024,
    '--max-queue',
    1024,
  ]
  const args = ['serve', ...options, ...(model ? ['--model', model] : [])].map(String)
  const child = spawn(execPath, [join(root, 'dist', 'cli', 'main.js'), ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = once(child, 'exit')
  let said = ''
  for await (const chunk of child.stderr.iterator({ destroyOnReturn: false })) {
    said += chunk
    const url = /listening on (http:\S+)/.exec(said)?.[1]
    if (url) {
      child.stderr.resume()
      return { child, pid: child.pid, url, ended }
    }
  }
  throw new ScriptError(`z1 serve did not start: ${said}`)
}

/** Asks one question after the other; every eighth streamed one is left after a few tokens. */
async function run(client, index, { url, end, tokens }) {
  for (let turn = 0; performance.now() < end; turn++) {
    const at = (i) => WORDS[(index * 7 + turn * 5 + i) % WORDS.length]
    const question = `How many letters are in "${at(0)}", "${at(1)}" and "${at(2)}" together?`
    const streamed = (index + turn) % 2 === 0
    const leaves = streamed && (index + turn) % 16 === 0
    const controller = new AbortController()
    const begin = performance.now()
    try {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        signal: controller.signal,
        body: JSON.stringify({
          ...{ messages: [{ role: 'user', content: question }], thinking_window: turn % 3 === 0 ? 8 : 24 },
          ...{ max_tokens: tokens, stream: streamed, ...(streamed && { stream_options: { include_usage: true } }) },
        }),
      })
      if (!response.ok) throw new Error(`${response.status}: ${await response.text()}`)
      const usage = streamed
        ? await read(response, () => client.waits.push(performance.now() - begin), leaves)
        : (await response.json()).usage
      if (usage) client.tokens += usage.completion_tokens
      else {
        client.aborted++
        controller.abort()
      }
    } catch (error) {
      client.failures.push(String(error.cause ?? error))
      // A server that has gone is not asked a million times.
      await sleep(100)
    }
  }
}

/** The usage that a stream ends with; null of one that is left. */
async function read(response, onFirst, leaves) {
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of response.body) {
    if (text === '') onFirst()
    text += decoder.decode(chunk, { stream: true })
    if (leaves && text.split('\n\n').length > 4) return null
  }
  if (!text.endsWith('data: [DONE]\n\n')) throw new Error('A stream has no end')
  const last = text.trimEnd().split('\n\n').at(-2)
  return JSON.parse(last.slice('data: '.length)).usage
}

async function watch(pid, end, memory) {
  while (performance.now() < end) {
    await sleep(Math.min(5000, Math.max(0, end - performance.now())))
    memory.push(Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]) / 1024)
  }
}

function mainThreadMs(pid) {
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6
}

function report({ all, memory, cpuMs, metrics, seconds, threads, parallel, tokens }) {
  const sum = (key) => all.reduce((total, client) => total + client[key], 0)
  const metric = (pattern) =>
    Array.from(metrics.matchAll(pattern), ([, value]) => Number(value)).reduce((total, value) => total + value, 0)
  const requests = metric(/^z1_requests_total\{path="\/v1\/chat\/completions".*\} (\d+)$/gm)
  const generated = metric(/^z1_tokens_total\{kind="(?:thinking|answer)"\} (\d+)$/gm)
  const waits = all.map((client) => median(client.waits))
  const failures = all.flatMap((client) => client.failures)
  const third = Math.max(1, Math.floor(memory.length / 3))
  printTable(
    `${all.length} clients, ${parallel} sequences, up to ${tokens} tokens each, ${threads} threads, ${number(seconds, 0)} s`,
    ['', ''],
    [
      ['requests', String(requests)],
      ['failures', String(failures.length)],
      ['left by the client', String(sum('aborted'))],
      ['tokens a second', number(generated / seconds)],
      ['µs of the main thread a token', number((cpuMs * 1000) / generated)],
      ['ms to the first event, median of the clients', number(median(waits), 0)],
      ['longest ÷ shortest median wait of a client', number(Math.max(...waits) / Math.min(...waits), 2)],
      ['MiB resident, median of the first third', number(median(memory.slice(0, third)))],
      ['MiB resident, median of the last third', number(median(memory.slice(-third)))],
      ['running and waiting afterward', String(metric(/^z1_requests_(?:running|waiting) (\d+)$/gm))],
    ],
  )
  for (const failure of [...new Set(failures)].slice(0, 5)) print(`  ${failure}`)
}
