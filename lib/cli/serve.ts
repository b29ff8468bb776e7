/** `z1 serve`: a model over HTTP, until it is told to end. */
import { LOAD_OPTIONS } from '../reason/options.js'
import { Z1 } from '../reason/z1.js'
import { serve } from '../server/listen.js'
import { checkServeOptions } from '../server/options.js'
import { integer, oneOf, repeated, text } from './args.js'
import { errorColors } from './colors.js'
import { defineCommand } from './command.js'
import {
  answerOptions,
  conversationOptions,
  loadOf,
  loadOptions,
  modelOptions,
  readingOptions,
  sampledOptions,
  speculationOption,
} from './groups.js'
import { showFraction, withProgress } from './progress.js'
import { templateOf, templateOptions } from './template.js'
import { printError } from './terminal.js'

/** Milliseconds that responses under way have after the signal to end. */
const DRAIN_MS = 30_000

const { thinkingWindow, hint, loops, tags, system } = answerOptions

export const command = defineCommand({
  usage: 'z1 serve [options]',
  about: `OpenAI's /v1/chat/completions, /v1/completions and /v1/responses, Anthropic's
/v1/messages, /v1/models, /health and /metrics. The options of thinking and
sampling are those of requests that do not say otherwise. SIGTERM and Ctrl-C let
what runs end, and take nothing new; a second one ends it.`,
  operands: { min: 0, max: 0, expected: 'no argument' },
  options: {
    host: text({
      value: 'ADDRESS',
      help: 'address to listen on; one that other machines reach needs a key',
      default: '127.0.0.1',
    }),
    port: integer(0, { value: 'N', help: '0: one that is free', default: '8080' }),
    apiKey: text({ value: 'KEY', help: 'what every request must bring; better in the environment, as Z1_API_KEY' }),
    allowHost: repeated({
      value: 'NAME',
      help: 'a name that requests may call the server by, or *; may be given more than once',
    }),
    allowOrigin: repeated({ value: 'ORIGIN', help: 'web pages that may ask, or *; may be given more than once' }),
    modelId: text({ value: 'NAME', help: 'what the model is called', default: "its file's name" }),
    reasoningField: oneOf(['reasoning_content', 'reasoning'], {
      value: 'NAME',
      help: 'where reasoning stands in chat completions',
      default: 'reasoning_content',
    }),
    maxQueue: integer(0, { value: 'N', help: 'requests that may wait', default: '128' }),
    cacheRam: integer(0, {
      value: 'MIB',
      help: 'memory for prompts that had to leave the KV cache, and for checkpoints',
      default: String(LOAD_OPTIONS.cacheRam.default),
    }),
    ...modelOptions,
    ...readingOptions,
    ...loadOptions,
    thinkingWindow,
    hint,
    loops,
    tags,
    system,
    ...conversationOptions,
    ...sampledOptions,
    speculation: speculationOption,
    ...templateOptions,
  },
  async run(given) {
    const { host, port, allowHost, allowOrigin, modelId, reasoningField, maxQueue, cacheRam, ...others } = given
    const { apiKey = process.env.Z1_API_KEY || undefined, ...more } = others
    const { load, rest } = loadOf(more)
    const { chatTemplate, templateVariable, ...reason } = rest
    const template = await templateOf({ chatTemplate, templateVariable })
    const options = {
      host,
      port,
      apiKey,
      hosts: allowHost,
      origins: allowOrigin,
      modelId,
      reasoningField,
      maxQueue,
      defaults: { ...reason, loops: reason.loops ?? true },
      onError: (error: unknown) => printError(`z1: ${error instanceof Error ? error.stack : error}\n`),
    }
    // Fails early: loading a large model takes a while.
    checkServeOptions(options)
    await using z1 = await withProgress((show) =>
      Z1.load({ ...load, cacheRam, ...template, onProgress: showFraction('loading', show) }),
    )
    const server = await serve(z1, options)
    process.stderr.write(`${errorColors.dim(`listening on ${server.url}`)}\n`)
    await ended()
    await server.close({ timeout: DRAIN_MS })
  },
})

/** The first signal to end. The second ends the process at once, as it would without this. */
function ended(): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      process.off('SIGTERM', end)
      process.off('SIGINT', end)
      resolve()
    }
    process.on('SIGTERM', end)
    process.on('SIGINT', end)
  })
}
