/** What the context of a reasoner has for a response to an input. */
import type { ChatMessage } from '../reason/messages.js'
import type { ReasonOptions } from '../reason/options.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { RenderedPrompt } from '../reason/request.js'
import type { Room } from './limits.js'

/** A reasoner that can tell what it would send. `Z1` can, one whose model runs elsewhere may not. */
interface Rendering extends Reasoner {
  renderPrompt(input: string | readonly ChatMessage[], options?: ReasonOptions): Promise<RenderedPrompt>
}

export function canRender(reasoner: Reasoner): reasoner is Rendering {
  return typeof (reasoner as Partial<Rendering>).renderPrompt === 'function'
}

/**
 * The prompt is rendered and tokenized for it, on the pool as for the request itself.
 * @returns `promptTokens` is null where it is not known.
 * @throws as `Z1.renderPrompt()`.
 */
export async function roomFor(
  reasoner: Reasoner,
  input: string | readonly ChatMessage[],
  options: ReasonOptions,
): Promise<{ room: Room; promptTokens: number | null }> {
  if (!canRender(reasoner)) {
    const room = { left: Infinity, hint: 0, defaultWindow: reasoner.model.thinkingWindow ?? null }
    return { room, promptTokens: null }
  }
  const { tokens, hintTokens, defaultWindow } = await reasoner.renderPrompt(input, options)
  const left = reasoner.model.contextSize - tokens.length
  return { room: { left, hint: hintTokens, defaultWindow }, promptTokens: tokens.length }
}
