// One thread answers the same question again and again, while workers beside it come, load a model of their own, and go.
// Prints, as JSON, the answers without repetition, how many there were while workers ended, and how each worker ended.
//
//   node workers.mjs main|worker MODEL COUNT
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { Z1 } from '../../dist/index.js'

const [where, model, count] = process.argv.slice(2)
const question = { template: false, thinkingWindow: 100, maxTokens: 20, cachePrompt: false }

function load() {
  return Z1.load({ model, threads: 1, contextSize: 8192, parallel: 2 })
}

/** Answers until `state.over`. */
async function survive(state) {
  const answers = new Set()
  const z1 = await load()
  let n = 0
  state.started?.()
  while (!state.over) {
    answers.add((await z1.reason('Once more', question)).text)
    n++
  }
  await z1.dispose()
  return { answers: [...answers], n }
}

/** Loads, begins and ends requests without pause, and ends in the way it is told to. */
async function comeAndGo(how) {
  const z1 = await load()
  const state = { over: false }
  const asking = Array.from({ length: 8 }, () => keepAsking(z1, state))
  parentPort.postMessage('generating')
  await sleep(Math.random() * 20)
  if (how === 'exit') process.exit(7)
  if (how === 'throw') throw new Error('thrown on purpose')
  if (how === 'return') state.over = true
  if (how === 'dispose') z1.dispose()
  await Promise.allSettled(asking)
}

async function keepAsking(z1, state) {
  while (!state.over) {
    for await (const _ of z1.stream('Go on', { ...question, thinkingWindow: 30, maxTokens: 1 }));
    const aborted = z1.reason('Go on', { ...question, signal: AbortSignal.timeout(1) })
    await aborted.catch(() => {})
  }
}

const ways = ['terminate', 'exit', 'terminate', 'throw', 'terminate', 'return', 'terminate early', 'dispose']

async function oneWorker(i) {
  const how = ways[i % ways.length]
  const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: how })
  const ended = new Promise((resolve) => worker.once('exit', resolve))
  let error = ''
  worker.once('error', ({ message }) => {
    error = `: ${message}`
  })
  if (how === 'terminate early') await sleep(Math.random() * 150)
  else await Promise.race([ended, new Promise((resolve) => worker.once('message', resolve))])
  if (how.startsWith('terminate')) {
    await sleep(Math.random() * 20)
    await worker.terminate()
  }
  return `${how} ${await ended}${error}`
}

async function main() {
  let survivor
  const state = {}
  if (where === 'main') survivor = survive(state)
  else {
    const worker = new Worker(new URL(import.meta.url), { argv: process.argv.slice(2), workerData: 'survive' })
    survivor = new Promise((resolve, reject) => {
      worker.on('message', (message) => message !== 'started' && resolve(message))
      worker.on('error', reject)
    })
    await new Promise((resolve) => worker.once('message', resolve))
    state.end = () => worker.postMessage('over')
  }
  const endings = []
  for (let i = 0; i < Number(count); i++) endings.push(await oneWorker(i))
  state.over = true
  state.end?.()
  process.stdout.write(JSON.stringify({ ...(await survivor), endings }))
}

if (isMainThread) await main()
else if (workerData === 'survive') {
  const state = { started: () => parentPort.postMessage('started') }
  parentPort.once('message', () => {
    state.over = true
  })
  parentPort.postMessage(await survive(state))
} else await comeAndGo(workerData)
