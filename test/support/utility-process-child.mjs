/** Preloaded in the child process of utility-process.ts: gives it a `process.parentPort`, as Electron's utility processes have. */
const ports = new Map()
const listeners = []
const early = []

function portOf(id) {
  const events = { message: [], close: [] }
  let waiting = []
  const port = {
    postMessage: (data) => process.send?.({ port: id, data }),
    on: (event, listener) => events[event].push(listener),
    start() {
      for (const data of waiting ?? []) for (const listener of events.message) listener({ data })
      waiting = null
    },
    close: () => process.send?.({ port: id, closed: true }),
  }
  ports.set(id, {
    take(data) {
      if (waiting) waiting.push(data)
      else for (const listener of events.message) listener({ data })
    },
    close() {
      for (const listener of events.close) listener()
    },
  })
  return port
}

process.on('message', ({ port, data, closed, transferred }) => {
  if (port !== undefined) {
    if (closed) ports.get(port)?.close()
    else ports.get(port)?.take(data)
    return
  }
  const event = { data, ports: transferred === undefined ? [] : [portOf(transferred)] }
  // What comes before anyone listens waits.
  if (listeners.length === 0) early.push(event)
  for (const listener of listeners) listener(event)
})

process.parentPort = {
  postMessage: (data) => process.send?.({ data }),
  on(_event, listener) {
    listeners.push(listener)
    for (const event of early.splice(0)) setImmediate(() => listener(event))
  },
}
