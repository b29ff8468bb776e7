/** What `evaluate` may be given, and the check of it. */
import { misuse } from '../base/checks.js'
import { EMBEDDED_MODEL } from '../reason/model-file.js'
import { checkLoadOptions, checkReasonOptions, type LoadOptions, type ReasonOptions } from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import { type Method, methodOf } from './methods/index.js'
import type { MethodOptions, ResolvedMethod } from './methods/method.js'
import type { Progress } from './progress.js'
import type { Task } from './task.js'
import { type EvalWindow, readWindows } from './windows.js'

type ModelOptions = Pick<LoadOptions, 'model' | 'engine' | 'gpuLayers' | 'contextSize' | 'parallel' | 'threads'>

export interface EvaluateOptions extends ModelOptions, MethodOptions, Pick<ReasonOptions, 'system' | 'temperature'> {
  task: Task
  /**
   * What answers; it is not disposed. It has a model, so none of the options of loading one may be given beside it.
   * Default: a `Z1` that is loaded with them, and disposed at the end.
   */
  reasoner?: Reasoner | undefined
  /** Numbers of tokens, percents of each item's own natural thinking length (`'25%'`), `'inf'`. */
  windows: readonly (string | number)[]
  /** Folder of the run. Results that are in it already are kept and not computed again. */
  output: string
  /**
   * `window`: the shifted thinking window; `delimited`: thinking between the model's tags, closed by force at the
   * window; `none`: no hint, the response ends at the window. Default `window`.
   */
  method?: Method | undefined
  /** Responses to each item and window, ≥ 1; more than one need a temperature. Default 1. */
  samples?: number | undefined
  /** 0 … 4294967294; each item and sample has a seed of its own, drawn from it. Default 0. */
  seed?: number | undefined
  /** Ends the run, which then rejects with the signal's reason. What is done is kept. */
  signal?: AbortSignal | undefined
  /** Called after every response. */
  onProgress?: ((progress: Progress) => void) | undefined
}

/** Checked, with every default. */
export interface ResolvedOptions {
  task: Task
  reasoner: Reasoner | undefined
  load: LoadOptions & { model: string }
  windows: EvalWindow[]
  output: string
  methodName: Method
  method: ResolvedMethod
  system: string | undefined
  temperature: number
  samples: number
  seed: number
  signal: AbortSignal | undefined
  onProgress: ((progress: Progress) => void) | undefined
}

/** @throws {TypeError|RangeError} for options that are invalid. */
export function resolveOptions(options: EvaluateOptions): ResolvedOptions {
  const { task, output, method: methodName = 'window', samples = 1, seed = 0, signal, onProgress } = options
  const { model, engine, gpuLayers, contextSize, parallel, threads } = options
  const { hint, maxTokens, system, temperature } = options
  const method = methodOf(methodName).resolve({ hint, maxTokens })
  const checked = checkReasonOptions({ system, temperature, seed })
  if (!Number.isInteger(samples) || samples < 1) {
    throw new RangeError(`Expected integer ≥ 1 for samples but received ${samples}`)
  }
  if (samples > 1 && checked.sampling.temperature === 0) {
    throw new RangeError('Expected a temperature above 0 with more than one sample: greedy ones are all the same')
  }
  const given = { model, engine, gpuLayers, contextSize, parallel, threads }
  const load = checkLoadOptions(given)
  return {
    task,
    reasoner: checkReasoner(options.reasoner, given),
    load: { ...load, model: load.model ?? EMBEDDED_MODEL },
    windows: readWindows(options.windows),
    output,
    methodName,
    method,
    system: checked.system,
    temperature: checked.sampling.temperature,
    samples,
    seed,
    signal,
    onProgress,
  }
}

function checkReasoner(reasoner: Reasoner | undefined, load: ModelOptions): Reasoner | undefined {
  if (reasoner === undefined) return undefined
  if (typeof reasoner?.reason !== 'function') throw misuse(TypeError, 'Reasoner', 'reasoner', reasoner)
  const [name] = Object.entries(load).find(([, value]) => value !== undefined) ?? []
  if (name) throw new TypeError(`Expected no ${name} beside a reasoner: its model is loaded`)
  return reasoner
}
