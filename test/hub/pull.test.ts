/** Pulls from a Hub on this machine that fails in every way that one can: the right file comes, or a named error, and never a wrong file. */
import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { HubClient } from '../../lib/hub/client.js'
import { fetchWanted, wantedOf } from '../../lib/hub/pull.js'
import { temporaryFolder } from '../support/folder.js'
import { COMMIT, describe as described, HubServer } from '../support/hub-server.js'
import { testRandom } from './bytes.js'

const folder = temporaryFolder()
let server: HubServer
let cache: string
let caches = 0

/** Not a whole number of anything. */
const content = testRandom(3_000_017, 1)
const second = testRandom(700_001, 2)
const { hash } = described(content)
const repo = 'user/repo'
const file = 'model-Q4_K_M.gguf'

beforeAll(async () => {
  server = await HubServer.open()
})
afterAll(() => server.close())
beforeEach(() => {
  server.reset()
  cache = join(folder(), `cache-${caches++}`)
  server.repos.set(repo, {
    license: 'apache-2.0',
    files: { 'README.md': Buffer.from('hello'), [file]: content, 'model-Q8_0.gguf': second },
  })
})

interface More {
  token?: string | null
  timeout?: number
  signal?: AbortSignal
  revision?: string
  onProgress?: (progress: { done: number; total: number }) => void
}

function pull(name = repo, { token = null, timeout = 5000, revision = 'main', signal, onProgress }: More = {}) {
  const client = new HubClient({ endpoint: server.url, token, timeout, pause: 1 })
  return fetchWanted(client, wantedOf(name, revision), { cache, revision, signal, onProgress })
}

const base = (...path: string[]) => join(cache, 'models--user--repo', ...path)

/** What Python's huggingface_hub would have left: https://huggingface.co/docs/huggingface_hub/guides/manage-cache */
function expectRight(path = base('snapshots', COMMIT, file), bytes = content) {
  expect(readFileSync(path).equals(bytes)).toBe(true)
  expect(readlinkSync(path)).toBe(join('..', '..', 'blobs', described(bytes).hash))
  expect(readFileSync(base('refs', 'main'), 'utf8')).toBe(COMMIT)
}

/** Nothing that has a name, or is a blob. */
function expectNothing() {
  expect(existsSync(base('snapshots'))).toBe(false)
  expect(existsSync(base('refs'))).toBe(false)
  expect(existsSync(base('blobs', hash))).toBe(false)
}

describe('pull', () => {
  it('puts a model where Python puts it, and says what it is', async () => {
    const steps: number[] = []
    const pulled = await pull(repo, { onProgress: ({ done, total }) => steps.push(done / total) })
    expect(pulled).toEqual({
      name: 'user/repo:Q4_K_M',
      repo,
      commit: COMMIT,
      license: 'apache-2.0',
      path: base('snapshots', COMMIT, file),
      files: [base('snapshots', COMMIT, file)],
      size: content.length,
      cached: 0,
    })
    expectRight()
    expect(readdirSync(base('blobs'))).toEqual([hash])
    expect(readdirSync(join(cache, '.locks', 'models--user--repo'))).toEqual([])
    expect(steps[0]).toBe(0)
    expect(steps.at(-1)).toBe(1)
    expect(steps).toEqual([...steps].sort((a, b) => a - b))
  })

  it('downloads nothing that is there', async () => {
    await pull()
    const requests = server.contents.length
    expect(await pull()).toMatchObject({ cached: content.length })
    expect(server.contents.length).toBe(requests)
  })

  it('a content that another commit has already is linked', async () => {
    await pull()
    const commit = 'beef'.padEnd(40, '1')
    server.repos.set(repo, { commit, files: { [file]: content } })
    const requests = server.contents.length
    expect(await pull()).toMatchObject({ commit, cached: content.length })
    expect(server.contents.length).toBe(requests)
    expect(readlinkSync(base('snapshots', commit, file))).toBe(join('..', '..', 'blobs', hash))
    expect(readFileSync(base('refs', 'main'), 'utf8')).toBe(commit)
  })

  it('small files are checked by the hash that git has for them', async () => {
    const small = Buffer.from('GGUF, but not much of it')
    server.repos.set(repo, { files: { 'm.gguf': small } })
    await pull('user/repo/m.gguf')
    expect(readdirSync(base('blobs'))).toEqual([described(small).hash])
    server.repos.set('user/bad', { files: { 'm.gguf': small } })
    server.fault = () => ({ wrongByte: 3 })
    await expect(pull('user/bad/m.gguf')).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' })
  })

  it('brings all parts of a model that was split, in folders too', async () => {
    const parts = [1, 2, 3].map((i) => testRandom(100_000 + i, i))
    const names = [1, 2, 3].map((i) => `big/m-Q8_0-0000${i}-of-00003.gguf`)
    server.repos.set(repo, { files: Object.fromEntries(names.map((name, i) => [name, parts[i] as Buffer])) })
    const { path, files, size } = await pull('user/repo:q8_0')
    expect(path).toBe(base('snapshots', COMMIT, 'big', 'm-Q8_0-00001-of-00003.gguf'))
    expect(size).toBe(300_006)
    for (const [i, part] of files.entries()) {
      expect(readFileSync(part).equals(parts[i] as Buffer)).toBe(true)
      expect(readlinkSync(part)).toBe(join('..', '..', '..', 'blobs', described(parts[i] as Buffer).hash))
    }
    server.repos.set(repo, { files: { [names[0] as string]: parts[0] as Buffer } })
    await expect(pull('user/repo:q8_0')).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: expect.stringContaining('lacks big/m-Q8_0-00002-of-00003.gguf'),
    })
  })

  it('a branch is kept by its name', async () => {
    await pull(repo, { revision: 'refs/pr/1' })
    expect(readFileSync(base('refs', 'refs', 'pr', '1'), 'utf8')).toBe(COMMIT)
    expect(existsSync(base('refs', 'main'))).toBe(false)
  })
})

describe('a connection that is lost', () => {
  it('20 times: what came is not fetched again', async () => {
    server.fault = (_, n) => (n < 20 ? { dropAfter: 131_072 } : undefined)
    await pull()
    expectRight()
    const sent = server.contents.reduce((sum, seen) => sum + seen.sent, 0)
    expect(sent).toBeLessThan(content.length + 1e6)
    expect(server.contents.slice(1).every(({ range }) => /^bytes=[1-9]\d*-$/.test(range ?? ''))).toBe(true)
  })

  it('20 times, to a server that always sends all of the file', async () => {
    server.fault = (_, n) => ({ ignoreRange: true, ...(n < 20 && { dropAfter: 131_072 * (n + 1) }) })
    await pull()
    expectRight()
  })

  it('at the same byte again and again is an error, and what came stays for the next pull', async () => {
    server.fault = () => ({ ignoreRange: true, dropAfter: 500_000 })
    await expect(pull()).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
    expectNothing()
    const { size } = statSync(base('blobs', `${hash}.incomplete`))
    expect(size).toBeGreaterThan(0)
    server.fault = () => undefined
    await pull()
    expectRight()
    expect(server.contents.at(-1)?.range).toBe(`bytes=${size}-`)
  })

  it('stalls: after a while it counts as lost', async () => {
    server.fault = (_, n) => (n < 3 ? { stallAfter: 400_000 } : undefined)
    await pull(repo, { timeout: 100 })
    expectRight()
    expect(server.contents.length).toBe(4)
  })
})

describe('what is not what it should be', () => {
  it('one wrong byte, once: it is fetched again', async () => {
    server.fault = (_, n) => (n === 0 ? { wrongByte: 2_000_000 } : undefined)
    await pull()
    expectRight()
  })

  it.each([
    0,
    1_500_000,
    content.length - 1,
  ])('a wrong byte %i, always: an error, and nothing is kept', async (wrongByte) => {
    server.fault = () => ({ wrongByte })
    await expect(pull()).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH', message: expect.stringContaining(file) })
    expectNothing()
    expect(readdirSync(base('blobs'))).toEqual([])
  })

  it('what an earlier run left is of another file', async () => {
    mkdirSync(base('blobs'), { recursive: true })
    writeFileSync(base('blobs', `${hash}.incomplete`), testRandom(1_000_000, 9))
    await pull()
    expectRight()
  })

  it('what an earlier run left is longer than the file', async () => {
    mkdirSync(base('blobs'), { recursive: true })
    writeFileSync(base('blobs', `${hash}.incomplete`), testRandom(content.length + 1, 9))
    await pull()
    expectRight()
  })

  it('a blob that was cut short is replaced', async () => {
    mkdirSync(base('blobs'), { recursive: true })
    writeFileSync(base('blobs', hash), content.subarray(0, 1000))
    await pull()
    expectRight()
  })

  it('a server that sends more than the file has', async () => {
    server.fault = () => ({ tail: Buffer.alloc(100_000) })
    await pull()
    expectRight()
  })

  it('a part that is another one than was asked for', async () => {
    server.fault = (_, n) =>
      n === 0
        ? { dropAfter: 1_000_000 }
        : n === 1
          ? { status: 206, headers: { 'content-range': `bytes 2000000-2000003/${content.length}` }, body: 'xxxx' }
          : undefined
    await pull()
    expectRight()
  })

  it('a part of a file of another size', async () => {
    server.fault = (_, n) =>
      n === 0
        ? { dropAfter: 1_000_000 }
        : n === 1
          ? { status: 206, headers: { 'content-range': 'bytes 0-3/4' }, body: 'xxxx' }
          : undefined
    await pull()
    expectRight()
  })

  it('a server that says that there is no rest', async () => {
    server.fault = ({ headers }, n) =>
      n === 0 ? { dropAfter: 1_000_000 } : headers.range ? { status: 416 } : undefined
    await pull()
    expectRight()
  })

  it('names that would leave the cache are no files', async () => {
    server.repos.set(repo, { files: { '../../evil.gguf': content, 'a/../../evil-Q4_K_M.gguf': content } })
    await expect(pull()).rejects.toMatchObject({
      message: 'The repository user/repo has no GGUF model: it has no GGUF models',
    })
  })
})

describe('what a server refuses', () => {
  const api = (status: number, code?: string, body = '') => {
    server.apiFault = () => ({ status, body, ...(code && { headers: { 'x-error-code': code } }) })
  }

  it.each([
    [
      'an unknown repository',
      404,
      'RepoNotFound',
      null,
      'MODEL_NOT_FOUND',
      /There is no repository user\/repo at 127.*HF_TOKEN/,
    ],
    [
      'an unknown one, to somebody without a token',
      401,
      'RepoNotFound',
      null,
      'MODEL_NOT_FOUND',
      /There is no repository/,
    ],
    ['401 without a token', 401, undefined, null, 'MODEL_NOT_FOUND', /or it is private.*HF_TOKEN/],
    ['401 with a token', 401, undefined, 'hf_secret', 'REMOTE_REFUSED', /refuses the token.*HF_TOKEN/],
    ['403', 403, undefined, 'hf_secret', 'REMOTE_REFUSED', /status 403/],
    ['404', 404, undefined, null, 'MODEL_NOT_FOUND', /There is no repository/],
    [
      'a gated one',
      401,
      'GatedRepo',
      null,
      'REMOTE_REFUSED',
      /gated: accept its conditions at http.*\/user\/repo, and set HF_TOKEN/,
    ],
    [
      'a gated one, with a token',
      403,
      'GatedRepo',
      'hf_secret',
      'REMOTE_REFUSED',
      /the token in use has to be of the account/,
    ],
    ['a revision', 404, 'RevisionNotFound', null, 'MODEL_NOT_FOUND', /has no revision main/],
    ['another status', 418, undefined, null, 'REMOTE_REFUSED', /status 418/],
  ] as const)('%s', async (_name, status, code, token, expected, message) => {
    api(status, code)
    const failure = await pull(repo, { token }).catch((error) => error)
    expect(failure).toMatchObject({ code: expected, message: expect.stringMatching(message) })
    expect(failure.message).not.toContain('secret')
    expect(server.seen.length).toBe(1)
    expect(existsSync(cache)).toBe(false)
  })

  it('a file that is gated, when it is asked for', async () => {
    server.repos.set(repo, { gated: true, files: { [file]: content } })
    await expect(pull()).rejects.toMatchObject({ code: 'REMOTE_REFUSED', message: expect.stringContaining('gated') })
    expectNothing()
    await pull(repo, { token: 'hf_secret' })
    expectRight()
  })

  it('a quantization that there is not: those there are', async () => {
    await expect(pull('user/repo:Q2_K')).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'The repository user/repo has no Q2_K: it has Q4_K_M, Q8_0',
    })
    await expect(pull('user/repo/other.gguf')).rejects.toMatchObject({
      message: 'The repository user/repo has no other.gguf: it has Q4_K_M, Q8_0',
    })
  })

  it.each([429, 500, 502, 503, 504, 408])('%i is asked again', async (status) => {
    server.apiFault = (_, n) => (n < 2 ? { status } : undefined)
    server.fault = (_, n) => (n % 2 === 0 && n < 6 ? { status } : n < 6 ? { dropAfter: 200_000 } : undefined)
    await pull()
    expectRight()
  })

  it.each([429, 503])('%i for ever is an error', async (status) => {
    server.fault = () => ({ status })
    await expect(pull()).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringContaining(`status ${status}`),
    })
    expectNothing()
    expect(server.contents.length).toBe(6)
  })

  it('waits as long as it is asked to', async () => {
    server.fault = (_, n) => (n === 0 ? { status: 429, headers: { 'retry-after': '1' } } : undefined)
    const start = performance.now()
    await pull()
    expect(performance.now() - start).toBeGreaterThan(990)
    expectRight()
  })

  it('but not for an hour', async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString()
    for (const wait of ['3600', date]) {
      server.fault = () => ({ status: 429, headers: { 'retry-after': wait } })
      await expect(pull()).rejects.toMatchObject({
        code: 'REMOTE_FAILED',
        message: expect.stringContaining('asks to wait'),
      })
    }
  })

  it.each([
    '<html>',
    '{}',
    '[]',
    'null',
    '{"sha":"../../x","siblings":[]}',
    '{"sha":7,"siblings":{}}',
    `{"sha":"${COMMIT}","siblings":[{"rfilename":"m-Q4_K_M.gguf"}]}`,
  ])('an answer that is %s', async (body) => {
    server.apiFault = () => ({ body })
    await expect(pull()).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
  })

  it('a machine that is offline', async () => {
    const client = new HubClient({ endpoint: 'http://127.0.0.1:9', token: null, timeout: 1000, pause: 1 })
    const failure = fetchWanted(client, wantedOf(repo, 'main'), {
      cache,
      revision: 'main',
      signal: undefined,
      onProgress: undefined,
    })
    await expect(failure).rejects.toMatchObject({
      code: 'REMOTE_FAILED',
      message: expect.stringMatching(/^Cannot reach 127.0.0.1:9: .*is this machine offline\?/),
    })
  })
})

describe('the token', () => {
  it('goes to the Hub, and not to where it redirects', async () => {
    server.redirects = true
    server.fault = (_, n) => (n < 3 ? { dropAfter: 500_000 } : undefined)
    await pull(repo, { token: 'hf_secret' })
    expectRight()
    const byHub = server.seen.filter(({ by }) => by === 'hub')
    const byStorage = server.seen.filter(({ by }) => by === 'storage')
    expect(byStorage.length).toBe(4)
    expect(byHub.every(({ authorization }) => authorization === 'Bearer hf_secret')).toBe(true)
    expect(byStorage.every(({ authorization }) => authorization === undefined)).toBe(true)
  })

  it('does not come back to the Hub over another host either, and redirects end', async () => {
    server.fault = (request) => ({
      status: 302,
      headers: {
        location: (request.headers.host === new URL(server.url).host ? server.storageUrl : server.url) + request.url,
      },
    })
    await expect(pull(repo, { token: 'hf_secret' })).rejects.toMatchObject({ code: 'REMOTE_FAILED' })
    const [, first, ...later] = server.seen
    expect(first?.authorization).toBe('Bearer hf_secret')
    const again = later.filter(({ by, authorization }) => by === 'storage' && authorization !== undefined)
    expect(again).toEqual([])
  })

  it.each(['ftp://127.0.0.1/x', 'file:///etc/passwd'])('a redirect to %s is not followed', async (location) => {
    server.fault = () => ({ status: 302, headers: { location } })
    await expect(pull()).rejects.toMatchObject({
      code: 'REMOTE_REFUSED',
      message: expect.stringContaining('which is not followed'),
    })
    expectNothing()
  })

  it('an address that expired at the storage is asked for anew', async () => {
    server.redirects = true
    server.fault = (_, n) => (n < 2 ? { status: 403 } : undefined)
    await pull(repo, { token: 'hf_secret' })
    expectRight()
  })
})

describe('the caller', () => {
  it('aborts: what came stays, and the next pull goes on', async () => {
    const controller = new AbortController()
    server.fault = () => ({ pace: 1 })
    const reason = new Error('enough')
    const onProgress = ({ done }: { done: number }) => done > 1e6 && controller.abort(reason)
    await expect(pull(repo, { signal: controller.signal, onProgress })).rejects.toBe(reason)
    expectNothing()
    const { size } = statSync(base('blobs', `${hash}.incomplete`))
    expect(size).toBeGreaterThan(1e6 - 1)
    await expect(pull(repo, { signal: controller.signal })).rejects.toBe(reason)
    await pull()
    expectRight()
    expect(server.contents.at(-1)?.range).toBe(`bytes=${size}-`)
  })

  it('aborts a wait', async () => {
    server.fault = () => ({ status: 429, headers: { 'retry-after': '60' } })
    const controller = new AbortController()
    setTimeout(() => controller.abort(new Error('enough')), 100)
    await expect(pull(repo, { signal: controller.signal })).rejects.toThrow('enough')
  })

  it('throws in onProgress: the pull rejects with it', async () => {
    const reason = new Error('no')
    const onProgress = ({ done }: { done: number }) => {
      if (done > 0) throw reason
    }
    await expect(pull(repo, { onProgress })).rejects.toBe(reason)
    expect(readdirSync(join(cache, '.locks', 'models--user--repo'))).toEqual([])
  })

  it.each([[''], ['model'], ['/tmp/x.gguf'], ['user/repo/../x.gguf']])('passes %j, which is no name', (name) => {
    expect(() => wantedOf(name, 'main')).toThrow(RangeError)
  })

  it('pulls the same twice at once: one download', async () => {
    server.fault = () => ({ pace: 2 })
    const [a, b] = await Promise.all([pull(), pull()])
    expect(a.path).toBe(b.path)
    expectRight()
    expect(server.contents.length).toBe(1)
  })
})

it('a disk without room is an error before the first byte', async () => {
  // No disk has this: the server says that the file is that large.
  server.apiFault = () => ({
    body: JSON.stringify({
      sha: COMMIT,
      siblings: [{ rfilename: file, size: 2 ** 52, lfs: { sha256: hash, size: 2 ** 52 } }],
    }),
  })
  await expect(pull()).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: expect.stringMatching(/^user\/repo:Q4_K_M needs 4194304.00 GiB more, and there are .* GiB free in /),
  })
  expect(server.contents.length).toBe(0)
})
