/** What `evaluate` may be given, and the check of it. */
import { abortSignal, callback, count, integer, isString, kind } from '../base/checks.js'
import { type Option, option, type Read, readOptions, required } from '../base/options.js'
import { EMBEDDED_MODEL } from '../reason/model-file.js'
import {
  checkFlashAttention,
  LOAD_OPTIONS,
  type LoadOptions,
  REASON_OPTIONS,
  type ReasonOptions,
} from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import { METHOD_NAMES, type Method, methodName, methodOf } from './methods/index.js'
import { METHOD_OPTIONS, type MethodOptions, type ResolvedMethod } from './methods/method.js'
import type { Progress } from './progress.js'
import { shardName } from './shard.js'
import type { Task } from './task.js'
import { type EvalWindow, readWindows } from './windows.js'

type ModelOptions = Pick<
  LoadOptions,
  | 'model'
  | 'engine'
  | 'gpuLayers'
  | 'contextSize'
  | 'parallel'
  | 'threads'
  | 'mlock'
  | 'cacheType'
  | 'flashAttention'
  | 'devices'
  | 'lora'
>

export interface EvaluateOptions extends ModelOptions, MethodOptions, Pick<ReasonOptions, 'system' | 'speculation'> {
  task: Task
  /**
   * What answers; it is not disposed. It has a model, so none of the options of loading one may be given beside it.
   * Default: a `Z1` that is loaded with them, and disposed at the end.
   */
  reasoner?: Reasoner | undefined
  /**
   * Numbers of tokens, percents of each item's own natural thinking length (`'25%'`), `'inf'`. Needed, but with the methods
   * `direct` and `unlimited`, which have one of their own.
   */
  windows?: readonly (string | number)[] | undefined
  /** Folder of the run. Results that are in it already are kept and not computed again. */
  output: string
  /**
   * `window`: the shifted thinking window; `delimited`: thinking between the model's tags, closed by force at the
   * window; `none`: no hint, the response ends at the window; `direct`: no thinking, the hint comes at once; `unlimited`: no
   * window and no hint; `budget-forcing`: s1's, `Wait` in the place of an end, `Final Answer:` at the window. Default `window`.
   */
  method?: Method | undefined
  /** 0 … 100; 0 is greedy. Default 0. */
  temperature?: number | undefined
  /** Responses to each item and window, ≥ 1; more than one need a temperature. Default 1. */
  samples?: number | undefined
  /** 0 … 4294967294; each item and sample has a seed of its own, drawn from it. Default 0. */
  seed?: number | undefined
  /**
   * As in `Z1.load()`, for a model that is loaded here. Where windows are numbers of tokens or `'inf'` and the temperature is
   * 0, the smaller windows of an item are cuts of the largest, in one request; 0: a request for each. Default: as many as
   * `parallel`, at least 2.
   */
  branches?: number | undefined
  /**
   * `2/4`: only every fourth item, from the second on, so that several runs share the items; {@link mergeRuns} makes one of
   * them. Default: all items.
   */
  shard?: string | undefined
  /** Ends the run, which then rejects with the signal's reason. What is done is kept. */
  signal?: AbortSignal | undefined
  /** Called after every response. */
  onProgress?: ((progress: Progress) => void) | undefined
}

const folderName = kind('folder name', isString, { isValid: (value) => value !== '' })

const windows = kind('array of windows', Array.isArray, { convert: readWindows })

const task = kind('Task', (value): value is Task => {
  return hasFunctions(value, ['items', 'prompt', 'grade']) && isString((value as Task).name)
})

const reasoner = kind('Reasoner', (value): value is Reasoner => {
  return hasFunctions(value, ['reason', 'tokenize']) && typeof (value as Reasoner).model === 'object'
})

const MODEL_OPTIONS = {
  model: option(LOAD_OPTIONS.model),
  engine: option(LOAD_OPTIONS.engine),
  gpuLayers: option(LOAD_OPTIONS.gpuLayers),
  contextSize: option(LOAD_OPTIONS.contextSize),
  parallel: option(LOAD_OPTIONS.parallel),
  threads: option(LOAD_OPTIONS.threads),
  mlock: option(LOAD_OPTIONS.mlock),
  cacheType: option(LOAD_OPTIONS.cacheType),
  flashAttention: option(LOAD_OPTIONS.flashAttention),
  devices: option(LOAD_OPTIONS.devices),
  lora: option(LOAD_OPTIONS.lora),
} satisfies Record<keyof ModelOptions, Option<unknown>>

const EVALUATE_OPTIONS = {
  ...MODEL_OPTIONS,
  ...METHOD_OPTIONS,
  task: required(task),
  reasoner: option(reasoner),
  windows: required(windows),
  output: required(folderName),
  method: option(methodName, 'window'),
  system: option(REASON_OPTIONS.system),
  speculation: option(REASON_OPTIONS.speculation),
  temperature: option(REASON_OPTIONS.temperature, 0),
  samples: option(count(1), 1),
  seed: option(integer(0, 2 ** 32 - 2), 0),
  branches: option(integer(0, 64)),
  shard: option(shardName),
  signal: option(abortSignal()),
  onProgress: option(callback<(progress: Progress) => void>()),
} satisfies Record<keyof EvaluateOptions, Option<unknown>>

/** Checked, with every default. */
export interface ResolvedOptions
  extends Omit<Read<typeof EVALUATE_OPTIONS>, 'method' | keyof ModelOptions | keyof MethodOptions> {
  load: Pick<Read<typeof MODEL_OPTIONS>, keyof ModelOptions> & { model: string }
  methodName: Method
  method: ResolvedMethod
}

/** @throws {TypeError|RangeError} for options that are invalid, or that do not go together. */
export function resolveOptions(options: EvaluateOptions): ResolvedOptions {
  const { model, engine, gpuLayers, contextSize, parallel, threads, ...others } = readOptions(
    EVALUATE_OPTIONS,
    withWindows(options),
  )
  const { mlock, cacheType, flashAttention, devices, lora, ...more } = others
  const { hint, maxTokens, loops, landing, stated, earlyExit, confidence, wait, method, ...checked } = more
  checkFlashAttention({ cacheType, flashAttention })
  checkWindows(method, checked.windows)
  const memory = { mlock, cacheType, flashAttention, devices }
  const load = { model, engine, gpuLayers, contextSize, parallel, threads, ...memory, lora }
  if (checked.reasoner) {
    const [name] =
      Object.entries({ ...load, branches: checked.branches }).find(([, value]) => value !== undefined) ?? []
    if (name) throw new TypeError(`Expected no ${name} beside a reasoner: its model is loaded`)
  }
  if (checked.samples > 1 && checked.temperature === 0) {
    throw new RangeError('Expected a temperature above 0 with more than one sample: greedy ones are all the same')
  }
  return {
    ...checked,
    load: { ...load, model: model ?? EMBEDDED_MODEL },
    methodName: method,
    method: methodOf(method).resolve({ hint, maxTokens, loops, landing, stated, earlyExit, confidence, wait }),
  }
}

/** Whether one request can answer under all windows: greedily, the thinking under one is a beginning of that under a larger. */
export function usesCuts({ windows, temperature, branches }: ResolvedOptions): boolean {
  const inTokens = windows.every(({ tokens }) => tokens !== null)
  return inTokens && windows.length > 1 && windows.length <= MAX_WINDOWS && temperature === 0 && branches !== 0
}

/** The largest, and as many cuts as a request may have. */
const MAX_WINDOWS = 65

/** The windows of a method that has its own, where none are given. */
function withWindows(options: EvaluateOptions): EvaluateOptions {
  const own = METHOD_NAMES.find((name) => name === options?.method)
  const windows = own && methodOf(own).windows
  return windows && options.windows === undefined ? { ...options, windows } : options
}

function checkWindows(method: Method, windows: readonly EvalWindow[]): void {
  const own = methodOf(method).windows
  const names = windows.map(({ name }) => name)
  if (!own || (names.length === own.length && names.every((name) => own.includes(name)))) return
  throw new RangeError(
    `Expected the window ${own.join(', ')} with the method ${method} but received ${names.join(', ')}`,
  )
}

function hasFunctions(value: unknown, names: string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}
