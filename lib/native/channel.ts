/** The events of all generations of this environment, handed to the one each belongs to. */
import { loadAddon } from './addon.js'
import type { Binding, ContextHandle, GenerationEvent, GenerationRequest, OnEvent } from './binding.js'

type Listener = (event: GenerationEvent) => void

interface Running {
  listener: Listener
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

/** An id for a load or a generation, unique in this environment. */
export function nextId(): number {
  lastId = (lastId + 1) % 2 ** 32
  return lastId
}

/** Starts a generation; `listener` gets its events, the last of them `done` or `error`. It must not throw. */
export function startGeneration(context: ContextHandle, request: GenerationRequest, listener: Listener): void {
  openAddon().generationStart(context, request)
  running.set(request.id, { listener, context })
}

const dispatch: OnEvent = (id, event, text = '', tokens = []) => {
  const entry = running.get(id)
  if (typeof event === 'boolean') {
    entry?.listener({ type: 'text', phase: event ? 'answer' : 'thinking', text, tokens })
    return
  }
  if (event.type === 'done' || event.type === 'error') running.delete(id)
  entry?.listener(event)
}
