// z1-native's side.
import { performance } from 'node:perf_hooks'
import { memoryUsage } from 'node:process'
import { Meter, measureAbort, serve } from './serve.mjs'

const start = performance.now()
const { Z1 } = await import('../../dist/index.js')

/** The prompt as it is, and nothing of it kept for the next one. */
const raw = { template: false, cachePrompt: false }

await serve({
  /** Streams `tokens` tokens of thinking. */
  async stream({ prompt, tokens, ...options }) {
    const z1 = await Z1.load(options)
    const run = async (thinkingWindow) => {
      const meter = new Meter()
      let report
      for await (const event of z1.stream(prompt, { ...raw, thinkingWindow, maxTokens: 1 })) {
        if (event.type === 'thinking') meter.take(event.tokens.length)
        if (event.type === 'cut') report = meter.report()
        if (event.type === 'done') report.promptTokens = event.result.usage.promptTokens
      }
      return report
    }
    await run(16)
    const report = await run(tokens)
    await z1.dispose()
    return report
  },

  /** Lets the window close after each of `windows` and times the stall there. */
  async cut({ prompt, windows, ...options }) {
    const z1 = await Z1.load(options)
    const reports = []
    for (const thinkingWindow of windows) {
      let last
      let stall
      // With maxTokens 1 the first token of the answer is told at once, though it may be part of a character.
      for await (const event of z1.stream(prompt, { ...raw, thinkingWindow, maxTokens: 1 })) {
        if (event.type === 'thinking') last = performance.now()
        if (event.type === 'answer') stall = performance.now() - last
        if (event.type === 'done') {
          const { usage, timings, ended } = event.result
          if (ended !== 'window') throw new Error(`The thinking ended by '${ended}'`)
          reports.push({ stall, hint: timings.hintMs, usage })
        }
      }
    }
    await z1.dispose()
    return reports
  },

  async abort({ long, short, ...options }) {
    const z1 = await Z1.load({ ...options, parallel: 2 })
    const thinking = { ...raw, thinkingWindow: Infinity }
    const report = await measureAbort(
      { long, short },
      {
        async first(text, signal) {
          for await (const event of z1.stream(text, { ...thinking, signal })) {
            if (event.type === 'thinking') return
          }
        },
        async stream(onToken, signal) {
          for await (const event of z1.stream(short, { ...thinking, signal })) {
            if (event.type === 'thinking') onToken()
          }
        },
      },
    )
    await z1.dispose()
    return report
  },

  async load({ prompt, ...options }) {
    const z1 = await Z1.load(options)
    const loaded = performance.now() - start
    const { rss } = memoryUsage()
    await z1.reason(prompt, { ...raw, thinkingWindow: 1, maxTokens: 1 })
    const report = { loaded, rss, rssUsed: memoryUsage().rss }
    await z1.dispose()
    return report
  },
})
