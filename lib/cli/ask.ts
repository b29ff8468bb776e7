/** `z1 ask`: streams one answer, or prints its result as JSON. */
import { checkReasonOptions, type ReasonOptions } from '../reason/options.js'
import type { ReasonEvent } from '../reason/result.js'
import type { ReasonStream } from '../reason/stream.js'
import { Z1 } from '../reason/z1.js'
import { Misuse, numberOf, readArgs, windowOf } from './args.js'
import { colors } from './colors.js'
import { showFraction, withProgress } from './progress.js'

const USAGE = `z1 ask [options] "question"      (- reads the question from standard input)

  --window N          tokens of thinking before the hint; inf: no end (default: 4096, or what fits)
  --max-tokens N      tokens of the answer after a cut (default: 1024)
  --hint TEXT         plain, boxed, or any text (default: plain)
  --tags MODE         ban: no think tags; keep: thinking between the model's tags (default: ban)
  --system TEXT       system message
  --raw               the question is the whole prompt: no chat template
  --model FILE        a GGUF file (default: the embedded model)
  --engine NAME       auto, cpu, cuda, vulkan, metal, or a directory (default: auto)
  --gpu-layers N      layers on the GPU (default: as many as fit)
  --context-size N    tokens of the whole request (default: the model's, at most 8192)
  --threads N         (default: the physical cores)
  --temperature T     0 is greedy (default: 0)
  --seed N            (default: random)
  --stop TEXT         ends the answer; may be given more than once
  --json              print one result as JSON and nothing else
`

const OPTIONS = {
  window: { type: 'string' },
  'max-tokens': { type: 'string' },
  hint: { type: 'string' },
  tags: { type: 'string' },
  system: { type: 'string' },
  raw: { type: 'boolean' },
  model: { type: 'string' },
  engine: { type: 'string' },
  'gpu-layers': { type: 'string' },
  'context-size': { type: 'string' },
  threads: { type: 'string' },
  temperature: { type: 'string' },
  seed: { type: 'string' },
  stop: { type: 'string', multiple: true },
  json: { type: 'boolean' },
} as const

export async function ask(args: string[]): Promise<void> {
  const parsed = readArgs(args, OPTIONS, USAGE)
  if (!parsed) return
  const { values, positionals } = parsed
  const options: ReasonOptions = {
    thinkingWindow: windowOf(values.window),
    maxTokens: numberOf(values['max-tokens'], 'max-tokens'),
    hint: values.hint,
    tags: values.tags as ReasonOptions['tags'],
    system: values.system,
    template: values.raw ? false : undefined,
    temperature: numberOf(values.temperature, 'temperature'),
    seed: numberOf(values.seed, 'seed'),
    stop: values.stop,
  }
  // Loading a large model takes a while: what is wrong here is told before.
  checkReasonOptions(options)
  const question = await questionOf(positionals)

  await using z1 = await withProgress((show) =>
    Z1.load({
      model: values.model,
      engine: values.engine,
      gpuLayers: numberOf(values['gpu-layers'], 'gpu-layers'),
      contextSize: numberOf(values['context-size'], 'context-size'),
      threads: numberOf(values.threads, 'threads'),
      onProgress: values.json ? undefined : showFraction('loading', show),
    }),
  )
  const stream = z1.stream(question, options)
  // The first Ctrl-C ends the answer and keeps what there is; the second ends the process.
  process.once('SIGINT', () => stream.stop())
  if (values.json) process.stdout.write(`${JSON.stringify(await stream.result, null, 2)}\n`)
  else await show(stream)
}

async function questionOf(positionals: string[]): Promise<string> {
  if (positionals.length !== 1) throw new Misuse('Expected one question', USAGE)
  const [question] = positionals as [string]
  if (question !== '-') return question
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const text = Buffer.concat(chunks)
    .toString('utf8')
    .replace(/\r?\n$/, '')
  if (text === '') throw new Misuse('Expected a question on standard input')
  return text
}

/** Reasoning dim, answer bright, the cut marked. A pipe gets the text alone. */
export async function show(stream: ReasonStream): Promise<void> {
  const terminal = process.stdout.isTTY
  for await (const event of stream) {
    if (terminal) process.stdout.write(paint(event))
    else process.stdout.write(plain(event))
  }
}

function paint(event: ReasonEvent): string {
  switch (event.type) {
    case 'thinking':
      return colors.dim(event.text)
    case 'cut':
      return colors.yellow(`⟨${WHY[event.ended]} after ${event.thinkingTokens} tokens⟩`) + colors.cyan(event.hint)
    case 'answer':
      return colors.bold(event.text)
    case 'done':
      return '\n'
  }
}

function plain(event: ReasonEvent): string {
  switch (event.type) {
    case 'thinking':
    case 'answer':
      return event.text
    case 'cut':
      return event.hint
    case 'done':
      return '\n'
  }
}

const WHY = {
  window: 'window closed',
  request: 'closed on request',
  self: 'thinking ended',
}
