/** Who writes trajectories: a model in this process. {@link serverTeacher} is the other one. */
import { Z1Error } from '../base/errors.js'
import { LoopDetector } from '../base/loops.js'
import { EMBEDDED_MODEL } from '../reason/model-file.js'
import type { LoadOptions, ReasonOptions } from '../reason/options.js'
import { inspectModel } from '../reason/vocabulary.js'
import { Z1 } from '../reason/z1.js'

/** What a teacher wrote. */
export interface Trajectory {
  text: string
  /** Tokens of the text in the teacher's vocabulary; null if it did not say. */
  tokens: number | null
  /** It was cut at the limit. */
  truncated: boolean
  /** It repeats itself. */
  loops: boolean
}

export interface Teacher {
  /**
   * @param seed Of the sampling; the same question and seed give the same text, as far as the teacher can promise that.
   * @throws {Refusal} if this question cannot be answered and another one may be.
   */
  ask(question: string, seed: number, signal: AbortSignal): Promise<Trajectory>
  close(): Promise<void>
}

/** A question that its teacher will not answer, however often it is asked. `message` says what the teacher said. */
export class Refusal extends Error {
  constructor(
    /** One of a few, to be counted by. */
    readonly reason: 'question too long' | 'refused' | 'content filter',
    message: string,
  ) {
    super(message)
  }
}

export interface TeachingOptions {
  /** Tokens of a trajectory at most, ≥ 1: it is cut there. */
  limit: number
  /** System message. Default: none. */
  system?: string | undefined
  /** 0 … 100; 0 is greedy. */
  temperature: number
  /** 0 … 1. */
  topP?: number | undefined
}

export interface AddonOptions extends TeachingOptions {
  /** GGUF file. Default: the embedded model. */
  model?: string | undefined
  parallel: number
  /** Tokens of a question and its trajectory. Default: limit + 2048, at most what the model was trained on. */
  contextSize?: number | undefined
  /** `ban`: no think tags. `keep`: the model thinks between its tags, which are taken out afterwards. Default `ban`. */
  tags?: ReasonOptions['tags']
  load?: Pick<LoadOptions, 'engine' | 'gpuLayers' | 'threads' | 'onProgress'> | undefined
}

/** Room for a question, where nothing else is asked for. */
const QUESTION_TOKENS = 2048

/** A GGUF model through this addon. @throws {Z1Error} as `Z1.load()` does. */
export async function addonTeacher(options: AddonOptions): Promise<Teacher> {
  const { model, parallel, limit, system, temperature, topP, tags } = options
  const contextSize = options.contextSize ?? (await contextFor(limit, model))
  const z1 = await Z1.load({ model, parallel, contextSize, ...options.load })
  return {
    async ask(question, seed, signal) {
      const reason = { thinkingWindow: Infinity, system, temperature, topP, tags, seed, signal }
      const stream = z1.stream(question, reason)
      const detector = new LoopDetector()
      let loops = false
      let count = 0
      try {
        for await (const event of stream) {
          if (event.type !== 'thinking' && event.type !== 'answer') continue
          for (const token of event.tokens) {
            count += 1
            if (count <= limit && detector.push(token)) loops = true
          }
          if (loops || count >= limit) stream.stop()
        }
        const { text, tokens, finishReason } = await stream.result
        const ids = [...tokens.reasoning, ...tokens.answer]
        if (ids.length <= limit) return { text, tokens: ids.length, truncated: finishReason !== 'stop', loops }
        // A few more may have come before the stop arrived, and the last one may end within a character.
        const cut = (await z1.detokenize(ids.slice(0, limit))).replace(/\uFFFD+$/, '')
        return { text: cut, tokens: limit, truncated: true, loops }
      } catch (error) {
        if (!(error instanceof Z1Error && error.code === 'CONTEXT_TOO_SMALL')) throw error
        throw new Refusal('question too long', error.message)
      }
    },
    close: () => z1.dispose(),
  }
}

async function contextFor(limit: number, model: string | undefined): Promise<number> {
  const { trainingContext } = await inspectModel(model ?? EMBEDDED_MODEL)
  const wanted = limit + QUESTION_TOKENS
  return trainingContext > 0 ? Math.min(wanted, trainingContext) : wanted
}
