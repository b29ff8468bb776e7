/** The exports of the addon, called as lib/ never calls them. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { testModel } from '../support/models.js'

test('no argument ends the process, prints, or leaves a generation without an end', async () => {
  const child = fork(fileURLToPath(new URL('call-addon.mjs', import.meta.url)), [testModel('qwen2-bytes')], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      printed += text
    })
  }
  let report: object | undefined
  child.once('message', (message: object) => {
    report = message
  })
  const [status, signal] = await once(child, 'close')
  expect({ printed, status, signal }).toEqual({ printed: '', status: 0, signal: null })
  expect(report).toMatchObject({ noErrors: [], unfinished: [], last: { type: 'done', promptTokens: 2 } })
  expect(report).not.toHaveProperty('failed')
  const { calls, refused } = report as { calls: number; refused: number }
  expect(calls).toBeGreaterThan(3000)
  expect(refused).toBeGreaterThan(calls / 2)
})
