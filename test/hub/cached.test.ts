/** The cache as a user has it: what was pulled is found, listed and removed; and Python's huggingface_hub agrees. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { findCached, listCached, removeCached } from '../../lib/hub/cached.js'
import { HubClient } from '../../lib/hub/client.js'
import { findModel } from '../../lib/hub/find-model.js'
import { fetchWanted, wantedOf } from '../../lib/hub/pull.js'
import { temporaryFolder } from '../support/folder.js'
import { COMMIT, describe as described, HubServer } from '../support/hub-server.js'
import { testRandom } from './bytes.js'

const folder = temporaryFolder()
const OTHER = 'feed'.padEnd(40, '2')
let cache: string
let caches = 0

beforeEach(() => {
  cache = join(folder(), `cache-${caches++}`)
  mkdirSync(cache)
})

/** A file in the cache as Python leaves it. */
function put(
  repo: string,
  commit: string,
  file: string,
  content: Buffer,
  { main = true, kind = 'model' } = {},
): string {
  const base = join(cache, `${kind}s--${repo.replace('/', '--')}`)
  const { hash } = described(content)
  const path = join(base, 'snapshots', commit, file)
  for (const each of [join(base, 'blobs'), join(base, 'refs'), dirname(path)]) mkdirSync(each, { recursive: true })
  writeFileSync(join(base, 'blobs', hash), content)
  symlinkSync(join(...file.split('/').map(() => '..'), '..', 'blobs', hash), path)
  if (main) writeFileSync(join(base, 'refs', 'main'), commit)
  return path
}

describe('findCached', () => {
  it('finds the model of a name, of the branch before others', async () => {
    const old = put('u/r', OTHER, 'm-Q4_K_M.gguf', testRandom(3000, 1), { main: false })
    await expect(findCached('u/r', { cache })).resolves.toBe(old)
    const now = put('u/r', COMMIT, 'm-Q4_K_M.gguf', testRandom(3000, 2))
    utimesSync(join(cache, 'models--u--r', 'snapshots', OTHER), 2 ** 31, 2 ** 31)
    await expect(findCached('u/r:q4_k_m', { cache })).resolves.toBe(now)
    await expect(findCached('hf:u/r/m-Q4_K_M.gguf', { cache })).resolves.toBe(now)
    // What only an older commit has is still there.
    const eight = put('u/r', OTHER, 'm-Q8_0.gguf', testRandom(3000, 3), { main: false })
    await expect(findCached('u/r:Q8_0', { cache })).resolves.toBe(eight)
    await expect(findCached('u/r:Q4_K_M', { cache, revision: OTHER })).resolves.toBe(old)
    await expect(findCached('u/r', { cache, revision: 'other' })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })

  it('takes no model that lacks a part, or whose content is gone', async () => {
    put('u/r', COMMIT, 'm-Q4_K_M-00001-of-00002.gguf', testRandom(3000, 1))
    await expect(findCached('u/r', { cache })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
    const first = join(cache, 'models--u--r', 'snapshots', COMMIT, 'm-Q4_K_M-00001-of-00002.gguf')
    put('u/r', COMMIT, 'm-Q4_K_M-00002-of-00002.gguf', testRandom(3000, 2))
    await expect(findCached('u/r', { cache })).resolves.toBe(first)
    symlinkSync(join('..', '..', 'blobs', 'gone'), join(dirname(first), 'm-Q8_0.gguf'))
    await expect(findCached('u/r:Q8_0', { cache })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: `u/r:Q8_0 is no file, and not in the cache ${cache}; of this repository there is u/r:Q4_K_M. z1 pull u/r:Q8_0 downloads it, or download: true`,
    })
  })

  it('of a benchmark too', async () => {
    const path = put('openai/gsm8k', COMMIT, 'main/test-00000-of-00001.parquet', testRandom(3000, 1), {
      kind: 'dataset',
    })
    await expect(findCached('gsm8k', { cache })).resolves.toBe(path)
    await expect(findCached('math500', { cache })).rejects.toThrow(
      `The benchmark math500 is not in the cache ${cache}: z1 pull math500 downloads it from HuggingFaceH4/MATH-500`,
    )
  })

  it('misuse is a TypeError or RangeError', async () => {
    await expect(findCached('nothing', { cache })).rejects.toThrow(RangeError)
    await expect(findCached(7 as never)).rejects.toThrow(TypeError)
    await expect(findCached('u/r', { caches: cache } as never)).rejects.toThrow(
      'Unknown option caches: did you mean cache?',
    )
    await expect(findCached('u/r', { revision: '../x' })).rejects.toThrow('Expected branch, tag or commit for revision')
  })
})

it('what is no name is none that could be found', async () => {
  for (const path of ['/models/m.gguf', './m.gguf', 'models/m.gguf', 'm.gguf']) {
    await expect(findModel(path, {})).resolves.toBeNull()
  }
})

describe('listCached and removeCached', () => {
  it('show models with all their parts, once', async () => {
    put('b/r', COMMIT, 'm-Q8_0-00001-of-00002.gguf', testRandom(3000, 1))
    put('b/r', COMMIT, 'm-Q8_0-00002-of-00002.gguf', testRandom(4000, 2))
    put('b/r', COMMIT, 'mmproj-F16.gguf', testRandom(2000, 3))
    put('b/r', COMMIT, 'config.json', Buffer.from('{}'))
    put('b/r', OTHER, 'm-Q8_0-00001-of-00002.gguf', testRandom(3000, 4), { main: false })
    put('a/r', COMMIT, 'm-Q4_K_M.gguf', testRandom(5000, 5))
    put('openai/gsm8k', COMMIT, 'main/test-0.parquet', testRandom(6000, 6), { kind: 'dataset' })
    put('some/data', COMMIT, 'test.parquet', testRandom(6000, 7), { kind: 'dataset' })
    const found = await listCached({ cache })
    expect(found.map(({ name, size, commit }) => ({ name, size, commit }))).toEqual([
      { name: 'a/r:Q4_K_M', size: 5000, commit: COMMIT },
      { name: 'b/r:Q8_0', size: 7000, commit: COMMIT },
      { name: 'gsm8k', size: 6000, commit: COMMIT },
    ])
    await expect(listCached({ cache: join(cache, 'none') })).resolves.toEqual([])
  })

  it('remove a model in every snapshot, and what nothing else has', async () => {
    const shared = testRandom(3000, 1)
    put('u/r', COMMIT, 'm-Q4_K_M.gguf', shared)
    put('u/r', OTHER, 'm-Q4_K_M.gguf', testRandom(4000, 2), { main: false })
    const config = put('u/r', COMMIT, 'config.json', Buffer.from('{}'))
    symlinkSync(join('..', '..', 'blobs', described(shared).hash), join(dirname(config), 'copy-F16.gguf'))
    await expect(removeCached('u/r', { cache })).rejects.toMatchObject({
      code: 'MODEL_NOT_FOUND',
      message: 'u/r is several models in the cache: name one of u/r:F16, u/r:Q4_K_M',
    })
    // The content of the first is that of another name, too.
    await expect(removeCached('u/r:Q4_K_M', { cache })).resolves.toBe(4000)
    const base = join(cache, 'models--u--r')
    expect(readdirSync(join(base, 'snapshots'))).toEqual([COMMIT])
    expect(readdirSync(join(base, 'blobs')).sort()).toEqual(
      [described(shared).hash, described(Buffer.from('{}')).hash].sort(),
    )
    expect(readFileSync(join(base, 'refs', 'main'), 'utf8')).toBe(COMMIT)
    await expect(removeCached('u/r', { cache })).resolves.toBe(3000)
    expect(readdirSync(join(base, 'snapshots', COMMIT))).toEqual(['config.json'])
    await expect(removeCached('u/r', { cache })).rejects.toMatchObject({ code: 'MODEL_NOT_FOUND' })
  })

  it('the last one takes its folder along, and a link elsewhere is no content', async () => {
    put('u/r', COMMIT, 'm-Q4_K_M.gguf', testRandom(3000, 1))
    const mine = join(folder(), 'mine.gguf')
    writeFileSync(mine, 'mine')
    symlinkSync(mine, join(cache, 'models--u--r', 'snapshots', COMMIT, 'x-Q8_0.gguf'))
    await removeCached('u/r:Q8_0', { cache })
    expect(readFileSync(mine, 'utf8')).toBe('mine')
    await removeCached('u/r:Q4_K_M', { cache })
    expect(readdirSync(cache)).toEqual([])
  })
})

/** .ci/run makes an environment where Python has it not. */
const own = fileURLToPath(new URL('../../out/python-hub/bin/python', import.meta.url))
const python = process.env.Z1_PYTHON ?? (existsSync(own) ? own : 'python3')
const missing = ((): string | undefined => {
  const { status, stderr, error } = spawnSync(python, ['-c', 'import huggingface_hub'], { encoding: 'utf8' })
  if (error) return error.message
  return status === 0 ? undefined : `${python}: ${stderr.trim().split('\n').at(-1)}`
})()
if (missing) console.log(`Not compared with Python's huggingface_hub: ${missing}`)

describe.skipIf(missing)("Python's huggingface_hub", () => {
  const content = testRandom(300_000, 5)
  const small = Buffer.from('{"small": true}')
  let server: HubServer

  beforeAll(async () => {
    server = await HubServer.open()
    const files = {
      'config.json': small,
      'd/m-Q8_0-00001-of-00002.gguf': content,
      'd/m-Q8_0-00002-of-00002.gguf': small,
    }
    server.repos.set('u/r', { files })
  })
  afterAll(() => server.close())

  async function run(code: string, more: Record<string, string> = {}): Promise<string> {
    const { HF_TOKEN, HF_HUB_OFFLINE, ...env } = process.env
    const child = spawn(python, ['-c', code], {
      env: {
        ...env,
        HF_HOME: join(folder(), 'home'),
        HF_HUB_CACHE: cache,
        HF_HUB_DISABLE_XET: '1',
        HF_HUB_DISABLE_TELEMETRY: '1',
        ...more,
      },
    })
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (part) => {
        texts[name] += part
      })
    }
    const status = await new Promise((done) => child.on('close', done))
    if (status !== 0) throw new Error(texts.stderr)
    return texts.stdout.trim()
  }

  it('finds offline what was pulled, and finds nothing wrong with it', async () => {
    const client = new HubClient({ endpoint: server.url, token: null, timeout: 5000, pause: 1 })
    const options = { cache, revision: 'main', signal: undefined, onProgress: undefined }
    const { files } = await fetchWanted(client, wantedOf('u/r', 'main'), options)
    const offline = { HF_HUB_OFFLINE: '1' }
    const found = await run(
      `from huggingface_hub import hf_hub_download
for i in (1, 2): print(hf_hub_download('u/r', f'd/m-Q8_0-0000{i}-of-00002.gguf'))`,
      offline,
    )
    expect(found.split('\n')).toEqual(files)
    const scan = await run(
      `from huggingface_hub import scan_cache_dir
import json
info = scan_cache_dir()
print(json.dumps([len(info.warnings), info.size_on_disk, [(r.repo_id, [(v.commit_hash, sorted(v.refs)) for v in r.revisions]) for r in info.repos]]))`,
      offline,
    )
    expect(JSON.parse(scan)).toEqual([0, content.length + small.length, [['u/r', [[COMMIT, ['main']]]]]])
  })

  it('pulls what is then found here', async () => {
    await run(
      `from huggingface_hub import hf_hub_download
for name in ('config.json', 'd/m-Q8_0-00001-of-00002.gguf', 'd/m-Q8_0-00002-of-00002.gguf'): hf_hub_download('u/r', name)`,
      { HF_ENDPOINT: server.url },
    )
    const path = await findCached('u/r:Q8_0', { cache })
    expect(readFileSync(path).equals(content)).toBe(true)
    expect((await listCached({ cache })).map(({ name, size }) => [name, size])).toEqual([
      ['u/r:Q8_0', content.length + small.length],
    ])
    const requests = server.contents.length
    const client = new HubClient({ endpoint: server.url, token: null, timeout: 5000, pause: 1 })
    const options = { cache, revision: 'main', signal: undefined, onProgress: undefined }
    await fetchWanted(client, wantedOf('u/r:Q8_0', 'main'), options)
    expect(server.contents.length).toBe(requests)
    await removeCached('u/r:Q8_0', { cache })
    expect(existsSync(path)).toBe(false)
  })
})
