/**
 * What callers may pass to a request: every option with its type, range and default in one table, and their check. Longer
 * than most files because it is the reference of the public options. Knows nothing of models: what depends on one (does
 * the window fit, is there such a token) is checked where the model is known.
 */
import { abortSignal, boolean, count, integer, misuse, number, numeric, oneOf, text } from '../base/checks.js'
import { type Option, option, type Read, readOptions } from '../base/options.js'
import type { SamplingParams } from '../native/binding.js'
import { BOXED_HINT, PLAIN_HINT } from './hint.js'
import {
  cutWindows,
  greedyWhenTiny,
  hintText,
  sequenceBreakers,
  stopTexts,
  tagsMode,
  templateVariables,
  tokenBiases,
  windowTokens,
} from './kinds.js'
import { type LogprobsOptions, logprobsKind } from './logprobs.js'
import { checkBound, checkCuts } from './option-checks.js'
import { POLICY_OPTIONS, type Policies, type PolicyOptions, withoutPolicies } from './policies.js'
import { type ModelFacts, withRecommended } from './recommended.js'
import { checkSamples, SAMPLE_OPTIONS, type SampleOptions, type Samples, withTemperature } from './sample-options.js'
import { answerSchema, type JsonSchema, type StandardJsonSchema } from './structured.js'
import type { TemplateVariables } from './template.js'
import { type ResolvedTools, TOOL_OPTIONS, type ToolOptions, withoutTools } from './tools.js'

export { BOXED_HINT, PLAIN_HINT } from './hint.js'
export * from './load-options.js'

/**
 * Options of one request. The samplers, their order and their defaults are llama.cpp's (common/common.h,
 * common_params_sampling), except `temperature`. At temperature 0 the most likely token is taken, and those that only
 * cut off unlikely tokens (top-k, top-p, min-p, typical-p, XTC) have no effect.
 */
export interface ReasonOptions<T = unknown> extends PolicyOptions, ToolOptions, SampleOptions<T> {
  /**
   * Tokens of thinking, ≥ 0, after which the window closes and the hint is appended; 0 closes it at once, Infinity
   * never. Default: what the model's file says (`z1.thinking_window`); else, where its template has think tags, 4096; both
   * only as far as it fits; else none: the whole response is the answer.
   */
  thinkingWindow?: number | undefined
  /**
   * Up to 64 smaller windows, each of which gets a result in `result.cuts` while the thinking goes on to its own. Needs
   * `branches` of {@link LoadOptions}, unless `hint` is null. Default: none.
   */
  cuts?: readonly number[] | undefined
  /**
   * Tokens of the answer after a cut, ≥ 1; without a window, of the response. A response that ended by itself within the
   * window is not bound by it. Default: 1024, or as many as fit.
   */
  maxTokens?: number | undefined
  /**
   * What is appended when the window closes: `plain`, `boxed` (asks for \boxed{}), or any other text; null: nothing, the
   * response ends there. Default `plain`.
   */
  hint?: 'plain' | 'boxed' | (string & {}) | null | undefined
  /**
   * Watch for loops: the same block of 4 to 128 tokens three times in a row closes the window while the model thinks, and
   * ends its answer. Default false.
   */
  loops?: boolean | undefined
  /**
   * `ban`: no think tags in the prompt, and none generated, whichever of the known ones. `keep`: thinking stands between
   * the model's tags, and the window counts inside them. An object names tags that are not known, to ban unless `mode` says
   * otherwise. Default `ban`.
   */
  tags?: 'ban' | 'keep' | { open: string; close: string; mode?: 'ban' | 'keep' | undefined } | undefined
  /**
   * A JSON Schema (draft 7 or 2020-12) or a schema of a library with Standard JSON Schema (zod 4): the answer is JSON of it, and
   * nothing else, and `object` of the result its value. The thinking is free. Default: none.
   */
  schema?: JsonSchema | StandardJsonSchema<T> | undefined
  /** A grammar in llama.cpp's GBNF, with the rule `root`, for the answer; not beside a schema. Default: none. */
  grammar?: string | undefined
  /**
   * What happens to a conversation that has outgrown the context. `error`: CONTEXT_TOO_SMALL. `shift`: the oldest turns are left out,
   * whole, never the system's messages nor the last turn; `droppedMessages` of the result says how many messages. Default `error`.
   */
  overflow?: 'error' | 'shift' | undefined
  /** A system message before the input. Default: none, the template may have its own. */
  system?: string | undefined
  /** Apply the model's chat template; false: the input is the raw prompt. Default true. */
  template?: boolean | undefined
  /** As in {@link LoadOptions}, for this request. */
  chatTemplate?: string | undefined
  /** Beside those of {@link LoadOptions}, or in their place. */
  templateVariables?: TemplateVariables | undefined
  /**
   * 0 … 100; 0 is greedy, and so is anything under 0.000001. `model`: this and the other sampling options that are not given are those
   * that the model's file recommends (`general.sampling.*`), 0.8 where it recommends others only. With `samples`: `model`, or 0.8 where it recommends nothing. Default 0.
   */
  temperature?: number | 'model' | undefined
  /** Keep the k most likely tokens, ≥ 0; 0 keeps all. Default 40. */
  topK?: number | undefined
  /** Keep the most likely tokens whose probabilities add up to p, 0 … 1; 1 keeps all. Default 0.95. */
  topP?: number | undefined
  /** Keep tokens at least p times as likely as the most likely one, 0 … 1; 0 keeps all. Default 0.05. */
  minP?: number | undefined
  /** Keep tokens of about average information, to a probability of p, above 0 … 1; 1 keeps all. Default 1. */
  typicalP?: number | undefined
  /** Divides the logits of recent tokens, 0.01 … 100; 1 changes nothing. Default 1. */
  repeatPenalty?: number | undefined
  /** Subtracted from a recent token's logit once per occurrence, -100 … 100. Default 0. */
  frequencyPenalty?: number | undefined
  /** Subtracted once from the logit of every recent token, -100 … 100. Default 0. */
  presencePenalty?: number | undefined
  /** How many tokens back the three penalties look, ≥ 0; 0 turns them off. Default 64. */
  penaltyLastN?: number | undefined
  /** DRY: penalty on the token that would continue a repetition, 0 … 100; 0 turns it off. Default 0. */
  dryMultiplier?: number | undefined
  /** DRY: factor by which the penalty grows with each repeated token, 1 … 100. Default 1.75. */
  dryBase?: number | undefined
  /** DRY: length of repetition that costs nothing, in tokens, ≥ 0. Default 2. */
  dryAllowedLength?: number | undefined
  /** DRY: how many tokens back it looks, ≥ 0; 0 turns it off. Default 64. */
  dryPenaltyLastN?: number | undefined
  /**
   * DRY: up to 64 texts of 1 … 40 bytes at which repetitions begin anew. Default: newline, colon, double quote,
   * asterisk.
   */
  drySequenceBreakers?: readonly string[] | undefined
  /** XTC: probability with which the most likely tokens are removed, 0 … 1; 0 turns it off. Default 0. */
  xtcProbability?: number | undefined
  /** XTC: probability that a token needs to be removed, 0 … 1; above 0.5 none is. Default 0.1. */
  xtcThreshold?: number | undefined
  /**
   * Added to the logits of tokens, by id: a finite number, or -Infinity to ban the token; at most as many as the vocabulary
   * has tokens. Default: none.
   */
  logitBias?:
    | Readonly<Record<number, number>>
    | ReadonlyMap<number, number>
    | readonly (readonly [token: number, bias: number])[]
    | undefined
  /** 0 … 4294967294. Default: random, and reported. */
  seed?: number | undefined
  /**
   * Up to 64 texts of which each ends the answer, and is left out of it. While the model thinks they are not looked for,
   * unless no window can close (Infinity, without think tags). Default: none.
   */
  stop?: string | readonly string[] | undefined
  /** Look for them while the model thinks, too: one that it writes there ends the response without an answer. Default false. */
  stopInThinking?: boolean | undefined
  /**
   * Reuse the longest prefix already in the KV cache. The step's arithmetic depends on how tokens are grouped, so a
   * reused prefix can change a sampled token; a seed asks for reproducibility, so with one the default is false.
   * Default true.
   */
  cachePrompt?: boolean | undefined
  /**
   * Draft tokens by prompt lookup: what followed the same tokens earlier in the prompt or in the response is decoded beside the next
   * token, and stays as far as it is what is sampled. Not for recurrent models. As with `cachePrompt`, the grouping can change a
   * sampled token. Default false.
   */
  speculation?: boolean | undefined
  /**
   * Report, in `logprobs` of the result and of the events, the log-probability of each token of the answer, at temperature 1 and before
   * anything is banned. Takes a pass over the vocabulary for each of them. Default: nothing is reported.
   */
  logprobs?: LogprobsOptions | undefined
  /** Aborts the request, which then rejects with the signal's reason. */
  signal?: AbortSignal | undefined
}

export const REASON_OPTIONS = {
  thinkingWindow: option(windowTokens()),
  cuts: option(cutWindows(), []),
  maxTokens: option(count(1)),
  hint: option(hintText({ plain: PLAIN_HINT, boxed: BOXED_HINT }), PLAIN_HINT),
  loops: option(boolean, false),
  ...POLICY_OPTIONS,
  ...SAMPLE_OPTIONS,
  tags: option(tagsMode(), 'ban'),
  schema: option(answerSchema()),
  grammar: option(text),
  ...TOOL_OPTIONS,
  overflow: option(oneOf(['error', 'shift']), 'error'),
  system: option(text),
  template: option(boolean, true),
  chatTemplate: option(text),
  templateVariables: option(templateVariables()),
  temperature: option(number(0, 100, greedyWhenTiny), 0),
  topK: option(count(0), 40),
  topP: option(number(0, 1), 0.95),
  minP: option(number(0, 1), 0.05),
  typicalP: option(
    numeric('number > 0 and ≤ 1', (value) => value > 0 && value <= 1),
    1,
  ),
  // llama.h wants more than 0; divided by far less than 0.01, a logit overflows.
  repeatPenalty: option(number(0.01, 100), 1),
  frequencyPenalty: option(number(-100, 100), 0),
  presencePenalty: option(number(-100, 100), 0),
  penaltyLastN: option(count(0), 64),
  dryMultiplier: option(number(0, 100), 0),
  dryBase: option(number(1, 100), 1.75),
  dryAllowedLength: option(count(0), 2),
  dryPenaltyLastN: option(count(0), 64),
  drySequenceBreakers: option(sequenceBreakers(), ['\n', ':', '"', '*']),
  xtcProbability: option(number(0, 1), 0),
  xtcThreshold: option(number(0, 1), 0.1),
  logitBias: option(tokenBiases(), []),
  // 2³² − 1 is llama.h's LLAMA_DEFAULT_SEED, which means random.
  seed: option(integer(0, 2 ** 32 - 2)),
  stop: option(stopTexts(), []),
  stopInThinking: option(boolean, false),
  cachePrompt: option(boolean),
  speculation: option(boolean, false),
  logprobs: option(logprobsKind),
  signal: option(abortSignal()),
} satisfies Record<keyof ReasonOptions, Option<unknown>>

/** {@link ReasonOptions} with every default that needs no model. `hint` is the text to append, or null. */
export type ResolvedReasonOptions = Omit<
  Read<typeof REASON_OPTIONS>,
  keyof SamplingParams | keyof Policies | keyof ToolOptions | keyof SampleOptions | 'cachePrompt'
> & {
  policies: Policies
  calls: ResolvedTools
  /** Null: one response. */
  samples: Samples | null
  seed: number | undefined
  cachePrompt: boolean
  sampling: Omit<SamplingParams, 'seed'>
}

/** @param model Where it is known: what depends on it is checked then. */
export function checkReasonOptions(given: unknown, model?: ModelFacts): ResolvedReasonOptions {
  const input = withRecommended(withTemperature(given, model), model, (name, value) =>
    REASON_OPTIONS[name].read(value, `${name} of the model's file`),
  )
  const vocabularySize = model?.vocabularySize ?? Infinity
  const table = { ...REASON_OPTIONS, logitBias: option(tokenBiases(vocabularySize), []) }
  const {
    thinkingWindow,
    cuts,
    maxTokens,
    hint,
    loops,
    tags,
    schema,
    grammar,
    overflow,
    system,
    template,
    chatTemplate,
    templateVariables,
    seed,
    stop,
    stopInThinking,
    cachePrompt,
    speculation,
    logprobs,
    signal,
    samples,
    vote,
    stopEarly,
    ...others
  } = readOptions(table, input)
  const { policies, rest } = withoutPolicies(others)
  const { calls, rest: sampling } = withoutTools(rest)
  for (const [name, value] of Object.entries({ system, chatTemplate, templateVariables })) {
    if (value !== undefined && !template) throw misuse(TypeError, 'true', `template with ${name}`, template)
  }
  const asked = checkSamples({ samples, vote, stopEarly }, cuts)
  const resolved = {
    thinkingWindow,
    cuts,
    maxTokens,
    hint,
    loops,
    policies,
    samples: asked,
    tags,
    schema,
    grammar,
    calls,
    overflow,
    system,
    template,
    chatTemplate,
    templateVariables,
    seed,
    stop,
    stopInThinking,
    cachePrompt: cachePrompt ?? seed === undefined,
    speculation,
    logprobs,
    signal,
    sampling,
  }
  checkCuts(resolved)
  checkBound(resolved)
  return resolved
}
