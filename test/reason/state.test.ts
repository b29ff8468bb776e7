/**
 * States in files: what is loaded spares the decoding and gives the same tokens, whatever is wrong with a file is an error that leaves
 * the model as it was, and a file is written whole or not at all.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { execPath } from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { Worker } from 'node:worker_threads'
import { beforeAll, describe, expect, it } from 'vitest'
import type { ChatMessage, LoadOptions, ReasonOptions, Z1 } from '../../lib/index.js'
import { testAdapter } from '../support/adapter.js'
import { temporaryFolder } from '../support/folder.js'
import { type Memory, memories, memoryLoader } from '../support/memories.js'
import { testModel } from '../support/models.js'
import { Random } from '../support/random.js'
import { codeOf } from '../support/rejection.js'

const folder = temporaryFolder()

const load = memoryLoader()

const user = (content: string): ChatMessage => ({ role: 'user', content })
const options: ReasonOptions = { thinkingWindow: 20, maxTokens: 6 }
const story = [user('A story of some length, which took a while to read. '.repeat(3))]
const turn = [...story, { role: 'assistant', content: '# is the answer.' } as const, user('Why is it?')]

/** With a window of attention a state ends one token before the prompt does. */
const cached = (name: Memory, promptTokens: number) => promptTokens - (name === 'olmo2' ? 1 : 0)

describe.each(memories)('%s', (name) => {
  it('goes on from a state of another load as from its own', async () => {
    const path = folder(`${name}.z1state`)
    const first = await load(name)
    const { usage } = await first.reason(story, options)
    await first.saveState(path)
    const expected = await first.reason(turn, { ...options, cachePrompt: false })
    await first.dispose()

    const z1 = await load(name)
    await z1.loadState(pathToFileURL(path))
    const result = await z1.reason(turn, options)
    expect(result.usage.cachedTokens).toBe(cached(name, usage.promptTokens))
    expect(result.tokens).toEqual(expected.tokens)
    // Again, over what is there now, and on the same prompt.
    await z1.loadState(path)
    const again = await z1.reason(story, options)
    expect(again.usage.cachedTokens).toBeGreaterThanOrEqual(usage.promptTokens - 1)
  })

  it.each([
    [{ parallel: 3 }, {}],
    [{}, { parallel: 2, branches: 1 }],
    [{ parallel: 2 }, { parallel: 3, kvCache: 'shared' }],
  ] as [LoadOptions, LoadOptions][])('between loads with other sequences (%j, %j)', async (from, to) => {
    const path = folder(`${name}-sequences.z1state`)
    const first = await load(name, from)
    // On the second sequence, where there is one.
    const stream = first.stream('Something else, for as long as it takes', { ...options, thinkingWindow: 40 })
    let asked = from.parallel === undefined ? stream.result.then(() => first.reason(story, options)) : undefined
    for await (const _ of stream) asked ??= first.reason(story, options)
    const { usage } = (await asked)!
    await first.saveState(path)
    const z1 = await load(name, to)
    await z1.loadState(path)
    const result = await z1.reason(turn, options)
    expect(result.usage.cachedTokens).toBe(cached(name, usage.promptTokens))
    expect(result.tokens).toEqual((await z1.reason(turn, { ...options, cachePrompt: false })).tokens)
  })

  it('takes no hostile bytes, also with a hash that is right', async () => {
    const path = folder(`${name}-hostile.z1state`)
    const z1 = await load(name)
    await z1.reason(story, options)
    await z1.saveState(path)
    const expected = await z1.reason(turn, { ...options, cachePrompt: false })
    const good = readFileSync(path)
    const body = bodyOf(good)
    const random = new Random(1, name)
    const codes = new Map<string, number>()
    for (let i = 0; i < 120; i++) {
      const bad = Buffer.from(good)
      // Most of what is not numbers of tensors stands at the beginning of a state.
      const spread = i % 3 === 0 ? bad.length - body - 40 : Math.min(bad.length - body - 40, 2600)
      for (let k = 0; k <= i % 4; k++) {
        const at = body + (random.uint32() % spread)
        const value = [random.uint32(), 0, 0xffffffff, 0x7fffffff, random.uint32() % 300][i % 5]!
        bad.writeUInt32LE(value, at - ((at - body) % 4))
      }
      writeFileSync(folder('bad'), hashed(bad))
      const code = await codeOf(z1.loadState(folder('bad')))
      codes.set(code, (codes.get(code) ?? 0) + 1)
      if (code === 'none') await z1.reason(story, options).catch(() => {})
    }
    const known = ['none', 'STATE_INVALID', 'STATE_MISMATCH', 'CONTEXT_TOO_SMALL']
    expect(known).toEqual(expect.arrayContaining([...codes.keys()]))
    expect(codes.get('STATE_INVALID')).toBeGreaterThan(20)
    expect(codes.get('none')).toBeGreaterThan(5)
    expect((await z1.reason(turn, { ...options, cachePrompt: false })).tokens).toEqual(expected.tokens)
    await z1.loadState(path)
    expect((await z1.reason(turn, options)).tokens).toEqual(expected.tokens)
  })
})

/** Where the state begins in a file. */
const bodyOf = (file: Buffer) => 16 + file.readUInt32LE(12)
/** With the hash that the rest has. */
function hashed(file: Buffer): Buffer {
  const rest = file.subarray(0, -32)
  return Buffer.concat([rest, createHash('sha256').update(rest).digest()])
}

describe('a file', () => {
  const path = () => folder('one.z1state')
  let z1: Z1
  let promptTokens: number
  beforeAll(async () => {
    z1 = await load('qwen2-bytes')
    promptTokens = (await z1.reason(story, options)).usage.promptTokens
    await z1.saveState(path())
  })

  /** The code, after which the model has what it had before. */
  async function refused(file: Buffer): Promise<string> {
    writeFileSync(folder('bad'), file)
    const code = await codeOf(z1.loadState(folder('bad')))
    const { usage } = await z1.reason(story, options)
    expect(usage.cachedTokens).toBe(promptTokens - 1)
    return code
  }

  it('that was cut short, or grew, or has another byte, is STATE_INVALID', async () => {
    const good = readFileSync(path())
    for (const length of [0, 1, 7, 8, 15, 16, 40, bodyOf(good), good.length - 33, good.length - 32, good.length - 1]) {
      expect(await refused(good.subarray(0, length)), String(length)).toBe('STATE_INVALID')
    }
    expect(await refused(Buffer.concat([good, Buffer.alloc(1)]))).toBe('STATE_INVALID')
    const random = new Random(3)
    for (let i = 0; i < 25; i++) {
      const bad = Buffer.from(good)
      const at = i < 8 ? i : random.uint32() % bad.length
      bad[at]! ^= 1 << (i % 8)
      // A bit of the header may say another model, or another form.
      expect(await refused(bad), String(at)).toMatch(at < bodyOf(good) ? /^STATE_/ : /^STATE_INVALID$/)
    }
  })

  it('that is none is STATE_INVALID', async () => {
    mkdirSync(folder('folder'), { recursive: true })
    for (const other of [folder('absent'), folder('folder'), testModel('qwen2-bytes', { endGain: 0 })]) {
      expect(await codeOf(z1.loadState(other))).toBe('STATE_INVALID')
    }
    for (const header of ['', 'null', '[]', '{}', '{"size":-1}', '{"size":1e300}', '{"size":"9"}', '{{']) {
      const prefix = Buffer.from('Z1STATE\n\x01\0\0\0\0\0\0\0', 'latin1')
      prefix.writeUInt32LE(header.length, 12)
      expect(await refused(hashed(Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(32)])))).toBe(
        'STATE_INVALID',
      )
    }
  })

  it('of another engine, another form or another model is STATE_MISMATCH', async () => {
    const good = readFileSync(path())
    const header = JSON.parse(good.toString('utf8', 16, bodyOf(good))) as Record<string, unknown>
    const changed = (more: object) => {
      const text = Buffer.from(JSON.stringify({ ...header, ...more }))
      const prefix = Buffer.from(good.subarray(0, 16))
      prefix.writeUInt32LE(text.length, 12)
      return hashed(Buffer.concat([prefix, text, good.subarray(bodyOf(good))]))
    }
    expect(await refused(changed({ engine: 'v0.4.0' }))).toBe('STATE_MISMATCH')
    expect(await refused(changed({ model: '0'.repeat(64) }))).toBe('STATE_MISMATCH')
    expect(await refused(changed({ lora: [] }))).toBe('none') // as it was
    const form = Buffer.from(good)
    form.writeUInt32LE(2, 8)
    expect(await refused(hashed(form))).toBe('STATE_MISMATCH')
  })

  it.each([
    ['another model', { model: testModel('qwen2-bytes', { endGain: 0, seed: 2 }) }, 'STATE_MISMATCH'],
    ['another type of cache', { cacheType: 'q8_0' }, 'STATE_MISMATCH'],
    ['another layout of V', { flashAttention: false }, 'STATE_INVALID'],
    ['a smaller context', { contextSize: 64 }, 'CONTEXT_TOO_SMALL'],
  ] as [string, LoadOptions, string][])('is not for %s', async (_, other, code) => {
    const second = await load('qwen2-bytes', other)
    const asked = { thinkingWindow: 5, maxTokens: 4, hint: 'So', template: false, cachePrompt: false }
    const before = await second.reason('Short', asked)
    expect(await codeOf(second.loadState(path()))).toBe(code)
    expect((await second.reason('Short', asked)).tokens).toEqual(before.tokens)
  })

  it('is for the same adapters with the same scales', async () => {
    const model = testModel('qwen2-bytes', { endGain: 0 })
    const adapter = testAdapter(folder(), 'a.gguf', model)
    const other = testAdapter(folder(), 'b.gguf', model, { seed: 2 })
    const adapted = await load('qwen2-bytes', { lora: { path: adapter, scale: 0.5 } })
    await adapted.reason(story, options)
    await adapted.saveState(folder('adapted'))
    expect(await codeOf(adapted.loadState(path()))).toBe('STATE_MISMATCH')
    for (const [lora, code] of [
      [{ path: adapter, scale: 0.5 }, 'none'],
      [
        [
          { path: adapter, scale: 0.5 },
          { path: other, scale: 0 },
        ],
        'none',
      ],
      [{ path: adapter, scale: 0.25 }, 'STATE_MISMATCH'],
      [{ path: other, scale: 0.5 }, 'STATE_MISMATCH'],
      [[], 'STATE_MISMATCH'],
    ] as const) {
      const z1 = await load('qwen2-bytes', { lora })
      expect(await codeOf(z1.loadState(folder('adapted'))), JSON.stringify(lora)).toBe(code)
    }
    const unscaled = await load('qwen2-bytes', { lora: { path: adapter, scale: 0 } })
    await unscaled.loadState(path())
    expect((await unscaled.reason(story, options)).usage.cachedTokens).toBe(promptTokens - 1)
  })

  it('can be saved once an adapter is there again', async () => {
    const adapter = testAdapter(folder(), 'moved.gguf', testModel('qwen2-bytes', { endGain: 0 }))
    const adapted = await load('qwen2-bytes', { lora: adapter })
    await adapted.reason(story, options)
    renameSync(adapter, folder('elsewhere.gguf'))
    await expect(adapted.saveState(folder('moved'))).rejects.toThrow(/moved\.gguf/)
    renameSync(folder('elsewhere.gguf'), adapter)
    await adapted.saveState(folder('moved'))
    await adapted.loadState(folder('moved'))
  })

  it('takes the place of another one whole, and leaves nothing else behind', async () => {
    writeFileSync(folder('there'), 'something')
    await z1.saveState(folder('there'))
    expect(readFileSync(folder('there'))).toEqual(readFileSync(path()))
    expect(readdirSync(folder()).filter((name) => name.endsWith('.tmp'))).toEqual([])
    await expect(z1.saveState(folder('no', 'folder'))).rejects.toThrow(/^Cannot write /)
    await expect(z1.saveState(folder('folder'))).rejects.toThrow(/not a regular file/)
  })

  it.each([[undefined], [7], [''], [null]])('%j is no path', async (given) => {
    await expect(z1.saveState(given as never)).rejects.toThrow(/^Expected file path or file: URL for path/)
    await expect(z1.loadState(given as never)).rejects.toThrow(/^Expected file path or file: URL for path/)
  })
})

describe('a model', () => {
  it('that has decoded nothing has nothing to save', async () => {
    const z1 = await load('qwen2-bytes')
    expect(await codeOf(z1.saveState(folder('empty')))).toBe('STATE_EMPTY')
    expect(readdirSync(folder())).not.toContain('empty')
  })

  it('that is busy saves what it has decoded, and loads when a sequence is free', async () => {
    const z1 = await load('qwen2-bytes')
    const { usage } = await z1.reason(story, options)
    await z1.saveState(folder('busy'))
    const order: string[] = []
    const stream = z1.stream('Something else, for as long as it takes', { ...options, thinkingWindow: 400 })
    let loading: Promise<void> | undefined
    for await (const event of stream) {
      if (event.type !== 'thinking' || loading) continue
      await z1.saveState(folder('partial'))
      order.push('saved')
      loading = z1.loadState(folder('busy')).then(() => void order.push('loaded'))
      void stream.result.then(() => order.push('done'))
    }
    await loading
    expect(order).toEqual(['saved', 'done', 'loaded'])
    expect((await z1.reason(story, options)).usage.cachedTokens).toBe(usage.promptTokens - 1)
    const other = await load('qwen2-bytes')
    await other.loadState(folder('partial'))
    const found = await other.reason('Something else, for as long as it takes', options)
    expect(found.usage.cachedTokens).toBe(found.usage.promptTokens - 1)
  })

  it('that was disposed does neither, before, meanwhile or after', async () => {
    const z1 = await load('qwen2-bytes')
    await z1.reason(story, options)
    await z1.saveState(folder('disposed'))
    const running = z1.stream('Something else, for as long as it takes', { ...options, thinkingWindow: 800 })
    const ended = codeOf(running.result)
    const events = running[Symbol.asyncIterator]()
    // Its first token is there: the only sequence is in use.
    await events.next()
    const waiting = codeOf(z1.loadState(folder('disposed')))
    for (let i = 0; i < 5; i++) await events.next()
    await z1.dispose()
    expect([await waiting, await ended]).toEqual(['DISPOSED', 'DISPOSED'])
    expect(await codeOf(z1.saveState(folder('disposed')))).toBe('DISPOSED')
    expect(await codeOf(z1.loadState(folder('disposed')))).toBe('DISPOSED')
  })

  it('whose state is on its way to many at once is saved whole', async () => {
    const z1 = await load('qwen2-bytes', { parallel: 2 })
    await z1.reason(story, options)
    await Promise.all([1, 2, 3].flatMap(() => [z1.saveState(folder('many')), z1.reason(turn, options)]))
    await z1.loadState(folder('many'))
    expect((await z1.reason(story, options)).usage.cachedTokens).toBeGreaterThan(0)
  })
})

const dist = new URL('../../dist/index.js', import.meta.url)
/** For a worker, or a process: saves, loads in a second model and says what was cached. */
const program = (path: string) => `
  const { Z1 } = await import(${JSON.stringify(dist.href)})
  const load = () => Z1.load({ model: ${JSON.stringify(testModel('qwen2-bytes', { endGain: 0 }))}, contextSize: 1024, threads: 1, engine: 'cpu' })
  const ask = (z1) => z1.reason(${JSON.stringify(story)}, { thinkingWindow: 5, maxTokens: 2 })
  const first = await load()
  await ask(first)
  let code = 'none'
  try { await first.saveState(${JSON.stringify(path)}) } catch (error) { code = error.code }
  const second = await load()
  if (code === 'none') await second.loadState(${JSON.stringify(path)})
  const { usage } = await ask(second)
  const result = JSON.stringify({ code, left: usage.promptTokens - usage.cachedTokens })
  await first.dispose()
  await second.dispose()
`

it('works in a worker', async () => {
  const code = `(async () => { ${program(folder('worker'))}; require('node:worker_threads').parentPort.postMessage(result) })()`
  const worker = new Worker(code, { eval: true })
  const result = await new Promise<string>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await worker.terminate()
  expect(JSON.parse(result)).toEqual({ code: 'none', left: 1 })
})

const hasLimits = process.platform === 'linux' && spawnSync('prlimit', ['--version']).status === 0
it.runIf(hasLimits)('a disk that is full is an error, and what was there stays', () => {
  const path = folder('full', 'state')
  mkdirSync(dirname(path))
  writeFileSync(path, 'what was there')
  const code = `${program(path)}; process.stdout.write(result)`
  const limited = ['--fsize=20000', execPath, '--input-type=module', '-e', code]
  const { stdout, status } = spawnSync('prlimit', limited, { encoding: 'utf8', cwd: fileURLToPath(new URL('.', dist)) })
  expect({ status, ...JSON.parse(stdout) }).toMatchObject({ status: 0, code: 'DISK_FULL' })
  expect(readFileSync(path, 'utf8')).toBe('what was there')
  expect(readdirSync(dirname(path))).toEqual(['state'])
  expect(statSync(path).size).toBe(14)
})
