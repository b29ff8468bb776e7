/** The addon with its event channel open, and the events of all generations handed to the one each belongs to. */
import { loadAddon } from './addon.js'
import type { Binding, ContextHandle, GenerationEvent, OnEvent, Phase } from './binding.js'

interface Running {
  listener: (event: GenerationEvent) => void
  /** Held so that the collector does not close a context that has a generation running. */
  context: ContextHandle
}

const running = new Map<number, Running>()
let opened: Binding | undefined
let lastId = 0

/** The addon, with its channel open. */
export function openAddon(): Binding {
  if (!opened) {
    const addon = loadAddon()
    addon.channelOpen(dispatch)
    opened = addon
  }
  return opened
}

/** An id for a native task or a generation, unique in this environment. */
export function nextId(): number {
  lastId = (lastId + 1) % 2 ** 32
  return lastId
}

/** The events of a generation that has just been started go to its listener until the last of them. */
export function deliverTo(id: number, generation: Running): void {
  running.set(id, generation)
}

/** In the order of events.h. */
const PHASES: readonly Phase[] = ['thinking', 'answer', 'call']

const dispatch: OnEvent = (id, event, text = '', tokens = [], logprobs = undefined) => {
  const entry = running.get(id)
  if (typeof event === 'number') {
    entry?.listener({ type: 'text', phase: PHASES[event] as Phase, text, tokens, ...(logprobs && { logprobs }) })
    return
  }
  if (event.type === 'done' || event.type === 'error') running.delete(id)
  entry?.listener(event)
}
