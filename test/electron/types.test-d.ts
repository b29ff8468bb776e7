/** Electron's own types are what this room takes, checked by the compiler (`npm run types`); nothing here runs. */

import type { MessagePortMain, WebContents, WebFrameMain } from 'electron'
import * as electron from 'electron'
import { expectTypeOf } from 'vitest'
import { Z1Host } from '../../lib/electron/index.js'
import type { MainPort, ParentPort } from '../../lib/electron/ports.js'
import type { Reasoner } from '../../lib/index.js'

declare const contents: WebContents
declare const frame: WebFrameMain
declare const port: MessagePortMain

// As docs/electron.md has it: the module itself, and what sent a message.
const host = new Z1Host(electron, { serviceName: 'model' })
electron.ipcMain.on('z1-native:connect', (event) => host.connect(event.sender))
host.connect(contents)
host.connect(frame)
expectTypeOf(host.load({ contextSize: 512 })).resolves.toEqualTypeOf<Reasoner>()
expectTypeOf(port).toExtend<MainPort>()
// process.parentPort of a utility process.
expectTypeOf<Electron.ParentPort>().toExtend<ParentPort>()

// @ts-expect-error What has no utilityProcess is not Electron's main process.
new Z1Host({ MessageChannelMain: electron.MessageChannelMain })
