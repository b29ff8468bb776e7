/** A reasoner without a model: it thinks and answers what it is told to, and keeps what it was asked. */
import type { ChatMessage, ReasonOptions, ReasonResult } from '../../lib/index.js'
import type { Reasoner, ReasonerModel } from '../../lib/reason/reasoner.js'
import { ResultBuilder } from '../../lib/reason/result.js'

export interface Script {
  /** Pieces of the response that ends by itself, each a token. */
  thoughts: string[]
  /** Pieces of the answer after a hint. Default: none. */
  answer?: string[]
}

export interface Scripted extends Reasoner {
  readonly asked: { input: string | readonly ChatMessage[]; options: ReasonOptions }[]
  readonly disposed: boolean
}

/**
 * @param script One for all questions, or made for each. What is thought and answered has the numbers of its pieces for
 * tokens, a hint its characters.
 */
export function scripted(script: Script | ((question: string) => Script), model?: Partial<ReasonerModel>): Scripted {
  const asked: Scripted['asked'] = []
  let disposed = false
  return {
    asked,
    get disposed() {
      return disposed
    },
    model: { path: 'far-away/model', contextSize: 2048, parallel: 1, tags: null, ...model },
    async reason(input, options = {}) {
      asked.push({ input, options })
      await new Promise(setImmediate)
      options.signal?.throwIfAborted()
      const question = typeof input === 'string' ? input : (input.at(-1)?.content as string)
      return respond(typeof script === 'function' ? script(question) : script, options)
    },
    stream: () => {
      throw new Error('Expected no stream')
    },
    countTokens: async (input) => String(input).length,
    tokenize: async (text) => Array.from(text, (character) => character.charCodeAt(0)),
    detokenize: async (tokens) => String.fromCharCode(...tokens),
    dispose: async () => {
      disposed = true
    },
  }
}

function respond({ thoughts, answer = [] }: Script, options: ReasonOptions): ReasonResult {
  const { thinkingWindow = Infinity, hint = '', tags, seed = 0 } = options
  const text = tags === 'keep' ? `${hint}</think>` : hint
  const tokens = Int32Array.from(text ?? '', (character) => character.charCodeAt(0))
  const builder = new ResultBuilder({ hint: text === null ? null : { text, tokens }, seed })
  const say = (phase: 'thinking' | 'answer', pieces: string[]) => {
    for (const [i, text] of pieces.entries()) builder.take({ type: 'text', phase, text, tokens: [i] })
  }
  const isCut = thinkingWindow <= thoughts.length
  say('thinking', thoughts.slice(0, thinkingWindow))
  if (isCut && text !== null) {
    builder.take({ type: 'cut', ended: 'window', thinkingTokens: thinkingWindow, hintTokens: text.length })
    say('answer', answer)
  }
  const timings = { promptMs: 1, thinkingMs: 1, hintMs: 1, answerMs: 1, totalMs: 4, decodeCalls: 1, threads: 1 }
  const done = builder.take({
    type: 'done',
    ended: isCut ? 'window' : 'self',
    finishReason: isCut && text === null ? 'length' : 'stop',
    stopString: null,
    promptTokens: 4,
    cachedTokens: 0,
    timings,
  })
  return (done as Extract<typeof done, { type: 'done' }>).result
}
