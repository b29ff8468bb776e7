/**
 * A conversation: its messages, and which question would be asked again. A reply stands in it as the model wrote it, reasoning and
 * hint included, so that the next prompt continues what is in the KV cache. Knows neither terminal nor commands.
 */
import type { ChatMessage } from '../../reason/messages.js'
import type { ReasonOptions } from '../../reason/options.js'
import type { Reasoner } from '../../reason/reasoner.js'
import type { ReasonResult } from '../../reason/result.js'
import type { ReasonStream } from '../../reason/stream.js'
import { UsageError } from '../args.js'

/** Reads a stream while it runs. */
export type Follow = (stream: ReasonStream) => Promise<void>

export class Conversation {
  #messages: readonly ChatMessage[] = []
  /** The last question, answered or not, and what came before it. */
  #last: { before: readonly ChatMessage[]; question: string } | undefined

  /** User and assistant in turn; no system message. */
  get messages(): readonly ChatMessage[] {
    return this.#messages
  }

  /** Replaces the messages. The last one is the assistant's. */
  replace(messages: readonly ChatMessage[]): void {
    const at = messages.findLastIndex(({ role }) => role === 'user')
    this.#messages = messages
    this.#last = at < 0 ? undefined : { before: messages.slice(0, at), question: (messages[at] as ChatMessage).content }
  }

  /**
   * Asks a question. It and the reply become part of the conversation when the reply is there, also one that was stopped; a
   * reply without text does not.
   * @throws as `Z1.stream()` and its iteration do; the conversation is as before then.
   */
  async ask(reasoner: Reasoner, question: string, options: ReasonOptions, follow: Follow): Promise<ReasonResult> {
    const before = this.#messages
    this.#last = { before, question }
    return this.#reply(reasoner, before, question, options, follow)
  }

  /** Asks the last question again; the new reply takes the place of the old one. @throws {UsageError} if there is none. */
  async retry(reasoner: Reasoner, options: ReasonOptions, follow: Follow): Promise<ReasonResult> {
    if (!this.#last) throw new UsageError('There is no question yet to ask again')
    const { before, question } = this.#last
    return this.#reply(reasoner, before, question, options, follow)
  }

  async #reply(
    reasoner: Reasoner,
    before: readonly ChatMessage[],
    question: string,
    options: ReasonOptions,
    follow: Follow,
  ): Promise<ReasonResult> {
    const asked = [...before, { role: 'user', content: question }]
    const stream = reasoner.stream(asked, options)
    await follow(stream)
    const result = await stream.result
    if (result.text !== '') this.#messages = [...asked, result.message]
    return result
  }
}
