/**
 * One request under way: the thinking is a pass, and after a cut the hint and the answer are another that goes on from it. Gives
 * the events that the addon gives.
 */
import { Z1Error } from '../base/errors.js'
import type { CutEnded, Ended, FinishReason, Timings } from '../native/binding.js'
import type { Generation } from '../native/context.js'
import type { Hint } from '../reason/hint.js'
import type { RequestEvent } from '../reason/result.js'
import type { RemoteError } from './http.js'
import type { Pass, PassEnd, Piece, Prompt } from './passes.js'
import { type Retries, retrying } from './retry.js'
import { WordLoops } from './word-loops.js'

/** What is asked, and how. */
export interface RemoteRequest {
  prompt: Prompt
  /** Of the prompt; null: the server tells. */
  promptTokens: number | null
  /** Null: the response is the answer. */
  window: number | null
  /** Tokens of the thinking at most, where no window closes; undefined: as many as the server allows. */
  most: number | undefined
  maxTokens: number
  hint: Hint | null
  /** Of the answer. In the thinking with `stopInThinking`. */
  stop: readonly string[]
  stopInThinking: boolean
  loops: boolean
  sampling: Record<string, unknown>
  /** For the answer. */
  grammar: string | null
  /** Tags that could not be banned: a response in which one stands fails. */
  watched: readonly string[]
  retries: Retries
  run(pass: Pass, signal: AbortSignal): AsyncGenerator<Piece, PassEnd>
  /** Tokens of a text that goes on from another; null: the server tells none. */
  count(text: string): Promise<number[] | null>
}

type Why = 'request' | 'stop' | 'abort' | 'dispose'

type Outcome = { ended: 'eos' | 'limit' | 'word' | 'loop' | 'interrupted'; stopString: string | null; tokens: number }

export class RemoteGeneration implements Generation {
  readonly #asked: RemoteRequest
  readonly #listener: (event: RequestEvent) => void
  /** Of the pass under way. */
  #pass = new AbortController()
  #why: Why | null = null
  #isThinking = true
  #promptTokens: number | null = null
  #cachedTokens = 0
  #hintTokens: number | null = null
  readonly #began = performance.now()
  readonly #times = { first: NaN, thought: NaN, answered: NaN }

  constructor(asked: RemoteRequest, listener: (event: RequestEvent) => void) {
    this.#asked = asked
    this.#listener = listener
  }

  endThinking(): void {
    if (this.#isThinking) this.#interrupt('request')
  }

  stop(): void {
    this.#interrupt('stop')
  }

  abort(): void {
    this.#interrupt('abort')
  }

  #interrupt(why: Why): void {
    if (this.#why === 'abort' || this.#why === 'dispose') return
    this.#why = why
    this.#pass.abort()
  }

  /** @param disposed Aborted when the reasoner is disposed. */
  async run(disposed: AbortSignal): Promise<void> {
    const dispose = () => this.#interrupt('dispose')
    disposed.addEventListener('abort', dispose)
    try {
      await this.#respond()
    } catch (error) {
      this.#fail(error)
    } finally {
      disposed.removeEventListener('abort', dispose)
    }
  }

  async #respond(): Promise<void> {
    const { prompt, window, most, hint, maxTokens, stop, stopInThinking, grammar } = this.#asked
    if (window === null) {
      this.#isThinking = false
      this.#times.thought = 0
      const whole = await this.#read('answer', { prompt, maxTokens, stop, ...this.#bound(grammar) })
      this.#done('self', finishOf(whole.outcome), whole.outcome.stopString, 0, whole.outcome.tokens)
      return
    }
    const thought = await this.#think(window, most, stopInThinking ? stop : [])
    this.#isThinking = false
    this.#times.thought = performance.now()
    const { outcome } = thought
    const ended = endedOf(outcome, window, this.#why)
    const self = ended === 'self' && grammar === null
    if (self || ended === 'stop' || ended === 'length' || hint === null) {
      const finish = ended === 'self' ? 'stop' : ended === 'length' ? 'length' : finishWithout(ended, outcome)
      this.#done(ended, finish, outcome.stopString, outcome.tokens, 0)
      return
    }
    if (this.#why === 'request') this.#why = null
    // Where the server does not count them, there is one at least.
    const hintTokens = Math.max(1, hint.tokens.length)
    this.#listener({ type: 'cut', ended: ended as CutEnded, thinkingTokens: outcome.tokens, hintTokens })
    const next = await this.#continued(prompt, thought, hint)
    const before = this.#promptTokens
    const bound = this.#bound(grammar).sampling
    // What the first pass left in the KV cache is what this one goes on from, whatever a request says of others.
    const sampling = 'cache_prompt' in bound ? { ...bound, cache_prompt: true } : bound
    const answered = await this.#read('answer', { prompt: next, maxTokens, stop, sampling })
    if (hint.tokens.length === 0 && before !== null && this.#promptTokens !== null) {
      this.#hintTokens = Math.max(0, this.#promptTokens - before - outcome.tokens)
    }
    this.#promptTokens = before
    this.#done(ended, finishOf(answered.outcome), answered.outcome.stopString, outcome.tokens, answered.outcome.tokens)
  }

  async #think(window: number, most: number | undefined, stop: readonly string[]): Promise<Read> {
    if (window === 0) return { text: '', tokens: [], outcome: { ended: 'limit', stopString: null, tokens: 0 } }
    const maxTokens = window === Infinity ? most : window
    return this.#read('thinking', { prompt: this.#asked.prompt, maxTokens, stop, sampling: this.#asked.sampling })
  }

  #bound(grammar: string | null): Pick<Pass, 'sampling'> {
    return { sampling: { ...this.#asked.sampling, ...(grammar !== null && { grammar }) } }
  }

  /** Reads a pass to its end, and tells what comes. It is begun anew only while nothing of it was told. */
  async #read(phase: 'thinking' | 'answer', pass: Pass): Promise<Read> {
    const { retries, loops, watched } = this.#asked
    let text = ''
    let tokens: number[] = []
    let pieces = 0
    const finder = loops ? new WordLoops() : null
    this.#pass = new AbortController()
    if (this.#why !== null) this.#pass.abort()
    const attempt = async (): Promise<Read> => {
      const reader = this.#asked.run(pass, this.#pass.signal)
      let next = await reader.next()
      for (; !next.done; next = await reader.next()) {
        const piece = next.value
        this.#times.first ||= performance.now()
        pieces++
        text += piece.text
        tokens.push(...piece.tokens)
        checkTags(text, piece.text.length, watched)
        if (piece.text !== '' || piece.tokens.length > 0) this.#listener({ type: 'text', phase, ...piece })
        if (finder?.push(piece.text)) {
          this.#pass.abort()
          return { text, tokens, outcome: await this.#outcome('loop', text, tokens, pieces) }
        }
      }
      const end = next.value
      this.#promptTokens = end.promptTokens ?? this.#promptTokens
      if (phase === 'thinking' || this.#asked.window === null) this.#cachedTokens = end.cachedTokens ?? 0
      const isLoop = finder?.push(' ') === true
      const ended = isLoop ? 'loop' : end.finish === 'length' ? 'limit' : end.stopString === null ? 'eos' : 'word'
      const counted = end.generatedTokens ?? (await this.#outcome(ended, text, tokens, pieces)).tokens
      // A token within a character was not told: which one it was, only its text says.
      if (tokens.length !== counted) tokens = []
      return { text, tokens, outcome: { ended, stopString: end.stopString, tokens: counted } }
    }
    try {
      return await retrying(attempt, { ...retries, signal: this.#pass.signal }, () => pieces === 0)
    } catch (error) {
      if (this.#why !== 'request' && this.#why !== 'stop') throw error
      return { text, tokens, outcome: await this.#outcome('interrupted', text, tokens, pieces) }
    }
  }

  /** What the server did not come to count is counted here; without a vocabulary, by its pieces. */
  async #outcome(ended: Outcome['ended'], text: string, tokens: number[], pieces: number): Promise<Outcome> {
    const counted = tokens.length > 0 || text === '' ? tokens : await this.#asked.count(text).catch(() => null)
    return { ended, stopString: null, tokens: counted?.length ?? pieces }
  }

  async #continued(prompt: Prompt, thought: Read, hint: Hint): Promise<Prompt> {
    if (prompt.form === 'text') return { form: 'text', text: prompt.text + thought.text + hint.text }
    if (prompt.form === 'chat') return { ...prompt, reply: thought.text + hint.text }
    const tokens =
      thought.tokens.length > 0 || thought.text === '' ? thought.tokens : await this.#asked.count(thought.text)
    return { form: 'tokens', tokens: [...prompt.tokens, ...(tokens ?? []), ...hint.tokens] }
  }

  #done(ended: Ended, finishReason: FinishReason, stopString: string | null, thinking: number, answer: number): void {
    this.#listener({
      type: 'done',
      ended,
      finishReason: this.#why === 'stop' ? 'abort' : finishReason,
      stopString,
      promptTokens: this.#asked.promptTokens ?? this.#promptTokens ?? 0,
      cachedTokens: this.#cachedTokens,
      thinkingTokens: thinking,
      answerTokens: answer,
      ...(this.#hintTokens !== null && { hintTokens: this.#hintTokens }),
      timings: this.#timings(),
    })
  }

  #timings(): Timings {
    const now = performance.now()
    const { first, thought } = this.#times
    const begun = first || now
    const middle = Math.max(begun, thought || now)
    return {
      promptMs: begun - this.#began,
      thinkingMs: this.#asked.window === null ? 0 : middle - begun,
      hintMs: 0,
      answerMs: now - (this.#asked.window === null ? begun : middle),
      totalMs: now - this.#began,
      decodeCalls: 0,
      threads: 0,
    }
  }

  #fail(error: unknown): void {
    if (this.#why === 'dispose')
      this.#listener({ type: 'error', code: 'DISPOSED', message: 'The reasoner was disposed' })
    else if (this.#why === 'abort')
      this.#listener({ type: 'error', code: 'ABORTED', message: 'The request was aborted' })
    else {
      const failure = error as RemoteError
      const { code = 'REMOTE_FAILED', message } = failure
      this.#listener({ type: 'error', code, message, cause: failure })
    }
  }
}

/** What a pass gave. `tokens` is empty where the server does not tell them all. */
interface Read {
  text: string
  tokens: number[]
  outcome: Outcome
}

function endedOf({ ended }: Outcome, window: number, why: Why | null): Ended {
  switch (ended) {
    case 'eos':
      return 'self'
    case 'word':
      return 'stop'
    case 'loop':
      return 'loop'
    case 'limit':
      return window === Infinity ? 'length' : 'window'
    case 'interrupted':
      return why === 'stop' ? 'stop' : 'request'
  }
}

/** Of the answer, or of a response that is one. */
function finishOf({ ended }: Outcome): FinishReason {
  if (ended === 'limit') return 'length'
  if (ended === 'loop') return 'loop'
  return ended === 'interrupted' ? 'abort' : 'stop'
}

/** Of a response that ends with its thinking. */
function finishWithout(ended: Ended, { ended: how }: Outcome): FinishReason {
  if (ended === 'window') return 'length'
  if (ended === 'loop') return 'loop'
  return how === 'interrupted' ? 'abort' : 'stop'
}

/** @throws {Z1Error} REMOTE_REFUSED */
function checkTags(text: string, added: number, watched: readonly string[]): void {
  for (const tag of watched) {
    if (!text.slice(-(added + tag.length)).includes(tag)) continue
    throw new Z1Error(
      'REMOTE_REFUSED',
      `The model wrote ${tag}, which is several tokens of its vocabulary: a server cannot keep it out of a response`,
    )
  }
}
