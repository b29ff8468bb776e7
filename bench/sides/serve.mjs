// What the sides share. A side is a program that runs one task, `node <side>.mjs <task> <options as JSON>`, and prints its
// report as JSON in the last line.
import { readFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { argv, pid, stdout } from 'node:process'

export async function serve(tasks) {
  const [task, options] = argv.slice(2)
  const report = await tasks[task](JSON.parse(options))
  stdout.write(`\n${JSON.stringify(report)}\n`)
}

/** Watches a stream of tokens from the first to the last. */
export class Meter {
  #start
  #end
  #tokens = 0

  /** `n` tokens arrived. */
  take(n) {
    if (this.#start) this.#tokens += n
    else this.#start = { time: performance.now(), loop: performance.eventLoopUtilization(), cpu: mainThreadCpu() }
    this.#end = performance.now()
  }

  /** To be called right after the last token. */
  report() {
    const { active } = performance.eventLoopUtilization(this.#start.loop)
    return {
      tokens: this.#tokens,
      tokensPerSecond: (this.#tokens / (this.#end - this.#start.time)) * 1000,
      // µs a token: the event loop not waiting, and the thread on a core.
      active: (active * 1000) / this.#tokens,
      cpu: (mainThreadCpu() - this.#start.cpu) / 1000 / this.#tokens,
    }
  }
}

/** Nanoseconds that the main thread was on a core; NaN where the system does not say. */
function mainThreadCpu() {
  try {
    return Number(readFileSync(`/proc/self/task/${pid}/schedstat`, 'latin1').split(' ')[0])
  } catch {
    return NaN
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/**
 * Starts a long prompt, aborts it after 200 ms, and asks for one token of a short prompt; then the same beside a stream.
 * `first(text, signal)` resolves with the first token of a prompt, `stream(onToken, signal)` streams until it is aborted.
 * Everything in ms.
 */
export async function measureAbort({ long, short }, { first, stream }) {
  await first(short)
  const usual = await timed(() => first(short))
  const { settled } = await abortAfter(200, (signal) => first(long[0], signal))
  const next = await timed(() => first(short))

  const moments = []
  const controller = new AbortController()
  const streaming = stream(() => moments.push(performance.now()), controller.signal).catch(() => {})
  const until = async (n) => {
    while (moments.length < n) await sleep(1)
  }
  await until(32)
  const began = performance.now()
  const beside = await abortAfter(200, (signal) => first(long[1], signal))
  await until(moments.length + 8)
  controller.abort()
  await streaming

  const gaps = moments.slice(1).map((moment, i) => ({ end: moment, length: moment - moments[i] }))
  const lengths = (from, to) => gaps.filter(({ end }) => end >= from && end < to).map(({ length }) => length)
  return {
    settled,
    idle: Math.max(0, next - usual),
    settledBeside: beside.settled,
    gap: Math.max(...lengths(0, began)),
    gapBeside: Math.max(...lengths(began, Infinity)),
  }
}

async function timed(action) {
  const start = performance.now()
  await action()
  return performance.now() - start
}

async function abortAfter(ms, action) {
  const controller = new AbortController()
  const ended = action(controller.signal).then(
    () => 'finished',
    () => 'rejected',
  )
  await sleep(ms)
  const start = performance.now()
  controller.abort()
  if ((await ended) === 'finished') throw new Error(`The prompt was read in less than ${ms} ms`)
  return { settled: performance.now() - start }
}
