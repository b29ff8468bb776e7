/** What the files of a run hold: run.json, a line of results.jsonl, summary.json. Shares are 0 … 1, intervals are 95%. */
import type { CacheType, Ended } from '../native/binding.js'
import type { ChatMessage } from '../reason/messages.js'
import type { ReasonerModel } from '../reason/reasoner.js'
import type { ReasonResult } from '../reason/result.js'
import type { Method } from './methods/index.js'
import type { PinnedMethod } from './methods/method.js'
import type { Interval } from './statistics.js'
import type { GraderFacts, Item } from './task.js'

/** All that decides what a run's results are. A folder holds the results of one such set. */
export interface RunOptions extends PinnedMethod {
  task: string
  items: number
  /** Of all items, as JSON. */
  itemsSha256: string
  /** `2/4`: only every fourth item, from the second on; absent: all of them. */
  shard?: string
  /** What graded, where the task says it. */
  grader?: GraderFacts
  /** Of the model's file; null where it runs elsewhere. */
  modelSha256: string | null
  /** What a model is called that runs elsewhere; null where there is its file. */
  modelName: string | null
  method: Method
  windows: string[]
  system: string | null
  temperature: number
  samples: number
  seed: number
  /** Absent: false. */
  speculation?: boolean
  contextSize: number | null
  /** Of the KV cache; absent: F16. */
  cacheType?: CacheType
  /** By their contents; absent: none. */
  lora?: { sha256: string; scale: number }[]
}

/** What is worth knowing about a run and may differ when it is resumed. */
export interface RunEnvironment {
  /** Of this package. */
  version: string
  model: { file: string } & { [Name in 'architecture' | 'quantization' | 'parameters' | 'size']: ReasonerModel[Name] }
  engine: string | undefined
  devices: string[] | undefined
  parallel: number
  /** Above 0: the smaller windows of an item may be cuts of the largest one's request. */
  branches: number | undefined
  threads: number | undefined
  /** Version of the symbolic engine that answers are compared with; null: it is not installed; absent: the task needs none. */
  symbolic?: string | null
}

export interface Run {
  /** Of run.json; 1 where it says none. */
  format: number
  options: RunOptions
  environment: RunEnvironment
}

type LaterCounts = 'nudgeTokens' | 'probeTokens' | 'draftedTokens' | 'acceptedTokens'
type Usage = Omit<ReasonResult['usage'], LaterCounts> & Partial<Pick<ReasonResult['usage'], LaterCounts>>

/** One response, graded: a line of results.jsonl. */
export interface ResultRecord {
  id: string
  groups?: Item['groups']
  /** As it was asked for: `64`, `25%`, `inf`. */
  window: string
  /** In tokens; null: no end. */
  thinkingWindow: number | null
  /** 0 … samples − 1 */
  sample: number
  prompt: ChatMessage[]
  /** Ids of the sampled tokens and of the hint. */
  tokens: ReasonResult['tokens']
  /** All of the response: reasoning, hint, answer. */
  text: string
  /** UTF-16 code units of the text that are reasoning, and of the hint after it; absent in what earlier versions wrote. */
  parts?: { reasoning: number; hint: number }
  extracted: string | null
  /** The right answer. */
  answer: string
  correct: boolean
  /** 0 … 1, where the grader tells how near an answer is. */
  score?: number
  /** Why not, where the grader says it. */
  reason?: string
  /** After a hint: whether the answer has the form that the hint asks for; null: there was no hint. */
  inForm: boolean | null
  /** As in `ReasonResult`. */
  ended: Ended
  finishReason: ReasonResult['finishReason']
  /** In results of before they were counted there are no tokens of nudges, probes and drafts. */
  usage: Usage
  /** Where it was asked for and there is one. */
  confidence?: number
  timings: ReasonResult['timings']
  seed: number
}

/** What figures need of a result: the large parts are left in the file. */
export type ScoredResponse = Omit<
  ResultRecord,
  'prompt' | 'tokens' | 'text' | 'parts' | 'timings' | 'thinkingWindow' | 'seed'
>

export interface Figures {
  items: number
  /** Share of right answers; with several samples, the mean over items of each one's share. */
  accuracy: number
  /** Wilson's; with several samples, a bootstrap over items. */
  interval: Interval
  /** Mean score, with a bootstrap over items; absent where the task has none. */
  score?: { mean: number; interval: Interval }
  /**
   * Average thinking tokens, the paper's: all that is generated before a hint, and all of a response that got none, its
   * answer included.
   */
  att: number
  /** Rank correlation between the items' group `difficulty`, where it is a number, and thinking tokens; null where one of them does not vary. */
  spearman: number | null
}

export interface WindowSummary extends Figures {
  window: string
  /** Average of all tokens that were generated: thinking and answer, without the hint. */
  generatedTokens: number
  /** Average of the tokens that hints fed to the model, of all responses; null in a summary of before they were counted. */
  hintTokens: number | null
  /** Average of the tokens that were fed in the place of ends; null as `hintTokens`. */
  nudgeTokens: number | null
  /** Average of the tokens that policies spent on looking ahead; null as `hintTokens`. */
  probeTokens: number | null
  /** Average of all tokens after the prompt: generated, hint, nudges and probes; null as `hintTokens`. */
  totalTokens: number | null
  /** Shares by how the thinking ended: those of `ReasonResult` that a run may have. */
  ended: Record<'self' | 'window' | 'length' | 'loop' | 'early' | 'stated', number>
  /** Share of responses without any answer. */
  unanswered: number
  /** Responses that got a hint. */
  cuts: number
  /** Of them, the share that answered in the form the hint asks for; null: there were none. */
  inForm: number | null
  /** By name and value of the items' groups. */
  groups: Record<string, Record<string, Figures>>
}

/** Accuracy at one window less that at another, over the same items. */
export interface Difference {
  from: string
  to: string
  difference: number
  /** Paired bootstrap over items. */
  interval: Interval
}

export interface Summary {
  options: RunOptions
  /** As in `RunEnvironment`. */
  symbolic?: string | null
  /** Responses that are there, and those that the run asks for. */
  done: number
  total: number
  /** In the order of the run. Those of which nothing is there yet are left out. */
  windows: WindowSummary[]
  /** Each window with the next, and with the last. */
  differences: Difference[]
}
