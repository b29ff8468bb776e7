/** Server-sent events as the body of a response. Knows no protocol. */

export interface SseEvent {
  /** Its name; undefined: it has none. */
  event?: string
  /** An object is sent as JSON. */
  data: object | string
}

/** Comments keep proxies and clients from giving up on a response that says nothing (undici: after five minutes). */
const HEARTBEAT_MS = 15_000

function encodeEvent({ event, data }: SseEvent): string {
  // JSON has no line feed.
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${text}\n\n`
}

/**
 * @param next The events that come next, as soon as there are any; null: there are no more. It must not reject.
 * @param gone Called when nobody reads any more, before the end.
 */
export function eventStream(next: () => Promise<SseEvent[] | null>, gone: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  let heartbeat: NodeJS.Timeout
  return new ReadableStream<Uint8Array>({
    start(controller) {
      heartbeat = setInterval(() => {
        if ((controller.desiredSize ?? 0) > 0) controller.enqueue(encoder.encode(':\n\n'))
      }, HEARTBEAT_MS)
    },
    // Called again only when what was given before has been read: a slow client is not sent more than it takes.
    async pull(controller) {
      for (;;) {
        const events = await next()
        if (!events) {
          clearInterval(heartbeat)
          controller.close()
          return
        }
        if (events.length === 0) continue
        controller.enqueue(encoder.encode(events.map(encodeEvent).join('')))
        return
      }
    },
    cancel() {
      clearInterval(heartbeat)
      gone()
    },
  })
}

export const SSE_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  // nginx would collect it.
  'x-accel-buffering': 'no',
}
