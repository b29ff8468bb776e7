/** A run: every item of a task under every window, in parallel on one model, each response graded and kept at once. */
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { misuse } from '../base/checks.js'
import { limiter } from '../base/concurrency.js'
import { Z1Error } from '../base/errors.js'
import { writeWhole } from '../base/files.js'
import { closingPart, extractFinalAnswer } from '../reason/answer.js'
import { EMBEDDED_MODEL } from '../reason/model-file.js'
import {
  type ChatMessage,
  checkLoadOptions,
  checkReasonOptions,
  type LoadOptions,
  type ReasonOptions,
} from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonResult } from '../reason/result.js'
import { Z1 } from '../reason/z1.js'
import { environmentOf, pinFile, pinReasoner, sha256OfItems } from './pinned.js'
import { keyOf, type Method, type Outcome, ResultsFolder, type RunOptions } from './results.js'
import { type Summary, summarize } from './summary.js'
import type { Item, Task } from './task.js'
import { type EvalWindow, readWindows, windowTokens } from './windows.js'

export interface EvaluateOptions
  extends Pick<LoadOptions, 'model' | 'engine' | 'gpuLayers' | 'contextSize' | 'parallel' | 'threads'>,
    Pick<ReasonOptions, 'hint' | 'maxTokens' | 'system' | 'temperature'> {
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

export interface Progress {
  /** Responses that are there, earlier ones included. */
  done: number
  total: number
  /** Of them, those that this call has computed. */
  computed: number
  /** By window. */
  windows: { window: string; done: number; correct: number }[]
}

/**
 * Runs an evaluation, or goes on with one. Each request has a seed and reuses no prefix, so with `parallel: 1` the same
 * options give the same results to the token.
 * @throws {TypeError|RangeError} for options that cannot be.
 * @throws {Error} for a folder that holds another run, and when results cannot be written.
 * @throws {Z1Error} as `Z1.load()` and `z1.reason()` do.
 */
export async function evaluate(options: EvaluateOptions): Promise<Summary> {
  const plan = readPlan(options)
  const { task, output, signal } = options
  const items = await readItems(task)
  const runOptions = await describeRun(plan, task, items)
  const folder = await ResultsFolder.open(output, runOptions)
  try {
    signal?.throwIfAborted()
    if (folder.outcomes.length < items.length * plan.windows.length * plan.samples) {
      await using loaded = plan.reasoner ? undefined : await Z1.load({ ...plan.load, signal })
      const reasoner = plan.reasoner ?? (loaded as Z1)
      await folder.begin(await environmentOf(reasoner.model))
      await new Runner(reasoner, plan, options, items, folder).run()
    }
    const summary = summarize(runOptions, folder.outcomes)
    await writeWhole(join(output, 'summary.json'), `${JSON.stringify(summary, null, 2)}\n`)
    return summary
  } finally {
    await folder.close()
  }
}

/** Checked options, with every default. */
interface Plan {
  windows: EvalWindow[]
  method: Method
  samples: number
  seed: number
  maxTokens: number
  hint: string
  system: string | undefined
  temperature: number
  reasoner: Reasoner | undefined
  load: LoadOptions & { model: string; parallel: number }
}

function readPlan(options: EvaluateOptions): Plan {
  const { method = 'window', samples = 1, seed = 0 } = options
  const { model, engine, gpuLayers, contextSize, parallel, threads } = options
  if (!['window', 'delimited', 'none'].includes(method)) {
    throw new RangeError(`Expected 'window', 'delimited' or 'none' for method but received ${JSON.stringify(method)}`)
  }
  const { hint, maxTokens, system, temperature } = options
  if (method === 'none' && (hint ?? maxTokens) !== undefined) {
    throw new RangeError('Expected neither hint nor maxTokens with the method none: nothing follows the window')
  }
  const checked = checkReasonOptions({ hint, maxTokens, system, temperature, seed })
  if (!Number.isInteger(samples) || samples < 1) {
    throw new RangeError(`Expected integer ≥ 1 for samples but received ${samples}`)
  }
  if (samples > 1 && checked.sampling.temperature === 0) {
    throw new RangeError('Expected a temperature above 0 with more than one sample: greedy ones are all the same')
  }
  const given = { model, engine, gpuLayers, contextSize, parallel, threads }
  const load = checkLoadOptions(given)
  return {
    windows: readWindows(options.windows),
    method,
    samples,
    seed,
    // Of what follows the window the method none keeps nothing.
    maxTokens: method === 'none' ? 1 : checked.maxTokens,
    hint: checked.hint,
    system: checked.system,
    temperature: checked.sampling.temperature,
    reasoner: checkReasoner(options.reasoner, given),
    load: { ...load, model: load.model ?? EMBEDDED_MODEL },
  }
}

function checkReasoner(reasoner: Reasoner | undefined, load: object): Reasoner | undefined {
  if (reasoner === undefined) return undefined
  if (typeof reasoner?.reason !== 'function') throw misuse(TypeError, 'Reasoner', 'reasoner', reasoner)
  const [name] = Object.entries(load).find(([, value]) => value !== undefined) ?? []
  if (name) throw new TypeError(`Expected no ${name} beside a reasoner: its model is loaded`)
  return reasoner
}

async function readItems(task: Task): Promise<Item[]> {
  const items = new Map<string, Item>()
  for await (const item of task.items()) {
    if (items.has(item.id)) throw new Error(`The task ${task.name} has two items with the id ${item.id}`)
    items.set(item.id, item)
  }
  if (items.size === 0) throw new Error(`The task ${task.name} has no items`)
  return [...items.values()]
}

async function describeRun(plan: Plan, task: Task, items: Item[]): Promise<RunOptions> {
  const { method, windows, hint, maxTokens, system = null, temperature, samples, seed, reasoner, load } = plan
  return {
    task: task.name,
    items: items.length,
    itemsSha256: sha256OfItems(items),
    ...(reasoner ? await pinReasoner(reasoner) : await pinFile(load.model)),
    method,
    windows: windows.map(({ name }) => name),
    hint: method === 'none' ? null : hint,
    maxTokens: method === 'none' ? null : maxTokens,
    system,
    temperature,
    samples,
    seed,
    contextSize: reasoner ? reasoner.model.contextSize : (load.contextSize ?? null),
  }
}

/** Computes what a folder lacks. */
class Runner {
  readonly #reasoner: Reasoner
  readonly #plan: Plan
  readonly #task: Task
  readonly #items: Item[]
  readonly #folder: ResultsFolder
  readonly #progress: Progress
  readonly #onProgress: ((progress: Progress) => void) | undefined
  readonly #done = new Map<string, Outcome>()
  readonly #callerSignal: AbortSignal | undefined
  readonly #abort = new AbortController()
  readonly #slot: ReturnType<typeof limiter>

  constructor(reasoner: Reasoner, plan: Plan, options: EvaluateOptions, items: Item[], folder: ResultsFolder) {
    this.#reasoner = reasoner
    this.#plan = plan
    this.#task = options.task
    this.#items = items
    this.#folder = folder
    this.#progress = {
      done: 0,
      total: items.length * plan.windows.length * plan.samples,
      computed: 0,
      windows: plan.windows.map(({ name }) => ({ window: name, done: 0, correct: 0 })),
    }
    this.#onProgress = options.onProgress
    this.#callerSignal = options.signal
    this.#slot = limiter(reasoner.model.parallel)
    for (const outcome of folder.outcomes) this.#count(outcome)
  }

  /** The first failure ends the run; when it rejects, nothing runs any more. */
  async run(): Promise<void> {
    const stop = () => this.#abort.abort(this.#callerSignal?.reason)
    this.#callerSignal?.addEventListener('abort', stop)
    try {
      this.#callerSignal?.throwIfAborted()
      const work = this.#work()
      const worker = async () => {
        for (const [item, sample] of work) await this.#answer(item, sample)
      }
      await this.#all(Array.from({ length: this.#reasoner.model.parallel }, worker))
    } finally {
      this.#callerSignal?.removeEventListener('abort', stop)
    }
  }

  *#work(): Generator<[Item, number]> {
    for (const item of this.#items) {
      for (let sample = 0; sample < this.#plan.samples; sample++) yield [item, sample]
    }
  }

  /** Waits for all of them to end. The first that fails ends the others. */
  async #all(promises: Promise<unknown>[]): Promise<void> {
    await Promise.all(promises.map((promise) => promise.catch((error) => this.#abort.abort(error))))
    this.#abort.signal.throwIfAborted()
  }

  /** All windows of one item: the natural length first, if another window is a share of it; then all together. */
  async #answer(item: Item, sample: number): Promise<void> {
    const { windows } = this.#plan
    const natural = windows.find(({ tokens }) => tokens === Infinity)
    let length = 0
    let room = Infinity
    if (natural && windows.some(({ percent }) => percent !== null)) {
      const { ended, usage } = await this.#measure(item, natural, Infinity, sample)
      length = usage.thinkingTokens
      // What filled the context has no natural length: its shares are limited to what leaves room for an answer.
      if (ended === 'length') room = await this.#room(usage.promptTokens)
    }
    await this.#all(
      windows.map((window) => {
        const tokens = windowTokens(window, length)
        return this.#measure(item, window, window.percent === null ? tokens : Math.min(tokens, room), sample)
      }),
    )
  }

  /** Gives what is there, or computes it when a slot is free. */
  async #measure(item: Item, window: EvalWindow, tokens: number, sample: number): Promise<Outcome> {
    const known = this.#done.get(keyOf({ id: item.id, window: window.name, sample }))
    if (known) return known
    return this.#slot(async () => {
      const prompt = this.#prompt(item)
      const seed = seedOf(this.#plan.seed, item.id, sample)
      const result = await this.#respond(prompt, tokens, seed).catch((error) => {
        if (!(error instanceof Z1Error)) throw error
        throw new Z1Error(error.code, `Item ${item.id} at window ${window.name}: ${error.message}`, { cause: error })
      })
      const { correct, extracted } = await this.#task.grade(item, result)
      const { id, family, difficulty, answer } = item
      const outcome = await this.#folder.append({
        id,
        ...(family !== undefined && { family }),
        ...(difficulty !== undefined && { difficulty }),
        window: window.name,
        thinkingWindow: tokens === Infinity ? null : tokens,
        sample,
        prompt,
        tokens: result.tokens,
        text: result.text,
        extracted,
        answer,
        correct,
        inForm: result.hint === '' ? null : isInForm(this.#plan.hint, result),
        ended: result.ended,
        finishReason: result.finishReason,
        usage: result.usage,
        timings: result.timings,
        seed,
      })
      this.#count(outcome)
      this.#progress.computed++
      this.#onProgress?.(structuredClone(this.#progress))
      return outcome
    })
  }

  #count(outcome: Outcome): void {
    this.#done.set(keyOf(outcome), outcome)
    this.#progress.done++
    const tally = this.#progress.windows.find(({ window }) => window === outcome.window)
    if (!tally) return
    tally.done++
    if (outcome.correct) tally.correct++
  }

  #prompt(item: Item): ChatMessage[] {
    const { messages, system = undefined } = this.#task.prompt(item)
    const content = this.#plan.system ?? system
    return content === undefined ? messages : [{ role: 'system', content }, ...messages]
  }

  async #respond(prompt: ChatMessage[], thinkingWindow: number, seed: number): Promise<ReasonResult> {
    const { method, hint, maxTokens, temperature } = this.#plan
    const tags = method === 'delimited' ? 'keep' : 'ban'
    const { signal } = this.#abort
    const result = await this.#reasoner.reason(prompt, {
      thinkingWindow,
      hint,
      maxTokens,
      tags,
      temperature,
      seed,
      signal,
    })
    return method === 'none' ? withoutHint(result) : result
  }

  /** Tokens of thinking for which there is room beside prompt, hint and answer. */
  async #room(promptTokens: number): Promise<number> {
    const { tags, contextSize } = this.#reasoner.model
    const hint = await this.#reasoner.tokenize(`${this.#plan.hint}${tags?.close ?? ''}`)
    // The line feeds that stand around a close tag may be tokens of their own.
    return Math.max(0, contextSize - promptTokens - hint.length - this.#plan.maxTokens - 8)
  }
}

/** The tokens up to the limit are the response: the hint that closed the window, and what followed, are not. */
function withoutHint(result: ReasonResult): ReasonResult {
  if (result.hint === '') return result
  const { reasoning, tokens, usage } = result
  const answer = closingPart(reasoning)
  return {
    ...result,
    text: reasoning,
    hint: '',
    answer,
    finalAnswer: extractFinalAnswer(answer),
    message: { role: 'assistant', content: reasoning },
    ended: 'length',
    finishReason: 'length',
    tokens: { ...tokens, hint: [], answer: [] },
    usage: { ...usage, hintTokens: 0, answerTokens: 0 },
  }
}

/** A hint that names a box asks for one; any other asks for a final answer. */
function isInForm(hint: string, { answer, finalAnswer }: ReasonResult): boolean {
  if (!hint.includes('\\boxed')) return finalAnswer !== null
  const box = answer.lastIndexOf('\\boxed')
  return box >= 0 && extractFinalAnswer(answer.slice(box)) !== null
}

/** The same for all windows of an item, so that they begin alike. 2³² − 1 stands for a random one in llama.cpp. */
function seedOf(seed: number, id: string, sample: number): number {
  const digest = createHash('sha256')
    .update(JSON.stringify([seed, id, sample]))
    .digest()
  return digest.readUInt32LE(0) % (2 ** 32 - 1)
}
