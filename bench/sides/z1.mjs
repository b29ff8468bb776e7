// z1-native's side.
import { performance } from 'node:perf_hooks'
import { cpuUsage, memoryUsage } from 'node:process'
import { Meter, measureAbort, serve } from './serve.mjs'

const start = performance.now()
const { Z1 } = await import('../../dist/index.js')

/** The prompt as it is, and nothing of it kept for the next one. */
const raw = { template: false, cachePrompt: false }

/** Never to be drawn: control tokens come first in most vocabularies. */
const FIRST_TOKENS = Array.from({ length: 16 }, (_, token) => [token, -Infinity])

/** The tokens of these texts, never to be drawn. */
async function bans(z1, texts) {
  const ids = await Promise.all(texts.map((text) => z1.tokenize(text)))
  const several = ids.findIndex(({ length }) => length !== 1)
  if (several >= 0) throw new Error(`${texts[several]} is not one token`)
  return ids.map(([id]) => [id, -Infinity])
}

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

  /** Tokens a second of one request, after a short one, and how many threads it ran on in the end. */
  async rate({ tokens, ...options }) {
    const z1 = await Z1.load({ ...options, contextSize: tokens + 256, engine: 'cpu' })
    const request = { template: false, hint: null, logitBias: FIRST_TOKENS }
    await z1.reason('The quick brown fox', { ...request, thinkingWindow: 2 })
    const { usage, timings } = await z1.reason('The quick brown fox jumps', { ...request, thinkingWindow: tokens })
    await z1.dispose()
    return { rate: (usage.thinkingTokens / timings.thinkingMs) * 1000, used: timings.threads }
  },

  /** Answers all questions under the window and its cuts, as many at once as the model is loaded for. */
  async curve({ questions, thinkingWindow, cuts, tokens, parallel, banned, ...options }) {
    const contextSize = thinkingWindow + tokens + 1024
    const z1 = await Z1.load({ ...options, parallel, contextSize })
    const logitBias = await bans(z1, banned)
    const request = { thinkingWindow, maxTokens: tokens, cachePrompt: false, logitBias }
    await z1.reason(questions[0], { ...request, thinkingWindow: 8, maxTokens: 8 })
    const begin = performance.now()
    const before = cpuUsage()
    const waiting = [...questions]
    const results = []
    const work = async () => {
      for (let question = waiting.shift(); question !== undefined; question = waiting.shift()) {
        results.push(await z1.reason(question, { ...request, cuts }))
      }
    }
    await Promise.all(Array.from({ length: parallel }, work))
    const { user, system } = cpuUsage(before)
    const { kvCache } = z1.model
    const all = results.flatMap((result) => [result, ...(result.cuts ?? []).filter((cut) => cut.ended === 'window')])
    await z1.dispose()
    return {
      seconds: (performance.now() - begin) / 1000,
      cpuSeconds: (user + system) / 1e6,
      // Those of the thinking once, and of every answer.
      tokens:
        results.reduce((sum, { usage }) => sum + usage.thinkingTokens, 0) +
        all.reduce((sum, { usage }) => sum + usage.answerTokens, 0),
      reached: results.filter(({ ended }) => ended === 'window').length / results.length,
      kvCache,
    }
  },

  /** Milliseconds between the tokens of a stream: alone, and while the long prompt of another request is read. */
  async newcomer({ promptTokens, tokens, ...options }) {
    const z1 = await Z1.load({ ...options, parallel: 2, contextSize: promptTokens + tokens + 256 })
    const words = await z1.tokenize('The quick brown fox jumps over the lazy dog. '.repeat(promptTokens))
    const long = await z1.detokenize(words.slice(0, promptTokens))
    const request = { template: false, hint: null, logitBias: FIRST_TOKENS, cachePrompt: false }
    await z1.reason('A short one', { ...request, thinkingWindow: 4 })
    const gaps = { alone: [], beside: [] }
    let [last, n, reads, other] = [0, 0, false, null]
    for await (const event of z1.stream('The quick brown fox', { ...request, thinkingWindow: tokens })) {
      if (event.type !== 'thinking') continue
      const now = performance.now()
      if (n > 0) (reads ? gaps.beside : gaps.alone).push(now - last)
      last = now
      n += event.tokens.length
      if (n >= tokens / 2 && other === null) {
        reads = true
        other = z1.reason(long, { ...request, thinkingWindow: 1 }).then(({ timings }) => {
          reads = false
          return timings.promptMs
        })
      }
    }
    const promptMs = await other
    await z1.dispose()
    return { ...gaps, promptMs }
  },

  /** As many requests at once as the model is loaded for: their prompts, then what follows them. */
  async batching({ promptTokens, tokens, parallel, ...options }) {
    const z1 = await Z1.load({ ...options, parallel, contextSize: promptTokens + tokens + 16 })
    const words = await z1.tokenize(
      'The quick brown fox jumps over the lazy dog, and the dog sleeps on. '.repeat(promptTokens + parallel),
    )
    // No two begin alike.
    const prompts = await Promise.all(
      Array.from({ length: parallel }, (_, i) => z1.detokenize(words.slice(i, i + promptTokens))),
    )
    const request = { template: false, hint: null, logitBias: FIRST_TOKENS }
    await z1.reason('A short one', { ...request, thinkingWindow: 4, cachePrompt: false })
    const all = async (thinkingWindow) => {
      const begin = performance.now()
      const results = await Promise.all(prompts.map((prompt) => z1.reason(prompt, { ...request, thinkingWindow })))
      const seconds = (performance.now() - begin) / 1000
      const sum = (key) => results.reduce((total, { usage }) => total + usage[key], 0)
      return { read: (sum('promptTokens') - sum('cachedTokens')) / seconds, generated: sum('thinkingTokens') / seconds }
    }
    const { read } = await all(1)
    const { generated } = await all(tokens)
    await z1.dispose()
    return { read, generated }
  },

  /**
   * Samples of one prompt, against what they are made of: the prompt alone, and as many requests whose prompts are in the
   * cache. Each generates `tokens` tokens, and none ends before.
   */
  async samples({ promptTokens, samples, tokens, banned, ...options }) {
    const z1 = await Z1.load({ ...options, parallel: samples, contextSize: promptTokens + tokens + 16 })
    const words = await z1.tokenize(
      'The quick brown fox jumps over the lazy dog, and the dog sleeps on. '.repeat(promptTokens),
    )
    const prompt = await z1.detokenize(words.slice(0, promptTokens))
    // The caller looks whether one ended a response.
    const logitBias = [...FIRST_TOKENS, ...(await bans(z1, banned))]
    const request = { template: false, temperature: 0.8, hint: null, logitBias }
    const timed = async (action) => {
      const begin = performance.now()
      const before = cpuUsage()
      const results = [await action()].flat()
      const { user, system } = cpuUsage(before)
      return { ms: performance.now() - begin, cpuMs: (user + system) / 1000, results }
    }
    const one = { ...request, thinkingWindow: tokens }
    const together = (more) =>
      Promise.all(Array.from({ length: samples }, () => z1.reason(prompt, { ...one, ...more })))
    await together({ cachePrompt: true })
    const cached = await timed(() => together({ cachePrompt: true }))
    const prefill = await timed(() => z1.reason(prompt, { ...request, thinkingWindow: 1, cachePrompt: false }))
    const all = await timed(() => z1.reason(prompt, { ...one, samples, cachePrompt: false }))
    const generated = (results) => results.reduce((sum, { usage }) => sum + usage.thinkingTokens, 0)
    const { cost } = all.results[0]
    await z1.dispose()
    return {
      prompt: prefill.results[0].usage.promptTokens,
      ms: { prefill: prefill.ms, decode: cached.ms, all: all.ms },
      cpuMs: { prefill: prefill.cpuMs, decode: cached.cpuMs, all: all.cpuMs },
      decoded: cost.promptTokens - cost.cachedTokens,
      tokens: [generated(cached.results), cost.thinkingTokens],
    }
  },

  async speculation({ questions, tokens, ...options }) {
    const z1 = await Z1.load({ ...options, contextSize: 2048 })
    const request = { thinkingWindow: tokens, hint: null, cachePrompt: true }
    const sums = { ms: { off: 0, on: 0 }, cpuMs: { off: 0, on: 0 }, tokens: { off: 0, on: 0 } }
    const report = { usage: { drafted: 0, accepted: 0 }, decodes: { off: 0, on: 0 }, differences: [] }
    for (const question of questions) {
      // The prompt stays in the cache: what is timed is the rest.
      await z1.reason(question, { ...request, thinkingWindow: 1 })
      const ids = {}
      for (const side of ['off', 'on']) {
        const before = cpuUsage()
        const result = await z1.reason(question, { ...request, speculation: side === 'on' })
        const { user, system } = cpuUsage(before)
        ids[side] = result.tokens.reasoning
        sums.tokens[side] += ids[side].length
        sums.ms[side] += result.timings.totalMs
        sums.cpuMs[side] += (user + system) / 1000
        report.decodes[side] += result.timings.decodeCalls
        report.usage.drafted += result.usage.draftedTokens
        report.usage.accepted += result.usage.acceptedTokens
      }
      const index = ids.off.findIndex((id, i) => id !== ids.on[i])
      if (index >= 0 && index < ids.on.length) {
        const logprobs = { top: 2, thinking: true }
        const again = await z1.reason(question, { ...request, thinkingWindow: index + 1, logprobs })
        const [first, second] = again.logprobs.reasoning[index].top
        report.differences.push({ index, margin: first.logprob - second.logprob })
      }
    }
    await z1.dispose()
    const speed = Object.fromEntries(
      ['off', 'on'].map((side) => [
        side,
        { ms: (sums.tokens[side] / sums.ms[side]) * 1000, cpuMs: (sums.tokens[side] / sums.cpuMs[side]) * 1000 },
      ]),
    )
    return { ...report, speed }
  },

  /**
   * Answers that a model gives as JSON by itself, free and under a schema: ms of each token of the answer, and the tokens that
   * both have from the beginning.
   */
  async structured({ questions, tokens, ...options }) {
    const z1 = await Z1.load({ ...options, contextSize: 1024 })
    const report = { free: { ms: 0, tokens: 0 }, bound: { ms: 0, tokens: 0 }, same: 0 }
    for (const { question, schema } of questions) {
      const ids = {}
      for (const side of ['free', 'bound']) {
        const request = { thinkingWindow: 0, hint: '```json\n', maxTokens: tokens, ...(side === 'bound' && { schema }) }
        // Once for the cache, once for the clock.
        await z1.reason(question, { ...request, maxTokens: 1 })
        const { tokens: all, timings, usage } = await z1.reason(question, request)
        ids[side] = all.answer
        report[side].ms += timings.answerMs
        report[side].tokens += usage.answerTokens
      }
      const first = ids.bound.findIndex((id, i) => id !== ids.free[i])
      report.same += first < 0 ? ids.bound.length : first
    }
    await z1.dispose()
    return report
  },

  async load({ prompt, ...options }) {
    const z1 = await Z1.load(options)
    const loaded = performance.now() - start
    const { rss } = memoryUsage()
    let first
    for await (const event of z1.stream(prompt, { ...raw, thinkingWindow: 1, maxTokens: 1 })) {
      if (event.type === 'thinking') first = performance.now() - start
    }
    const report = { loaded, first, rss, rssUsed: memoryUsage().rss }
    const begin = performance.now()
    await z1.dispose()
    return { ...report, disposed: performance.now() - begin }
  },
})
