/** What a chat is about: the model, the options of its requests, the conversation, and what it has cost. Writes nothing itself. */
import { basename } from 'node:path'
import { checkModelFile, EMBEDDED_MODEL } from '../../reason/model-file.js'
import { modelPath } from '../../reason/model-name.js'
import { checkReasonOptions, type LoadOptions, type ReasonOptions } from '../../reason/options.js'
import type { ReasonResult } from '../../reason/result.js'
import { Z1 } from '../../reason/z1.js'
import { showBytes, showFraction, withProgress } from '../progress.js'
import { Conversation, type Follow } from './conversation.js'
import { Totals } from './status.js'

export class Session {
  readonly conversation = new Conversation()
  readonly totals = new Totals()
  /** Those that the chat was started with: what `default` stands for in its commands. */
  readonly initial: ReasonOptions
  /** Of the last reply. */
  last: ReasonResult | undefined
  /** A file that this chat has written or read, and may write again. */
  file: string | undefined

  #options: ReasonOptions
  #load: LoadOptions
  #z1: Z1
  #defaultWindow: number | null

  private constructor(load: LoadOptions, options: ReasonOptions, { z1, defaultWindow }: Opened) {
    this.#load = load
    this.initial = options
    this.#options = options
    this.#z1 = z1
    this.#defaultWindow = defaultWindow
  }

  /** @throws as `Z1.load()`, and for options or a template with which nothing could be asked. */
  static async start(load: LoadOptions, options: ReasonOptions): Promise<Session> {
    // Fails early: loading a large model takes a while.
    checkReasonOptions(options)
    return new Session(load, options, await open(load, options))
  }

  get options(): Readonly<ReasonOptions> {
    return this.#options
  }

  get model(): Z1['model'] {
    return this.#z1.model
  }

  /** As it was asked for. */
  get modelName(): string {
    return String(this.#load.model ?? basename(EMBEDDED_MODEL))
  }

  /** Tokens of thinking that a request may take; null: the whole reply is the answer. */
  get window(): number | null {
    return this.#options.thinkingWindow ?? this.#defaultWindow
  }

  /** Changes options of the requests to come. @throws {TypeError|RangeError} for values that cannot be; nothing changes. */
  set(change: ReasonOptions): void {
    const options = { ...this.#options, ...change }
    checkReasonOptions(options, this.model)
    this.#options = options
  }

  async ask(question: string, follow: Follow, signal?: AbortSignal): Promise<ReasonResult> {
    return this.#count(await this.conversation.ask(this.#z1, question, { ...this.#options, signal }, follow))
  }

  async retry(follow: Follow, signal?: AbortSignal): Promise<ReasonResult> {
    return this.#count(await this.conversation.retry(this.#z1, { ...this.#options, signal }, follow))
  }

  /**
   * Goes on with another model. What says early that it cannot be loaded leaves the one that is; else both might not fit into memory, so
   * that one is given up first, and loaded again if the other fails.
   * @throws as {@link start}.
   */
  async useModel(name: string, signal: AbortSignal): Promise<void> {
    const load = { ...this.#load, model: name }
    const path = await withProgress((show) =>
      modelPath(name, { download: load.download, signal, onDownload: showBytes('downloading', show) }),
    )
    await checkModelFile(path)
    await this.#z1.dispose()
    try {
      this.#use(await open({ ...load, signal }, this.#options))
      this.#load = load
    } catch (error) {
      this.#use(await open(this.#load, this.#options))
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#z1.dispose()
  }

  #use({ z1, defaultWindow }: Opened): void {
    this.#z1 = z1
    this.#defaultWindow = defaultWindow
  }

  #count(result: ReasonResult): ReasonResult {
    this.last = result
    this.totals.add(result)
    return result
  }
}

interface Opened {
  z1: Z1
  defaultWindow: number | null
}

async function open(load: LoadOptions, options: ReasonOptions): Promise<Opened> {
  const z1 = await withProgress((show) =>
    Z1.load({ ...load, onDownload: showBytes('downloading', show), onProgress: showFraction('loading', show) }),
  )
  try {
    const { defaultWindow } = await z1.renderPrompt('?', options)
    return { z1, defaultWindow }
  } catch (error) {
    await z1.dispose()
    throw error
  }
}
