/** A reasoner as a language model of the AI SDK. Only types are imported from it. */
import { randomUUID } from 'node:crypto'
import type {
  JSONObject,
  LanguageModelV3,
  LanguageModelV3Content,
  LanguageModelV3GenerateResult,
  LanguageModelV3StreamPart,
  LanguageModelV3StreamResult,
  SharedV3Warning,
} from '@ai-sdk/provider'
import { kind, oneOf, text } from '../base/checks.js'
import { type Option, option, readOptions } from '../base/options.js'
import { modelFinishReason } from '../protocol/finish-reason.js'
import { type Metadata, outcomeOf, type Part, PartReader } from '../protocol/outcome.js'
import { modelUsage } from '../protocol/usage.js'
import { checkReasonOptions, type ReasonOptions } from '../reason/options.js'
import { isReasoner, type Reasoner } from '../reason/reasoner.js'
import type { ReasonEvent, ReasonResult } from '../reason/result.js'
import type { ToolCallDelta } from '../reason/tool-calls.js'
import { type CallOptions, callOf } from './call.js'

export interface LanguageModelOptions<S extends 'v3' | 'v4' = 'v3' | 'v4'> {
  /** Of the AI SDK's language models: `v3` works in its versions 6 and 7, `v4` from 7 on. Default `v3`. */
  specification?: S | undefined
  /** What the model is called. Default: its file's name, without `.gguf`. */
  modelId?: string | undefined
  /** Options of calls that do not say otherwise. Default: none. */
  defaults?: Omit<ReasonOptions, 'signal' | 'maxTokens'> | undefined
}

/** A model of specification v4: it differs from v3 in its number, and in that calls have `reasoning`. */
export type LanguageModelV4 = Omit<LanguageModelV3, 'specificationVersion' | 'doGenerate' | 'doStream'> & {
  readonly specificationVersion: 'v4'
  doGenerate(options: CallOptions): Promise<LanguageModelV3GenerateResult>
  doStream(options: CallOptions): Promise<LanguageModelV3StreamResult>
}

const OPTIONS = {
  specification: option(oneOf(['v3', 'v4']), 'v3'),
  modelId: option(text),
  defaults: option(
    kind('plain object', (value): value is ReasonOptions => typeof value === 'object' && value !== null, {
      convert: (value) => {
        checkReasonOptions(value)
        return value
      },
    }),
    {},
  ),
} satisfies Record<keyof LanguageModelOptions, Option<unknown>>

/**
 * A model for `generateText()`, `streamText()` and the like. The reasoner stays the caller's to dispose.
 * @throws {TypeError|RangeError} for options that cannot be.
 */
export function languageModel(reasoner: Reasoner, options?: LanguageModelOptions<'v3'>): LanguageModelV3
export function languageModel(reasoner: Reasoner, options: LanguageModelOptions<'v4'>): LanguageModelV4
export function languageModel(reasoner: Reasoner, options?: LanguageModelOptions): LanguageModelV3 | LanguageModelV4 {
  if (!isReasoner(reasoner)) throw new TypeError('Expected a reasoner, such as a Z1')
  const { specification, modelId, defaults } = readOptions(OPTIONS, options)
  const id = modelId ?? (reasoner.model.path.split(/[/\\]/).at(-1) as string).replace(/\.gguf$/i, '')
  const model = new Z1LanguageModel(reasoner, id, defaults)
  return Object.assign(model, { specificationVersion: specification }) as LanguageModelV3 | LanguageModelV4
}

class Z1LanguageModel {
  readonly provider = 'z1'
  readonly modelId: string
  readonly supportedUrls = {}
  readonly #reasoner: Reasoner
  readonly #defaults: ReasonOptions

  constructor(reasoner: Reasoner, modelId: string, defaults: ReasonOptions) {
    this.#reasoner = reasoner
    this.modelId = modelId
    this.#defaults = defaults
  }

  doGenerate = async (given: CallOptions): Promise<LanguageModelV3GenerateResult> => {
    const { input, options, warnings } = await callOf(this.#reasoner, given, this.#defaults)
    const result = await this.#reasoner.reason(input, options)
    const { reasoning, text, metadata } = outcomeOf(result)
    const content: LanguageModelV3Content[] = result.toolCalls.map(({ id, name, arguments: given }) => {
      return { type: 'tool-call', toolCallId: id, toolName: name, input: JSON.stringify(given) }
    })
    if (text !== '' || content.length === 0) content.unshift({ type: 'text', text, ...marked(metadata.answerRepeats) })
    if (reasoning !== '') {
      content.unshift({ type: 'reasoning', text: reasoning, providerMetadata: { z1: cutMetadata(metadata) } })
    }
    return { content, ...ending(result, metadata), response: this.#response(), warnings }
  }

  doStream = async (given: CallOptions): Promise<LanguageModelV3StreamResult> => {
    const { input, options, warnings } = await callOf(this.#reasoner, given, this.#defaults)
    const events = this.#reasoner.stream(input, options)[Symbol.asyncIterator]()
    // What fails before there is anything rejects the call, as it does for models behind a server.
    let first: IteratorResult<ReasonEvent> | undefined = await events.next()
    const writer = new StreamWriter()
    const reader = new PartReader()
    const response = this.#response()
    return {
      stream: new ReadableStream<LanguageModelV3StreamPart>({
        start(controller) {
          controller.enqueue({ type: 'stream-start', warnings: warnings as SharedV3Warning[] })
          controller.enqueue({ type: 'response-metadata', ...response })
        },
        async pull(controller) {
          try {
            // It is not asked again before something was given.
            for (let parts: LanguageModelV3StreamPart[] = []; parts.length === 0; ) {
              const { done, value } = first ?? (await events.next())
              first = undefined
              if (done) return controller.close()
              parts = reader.take(value).flatMap((part) => writer.take(part))
              for (const part of parts) controller.enqueue(part)
            }
          } catch (error) {
            controller.enqueue({ type: 'error', error })
            controller.close()
          }
        },
        async cancel() {
          await events.return?.()
        },
      }),
    }
  }

  #response() {
    return { id: `z1-${randomUUID()}`, timestamp: new Date(), modelId: this.modelId }
  }
}

/** Blocks of a stream: the reasoning, if there is any, the text, and calls of tools. */
class StreamWriter {
  #open: 'reasoning' | 'text' | undefined
  #call: { id: string; name: string; input: string } | undefined
  #hasText = false
  #cut: JSONObject | undefined

  take(part: Part): LanguageModelV3StreamPart[] {
    switch (part.type) {
      case 'reasoning':
        return [...this.#begin('reasoning'), { type: 'reasoning-delta', id: 'reasoning', delta: part.text }]
      case 'cut':
        this.#cut = cutMetadata(part)
        return this.#end()
      case 'text':
        return [...this.#begin('text', part.repeats), { type: 'text-delta', id: 'text', delta: part.text }]
      case 'toolCall':
        return part.deltas.flatMap((delta) => this.#takeCall(delta))
      case 'end': {
        const { result, outcome } = part
        // A response has a text, be it empty, or calls.
        const empty = this.#hasText || this.#call ? [] : this.#begin('text')
        // One that was cut short is none.
        const isWhole = result.toolCalls.some(({ id }) => id === this.#call?.id)
        return [
          ...empty,
          ...this.#end(),
          ...this.#endCall(isWhole),
          { type: 'finish', ...ending(result, outcome.metadata) },
        ]
      }
    }
  }

  #takeCall({ id, name, arguments: text }: ToolCallDelta): LanguageModelV3StreamPart[] {
    if (text !== '' && this.#call) {
      this.#call.input += text
      return [{ type: 'tool-input-delta', id, delta: text }]
    }
    const before = [...this.#end(), ...this.#endCall(true)]
    this.#call = { id, name, input: '' }
    return [...before, { type: 'tool-input-start', id, toolName: name }]
  }

  #endCall(isWhole: boolean): LanguageModelV3StreamPart[] {
    if (!this.#call) return []
    const { id, name, input } = this.#call
    const call: LanguageModelV3StreamPart = { type: 'tool-call', toolCallId: id, toolName: name, input }
    return [{ type: 'tool-input-end', id }, ...(isWhole ? [call] : [])]
  }

  #begin(kind: 'reasoning' | 'text', repeats = false): LanguageModelV3StreamPart[] {
    if (this.#open === kind) return []
    const before = this.#end()
    this.#open = kind
    if (kind === 'text') this.#hasText = true
    return [...before, { type: `${kind}-start`, id: kind, ...marked(repeats) }]
  }

  #end(): LanguageModelV3StreamPart[] {
    const kind = this.#open
    this.#open = undefined
    if (!kind) return []
    const metadata = kind === 'reasoning' && this.#cut ? { providerMetadata: { z1: this.#cut } } : {}
    return [{ type: `${kind}-end`, id: kind, ...metadata }]
  }
}

/** How the thinking ended: with the reasoning, it comes back in the next turn. */
function cutMetadata({ ended, hint, thinkingTokens }: Pick<Metadata, 'ended' | 'hint' | 'thinkingTokens'>): JSONObject {
  return { ended, hint, thinkingTokens }
}

function marked(repeats: boolean): { providerMetadata?: { z1: JSONObject } } {
  return repeats ? { providerMetadata: { z1: { answerRepeats: true } } } : {}
}

function ending(result: ReasonResult, metadata: Metadata) {
  return {
    finishReason: modelFinishReason(result),
    usage: { ...modelUsage(result.usage), raw: { ...result.usage } },
    providerMetadata: { z1: { ...metadata } },
  }
}
