/** Pulls in processes of their own: killed, two at once, and with a limit (npm test builds dist/). */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../support/folder.js'
import { COMMIT, describe, HubServer } from '../support/hub-server.js'
import { testRandom } from './bytes.js'

const program = fileURLToPath(new URL('child.mjs', import.meta.url))
const folder = temporaryFolder()
const content = testRandom(6_000_011, 1)
const { hash } = describe(content)
const file = 'm-Q4_K_M.gguf'
let server: HubServer
let cache: string
let caches = 0

beforeAll(async () => {
  server = await HubServer.open()
})
afterAll(() => server.close())
beforeEach(() => {
  server.reset()
  server.repos.set('user/repo', { files: { [file]: content } })
  cache = join(folder(), `cache-${caches++}`)
})

const environment = (): NodeJS.ProcessEnv => {
  const { HF_TOKEN, ...rest } = process.env
  return { ...rest, HF_HUB_CACHE: cache, HF_HOME: folder('home'), HF_ENDPOINT: server.url }
}

function start(command = [process.execPath, program]): ChildProcess {
  const [path = '', ...args] = command
  return spawn(path, [...args, 'user/repo'], { env: environment(), stdio: ['ignore', 'pipe', 'inherit'] })
}

async function finished(child: ChildProcess): Promise<{ status: number | null; result: Record<string, unknown> }> {
  let text = ''
  child.stdout?.setEncoding('utf8').on('data', (part) => {
    text += part
  })
  const status = await new Promise<number | null>((done) => child.on('close', done))
  return { status, result: text === '' ? {} : JSON.parse(text) }
}

const base = (...path: string[]) => join(cache, 'models--user--repo', ...path)
const partial = () => base('blobs', `${hash}.incomplete`)
const sizeNow = () => (existsSync(partial()) ? statSync(partial()).size : 0)

function expectRight() {
  expect(readFileSync(base('snapshots', COMMIT, file)).equals(content)).toBe(true)
  expect(readlinkSync(base('snapshots', COMMIT, file))).toBe(join('..', '..', 'blobs', hash))
  expect(readdirSync(base('blobs'))).toEqual([hash])
}

it('killed at 20 points, it goes on from there', async () => {
  // What is on its way when a process is killed is lost, so no more than half a megabyte is: a pull that held back more than that
  // would wait for ever.
  const paced = (most: number) => {
    server.fault = () => ({ mayReach: (end) => end <= Math.min(sizeNow() + 524_288, most) })
  }
  paced(content.length - 1) // so that none has all of it before it is killed
  for (let kill = 1; kill <= 20; kill++) {
    const child = start()
    const closed = finished(child)
    const goal = (kill * content.length) / 21
    // Not before it has gone on: the one before may have been late to be killed.
    while ((sizeNow() < goal || server.contents.length < kill) && child.exitCode === null) await sleep(2)
    child.kill('SIGKILL')
    expect((await closed).status).toBeNull()
    // What has no name yet cannot be taken for a model.
    expect(existsSync(base('snapshots'))).toBe(false)
  }
  paced(content.length)
  expect(await finished(start())).toMatchObject({ status: 0, result: { size: content.length } })
  expectRight()
  const requests = server.contents
  expect(requests.length).toBe(21)
  const starts = requests.map(({ range }) => Number(/\d+/.exec(range ?? '0')?.[0]))
  const refetched = requests.slice(1).map((_, i) => {
    return (starts[i] as number) + (requests[i]?.sent ?? 0) - (starts[i + 1] as number)
  })
  expect(Math.max(...refetched)).toBeLessThan(1e6)
  // What is on disk is never lost.
  expect(starts).toEqual([...starts].sort((a, b) => a - b))
})

it('two at once: one download, and both have it', async () => {
  server.fault = () => ({ pace: 10 })
  const children = [start(), start()].map(finished)
  for (const { status, result } of await Promise.all(children)) {
    expect(status).toBe(0)
    expect(result.path).toBe(base('snapshots', COMMIT, file))
  }
  expectRight()
  expect(server.contents.length).toBe(1)
  expect(readdirSync(join(cache, '.locks', 'models--user--repo'))).toEqual([])
})

it('one waits for another that is killed, and goes on with its download', async () => {
  // The first one gets no more than a megabyte, however late the second one is.
  server.fault = (_, n) => (n === 0 ? { mayReach: (end) => end <= 1_000_000 } : {})
  const first = start()
  const firstClosed = finished(first)
  while (sizeNow() < 500_000) await sleep(2)
  const second = finished(start())
  while (server.seen.filter(({ path }) => path.startsWith('/api/')).length < 2) await sleep(2)
  await sleep(200)
  expect(server.contents.length).toBe(1)
  first.kill('SIGKILL')
  await firstClosed
  expect((await second).status).toBe(0)
  expectRight()
  expect(server.contents.at(-1)?.range).toMatch(/^bytes=[1-9]\d{5,}-$/)
})

/** Files may grow to 2 MB, as on a disk that has no more room. */
const limited = ['prlimit', '--fsize=2000000', process.execPath, program]
const hasLimits = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0

it.runIf(hasLimits)('a disk that fills up is an error, and what came is kept', async () => {
  const { status, result } = await finished(start(limited))
  expect({ status, result }).toMatchObject({
    status: 1,
    result: { name: 'Z1Error', code: 'DISK_FULL', message: expect.stringContaining('What came is kept') },
  })
  expect(sizeNow()).toBe(2_000_000)
  expect((await finished(start())).status).toBe(0)
  expectRight()
  expect(server.contents.at(-1)?.range).toBe('bytes=2000000-')
})

it('offline, nothing is asked for', async () => {
  const child = spawn(process.execPath, [program, 'user/repo'], {
    env: { ...environment(), HF_HUB_OFFLINE: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  expect(await finished(child)).toMatchObject({
    status: 1,
    result: { code: 'REMOTE_REFUSED', message: expect.stringContaining('HF_HUB_OFFLINE') },
  })
  expect(server.seen).toEqual([])
})
