/** The public types, checked by the compiler (`npm run types`); nothing here runs. */
import { expectTypeOf } from 'vitest'
import type {
  ChatMessage,
  Device,
  ErrorCode,
  LoadOptions,
  ModelInfo,
  ReasonEvent,
  ReasonOptions,
  ReasonResult,
  ReasonStream,
  SampledLogprob,
  SchemaWarning,
  StandardJsonSchema,
} from '../../lib/index.js'
import { jsonSchemaToGrammar, Z1, Z1Error } from '../../lib/index.js'

declare const z1: Z1

// Calls, as the README writes them.
expectTypeOf(Z1.load()).resolves.toEqualTypeOf<Z1>()
expectTypeOf(z1.reason('q')).resolves.toEqualTypeOf<ReasonResult>()
expectTypeOf(z1.stream('q')).toEqualTypeOf<ReasonStream>()
expectTypeOf(z1.tokenize('q')).resolves.toEqualTypeOf<number[]>()
expectTypeOf(z1.detokenize([1], { special: true })).resolves.toEqualTypeOf<string>()
expectTypeOf(z1.dispose()).resolves.toBeVoid()
expectTypeOf(z1.model).toEqualTypeOf<Readonly<ModelInfo>>()
expectTypeOf(z1.model.devices).toEqualTypeOf<Device[]>()
expectTypeOf(z1).toExtend<AsyncDisposable>()

// A result's message goes on in a conversation; messages may be read-only.
const result = await z1.reason('q', { thinkingWindow: Infinity })
const messages: ChatMessage[] = [{ role: 'user', content: 'q' }, result.message]
z1.reason(messages)
z1.reason([{ role: 'user', content: 'q' }] as const)
expectTypeOf(result.message.role).toEqualTypeOf<'assistant'>()
expectTypeOf(result.ended).toEqualTypeOf<
  'self' | 'window' | 'request' | 'stop' | 'length' | 'loop' | 'early' | 'stated'
>()
expectTypeOf(result.finishReason).toEqualTypeOf<'stop' | 'length' | 'abort' | 'loop' | 'tool_calls'>()
expectTypeOf(result.finalAnswer).toEqualTypeOf<string | null>()
expectTypeOf(result.stopString).toEqualTypeOf<string | null>()
expectTypeOf(result.tokens).toEqualTypeOf<{ reasoning: number[]; hint: number[]; answer: number[] }>()
expectTypeOf(result.logprobs).toEqualTypeOf<{ reasoning: SampledLogprob[]; answer: SampledLogprob[] } | null>()
expectTypeOf(result.usage).toEqualTypeOf<
  Record<
    | 'promptTokens'
    | 'cachedTokens'
    | 'thinkingTokens'
    | 'hintTokens'
    | 'answerTokens'
    | 'nudgeTokens'
    | 'probeTokens'
    | 'draftedTokens'
    | 'acceptedTokens',
    number
  >
>()
expectTypeOf(result.timings).toEqualTypeOf<
  Record<'promptMs' | 'thinkingMs' | 'hintMs' | 'answerMs' | 'totalMs' | 'decodeCalls' | 'threads', number>
>()
expectTypeOf<keyof ReasonResult>().toEqualTypeOf<
  | 'logprobs'
  | 'text'
  | 'reasoning'
  | 'hint'
  | 'answer'
  | 'finalAnswer'
  | 'object'
  | 'toolCalls'
  | 'warnings'
  | 'message'
  | 'ended'
  | 'finishReason'
  | 'confidence'
  | 'stopString'
  | 'tokens'
  | 'usage'
  | 'droppedMessages'
  | 'timings'
  | 'seed'
  | 'cuts'
  | 'trace'
  | 'samples'
  | 'vote'
  | 'cost'
>()

// Every option that the API has, each of its forms; undefined is the same as absent.
const load: Required<LoadOptions> = {
  model: new URL('file:///model.gguf'),
  download: true,
  onDownload: ({ done, total }) => expectTypeOf([done, total]).toEqualTypeOf<number[]>(),
  engine: 'cuda',
  gpuLayers: 'auto',
  contextSize: 4096,
  parallel: 4,
  branches: 2,
  kvCache: 'shared',
  cacheRam: 0,
  batchSize: 512,
  threads: 8,
  chatTemplate: '{{ messages }}',
  templateVariables: { enable_thinking: false, list: [1, { a: null }] },
  mmap: false,
  mlock: true,
  cacheType: { k: 'q8_0' },
  flashAttention: true,
  devices: ['CUDA0'],
  lora: [new URL('file:///a.gguf'), { path: 'b.gguf', scale: 0.5 }],
  onProgress: (progress) => expectTypeOf(progress).toBeNumber(),
  signal: AbortSignal.timeout(1000),
}
const reason: Required<ReasonOptions> = {
  thinkingWindow: 512,
  cuts: [0, 64] as const,
  samples: 4,
  vote: (samples) => samples.length - 1,
  stopEarly: { first: 2 },
  maxTokens: 100,
  hint: 'boxed',
  loops: true,
  landing: 'line',
  stated: 'keep',
  earlyExit: { margin: 0.1 },
  confidence: true,
  wait: { times: 2, text: 'Wait', until: 100 },
  trace: { every: 16, margin: 1, lines: true },
  tags: 'keep',
  schema: { type: 'integer' },
  grammar: 'root ::= "a"',
  tools: [{ name: 'f', description: 'Does it.', parameters: { type: 'object' } }] as const,
  toolChoice: { name: 'f' },
  parallelToolCalls: false,
  system: 'Be brief.',
  template: true,
  chatTemplate: '{{ messages }}',
  templateVariables: {},
  temperature: 0.7,
  topK: 40,
  topP: 0.9,
  minP: 0.1,
  typicalP: 1,
  repeatPenalty: 1.1,
  frequencyPenalty: 0,
  presencePenalty: 0,
  penaltyLastN: 64,
  dryMultiplier: 0.8,
  dryBase: 1.75,
  dryAllowedLength: 2,
  dryPenaltyLastN: 64,
  drySequenceBreakers: ['\n'] as const,
  xtcProbability: 0.5,
  xtcThreshold: 0.1,
  logitBias: { 42: -Infinity },
  seed: 7,
  stopInThinking: true,
  overflow: 'shift',
  stop: ['a', 'b'] as const,
  cachePrompt: false,
  speculation: true,
  logprobs: { top: 5, thinking: true },
  signal: new AbortController().signal,
}
Z1.load(load)
Z1.load({ model: 'model.gguf', engine: './engine', gpuLayers: 20, signal: undefined, onProgress: undefined })
z1.reason('q', reason)
z1.stream(messages, reason)
z1.reason('q', { hint: 'any text', stop: 'a', logitBias: new Map([[42, 1]]), seed: undefined })
z1.reason('q', { logitBias: [[42, 1]] as const })

// A reader of events is led to every kind of them.
async function read(stream: ReasonStream): Promise<string> {
  let text = ''
  for await (const event of stream) {
    expectTypeOf(event).toEqualTypeOf<ReasonEvent>()
    switch (event.type) {
      case 'thinking':
      case 'nudge':
      case 'answer':
        expectTypeOf(event.tokens).toEqualTypeOf<number[]>()
        text += event.text
        // @ts-expect-error text has no hint
        event.hint
        break
      case 'cut':
        expectTypeOf(event.thinkingTokens).toBeNumber()
        expectTypeOf(event.ended).toEqualTypeOf<'self' | 'window' | 'request' | 'loop' | 'early'>()
        text += event.hint
        // @ts-expect-error a cut has no text
        event.text
        break
      case 'toolCall':
        expectTypeOf(event.deltas[0]?.arguments).toEqualTypeOf<string | undefined>()
        text += event.text
        break
      case 'branch':
        expectTypeOf(event.result).toEqualTypeOf<Omit<ReasonResult, 'cuts' | 'trace' | 'samples' | 'vote' | 'cost'>>()
        break
      case 'done':
        expectTypeOf(event.result).toEqualTypeOf<ReasonResult>()
        break
      default:
        expectTypeOf(event).toBeNever()
    }
  }
  stream.endThinking()
  stream.stop()
  expectTypeOf(stream.result).resolves.toEqualTypeOf<ReasonResult>()
  return text
}
expectTypeOf(read).returns.resolves.toBeString()

// Errors.
expectTypeOf(new Z1Error('DISPOSED', 'gone').code).toEqualTypeOf<ErrorCode>()
expectTypeOf<Z1Error>().toExtend<Error>()
expectTypeOf<'MODEL_NOT_FOUND' | 'CONTEXT_TOO_SMALL' | 'DECODE_FAILED' | 'TAGS_NOT_FOUND'>().toExtend<ErrorCode>()
// @ts-expect-error no such code
new Z1Error('NOT_FOUND', 'gone')

// Mistakes that the compiler finds.
// @ts-expect-error a name of another library
Z1.load({ modelPath: 'model.gguf' })
// @ts-expect-error a text is not a number
Z1.load({ contextSize: '4096' })
// @ts-expect-error neither a count nor 'auto'
Z1.load({ gpuLayers: 'all' })
// @ts-expect-error null is not absent
Z1.load({ threads: null })
// @ts-expect-error llama.cpp's spelling
z1.reason('q', { top_k: 40 })
// @ts-expect-error a typing mistake
z1.reason('q', { thinkingwindow: 1 })
// @ts-expect-error only ban and keep
z1.reason('q', { tags: 'drop' })
// @ts-expect-error biases are numbers
z1.reason('q', { logitBias: { 42: 'ban' } })
// @ts-expect-error a message has a content
z1.reason([{ role: 'user' }])
// @ts-expect-error one message is not a conversation
z1.reason({ role: 'user', content: 'q' })
// @ts-expect-error a question is needed
z1.reason()
// @ts-expect-error what was loaded does not change
z1.model.threads = 2
// @ts-expect-error the result is read from the stream
z1.stream('q').text
// @ts-expect-error models are loaded, not constructed
new Z1()
// @ts-expect-error a token is a number
z1.detokenize(['a'])

// A schema of a library gives the object its type; JSON gives none.
declare const library: StandardJsonSchema<{ n: number }>
expectTypeOf((await z1.reason('q', { schema: library })).object).toEqualTypeOf<{ n: number } | null>()
expectTypeOf((await z1.reason('q', { schema: { type: 'integer' } })).object).toBeUnknown()
expectTypeOf((await z1.stream('q', { schema: library }).result).object).toEqualTypeOf<{ n: number } | null>()
expectTypeOf(jsonSchemaToGrammar({}).warnings).toEqualTypeOf<SchemaWarning[]>()
