/**
 * Tests of a program that reads standard input and writes standard output: each a process of its own, whose output is
 * compared here. What a test expects never enters the sandbox.
 */
import * as javascript from './javascript.js'
import type { Limits } from './limits.js'
import { sameOutput } from './outputs.js'
import * as python from './python.js'
import type { Sandbox } from './sandbox.js'
import { type Answer, failed, failedBy, PASSED, type Verdict } from './verdict.js'

export interface ScriptTest {
  input: string
  output: string
}

export interface TestOptions {
  /** Of each process. */
  limits: Limits
  /** Python that runs before the answer, in its namespace. */
  prelude?: string | undefined
  signal?: AbortSignal | undefined
}

/** Ends at the first test that fails. @throws The signal's reason. */
export async function runScriptTests(
  sandbox: Sandbox,
  { language, code }: Answer,
  tests: readonly ScriptTest[],
  { limits, prelude = '', signal }: TestOptions,
): Promise<Verdict> {
  const args = language === 'python' ? ['-sB', '-X', 'utf8', '-c', python.SCRIPT] : ['-e', javascript.SCRIPT]
  for (const [i, { input, output }] of tests.entries()) {
    const program = sandbox.start({ language, args, limits, stdin: input, signal })
    program.send({ code, prelude })
    const ending = await program.ended
    signal?.throwIfAborted()
    const which = `test ${i + 1} of ${tests.length}`
    if (ending.stopped !== null || ending.exitCode !== 0) return failed(`${which}: ${failedBy(ending).reason}`)
    if (!sameOutput(ending.stdout, output)) return failed(`${which}: wrong answer`)
  }
  return PASSED
}
