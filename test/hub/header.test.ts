/** What is read of a model's file on the Hub is what llama.cpp reads of the file. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { HubClient } from '../../lib/hub/client.js'
import { type ModelHeader, readHeader } from '../../lib/hub/header.js'
import { repoInfo } from '../../lib/hub/repo.js'
import { findTags } from '../../lib/reason/tags.js'
import { inspectModel } from '../../lib/reason/vocabulary.js'
import { HubServer } from '../support/hub-server.js'
import { chatMlTemplate, testModel } from '../support/models.js'
import { testRandom } from './bytes.js'

let server: HubServer

beforeAll(async () => {
  server = await HubServer.open()
})
afterAll(() => server.close())
beforeEach(() => server.reset())

async function headerOf(content: Buffer): Promise<ModelHeader> {
  server.repos.set('u/r', { files: { 'm.gguf': content } })
  const client = new HubClient({ endpoint: server.url, token: null, timeout: 5000, pause: 1 })
  const subject = { kind: 'model', repo: 'u/r', revision: 'main' } as const
  const { files } = await repoInfo(client, subject)
  return readHeader(client, files.get('m.gguf') as never, subject)
}

it.each([
  ['qwen2-bytes', { template: `${chatMlTemplate}<think>` }],
  ['qwen2-vocab', { extraTokens: ['<think>', '</think>'], trainingContext: 4096 }],
  ['llama-spm', {}],
  ['mamba', {}],
] as const)('%s', async (name, options) => {
  const path = testModel(name, options as object)
  const expected = await inspectModel(path)
  const header = await headerOf(readFileSync(path))
  const { specialTokens, kvBytesPerToken, ...facts } = header
  expect(facts).toEqual({
    architecture: expected.architecture,
    trainingContext: expected.trainingContext,
    layers: expected.layers,
    vocabularySize: expected.vocabularySize,
    chatTemplate: expected.chatTemplate,
  })
  expect(findTags(header.chatTemplate, specialTokens)).toEqual(expected.tags)
  if (!expected.recurrent) expect(kvBytesPerToken).toBe(expected.kvBytesPerCell)
  // Of a file of 27 MB only the beginning.
  expect(server.contents.reduce((sum, { sent }) => sum + sent, 0)).toBeLessThan(9e6)
})

it.each([
  ['sends all of the file', () => ({ ignoreRange: true })],
  ['drops the connection 20 times', (n: number) => (n < 20 ? { dropAfter: 70_000 } : undefined)],
  ['does both', (n: number) => ({ ignoreRange: true, ...(n < 20 && { dropAfter: 70_000 * (n + 1) }) })],
] as const)('from a server that %s', async (_what, fault) => {
  const content = readFileSync(testModel('qwen2-vocab', {}))
  const expected = await headerOf(content)
  server.reset()
  server.fault = (_, n) => fault(n)
  expect(await headerOf(content)).toEqual(expected)
})

it.each([
  ['random bytes', testRandom(5000, 1)],
  ['a header without an end', readFileSync(testModel('qwen2-vocab', {})).subarray(0, 1_000_000)],
  ['nothing', Buffer.alloc(0)],
  ['counts that cannot be', Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(2000, 255)])],
  ['no architecture', Buffer.concat([Buffer.from('GGUF'), Buffer.from([3, 0, 0, 0]), Buffer.alloc(2000)])],
])('%s is no model', async (_name, content) => {
  await expect(headerOf(content)).rejects.toMatchObject({
    code: 'MODEL_INVALID',
    message: expect.stringContaining('m.gguf'),
  })
})
