// A process, or a worker of it, that is taken to a stage of a model's life and ends there in one of several ways.
//
//   node --expose-gc child.mjs STAGE ENDING MODEL SLOW_MODEL
//
// MODEL never ends its text by itself, SLOW_MODEL takes a while to load. Prints `reached` at the stage, `settled` when what
// was under way there has ended, and what it found after it. Plain JavaScript on the built library, as a user's process.
import { readdirSync, readFileSync, writeSync } from 'node:fs'
import { platform } from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'
import { isMainThread, parentPort, Worker } from 'node:worker_threads'
import { Z1 } from '../../dist/index.js'
import { nextId, openAddon } from '../../dist/native/channel.js'
import { openEngine } from '../../dist/native/engine.js'

const [stage, ending, model, slowModel] = process.argv.slice(2)

// What nobody ends has to end by itself, but not before the stage is reached, however slow this thread is; all else would
// run far longer than the test waits.
const bounded = ['return', 'collect'].includes(ending)
const endless = { template: false, thinkingWindow: bounded ? 1000 : Infinity, maxTokens: 20 }
const brief = { template: false, thinkingWindow: 1, maxTokens: 1 }

// Each reaches its stage, calls `end` there, and keeps no reference when it returns.
const stages = {
  async engine(end) {
    await openEngine('auto')
    await end()
  },
  async model(end) {
    await openEngine('auto')
    const params = { path: model, gpuLayers: 0, contextCells: 0, weights: true, mmap: true }
    const loaded = await openAddon().modelLoad(nextId(), params, null)
    await end(loaded)
  },
  async loading(end) {
    // The first report comes before the vocabulary is read, which is what takes its time.
    const { promise, resolve } = withResolvers()
    const loading = unfinished(Z1.load({ model: slowModel, threads: 1, onProgress: resolve }))
    await promise
    loading.assertRunning()
    await end()
  },
  async context(end) {
    await end(await load())
  },
  async tokenizing(end) {
    const z1 = await load()
    const tokenizing = unfinished(z1.tokenize('Ask no more. '.repeat(100_000)))
    tokenizing.assertRunning()
    await end()
  },
  async generating(end) {
    const z1 = await load()
    const answering = await generate(z1, endless)
    answering.assertRunning()
    await end()
  },
  // While one of them is being stopped, the others still run.
  async 'generating in four contexts'(end) {
    const all = await Promise.all([load(), load(), load(), load()])
    const answering = await Promise.all(all.map((z1) => generate(z1, endless)))
    for (const one of answering) one.assertRunning()
    await end()
  },
  async 'mid-stream'(end) {
    const z1 = await load()
    let first = true
    for await (const _ of z1.stream('Go on', endless)) {
      if (first) await end()
      first = false
    }
    report('settled')
  },
  async aborting(end) {
    const z1 = await load()
    const controller = new AbortController()
    await generate(z1, { ...endless, signal: controller.signal })
    controller.abort()
    await end()
  },
  async disposing(end) {
    const z1 = await load()
    await generate(z1, endless)
    unfinished(z1.dispose())
    await end()
  },
}

// Run at the stage. Those with nothing to do leave the process to end by itself.
const endings = {
  return() {},
  collect() {
    const { threads, mapped } = holdings()
    if (mapped) report('holds a model')
    if (threads > idle.threads) report('holds a thread')
  },
  exit: () => process.exit(7),
  throw() {
    process.nextTick(() => {
      throw new Error('thrown on purpose')
    })
    return forever()
  },
  reject: () => Promise.reject(new Error('thrown on purpose')),
  wait: () => forever(),
}

// Main thread: what to do about a worker that has reached the stage.
const workerEndings = {
  'worker terminate': { worker: 'wait', main: (worker) => worker.terminate() },
  'worker exit': { worker: 'exit' },
  'worker throw': { worker: 'throw' },
  'worker return': { worker: 'return' },
  'exit over worker': { worker: 'wait', main: () => process.exit(7) },
  'throw over worker': { worker: 'wait', main: () => endings.throw() },
}

function load() {
  return Z1.load({ model, threads: 1, contextSize: 8192, parallel: 2 })
}

/** Starts a request and waits until it is being decoded: the thread takes requests in order. */
async function generate(z1, options) {
  const answering = unfinished(z1.reason('Go on', options))
  await z1.reason('Briefly', brief)
  return answering
}

let underWay = 0

/** A promise of which nobody waits for the end. */
function unfinished(promise) {
  let running = true
  underWay++
  const settle = () => {
    running = false
    underWay--
    report('settled')
  }
  promise.then(settle, settle)
  return {
    assertRunning() {
      if (!running) throw new Error(`The stage ${stage} was over too early`)
    },
  }
}

function withResolvers() {
  let resolve
  const promise = new Promise((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Keeps the thread alive. */
async function forever() {
  for (;;) await sleep(1000)
}

/** What the process holds before the stage; for `collect` only. */
let idle

function report(text) {
  // Not process.stdout: in a worker it would pass through the main thread.
  writeSync(1, `${text}\n`)
}

/** What a process holds of models: threads, and the files that are mapped into memory. */
function holdings() {
  if (platform !== 'linux') return { threads: 0, mapped: false }
  const mapped = readFileSync('/proc/self/maps', 'utf8')
  return {
    threads: readdirSync('/proc/self/task').length,
    mapped: [model, slowModel].some((path) => mapped.includes(path)),
  }
}

async function runStage() {
  await stages[stage](() => {
    report('reached')
    parentPort?.postMessage('reached')
    return endings[ending]()
  })
}

/** Collects until nothing is held that was not held before; the test's time limit is the only one. */
async function runCollected() {
  // The pool's threads start with their first jobs and stay.
  await Promise.all(Array.from({ length: 8 }, () => openEngine('auto')))
  idle = holdings()
  await runStage()
  for (;;) {
    globalThis.gc()
    await sleep(10)
    const { threads, mapped } = holdings()
    if (underWay === 0 && threads <= idle.threads && !mapped) break
  }
  report('collected')
}

async function runOverWorker({ worker: workerEnding, main }) {
  const worker = new Worker(new URL(import.meta.url), { argv: [stage, workerEnding, model, slowModel] })
  const ended = new Promise((resolve) => {
    worker.on('error', (error) => report(`worker error: ${error.message}`))
    worker.on('exit', resolve)
  })
  worker.once('message', () => main?.(worker))
  report(`worker exit: ${await ended}`)
  // The main thread has the engine to itself now, and it still works.
  const z1 = await load()
  const { text } = await z1.reason('Once more', { template: false, thinkingWindow: 20, maxTokens: 20 })
  report(`text: ${JSON.stringify(text)}`)
  await z1.dispose()
}

if (Object.hasOwn(workerEndings, ending)) await runOverWorker(workerEndings[ending])
else if (ending === 'collect' && isMainThread) await runCollected()
else await runStage()
