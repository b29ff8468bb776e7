/** `z1 serve`: a model over HTTP, until it is told to end. */
import { LOAD_OPTIONS } from '../reason/options.js'
import { Z1 } from '../reason/z1.js'
import { serve } from '../server/listen.js'
import { checkServeOptions } from '../server/options.js'
import { flag, integer, numberOr, oneOf, repeated, text } from './args.js'
import { errorColors } from './colors.js'
import { defineCommand } from './command.js'
import { readFileAs } from './files.js'
import { answerOptions, loadOptions, modelOptions, samplingOptions } from './groups.js'
import { showFraction, withProgress } from './progress.js'
import { readVariables } from './template.js'
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
    ...modelOptions,
    batchSize: integer(1, {
      value: 'N',
      help: 'tokens that are decoded at once, at most',
      default: String(LOAD_OPTIONS.batchSize.default),
    }),
    mmap: flag({
      name: 'no-mmap',
      means: false,
      help: 'read all of the model into memory, instead of mapping its file',
    }),
    ...loadOptions,
    thinkingWindow,
    hint,
    loops,
    tags,
    system,
    ...samplingOptions,
    temperature: numberOr('model', {
      value: 'T',
      help: "0 is greedy; model: the sampling that the model's file recommends",
      default: '0',
    }),
    chatTemplate: text({ value: 'FILE', help: "chat template in Jinja, in place of the model's" }),
    templateVariable: repeated({
      value: 'NAME=VALUE',
      help: 'variable of the template: JSON, or else a text; may be given more than once',
    }),
  },
  async run(given) {
    const { host, port, allowHost, allowOrigin, modelId, reasoningField, maxQueue, ...others } = given
    const { apiKey = process.env.Z1_API_KEY || undefined, model, engine, gpuLayers, contextSize, ...more } = others
    const { parallel, batchSize, threads, mmap, mlock, chatTemplate: file, templateVariable, ...rest } = more
    const { cacheType, flashAttention, devices, lora, ...reason } = rest
    const chatTemplate = file === undefined ? undefined : await readFileAs('a chat template', file)
    const templateVariables = readVariables(templateVariable)
    const load = {
      model,
      engine,
      gpuLayers,
      contextSize,
      parallel,
      batchSize,
      threads,
      mmap,
      mlock,
      cacheType,
      flashAttention,
      devices,
      lora,
      chatTemplate,
      templateVariables,
    }
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
    await using z1 = await withProgress((show) => Z1.load({ ...load, onProgress: showFraction('loading', show) }))
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
