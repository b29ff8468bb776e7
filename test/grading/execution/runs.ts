/** Answers that are executed in tests: short limits, and one sandbox for a file. */
import { BASE_LIMITS, type Limits } from '../../../lib/grading/execution/limits.js'
import { Sandbox } from '../../../lib/grading/execution/sandbox.js'
import { runScriptTests } from '../../../lib/grading/execution/script-tests.js'
import type { Verdict } from '../../../lib/grading/execution/verdict.js'

/** Time enough on a busy machine, unless a test is about time. */
export const limits: Limits = { ...BASE_LIMITS, wallMs: 30_000, cpuSeconds: 20 }

let opened: Promise<Sandbox> | undefined

export function sandbox(): Promise<Sandbox> {
  opened ??= Sandbox.open()
  return opened
}

/** A program that has to print `right`. */
export async function prints(code: string, given: Partial<Limits> = {}): Promise<Verdict> {
  return runScriptTests(await sandbox(), { language: 'python', code }, [{ input: '', output: 'right' }], {
    limits: { ...limits, ...given },
  })
}
