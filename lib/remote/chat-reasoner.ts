/**
 * A reasoner of one pass over chat completions: what a teacher writes by itself, think tags and all. A window needs `hint: null`,
 * and all else that one pass cannot keep is refused. Under a hint, reasoner.ts asks twice.
 */
import { randomInt } from 'node:crypto'
import { misuse } from '../base/checks.js'
import { type CallSite, callSite, Z1Error } from '../base/errors.js'
import { type ChatMessage, checkInput } from '../reason/messages.js'
import { checkReasonOptions, type ReasonOptions } from '../reason/options.js'
import type { Reasoner, ReasonerModel } from '../reason/reasoner.js'
import type { ReasonResult, RequestEvent } from '../reason/result.js'
import { ReasonStream, type Started } from '../reason/stream.js'
import type { Endpoint, RemoteError } from './http.js'
import { type Completion, chatCompletion, chatCompletionsUrl } from './openai.js'
import { WordLoops } from './word-loops.js'

export interface ChatReasonerOptions {
  /** `http://localhost:8080`, with or without `/v1`. */
  server: string
  /** Name of the model, as the server knows it. */
  model: string
  /** Sent as a bearer token. Default: none. */
  key?: string | undefined
  /** Requests that are sent at the same time by whoever asks, ≥ 1. Default 4. */
  parallel?: number | undefined
}

/** Options that one pass through a server keeps. */
const SUPPORTED: readonly string[] = [
  'thinkingWindow',
  'hint',
  'loops',
  'system',
  'temperature',
  'topP',
  'frequencyPenalty',
  'presencePenalty',
  'seed',
  'stop',
  'signal',
] satisfies (keyof ReasonOptions)[]

type Listener = (event: RequestEvent) => void

/** @throws {TypeError} for an address that is none. */
export function chatReasoner({ server, model, key, parallel = 4 }: ChatReasonerOptions): Reasoner {
  return new ChatReasoner({ url: chatCompletionsUrl(server), key }, model, parallel)
}

class ChatReasoner implements Reasoner {
  readonly model: ReasonerModel
  readonly #endpoint: Endpoint
  readonly #disposed = new AbortController()

  constructor(endpoint: Endpoint, model: string, parallel: number) {
    this.#endpoint = endpoint
    // What a server's context holds, only the server knows.
    this.model = Object.freeze({ path: model, contextSize: Infinity, parallel, tags: null })
  }

  async reason(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<ReasonResult> {
    return this.#stream(input, options, callSite(this.reason)).result
  }

  stream(input: string | readonly ChatMessage[], options?: ReasonOptions): ReasonStream {
    return this.#stream(input, options, callSite(this.stream))
  }

  async countTokens(): Promise<number> {
    return (await this.tokenize()).length
  }

  async tokenize(): Promise<number[]> {
    throw new Z1Error('REMOTE_REFUSED', 'The protocol of chat completions does not give tokens')
  }

  async detokenize(): Promise<string> {
    return (await this.tokenize()).join()
  }

  async dispose(): Promise<void> {
    this.#disposed.abort(new Z1Error('DISPOSED', 'The reasoner was disposed'))
  }

  #stream(input: unknown, options: ReasonOptions = {}, site: CallSite): ReasonStream {
    const checked = checkReasonOptions(options)
    if (options.temperature === 'model') throw misuse(TypeError, 'number', 'temperature with a server', 'model')
    for (const [name, value] of Object.entries(options)) {
      if (value !== undefined && !SUPPORTED.includes(name))
        throw misuse(TypeError, 'nothing', `${name} with a server`, value)
    }
    const { thinkingWindow = Infinity, hint, signal, seed = randomInt(2 ** 31) } = checked
    if (thinkingWindow < 1)
      throw misuse(RangeError, 'integer ≥ 1 or Infinity', 'thinkingWindow with a server', thinkingWindow)
    if (thinkingWindow !== Infinity && hint !== null) {
      throw misuse(TypeError, 'null', 'hint beside a thinkingWindow with a server', hint)
    }
    const messages = checkInput(input)
    const body = {
      model: this.model.path,
      messages: [
        ...(checked.system === undefined ? [] : [{ role: 'system', content: checked.system }]),
        ...(typeof messages === 'string' ? [{ role: 'user', content: messages }] : messages),
      ],
      max_tokens: thinkingWindow === Infinity ? undefined : thinkingWindow,
      temperature: checked.sampling.temperature,
      // What was not asked for stays the server's.
      top_p: options.topP,
      frequency_penalty: options.frequencyPenalty,
      presence_penalty: options.presencePenalty,
      stop: checked.stop.length > 0 ? checked.stop : undefined,
      seed,
    }
    const start = async (listener: Listener) => this.#start(body, checked.loops, seed, listener)
    return new ReasonStream(start, site, signal)
  }

  #start(body: Record<string, unknown>, loops: boolean, seed: number, listener: Listener): Started {
    if (this.#disposed.signal.aborted) throw this.#disposed.signal.reason
    const pass = new Pass(listener, loops ? new WordLoops() : null)
    // Events come after the one who starts it has what it returns.
    setImmediate(() => void pass.run(this.#endpoint, body, this.#disposed.signal))
    return { generation: pass, hint: null, seed }
  }
}

/** One request under way. */
class Pass {
  readonly #listener: Listener
  readonly #loops: WordLoops | null
  readonly #abort = new AbortController()
  readonly #began = performance.now()
  #firstText: number | undefined
  /** The reasoning that some servers split off, until the content begins: the response is one text. */
  #separate = false
  #shown = ''

  constructor(listener: Listener, loops: WordLoops | null) {
    this.#listener = listener
    this.#loops = loops
  }

  endThinking(): void {
    this.#abort.abort('request')
  }

  stop(): void {
    this.#abort.abort('stop')
  }

  abort(): void {
    this.#abort.abort('abort')
  }

  async run(endpoint: Endpoint, body: Record<string, unknown>, disposed: AbortSignal): Promise<void> {
    const dispose = () => this.#abort.abort('dispose')
    disposed.addEventListener('abort', dispose)
    try {
      const chunks = chatCompletion(endpoint, body, this.#abort.signal)
      let next = await chunks.next()
      for (; !next.done; next = await chunks.next()) {
        const { reasoning, content } = next.value
        if (this.#show(reasoning, true) || this.#show(content, false)) {
          this.#done('loop', 'loop', null)
          return
        }
      }
      const completion = next.value
      if (this.#push(' ')) this.#done('loop', 'loop', completion)
      else if (completion.finishReason === 'length') this.#done('window', 'length', completion)
      else this.#done('self', 'stop', completion)
    } catch (error) {
      this.#fail(error, disposed)
    } finally {
      this.#abort.abort('done')
      disposed.removeEventListener('abort', dispose)
    }
  }

  /** Whether the text repeats itself. */
  #show(part: string, separate: boolean): boolean {
    if (part === '') return false
    this.#firstText ??= performance.now()
    let text = part
    if (this.#separate && !separate) {
      text = `${/\n\n$/.test(this.#shown) ? '' : /\n$/.test(this.#shown) ? '\n' : '\n\n'}${part}`
    }
    this.#separate = separate
    this.#shown = (this.#shown + text).slice(-2)
    this.#listener({ type: 'text', phase: 'thinking', text, tokens: [] })
    return this.#push(text)
  }

  #push(text: string): boolean {
    return this.#loops?.push(text) ?? false
  }

  #done(
    ended: 'self' | 'window' | 'loop' | 'request' | 'stop',
    finishReason: 'stop' | 'length' | 'loop' | 'abort',
    completion: Completion | null,
  ): void {
    const now = performance.now()
    const first = this.#firstText ?? now
    this.#listener({
      type: 'done',
      ended,
      finishReason,
      stopString: null,
      promptTokens: completion?.promptTokens ?? 0,
      cachedTokens: 0,
      thinkingTokens: completion?.completionTokens ?? 0,
      timings: {
        promptMs: first - this.#began,
        thinkingMs: now - first,
        hintMs: 0,
        answerMs: 0,
        totalMs: now - this.#began,
        decodeCalls: 0,
        threads: 0,
      },
    })
  }

  #fail(error: unknown, disposed: AbortSignal): void {
    const why = this.#abort.signal.reason
    if (disposed.aborted) this.#listener({ type: 'error', code: 'DISPOSED', message: 'The reasoner was disposed' })
    else if (why === 'request') this.#done('request', 'abort', null)
    else if (why === 'stop') this.#done('stop', 'abort', null)
    else if (why === 'abort') this.#listener({ type: 'error', code: 'ABORTED', message: 'The request was aborted' })
    else {
      const failure = error as RemoteError
      this.#listener({ type: 'error', code: failure.code, message: failure.message, cause: failure })
    }
  }
}
