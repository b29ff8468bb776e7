/** What the execution of an answer shows. */
import { oneLine } from '../../base/one-line.js'
import type { Ending, Stopped } from './program.js'
import type { Interpreter } from './tools.js'

/** A program that a model has written. */
export interface Answer {
  language: Interpreter['language']
  code: string
}

export interface Verdict {
  passed: boolean
  /** Why it did not pass: `timeout`, `wrong answer`, an exception; absent if it did. */
  reason?: string
}

export const PASSED: Verdict = { passed: true }

/** Characters of a reason at most. */
const MAX_REASON = 300

const REASONS: Record<Exclude<Stopped, 'abort'>, string> = {
  time: 'timeout',
  memory: 'memory limit',
  processes: 'limit of processes',
  output: 'output limit',
  done: 'ended without a result',
}

export function failed(reason: string): Verdict {
  return { passed: false, reason: oneLine(reason, MAX_REASON) }
}

/** Why a program ended before it gave its result. */
export function failedBy({ stopped, exitCode, stderr }: Ending): Verdict {
  if (stopped !== null && stopped !== 'abort') return failed(REASONS[stopped])
  const lines = stderr.split('\n').filter((line) => line.trim() !== '')
  // Node prints its version after an exception.
  const error = lines.reverse().find((line) => /^\w*(Error|Exception|Interrupt|Exit|Iteration)\b/.test(line))
  return failed(error ?? (exitCode === 0 ? 'ended without a result' : `exit code ${exitCode}`))
}

/** An exception as a program reports it. */
export function failedWith({ error, message }: { error?: unknown; message?: unknown }): Verdict {
  return failed(message === undefined || message === '' ? String(error) : `${error}: ${message}`)
}
