/**
 * Stands in for Electron's utilityProcess and MessageChannelMain: a child process of Node, and ports of node:worker_threads. A port
 * that is sent to the child is carried over its IPC channel, since only Electron sends ports to processes.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import type { ElectronModule, MainPort, PortReceiver, UtilityProcess } from '../../lib/electron/ports.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** As MessagePortMain: messages come as events with `data`, and only after `start()`. */
class StandInPort implements MainPort {
  constructor(readonly inner: MessagePort) {}
  postMessage(message: unknown): void {
    this.inner.postMessage(message)
  }
  on(event: 'message' | 'close', listener: (event: { data: unknown }) => void): this {
    // A listener of a Node port starts it at once; addEventListener does not.
    const target = this.inner as unknown as EventTarget
    target.addEventListener(event, (received) => listener({ data: (received as MessageEvent).data }))
    return this
  }
  start(): void {
    this.inner.start()
  }
  close(): void {
    this.inner.close()
  }
}

export interface StandIn extends ElectronModule {
  /** Those that were started, in order. */
  processes: ChildProcess[]
}

export function standIn(): StandIn {
  const processes: ChildProcess[] = []
  return {
    processes,
    MessageChannelMain: class {
      port1: StandInPort
      port2: StandInPort
      constructor() {
        const { port1, port2 } = new MessageChannel()
        this.port1 = new StandInPort(port1)
        this.port2 = new StandInPort(port2)
      }
    },
    utilityProcess: {
      fork(path) {
        // The library is loaded from its sources here, which a child cannot run.
        const child = fork(path.replace(`${root}lib/`, `${root}dist/`), {
          execArgv: ['--import', new URL('./utility-process-child.mjs', import.meta.url).href],
          serialization: 'advanced',
        })
        processes.push(child)
        return new StandInProcess(child)
      },
    },
  }
}

class StandInProcess implements UtilityProcess {
  readonly #child: ChildProcess
  readonly #ports = new Map<number, MessagePort>()

  constructor(child: ChildProcess) {
    this.#child = child
    child.on('message', ({ port, data, closed }: { port?: number; data?: unknown; closed?: boolean }) => {
      if (port === undefined) return
      if (closed) this.#ports.get(port)?.close()
      else this.#ports.get(port)?.postMessage(data)
    })
    child.once('exit', () => {
      for (const port of this.#ports.values()) port.close()
    })
    child.on('error', () => {})
  }

  postMessage(data: unknown, transfer: StandInPort[] = []): void {
    const [port] = transfer
    const id = port ? this.#ports.size + 1 : undefined
    if (port && id) {
      this.#ports.set(id, port.inner)
      port.inner.on('message', (data) => this.#send({ port: id, data }))
      port.inner.on('close', () => this.#send({ port: id, closed: true }))
    }
    this.#send({ transferred: id, data })
  }

  on(_event: 'message', listener: (message: unknown) => void): this {
    this.#child.on('message', ({ port, data }: { port?: number; data: unknown }) => {
      if (port === undefined) listener(data)
    })
    return this
  }

  once(_event: 'exit', listener: (code: number) => void): this {
    this.#child.once('exit', (code) => listener(code ?? 1))
    return this
  }

  kill(): boolean {
    return this.#child.kill()
  }

  #send(message: object): void {
    // Electron drops what is sent to a process that has ended.
    if (this.#child.connected) this.#child.send(message, () => {})
  }
}

/** A page with the preload script of docs/electron.md. */
export class StandInPage extends EventTarget {
  readonly receiver: PortReceiver = {
    postMessage: (channel, _message, transfer = []) => {
      const ports = (transfer as StandInPort[]).map(({ inner }) => inner)
      // ipcRenderer.on(PORT_CHANNEL, …)
      setImmediate(() => this.#receive(channel, ports))
    },
  }
  readonly #connect: (receiver: PortReceiver) => void

  constructor(connect: (receiver: PortReceiver) => void) {
    super()
    this.#connect = connect
  }

  /** Also what another frame sends, by its source. */
  postMessage(data: string, _targetOrigin: string, source: unknown = this): void {
    setImmediate(() => {
      if (source === this && data === 'z1-native:connect') this.#connect(this.receiver)
      this.#receive(data, [], source)
    })
  }

  #receive(data: string, ports: unknown[], source: unknown = this): void {
    this.dispatchEvent(Object.assign(new Event('message'), { data, ports, source }))
  }
}

/** Ends a process as a crash does. */
export async function crash(child: ChildProcess | undefined): Promise<void> {
  const ended = once(child as ChildProcess, 'exit')
  child?.kill('SIGKILL')
  await ended
}
