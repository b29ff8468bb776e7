/**
 * BigCodeBench's tests: a class `TestCases` of unittest in the process of the answer. What passes is run once more with a
 * function that raises after every call: who passes that too has not passed by what the function does.
 */
import { randomBytes } from 'node:crypto'
import { parseLine } from './function-tests.js'
import { UNITTEST } from './python.js'
import type { Sandbox } from './sandbox.js'
import type { TestOptions } from './script-tests.js'
import { failed, failedBy, PASSED, type Verdict } from './verdict.js'

export interface UnitTest {
  /** Defines `TestCases`. */
  test: string
  /** Of the function that they call. */
  name: string
}

/** @param code A program in Python that defines the function. @throws The signal's reason. */
export async function runUnitTests(
  sandbox: Sandbox,
  code: string,
  test: UnitTest,
  options: TestOptions,
): Promise<Verdict> {
  const verdict = await runOnce(sandbox, code, test, options, true)
  if (!verdict.passed) return verdict
  const control = await runOnce(sandbox, code, test, options, false)
  return control.passed ? failed('the tests pass whatever the function does') : PASSED
}

async function runOnce(
  sandbox: Sandbox,
  code: string,
  test: UnitTest,
  { limits, signal }: TestOptions,
  go: boolean,
): Promise<Verdict> {
  const program = sandbox.start({ language: 'python', args: ['-sB', '-X', 'utf8', '-c', UNITTEST], limits, signal })
  const secret = randomBytes(16).toString('hex')
  program.send({ code, ...test, secret })
  try {
    for (;;) {
      const line = await program.receive()
      if (line === null) return failedBy(await program.ended)
      const message = parseLine(line)
      if (message?.called === true) program.send({ go })
      else if (message?.secret !== secret) return failed('the answer forges a verdict')
      else return message.passed === true ? PASSED : failed(String(message.reason))
    }
  } finally {
    program.stop('done')
    await program.ended
    signal?.throwIfAborted()
  }
}
