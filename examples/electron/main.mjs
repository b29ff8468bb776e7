// The main process: starts the process with the model, and gives the window a port to it.
import { fileURLToPath, URL } from 'node:url'
import { app, BrowserWindow, ipcMain, MessageChannelMain, net, protocol, utilityProcess } from 'electron'
import { Z1Host } from 'z1-native/electron'

const folder = new URL('.', import.meta.url)
// What the page imports of z1-native is in the folder of this file's package; a bundler would put it into one file.
const library = new URL('../', import.meta.resolve('z1-native/electron'))

// Pages cannot import modules from files.
protocol.registerSchemesAsPrivileged([{ scheme: 'app', privileges: { standard: true, secure: true } }])

const host = new Z1Host({ utilityProcess, MessageChannelMain })
ipcMain.on('z1-native:connect', (event) => host.connect(event.sender))

await app.whenReady()
protocol.handle('app', ({ url }) => {
  const { pathname } = new URL(url)
  const [root, path] = pathname.startsWith('/z1-native/')
    ? [library, pathname.slice('/z1-native/'.length)]
    : [folder, pathname.slice(1)]
  // The URL parser has taken out every `..`.
  return net.fetch(new URL(`./${path}`, root).href)
})

const window = new BrowserWindow({
  show: !process.env.Z1_ELECTRON_TEST,
  webPreferences: { preload: fileURLToPath(new URL('preload.cjs', folder)) },
})
app.on('window-all-closed', () => app.quit())
await window.loadURL('app://example/index.html')

// npm run test:electron: the page shows its answer as its title.
window.on('page-title-updated', (_event, title) => {
  if (!process.env.Z1_ELECTRON_TEST || title === 'z1-native') return
  console.log(title)
  app.quit()
})

// Without `model` it is the demonstration model; a path, or the name of a pulled one, is another.
await host.load({ onProgress: (done) => window.setProgressBar(done < 1 ? done : -1) })
