/** The main process, pages and a real child process in place of Electron's utility process, on the embedded model. */
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { Z1Host } from '../../lib/electron/index.js'
import { connectModel } from '../../lib/electron/renderer.js'
import { Z1Error } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { rejection } from '../support/rejection.js'
import { crash, type StandIn, StandInPage, standIn } from '../support/utility-process.js'

const folder = temporaryFolder()
const options = { threads: 1, contextSize: 2048 }
const question = 'What is 12 + 30?'
const short = { thinkingWindow: 8, maxTokens: 16 }
// Without its two tokens that end a response.
const endless = { thinkingWindow: 1500, maxTokens: 8, logitBias: { 701: -Infinity, 703: -Infinity } }

let electron: StandIn
let host: Z1Host
beforeEach(() => {
  electron = standIn()
  host = new Z1Host(electron)
})
afterEach(() => host.dispose())

const page = () => new StandInPage((receiver) => host.connect(receiver))

describe('Z1Host', () => {
  it('loads a model in another process, which main process and pages ask', async () => {
    const progress: number[] = []
    const z1 = await host.load({ ...options, onProgress: (done) => progress.push(done) })
    expect(progress.at(-1)).toBe(1)
    expect(z1.model).toMatchObject({ contextSize: 2048, threads: 1 })
    const near = await z1.reason(question, short)
    const far = await connectModel({ page: page() })
    expect(far.model).toEqual(z1.model)
    expect(await far.reason(question, { ...short, cachePrompt: false })).toMatchObject({ text: near.text })
    expect(electron.processes.length).toBe(1)
  })

  it('a page that asks first gets its port when a model is loaded, and each that asks gets its own', async () => {
    const one = page()
    const asked = [connectModel({ page: one }), connectModel({ page: one }), connectModel({ page: page() })]
    await sleep(20)
    const z1 = await host.load(options)
    const reasoners = await Promise.all(asked)
    await reasoners[0]?.dispose()
    expect(await rejection((reasoners[0] as typeof z1).tokenize('x'))).toMatchObject({ code: 'DISPOSED' })
    for (const reasoner of [...reasoners.slice(1), z1]) expect(await reasoner.tokenize('x')).toBeInstanceOf(Array)
  })

  it('what other frames send is no port, and waiting can be ended', async () => {
    const window = page()
    const abort = new AbortController()
    const waiting = connectModel({ page: window, signal: abort.signal })
    window.postMessage('z1-native:port', '*', {})
    await sleep(20)
    abort.abort(new Error('enough'))
    expect(await rejection(waiting)).toMatchObject({ message: 'enough' })
  })

  it('a load that fails says why, and ends its process', async () => {
    const error = (await rejection(host.load({ ...options, model: folder('none.gguf') }))) as Z1Error
    expect(error).toBeInstanceOf(Z1Error)
    expect(error).toMatchObject({ code: 'MODEL_NOT_FOUND', message: expect.stringContaining('none.gguf') })
    expect(error.stack).toContain('host.test.ts')
    // A URL too.
    const url = pathToFileURL(folder('no.gguf'))
    await expect(host.load({ ...options, model: url })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    for (const { exitCode, signalCode } of electron.processes) expect(exitCode ?? signalCode).not.toBeNull()
  })

  it('misuse starts no process', async () => {
    await expect(host.load({ threads: 0 })).rejects.toThrow(RangeError)
    expect(() => new Z1Host({} as never)).toThrow('Expected utilityProcess and MessageChannelMain of Electron')
    expect(() => new Z1Host(electron, { name: 'x' } as never)).toThrow('Unknown option name')
    expect(electron.processes).toEqual([])
  })

  it('a signal, and a callback that throws, end a load with their reason', async () => {
    const abort = new AbortController()
    const aborted = rejection(host.load({ ...options, signal: abort.signal }))
    setTimeout(() => abort.abort(new Error('enough')), 5)
    expect(await aborted).toMatchObject({ message: 'enough' })
    const onProgress = () => {
      throw new RangeError('mine')
    }
    expect(await rejection(host.load({ ...options, onProgress }))).toMatchObject({ message: 'mine' })
    for (const { exitCode, signalCode } of electron.processes) expect(exitCode ?? signalCode).not.toBeNull()
  })
})

describe('an end of the process', () => {
  it('a crash rejects what runs, in pages too, and the next load starts another', async () => {
    const z1 = await host.load(options)
    const window = page()
    const far = await connectModel({ page: window })
    const running = [z1.reason(question, endless), far.reason(question, endless)].map(rejection)
    await z1.tokenize('x')
    await crash(electron.processes[0])
    for (const error of await Promise.all(running)) {
      expect(error).toBeInstanceOf(Z1Error)
      expect(error).toMatchObject({ code: 'HOST_EXITED' })
    }
    expect(await rejection(z1.tokenize('x'))).toMatchObject({ code: 'HOST_EXITED' })
    const again = connectModel({ page: window })
    const next = await host.load(options)
    expect((await next.reason(question, short)).text).toBe((await (await again).reason(question, short)).text)
    expect(electron.processes.length).toBe(2)
  })

  it('a crash while it loads rejects the load', async () => {
    const loading = rejection(host.load(options))
    await crash(electron.processes[0])
    expect(await loading).toMatchObject({ code: 'HOST_EXITED' })
    expect(await (await host.load(options)).tokenize('')).toEqual([])
  })

  it('dispose() rejects what runs with DISPOSED, everywhere', async () => {
    const z1 = await host.load(options)
    const far = await connectModel({ page: page() })
    const running = [z1.reason(question, endless), far.reason(question, endless)].map(rejection)
    await far.tokenize('x')
    await z1.dispose()
    for (const error of await Promise.all(running)) expect(error).toMatchObject({ code: 'DISPOSED' })
    expect(await rejection(z1.tokenize('x'))).toMatchObject({ code: 'DISPOSED' })
    expect(electron.processes[0]?.signalCode).toBe('SIGTERM')
    // The host goes on.
    expect(await (await host.load(options)).tokenize('')).toEqual([])
  })

  it('another load disposes the one before, loaded or not', async () => {
    const first = await host.load(options)
    const running = rejection(first.reason(question, endless))
    await first.tokenize('x')
    const [second, third] = [rejection(host.load(options)), host.load({ ...options, contextSize: 512 })]
    expect(await running).toMatchObject({ code: 'DISPOSED' })
    expect(await second).toMatchObject({ code: 'DISPOSED' })
    expect((await third).model.contextSize).toBe(512)
    await host.dispose()
    expect(await rejection(host.load(options))).toMatchObject({ code: 'DISPOSED' })
    for (const { exitCode, signalCode } of electron.processes) expect(exitCode ?? signalCode).not.toBeNull()
  })
})

it('what a page imports needs nothing of Node', () => {
  const dist = new URL('../../dist/electron/', import.meta.url)
  expect(readdirSync(dist)).toContain('renderer.js')
  const seen = new Set<string>()
  const visit = (file: URL): void => {
    if (seen.has(file.href)) return
    seen.add(file.href)
    for (const [, name = ''] of readFileSync(file, 'utf8').matchAll(/(?:from|import\()\s*['"]([^'"]+)['"]/g)) {
      expect(name, file.pathname).toMatch(/^\.\.?\//)
      visit(new URL(name, file))
    }
  }
  visit(new URL('renderer.js', dist))
  expect(seen.size).toBeGreaterThan(5)
})
