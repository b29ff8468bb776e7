/** The teacher of `distill`: which reasoner is asked and how, and what its failures mean for a question. */
import { Z1Error } from '../base/errors.js'
import { EMBEDDED_MODEL } from '../reason/model-file.js'
import type { LoadOptions, ReasonOptions } from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ReasonResult, SampleResult } from '../reason/result.js'
import { inspectModel } from '../reason/vocabulary.js'
import { Z1 } from '../reason/z1.js'
import { chatReasoner } from '../remote/chat-reasoner.js'
import { remoteErrorOf, retrying } from '../remote/retry.js'

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

export interface TeacherOptions {
  /** Who is asked, and is not disposed. Default: the model is loaded, or asked for at the server. */
  reasoner?: Reasoner | undefined
  /** GGUF file; with `server`, the model's name there. Default: the embedded model. */
  model?: string | undefined
  /** Tokens of a question and its trajectory. Default: limit + 2048, at most what the model was trained on. */
  contextSize?: number | undefined
  load?: Pick<LoadOptions, 'engine' | 'gpuLayers' | 'threads' | 'onProgress'> | undefined
  /** An OpenAI-compatible server: `http://localhost:8080`, with or without `/v1`. */
  server?: string | undefined
  /** Sent to the server as a bearer token. Default: none. */
  key?: string | undefined
}

/** Tokens of a question, where no other size of the context is asked for. */
const QUESTION_TOKENS = 2048

/** @throws {TypeError} for an address that is none. @throws {Z1Error} as `Z1.load()` does. */
export async function openTeacher(
  { model, contextSize, load, server, key }: TeacherOptions,
  parallel: number,
  limit: number,
): Promise<Reasoner> {
  if (server !== undefined) return chatReasoner({ server, model: model as string, key, parallel })
  return Z1.load({ model, parallel, contextSize: contextSize ?? (await contextFor(limit, model)), ...load })
}

async function contextFor(limit: number, model: string | undefined): Promise<number> {
  const { trainingContext } = await inspectModel(model ?? EMBEDDED_MODEL)
  const wanted = limit + QUESTION_TOKENS
  return trainingContext > 0 ? Math.min(wanted, trainingContext) : wanted
}

export interface AskOptions extends Pick<ReasonOptions, 'system' | 'temperature' | 'topP' | 'tags'> {
  /** Tokens of a trajectory at most, ≥ 1: it is cut there. */
  limit: number
  /** Trajectories of the question, ≥ 1. */
  samples: number
  /** Of the first one; the others have the next. */
  seed: number
  signal: AbortSignal
  /** How often a request that a server failed to answer is sent again, ≥ 0. */
  retries: number
  /** Milliseconds before the first time it is; they double each time, up to a minute. */
  backoff: number
}

/**
 * A model in this process decodes the question once for all samples.
 * @throws {Refusal} if this question cannot be answered and another one may be.
 * @throws {Error} when a server keeps failing.
 */
export async function ask(teacher: Reasoner, question: string, options: AskOptions): Promise<Trajectory[]> {
  const { limit, samples, retries, backoff, seed, signal, ...sampling } = options
  const reason = { ...sampling, hint: null, loops: true, signal }
  try {
    // One that gives its tokens is asked for one more than the limit, to see whether the trajectory ends there.
    if (teacher.model.vocabularySize !== undefined) {
      // All of them are looked at here: none has to win.
      const several = samples > 1 ? { samples, vote: () => 0 } : {}
      const once = (thinkingWindow: number) =>
        teacher.reason(question, { ...reason, ...several, maxTokens: limit, seed, thinkingWindow })
      const result = await orToTheEnd(once, limit + 1, options)
      return await Promise.all((result.samples ?? [result]).map((sample) => cutAt(limit, sample, teacher)))
    }
    const results = Array.from({ length: samples }, (_, i) =>
      orToTheEnd(
        (thinkingWindow) => teacher.reason(question, { ...reason, seed: seed + i, thinkingWindow }),
        limit,
        options,
      ),
    )
    return (await Promise.all(results)).map(trajectoryOf)
  } catch (error) {
    if (isTooLarge(error)) throw new Refusal('question too long', error.message)
    const fault = remoteErrorOf(error)?.fault
    if (fault === 'question') throw new Refusal('refused', (error as Error).message)
    if (fault === 'filter') throw new Refusal('content filter', (error as Error).message)
    throw error
  }
}

/** Asks under a window, or, where the context ends before that, as far as it goes. */
function orToTheEnd(
  once: (thinkingWindow: number) => Promise<ReasonResult>,
  window: number,
  options: AskOptions,
): Promise<ReasonResult> {
  return retrying(() => once(window), options).catch((error) => {
    if (!isTooLarge(error)) throw error
    return once(Infinity)
  })
}

function trajectoryOf({ text, usage, finishReason }: SampleResult): Trajectory {
  return {
    text,
    tokens: usage.thinkingTokens + usage.answerTokens || null,
    truncated: finishReason === 'length',
    loops: finishReason === 'loop',
  }
}

/** The part within the limit; the last character may end within a token. */
async function cutAt(limit: number, result: SampleResult, teacher: Reasoner): Promise<Trajectory> {
  const ids = [...result.tokens.reasoning, ...result.tokens.answer]
  if (ids.length <= limit) return trajectoryOf(result)
  const text = (await teacher.detokenize(ids.slice(0, limit))).replace(/\uFFFD+$/, '')
  return { text, tokens: limit, truncated: true, loops: false }
}

function isTooLarge(error: unknown): error is Z1Error {
  return error instanceof Z1Error && error.code === 'CONTEXT_TOO_SMALL'
}
