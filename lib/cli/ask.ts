/** `z1 ask`: streams one answer, or prints its result as JSON. */
import { decodeText } from '../base/text.js'
import { checkReasonOptions, type ReasonOptions } from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonEvent } from '../reason/result.js'
import type { ReasonStream } from '../reason/stream.js'
import { answerGrammar } from '../reason/structured.js'
import { renderPrompt } from '../reason/vocabulary.js'
import { Z1 } from '../reason/z1.js'
import { flag, text, UsageError } from './args.js'
import { colors, errorColors } from './colors.js'
import { defineCommand } from './command.js'
import { readFileAs, readSchema } from './files.js'
import {
  answerOptions,
  loadOf,
  loadOptions,
  modelOptions,
  readingOptions,
  sampledOptions,
  speculationOption,
} from './groups.js'
import { machineMemory, suggestionsFor } from './memory.js'
import { policiesOf, policyOptions } from './policies.js'
import { showBytes, showFraction, withProgress } from './progress.js'
import { remoteOption, remoteReasoner } from './remote.js'
import { sampleOptions, showSamples } from './samples.js'
import { templateOf, templateOptions } from './template.js'
import { print } from './terminal.js'

/** Samples at once, where --parallel does not say: the KV cache grows with it. */
const MAX_DEFAULT_PARALLEL = 4

export const command = defineCommand({
  usage: 'z1 ask [options] "question"      (- reads the question from standard input)',
  operands: { min: 1, max: 1, expected: 'one question' },
  options: {
    ...answerOptions,
    ...policyOptions,
    ...sampleOptions,
    speculation: speculationOption,
    ...modelOptions,
    ...remoteOption,
    download: flag({ help: 'download the model that --model names, if it was not pulled' }),
    ...readingOptions,
    ...loadOptions,
    ...sampledOptions,
    ...templateOptions,
    schema: text({ value: 'FILE', help: 'JSON Schema: the answer is JSON of it' }),
    grammar: text({ value: 'FILE', help: "grammar of the answer, in llama.cpp's GBNF" }),
    showPrompt: flag({ help: 'print what would be sent to the model, and nothing else' }),
    json: flag({ help: 'print one result as JSON and nothing else' }),
  },
  async run(given, [asked]) {
    const { load, rest } = loadOf(given)
    const { json, showPrompt, download, remote, chatTemplate, templateVariable, schema, grammar, ...asks } = rest
    const { policies, rest: options } = policiesOf(asks)
    const reason = {
      ...options,
      ...policies,
      loops: options.loops ?? true,
      ...(await templateOf({ chatTemplate, templateVariable })),
      schema: schema === undefined ? undefined : await readSchema(schema),
      grammar: grammar === undefined ? undefined : await readFileAs('a grammar', grammar),
    }
    // Fails early: loading a large model takes a while.
    checkReasonOptions(reason)
    const bound = answerGrammar(reason.grammar, reason.schema)
    for (const { path, keyword, message } of bound?.warnings ?? []) {
      process.stderr.write(`${errorColors.dim(`not enforced: ${keyword} at ${path || 'the root'}: ${message}`)}\n`)
    }
    const { model, ...loading } = load
    const question = asked === '-' ? await readQuestion() : (asked as string)
    if (showPrompt) {
      if (remote !== undefined) throw new UsageError('Expected no --remote with --show-prompt')
      const prompt = await renderPrompt(question, reason, load.model)
      process.stdout.write(json ? `${JSON.stringify(prompt, null, 2)}\n` : prompt.text)
      if (!json) process.stderr.write(`${errorColors.dim(`⟨${prompt.tokens.length} tokens⟩`)}\n`)
      return
    }
    if (remote !== undefined) {
      await tell(await remoteReasoner({ remote, model }, { ...loading, download }), question, reason, json)
      return
    }
    if (load.model === undefined && !json && process.stderr.isTTY) {
      process.stderr.write(`${errorColors.dim(demonstration())}\n`)
    }
    await using z1 = await withProgress((show) =>
      Z1.load({
        ...load,
        download,
        onDownload: showBytes('downloading', show),
        parallel: load.parallel ?? Math.min(reason.samples ?? 1, MAX_DEFAULT_PARALLEL),
        branches: policies.earlyExit?.probe === undefined ? 0 : 1,
        onProgress: json ? undefined : showFraction('loading', show),
      }),
    )
    if (reason.samples !== undefined) {
      const abort = new AbortController()
      process.once('SIGINT', () => abort.abort(new DOMException('Interrupted', 'AbortError')))
      const result = await z1.reason(question, { ...reason, signal: abort.signal })
      if (json) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
      else showSamples(result)
      return
    }
    await tell(z1, question, reason, json)
  },
})

async function tell(
  reasoner: Reasoner,
  question: string,
  reason: ReasonOptions,
  json: true | undefined,
): Promise<void> {
  const stream = reasoner.stream(question, reason)
  // The first Ctrl-C ends the answer and keeps what there is; the second ends the process.
  process.once('SIGINT', () => stream.stop())
  if (json) process.stdout.write(`${JSON.stringify(await stream.result, null, 2)}\n`)
  else await show(stream)
}

/** What a newcomer is told of the embedded model. */
export function demonstration(): string {
  const names = suggestionsFor(machineMemory()).map(({ name }) => name)
  return `This is the small demonstration model. Real ones for this machine: z1 pull ${names.join(', or ')}; then --model NAME`
}

async function readQuestion(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(chunk)
  const text = decodeQuestion(Buffer.concat(chunks)).replace(/\r?\n$/, '')
  if (text === '') throw new UsageError('Expected a question on standard input')
  return text
}

function decodeQuestion(bytes: Buffer): string {
  try {
    return decodeText(bytes)
  } catch (error) {
    throw new UsageError(`standard input: ${(error as Error).message}`)
  }
}

/** Reasoning dim, answer bright, the cut marked; or, as a pipe gets it, the text alone. */
export async function show(stream: ReasonStream, painted: boolean = process.stdout.isTTY): Promise<void> {
  for await (const event of stream) {
    if (painted) process.stdout.write(paint(event))
    else print(plain(event))
  }
}

function paint(event: ReasonEvent): string {
  switch (event.type) {
    case 'thinking':
      return colors.dim(event.text)
    case 'nudge':
      return colors.cyan(event.text)
    case 'cut':
      return colors.yellow(`⟨${WHY[event.ended]} after ${event.thinkingTokens} tokens⟩`) + colors.cyan(event.hint)
    case 'answer':
    case 'toolCall':
      return colors.bold(event.text)
    case 'branch': // of no request here
      return ''
    case 'done':
      return '\n'
  }
}

function plain(event: ReasonEvent): string {
  switch (event.type) {
    case 'thinking':
    case 'nudge':
    case 'answer':
    case 'toolCall':
      return event.text
    case 'cut':
      return event.hint
    case 'branch':
      return ''
    case 'done':
      return '\n'
  }
}

const WHY = {
  window: 'window closed',
  request: 'closed on request',
  self: 'thinking ended',
  loop: 'loop',
  early: 'ended early',
}
