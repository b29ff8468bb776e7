/** Class Z1Host: what the main process of an Electron application has of a model in a utility process. */
import { misuse, text } from '../base/checks.js'
import { attempt, callSite, Z1Error } from '../base/errors.js'
import { option, readOptions } from '../base/options.js'
import { checkLoadOptions, type LoadOptions } from '../reason/load-options.js'
import type { Reasoner } from '../reason/reasoner.js'
import type { ElectronModule, PortReceiver } from './ports.js'
import { Session } from './session.js'

export interface HostOptions {
  /** Name of the process in lists of processes. Default `z1-native`. */
  serviceName?: string | undefined
}

const HOST_OPTIONS = { serviceName: option(text, 'z1-native') }

export class Z1Host {
  readonly #electron: ElectronModule
  readonly #serviceName: string
  #session: Session | undefined
  /** Those that asked for a port while no model was loaded, each as often as it asked. */
  #receivers: PortReceiver[] = []
  #disposed = false

  /**
   * Starts nothing.
   * @throws {TypeError} for what is not Electron, and for options that cannot be.
   * @param electron The module `electron` of the main process, or its `utilityProcess` and `MessageChannelMain`.
   */
  constructor(electron: ElectronModule, options?: HostOptions) {
    if (typeof electron?.utilityProcess?.fork !== 'function' || typeof electron.MessageChannelMain !== 'function') {
      throw misuse(TypeError, 'utilityProcess and MessageChannelMain of Electron', 'electron', electron)
    }
    this.#electron = electron
    this.#serviceName = readOptions(HOST_OPTIONS, options).serviceName
  }

  /**
   * Starts a process that loads a model; the one before is disposed first. After `app.whenReady()` only, as Electron starts none earlier.
   * @returns The model for the main process. Its `dispose()` ends the process.
   * @throws as `Z1.load()`.
   * @throws {Z1Error} HOST_EXITED when the process ends meanwhile; DISPOSED when another load or `dispose()` ends this one.
   */
  async load(options: LoadOptions = {}): Promise<Reasoner> {
    const site = callSite(this.load)
    checkLoadOptions(options)
    options.signal?.throwIfAborted()
    return attempt(
      site,
      async () => {
        if (this.#disposed) throw new Z1Error('DISPOSED', 'The host was disposed')
        const before = this.#session
        const session = new Session(this.#electron, this.#serviceName)
        this.#session = session
        await before?.dispose()
        const reasoner = await session.load(options)
        for (const receiver of this.#receivers.splice(0)) connect(session, receiver)
        return reasoner
      },
      options.signal,
    )
  }

  /**
   * Sends a page a port to the model, on which the main process hears nothing; where no model is loaded, as soon as one is.
   * A page asks for it with `connectModel()` of `z1-native/electron/renderer`.
   */
  connect(receiver: PortReceiver): void {
    if (this.#session?.isLoaded) this.#session.connect(receiver)
    else if (!this.#disposed) this.#receivers.push(receiver)
  }

  /** Ends the process. What runs rejects with DISPOSED; nothing can be loaded any more. */
  async dispose(): Promise<void> {
    this.#disposed = true
    this.#receivers = []
    await this.#session?.dispose()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose()
  }
}

/** A page that was closed meanwhile throws. */
function connect(session: Session, receiver: PortReceiver): void {
  try {
    session.connect(receiver)
  } catch {}
}
