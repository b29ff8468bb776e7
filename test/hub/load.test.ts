/** A model by its name, from a program. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { inspectRemote, pull } from '../../lib/hub/index.js'
import { Z1 } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { COMMIT, HubServer } from '../support/hub-server.js'
import { tableModel } from '../support/table-model.js'

const folder = temporaryFolder()
const before = { ...process.env }
let server: HubServer

beforeAll(async () => {
  server = await HubServer.open()
  const model = readFileSync(tableModel(folder(), 'quick', { rows: { '\n': '.' } }))
  server.repos.set('user/repo', { files: { 'm-Q4_K_M.gguf': model } })
  const { HF_TOKEN, HF_HUB_OFFLINE, ...env } = process.env
  process.env = { ...env, HF_ENDPOINT: server.url, HF_HUB_CACHE: folder('cache'), HF_HOME: folder('home') }
})
afterAll(() => {
  process.env = before
  server.close()
})

it('Z1.load() takes it from the cache, and brings it there only with download: true', async () => {
  const options = { model: 'user/repo:Q4_K_M', threads: 1 }
  await expect(Z1.load(options)).rejects.toMatchObject({
    name: 'Z1Error',
    code: 'MODEL_NOT_FOUND',
    message: expect.stringContaining('download: true'),
    // The stack is that of this call.
    stack: expect.stringContaining('load.test.ts'),
  })
  expect(server.seen).toEqual([])

  const steps: { done: number; total: number }[] = []
  await using z1 = await Z1.load({ ...options, download: true, onDownload: (progress) => steps.push(progress) })
  expect(z1.model.path).toBe(join(folder('cache'), 'models--user--repo', 'snapshots', COMMIT, 'm-Q4_K_M.gguf'))
  expect((await z1.reason('q')).text).toBe('.')
  expect(steps.at(-1)).toEqual({ done: steps[0]?.total, total: steps[0]?.total })

  const requests = server.seen.length
  await using again = await Z1.load({ ...options, download: true })
  await using third = await Z1.load({ ...options, model: 'hf:user/repo' })
  expect([again.model.path, third.model.path]).toEqual([z1.model.path, z1.model.path])
  expect(server.seen.length).toBe(requests)
})

it('a load ends with the signal, and with what onDownload throws', async () => {
  server.repos.set('user/other', server.repos.get('user/repo') as never)
  const options = { model: 'user/other', threads: 1, download: true }
  const reason = new Error('enough')
  await expect(Z1.load({ ...options, signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
  const onDownload = () => {
    throw reason
  }
  await expect(Z1.load({ ...options, onDownload })).rejects.toBe(reason)
})

it('pull() and inspectRemote() read the environment', async () => {
  expect(await inspectRemote('user/repo')).toMatchObject({
    name: 'user/repo:Q4_K_M',
    files: ['m-Q4_K_M.gguf'],
    header: { architecture: 'qwen2' },
  })
  const cache = folder('elsewhere')
  expect((await pull('user/repo', { cache })).path).toContain(cache)
  await expect(pull('user/repo', { revisions: 'x' } as never)).rejects.toThrow('did you mean revision?')
})
