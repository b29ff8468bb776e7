/**
 * One utility process from its start to its exit, as the main process sees it. It loads one model; to load another one, or with
 * another engine, is another process, which also is how a load is ended that is not wanted any more.
 */
import { fileURLToPath } from 'node:url'
import { Z1Error } from '../base/errors.js'
import type { LoadOptions } from '../reason/load-options.js'
import { connectPort, type PortReasoner } from './client.js'
import type { ElectronModule, MainPort, PortReceiver, UtilityProcess } from './ports.js'
import { type MainMessage, PORT_CHANNEL, type UtilityMessage, unpackError } from './protocol.js'

export class Session {
  /** Resolves when the process has ended, with why the model is gone. */
  readonly ended: Promise<Error>
  readonly #electron: ElectronModule
  readonly #process: UtilityProcess
  #loaded = false
  #disposing = false
  #onMessage: (message: UtilityMessage) => void = () => {}

  constructor(electron: ElectronModule, serviceName: string) {
    this.#electron = electron
    this.#process = electron.utilityProcess.fork(fileURLToPath(new URL('./utility.js', import.meta.url)), [], {
      serviceName,
    })
    this.#process.on('message', (message) => this.#onMessage(message as UtilityMessage))
    this.ended = new Promise((resolve) => {
      this.#process.once('exit', (code) => {
        this.#loaded = false
        if (this.#disposing) resolve(new Z1Error('DISPOSED', 'The model was disposed'))
        else resolve(new Z1Error('HOST_EXITED', `The process in which the model runs ended with exit code ${code}`))
      })
    })
  }

  /**
   * Loads the model. When that fails, the process is ended.
   * @throws as `Z1.load()`, and HOST_EXITED.
   */
  async load(options: LoadOptions): Promise<PortReasoner> {
    const { signal, onProgress, onDownload, model, ...rest } = options
    if (this.#disposing) throw await this.ended
    let abort = () => {}
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => reject(signal?.reason)
        signal?.addEventListener('abort', abort)
        void this.ended.then(reject)
        this.#onMessage = (message) => {
          if (message.type === 'loaded') resolve()
          else if (message.type === 'failed') reject(unpackError(message.error))
          else {
            try {
              if (message.type === 'progress') onProgress?.(message.progress)
              else if (message.type === 'downloadProgress') onDownload?.(message.progress)
            } catch (error) {
              reject(error)
            }
          }
        }
        this.#post({
          type: 'load',
          // A URL cannot be cloned.
          options: { ...rest, ...(model === undefined ? {} : { model: String(model) }) },
          progress: onProgress !== undefined,
          downloadProgress: onDownload !== undefined,
        })
      })
      this.#loaded = true
      const { port1, port2 } = new this.#electron.MessageChannelMain()
      this.#connect(port2)
      const connected = connectPort(port1, () => this.dispose())
      const failed = this.ended.then((reason) => Promise.reject(reason))
      const reasoner = await Promise.race([connected, failed])
      // Its port is closed by the exit too, but that does not say why.
      failed.catch((reason) => reasoner.end(reason))
      return reasoner
    } catch (error) {
      this.#loaded = false
      this.#kill()
      await this.ended
      throw error
    } finally {
      signal?.removeEventListener('abort', abort)
    }
  }

  /** Whether a port would be answered. */
  get isLoaded(): boolean {
    return this.#loaded
  }

  /** Sends a page a port of its own. */
  connect(receiver: PortReceiver): void {
    const { port1, port2 } = new this.#electron.MessageChannelMain()
    this.#connect(port1)
    receiver.postMessage(PORT_CHANNEL, null, [port2] as never[])
  }

  /** What runs rejects with DISPOSED. Resolves when the process has ended. */
  async dispose(): Promise<void> {
    if (!this.#disposing) {
      this.#disposing = true
      if (this.#loaded) {
        this.#loaded = false
        this.#onMessage = (message) => {
          if (message.type === 'disposed') this.#process.kill()
        }
        this.#post({ type: 'dispose' })
      } else {
        this.#process.kill()
      }
    }
    await this.ended
  }

  #kill(): void {
    this.#disposing = true
    this.#process.kill()
  }

  #connect(port: MainPort): void {
    this.#post({ type: 'connect' }, [port])
  }

  #post(message: MainMessage, transfer: MainPort[] = []): void {
    this.#process.postMessage(message, transfer as never[])
  }
}
