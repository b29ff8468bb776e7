import { appendFile, copyFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { type LoadOptions, type ReasonOptions, Z1 } from '../../lib/index.js'
import { ModelFile } from '../../lib/reason/model-file.js'
import { temporaryFolder } from '../support/folder.js'
import { testModel } from '../support/models.js'
import { codeOf } from '../support/rejection.js'

const folder = temporaryFolder()
const original = testModel('qwen2-bytes')
const other = testModel('qwen2-bytes', { seed: 2 })
const options: ReasonOptions = { template: false, thinkingWindow: 20, maxTokens: 5, cachePrompt: false }

async function loadCopy(name: string, more: LoadOptions = {}): Promise<{ z1: Z1; path: string }> {
  const path = join(folder(), `${name}.gguf`)
  await copyFile(original, path)
  return { z1: await Z1.load({ model: path, threads: 1, contextSize: 256, ...more }), path }
}

const changes: [string, (path: string) => Promise<void>][] = [
  ['cut short', (path) => truncate(path, 5000)],
  ['emptied', (path) => truncate(path)],
  ['overwritten by one of its size', (path) => copyFile(other, path)],
  ['written to', (path) => appendFile(path, 'more')],
  [
    'replaced, with its old time',
    async (path) => {
      await copyFile(original, `${path}.new`)
      await utimes(`${path}.new`, 1, 1)
      await utimes(path, 1, 1)
      await rename(`${path}.new`, path)
    },
  ],
]

describe('a file that was changed while its model is loaded', () => {
  it.each(changes)('%s: no request runs', async (how, change) => {
    const { z1, path } = await loadCopy(how)
    await z1.reason('hi', options)
    await change(path)
    await expect(z1.reason('hi', options)).rejects.toMatchObject({
      name: 'Z1Error',
      code: 'MODEL_CHANGED',
      message: `${path} has changed since the model was loaded: load it again`,
    })
    expect(await codeOf(z1.stream('hi', options).result)).toBe('MODEL_CHANGED')
    await z1.dispose()
  })

  it.each(changes)('%s, after all of it was read: the answer is the same', async (how, change) => {
    const { z1, path } = await loadCopy(`${how}-read`, { mmap: false })
    const { text } = await z1.reason('hi', options)
    await change(path)
    expect((await z1.reason('hi', options)).text).toBe(text)
    await z1.dispose()
  })

  it('deleted: the answer is the same', async () => {
    const { z1, path } = await loadCopy('deleted')
    const { text } = await z1.reason('hi', options)
    await rm(path)
    expect((await z1.reason('hi', options)).text).toBe(text)
    await z1.dispose()
  })
})

describe('a file in parts', () => {
  const part = (i: number) => join(folder(), `split-0000${i}-of-00003.gguf`)

  it('changes with each of them', async () => {
    for (const i of [1, 2, 3]) {
      for (const j of [1, 2, 3]) await writeFile(part(j), 'part')
      const file = await ModelFile.at(part(1))
      await file.check()
      await appendFile(part(i), 's')
      await expect(file.check()).rejects.toMatchObject({
        code: 'MODEL_CHANGED',
        message: expect.stringContaining(part(i)),
      })
    }
  })
})
