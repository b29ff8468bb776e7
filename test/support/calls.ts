/**
 * Calls of the built library in a child process: what opens engines, and what might print or end the process. Fails when
 * the child prints a single byte, or does not end by itself.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { ChatMessage, LoadOptions, ReasonOptions } from '../../lib/index.js'

const child = fileURLToPath(new URL('calls.mjs', import.meta.url))

/** Loads a model, and keeps it under the name `as` or disposes it at once; or asks a model that was kept. */
export type Step =
  | { load: LoadOptions; as?: string }
  | { ask: string; input: string | ChatMessage[]; options?: ReasonOptions }

/** An error, or the engine's directory of a load, or the text of an answer. */
export type Outcome =
  | { value: string; name?: undefined; code?: undefined; message?: undefined }
  | { value?: undefined; name: string; code: string | undefined; message: string }

/** One outcome for each step. `uid` is the user that takes them. */
export async function calls(steps: Step[], { uid, cwd }: { uid?: number; cwd?: string } = {}): Promise<Outcome[]> {
  const process = fork(child, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], serialization: 'advanced', uid, cwd })
  let printed = ''
  for (const stream of [process.stdout, process.stderr]) {
    stream?.setEncoding('utf8').on('data', (text) => {
      printed += text
    })
  }
  let outcomes: Outcome[] = []
  process.once('message', (message: Outcome[]) => {
    outcomes = message
  })
  process.send(steps)
  const [status, signal] = await once(process, 'close')
  expect({ printed, status, signal }).toEqual({ printed: '', status: 0, signal: null })
  return outcomes
}
