/** What runs in the utility process: it loads one model, and answers the ports that the main process sends it. */
import { Z1Error } from '../base/errors.js'
import type { LoadOptions } from '../reason/load-options.js'
import { findModelsWith } from '../reason/model-name.js'
import { Z1 } from '../reason/z1.js'
import type { MainPort, ParentPort } from './ports.js'
import { type MainMessage, packError, type UtilityMessage } from './protocol.js'
import { ServedPort } from './serve.js'

// The Hub's room is loaded when a model is named.
findModelsWith(async (name, options) => (await import('../hub/find-model.js')).findModel(name, options))

const { parentPort } = process as unknown as { parentPort?: ParentPort }
if (!parentPort) throw new Error('This file is run by Z1Host of z1-native/electron, in a utility process')
const main = parentPort

const served = new Set<ServedPort>()
let z1: Z1 | undefined

main.on('message', ({ data, ports: [port] }) => {
  const message = data as MainMessage
  if (message.type === 'load') void load(message)
  else if (message.type === 'connect') serve(port as MainPort)
  else void dispose()
})

function tell(message: UtilityMessage): void {
  main.postMessage(message)
}

async function load({ options, progress, downloadProgress }: Extract<MainMessage, { type: 'load' }>): Promise<void> {
  try {
    const callbacks: LoadOptions = {}
    if (progress) callbacks.onProgress = (progress) => tell({ type: 'progress', progress })
    if (downloadProgress) callbacks.onDownload = (progress) => tell({ type: 'downloadProgress', progress })
    z1 = await Z1.load({ ...options, ...callbacks })
    tell({ type: 'loaded' })
  } catch (error) {
    tell({ type: 'failed', error: packError(error) })
  }
}

/** The main process sends ports to a loaded model alone. */
function serve(port: MainPort): void {
  if (!z1) return
  const one: ServedPort = new ServedPort(z1, port, () => served.delete(one))
  served.add(one)
}

async function dispose(): Promise<void> {
  await z1?.dispose()
  await Promise.all(Array.from(served, (port) => port.end(new Z1Error('DISPOSED', 'The model was disposed'))))
  tell({ type: 'disposed' })
}
