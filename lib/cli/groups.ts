/** Options that several commands have, as groups to spread into their tables. A command may reword a row. */
import type { Read } from '../base/options.js'
import { FILE_TYPE_NAMES } from '../convert/types.js'
import { LOAD_OPTIONS, REASON_OPTIONS } from '../reason/options.js'
import { flag, integer, number, numberOr, repeated, text, type Values as ValuesOf, window, word } from './args.js'
import { adapters, cacheType, onOff } from './load-args.js'

type Values = Read<typeof REASON_OPTIONS>
type Shown = { [Name in keyof Values]: Values[Name] extends number ? Name : never }[keyof Values]

const defaultOf = (name: Shown) => String(REASON_OPTIONS[name].default)

/** The model, and what runs it. */
export const modelOptions = {
  model: text({
    value: 'FILE',
    help: 'a GGUF file, or the name of a model that was pulled',
    default: 'the embedded model',
  }),
  engine: text({ value: 'NAME', help: 'auto, cpu, cuda, vulkan, metal, or a directory', default: 'auto' }),
  gpuLayers: integer(0, { value: 'N', help: 'layers on the GPU', default: 'as many as fit' }),
  contextSize: integer(1, {
    value: 'N',
    help: 'tokens of a whole request',
    default: "the model's, at most 8192",
  }),
  parallel: integer(1, { value: 'N', help: 'requests at once', default: '1' }),
  threads: integer(1, { value: 'N', default: 'the physical cores' }),
}

/** How the model is decoded and read. */
export const readingOptions = {
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
}

/** What else a load may be told. */
export const loadOptions = {
  mlock: flag({ help: 'keep the model in memory; fails where the system does not let it be locked' }),
  cacheType: cacheType({
    value: 'TYPE',
    help: 'f16, q8_0 or q4_0, or K,V with one for each: type of the KV cache',
    default: 'f16',
  }),
  flashAttention: onOff({ value: 'MODE', help: 'auto, on or off', default: 'auto' }),
  devices: repeated({
    name: 'device',
    value: 'NAME',
    help: 'a GPU as z1 doctor names it; may be given more than once',
    default: 'all',
  }),
  lora: adapters({
    value: 'FILE[:SCALE]',
    help: 'a LoRA adapter, and what its effect is multiplied by; may be given more than once',
  }),
}

type LoadTable = typeof modelOptions & typeof readingOptions & typeof loadOptions
type LoadValues = Partial<ValuesOf<LoadTable>>

/** What a load takes of the values, and the others. */
export function loadOf<T extends LoadValues>(values: T): { load: LoadValues; rest: Omit<T, keyof LoadTable> } {
  const {
    model,
    engine,
    gpuLayers,
    contextSize,
    parallel,
    threads,
    batchSize,
    mmap,
    mlock,
    cacheType,
    flashAttention,
    devices,
    lora,
    ...rest
  } = values
  const load = {
    ...{ model, engine, gpuLayers, contextSize, parallel, threads, batchSize, mmap },
    ...{ mlock, cacheType, flashAttention, devices, lora },
  }
  return { load, rest }
}

/** Thinking and answer. */
export const answerOptions = {
  thinkingWindow: window({
    name: 'window',
    value: 'N',
    help: 'tokens of thinking before the hint; inf: no end',
    default: "the model's; 4096 where its template has think tags; else none",
  }),
  maxTokens: integer(1, { value: 'N', help: 'tokens of the answer after a cut', default: '1024, or what fits' }),
  hint: text({ value: 'TEXT', help: 'plain, boxed, or any text', default: 'plain' }),
  loops: flag({
    name: 'no-loops',
    means: false,
    help: 'go on where a block of 4 to 128 tokens has come three times in a row, instead of ending the thinking or the answer',
  }),
  tags: word(['ban', 'keep'], {
    value: 'MODE',
    help: "ban: no think tags; keep: thinking between the model's tags",
    default: 'ban',
  }),
  system: text({ value: 'TEXT', help: 'system message' }),
  template: flag({ name: 'raw', means: false, help: 'the question is the whole prompt: no chat template' }),
  stop: repeated({ value: 'TEXT', help: 'ends the answer; may be given more than once' }),
  stopInThinking: flag({ help: 'look for it in the thinking, too' }),
}

/** Of commands that go on with a conversation. */
export const conversationOptions = {
  overflow: word(['error', 'shift'], {
    value: 'MODE',
    help: 'of a conversation that does not fit any more; shift: leave out its oldest turns',
    default: 'error',
  }),
}

export const speculationOption = flag({
  help: 'draft what followed the same tokens before, in the prompt or the response; faster where a response repeats them',
})

/** How a token is drawn. */
export const samplingOptions = {
  temperature: number({ value: 'T', help: '0 is greedy', default: defaultOf('temperature') }),
  topK: integer(0, { value: 'K', help: 'keep the K most likely tokens; 0: all', default: defaultOf('topK') }),
  topP: number({
    value: 'P',
    help: 'keep the most likely tokens whose probabilities add up to P; 1: all',
    default: defaultOf('topP'),
  }),
  minP: number({
    value: 'P',
    help: 'keep tokens at least P times as likely as the most likely one; 0: all',
    default: defaultOf('minP'),
  }),
  typicalP: number({
    value: 'P',
    help: 'keep tokens of about average information, to a probability of P; 1: all',
    default: defaultOf('typicalP'),
  }),
  repeatPenalty: number({
    value: 'X',
    help: 'divides the logits of recent tokens; 1: no penalty',
    default: defaultOf('repeatPenalty'),
  }),
  frequencyPenalty: number({
    value: 'X',
    help: "subtracted from a recent token's logit once per occurrence",
    default: defaultOf('frequencyPenalty'),
  }),
  presencePenalty: number({
    value: 'X',
    help: 'subtracted once from the logit of every recent token',
    default: defaultOf('presencePenalty'),
  }),
  penaltyLastN: integer(0, {
    value: 'N',
    help: 'how many tokens back the three penalties look; 0: no penalties',
    default: defaultOf('penaltyLastN'),
  }),
  dryMultiplier: number({
    value: 'X',
    help: 'DRY: penalty on the token that would continue a repetition; 0: none',
    default: defaultOf('dryMultiplier'),
  }),
  dryBase: number({
    value: 'X',
    help: 'DRY: factor by which the penalty grows with each repeated token',
    default: defaultOf('dryBase'),
  }),
  dryAllowedLength: integer(0, {
    value: 'N',
    help: 'DRY: tokens of repetition that cost nothing',
    default: defaultOf('dryAllowedLength'),
  }),
  dryPenaltyLastN: integer(0, {
    value: 'N',
    help: 'DRY: how many tokens back it looks; 0: no penalty',
    default: defaultOf('dryPenaltyLastN'),
  }),
  drySequenceBreakers: repeated({
    name: 'dry-sequence-breaker',
    value: 'TEXT',
    help: 'DRY: repetitions begin anew at it; may be given more than once',
    default: 'newline, colon, double quote, asterisk',
  }),
  xtcProbability: number({
    value: 'P',
    help: 'XTC: probability with which the most likely tokens are removed; 0: none',
    default: defaultOf('xtcProbability'),
  }),
  xtcThreshold: number({
    value: 'P',
    help: 'XTC: probability that a token needs to be removed',
    default: defaultOf('xtcThreshold'),
  }),
  seed: integer(0, { value: 'N', default: 'random' }),
}

/** The same, where the model's own recommendation can be taken. */
export const sampledOptions = {
  ...samplingOptions,
  temperature: numberOr('model', {
    value: 'T',
    help: "0 is greedy; model: the sampling that the model's file recommends",
    default: '0',
  }),
}

/** A command that writes records. */
export const outputOptions = {
  output: text({ short: 'o', value: 'FILE', help: '.jsonl, .parquet, or -', fallback: '-' }),
  force: flag({ help: 'begin anew, whatever is in the output' }),
  json: flag({ help: 'print what was done as JSON' }),
}

export const tokenizerOption = text({
  value: 'FILE',
  help: 'GGUF file whose vocabulary counts tokens',
  default: 'the embedded model',
})

/** Of a GGUF file. */
export const typeOption = word(FILE_TYPE_NAMES, { value: 'TYPE', help: FILE_TYPE_NAMES.join(', ') })

export const inputFiles = { min: 1, max: Infinity, expected: 'at least one file' }
