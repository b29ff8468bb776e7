/** `z1-native/electron`: the model in a utility process, for the main process. Pages use `z1-native/electron/renderer`. */
export { type HostOptions, Z1Host } from './host.js'
export type { ElectronModule, PortReceiver } from './ports.js'
export { CONNECT_CHANNEL, PORT_CHANNEL } from './protocol.js'
