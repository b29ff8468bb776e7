// node-llama-cpp's side, on the engine pack in the project's node_modules.
import { performance } from 'node:perf_hooks'
import { memoryUsage } from 'node:process'
import { Meter, measureAbort, serve } from './serve.mjs'

const start = performance.now()
const { getLlama, LlamaChatSession, LlamaCompletion } = await import('node-llama-cpp')

async function open({ model: modelPath, contextSize, threads }, sequences = 1) {
  const llama = await getLlama({ gpu: false, build: 'never', skipDownload: true, logLevel: 'error' })
  const model = await llama.loadModel({ modelPath })
  const context = await model.createContext({ contextSize, threads, sequences })
  return { llama, model, context }
}

/** Greedy, as it is by default, and without the penalty that its higher interfaces apply. */
const greedy = { temperature: 0, repeatPenalty: false }

/** Each feeds a prompt, calls `onTokens` with a count, and ends after `n` tokens. */
const interfaces = {
  async evaluate({ model, sequence, prompt, n, onTokens }) {
    let left = n
    for await (const _ of sequence.evaluate(model.tokenize(prompt), { temperature: 0 })) {
      onTokens(1)
      left -= 1
      if (left === 0) break
    }
  },
  async completion({ sequence, prompt, n, onTokens }) {
    const completion = new LlamaCompletion({ contextSequence: sequence })
    const onToken = (tokens) => onTokens(tokens.length)
    await completion.generateCompletion(prompt, { ...greedy, maxTokens: n, onToken, onTextChunk() {} })
    completion.dispose()
  },
  async chat({ sequence, prompt, n, onTokens }) {
    const session = new LlamaChatSession({ contextSequence: sequence })
    const onToken = (tokens) => onTokens(tokens.length)
    await session.prompt(prompt, { ...greedy, maxTokens: n, onToken, onTextChunk() {} })
    session.dispose()
  },
}

await serve({
  /** Streams `tokens` tokens. */
  async stream({ prompt, tokens, through, ...options }) {
    const { llama, model, context } = await open(options)
    const sequence = context.getSequence()
    const run = async (n) => {
      const meter = new Meter()
      await interfaces[through]({ model, sequence, prompt, n, onTokens: (count) => meter.take(count) })
      const report = meter.report()
      await sequence.clearHistory()
      return report
    }
    await run(16)
    const report = await run(tokens)
    await llama.dispose()
    return report
  },

  async abort({ long, short, ...options }) {
    const { llama, model, context } = await open(options, 2)
    const sequence = context.getSequence()
    const other = context.getSequence()
    const completion = new LlamaCompletion({ contextSequence: sequence })
    const report = await measureAbort(
      { long, short },
      {
        async first(text, signal) {
          await completion.generateCompletion(text, { ...greedy, maxTokens: 1, signal })
        },
        async stream(onToken, signal) {
          for await (const _ of other.evaluate(model.tokenize(short), { temperature: 0 })) {
            onToken()
            if (signal.aborted) break
          }
        },
      },
    )
    await llama.dispose()
    return report
  },

  async load({ prompt, ...options }) {
    const { llama, model, context } = await open(options)
    const sequence = context.getSequence()
    const loaded = performance.now() - start
    const { rss } = memoryUsage()
    let first
    let left = 2
    for await (const _ of sequence.evaluate(model.tokenize(prompt), { temperature: 0 })) {
      first ??= performance.now() - start
      left -= 1
      if (left === 0) break
    }
    const report = { loaded, first, rss, rssUsed: memoryUsage().rss }
    const begin = performance.now()
    await llama.dispose()
    return { ...report, disposed: performance.now() - begin }
  },
})
