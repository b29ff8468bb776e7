/** examples/electron and the preload script of the documentation, without Electron: `npm run test:electron` runs it where there is one. */
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { CONNECT_CHANNEL, PORT_CHANNEL } from '../../lib/electron/index.js'

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))
const documented = /^```js\n(const \{ ipcRenderer \}.*?)^```/ms.exec(readFileSync(file('docs/electron.md'), 'utf8'))

it.each([
  ['examples/electron', readFileSync(file('examples/electron/preload.cjs'), 'utf8')],
  ['docs/electron.md', documented?.[1] ?? ''],
])('the preload script of %s hands on what its own page asks, and the port', (_where, script) => {
  const listeners: Record<string, (event: object) => void> = {}
  const sent: unknown[] = []
  const window = {
    addEventListener: (type: string, listener: (event: object) => void) => {
      listeners[type] = listener
    },
    postMessage: (...message: unknown[]) => sent.push(message),
  }
  const ipcRenderer = {
    send: (...message: unknown[]) => sent.push(message),
    on: (channel: string, listener: (event: object) => void) => {
      listeners[channel] = listener
    },
  }
  runInNewContext(script, { window, require: () => ({ ipcRenderer }) })
  listeners.message?.({ source: {}, data: CONNECT_CHANNEL })
  listeners.message?.({ source: window, data: 'other' })
  expect(sent).toEqual([])
  listeners.message?.({ source: window, data: CONNECT_CHANNEL })
  listeners[PORT_CHANNEL]?.({ ports: ['port'] })
  expect(sent).toEqual([[CONNECT_CHANNEL], [PORT_CHANNEL, '*', ['port']]])
})

it('without Electron, npm run test:electron says that it did not run', () => {
  const said = execFileSync(process.execPath, [file('scripts/test-electron.mjs')], {
    encoding: 'utf8',
    env: { ...process.env, Z1_ELECTRON: '/none' },
  })
  expect(said).toContain('Electron was not run')
})
