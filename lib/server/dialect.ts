/** What a protocol is to the server: how its requests are read, and how its responses are written. */
import type { ThinkingAsked } from '../protocol/limits.js'
import type { Outcome, Part } from '../protocol/outcome.js'
import type { ChatMessage } from '../reason/messages.js'
import type { ReasonOptions } from '../reason/options.js'
import type { ReasonResult } from '../reason/result.js'
import type { Failure } from './failure.js'
import type { SseEvent } from './sse.js'

export interface Dialect {
  /** What ids of its responses begin with. */
  idPrefix: string
  /**
   * @param warnings Gets a line for each field that has no effect.
   * @throws {RequestError}
   */
  read(body: ReadonlyMap<string, unknown>, warnings: string[], reasoningField: string): Asked
  /** The body of a response that fails before it began. */
  error(failure: Failure): object
}

/** A request, as far as its protocol says it. */
export interface Asked {
  /** The name of the model that the client wants; undefined: any. */
  model: string | undefined
  input: string | ChatMessage[]
  /** Without limits. */
  options: ReasonOptions
  /** Tokens of thinking and answer together. */
  total: number | undefined
  thinking: ThinkingAsked
  /** What the client calls the limits. */
  names: { window: string; total: string }
  /** The response is one text, which goes on from the input: nothing is asked of the thinking, and no hint is appended. */
  continues: boolean
  stream: boolean
  writer(facts: ResponseFacts): Writer
}

/** What is known of a response before it begins. */
export interface ResponseFacts {
  id: string
  model: string
  /** Seconds since 1970. */
  created: number
  /** What computes it, as OpenAI's `system_fingerprint`: with another one, the same seed may give other tokens. */
  fingerprint: string
  /** 0 where it is not known. */
  promptTokens: number
}

/** Writes one response. */
export interface Writer {
  start(): SseEvent[]
  part(part: Part): SseEvent[]
  /** After `start()`. Nothing follows. */
  failed(failure: Failure): SseEvent[]
  whole(result: ReasonResult, outcome: Outcome): object
}
