/**
 * A page in Chromium imports what pages import, as it was compiled, and asks the embedded model over a port of its own. What lies
 * between the page's port and the host's, which Electron carries, is carried by Playwright here.
 */
import { existsSync, readFileSync } from 'node:fs'
import { MessageChannel } from 'node:worker_threads'
import { type Browser, chromium } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { ServedPort } from '../../lib/electron/serve.js'
import { type ReasonResult, Z1 } from '../../lib/index.js'

const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)
const dist = new URL('../../dist/', import.meta.url)

let z1: Z1
let browser: Browser | undefined
beforeAll(async () => {
  z1 = await Z1.load({ threads: 1, contextSize: 1024 })
  if (program) browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox'] })
})
afterAll(async () => {
  await browser?.close()
  await z1.dispose()
})

/** Runs in the page: the preload script, and what the page does. */
const script = `(async () => {
  addEventListener('message', ({ source, data }) => {
    if (source !== window || data !== 'z1-native:connect') return
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = ({ data }) => toHost(data)
    window.fromHost = (message) => port1.postMessage(message)
    window.postMessage('z1-native:port', '*', [port2])
    toHost('connected')
  })
  const { connectModel } = await import('/electron/renderer.js')
  const model = await connectModel()
  const stream = model.stream('What is 12 + 30?', { thinkingWindow: 16, maxTokens: 32 })
  const types = new Set()
  for await (const { type } of stream) types.add(type)
  const failure = await model.reason('x', { thinkingWindow: -1 }).catch((error) => error)
  const lost = await model.reason('x '.repeat(4000)).catch((error) => error)
  await model.dispose()
  const gone = await model.tokenize('x').catch((error) => error)
  return {
    types: [...types],
    result: await stream.result,
    failure: [failure instanceof RangeError, failure.message],
    codes: [lost.code, gone.code],
  }
})()`

it('a page asks the model as it would a Z1', async (context) => {
  if (!browser) return context.skip('there is no Chromium: apt-get install chromium')
  const page = await browser.newPage()
  await page.route('http://app.test/**', async (route) => {
    const { pathname } = new URL(route.request().url())
    if (pathname === '/') await route.fulfill({ contentType: 'text/html', body: '<title>page</title>' })
    else
      await route.fulfill({ contentType: 'text/javascript', body: readFileSync(new URL(`.${pathname}`, dist), 'utf8') })
  })
  const { port1, port2 } = new MessageChannel()
  await page.exposeFunction('toHost', (message: unknown) => {
    if (message === 'connected') new ServedPort(z1, port1, () => {})
    else port2.postMessage(message)
  })
  port2.on('message', (message) => void page.evaluate(`((message) => fromHost(message))(${JSON.stringify(message)})`))
  await page.goto('http://app.test/')
  const said = (await page.evaluate(script)) as {
    types: string[]
    result: ReasonResult
    failure: unknown
    codes: unknown
  }
  const here = await z1.reason('What is 12 + 30?', { thinkingWindow: 16, maxTokens: 32 })
  expect(said.types).toEqual(['thinking', 'cut', 'answer', 'done'])
  expect(said.result).toMatchObject({ text: here.text, answer: here.answer, ended: 'window' })
  expect(said.failure).toEqual([true, expect.stringContaining('for thinkingWindow but received -1')])
  expect(said.codes).toEqual(['CONTEXT_TOO_SMALL', 'DISPOSED'])
  port2.close()
})
