/**
 * HumanEval's tests: a function `check` that calls a candidate and asserts. They run in one sandbox and the answer in
 * another; calls and results go through here as values. An answer can give wrong results, and nothing else.
 */
import { parseLine, startFunction } from './function-tests.js'
import type { Program } from './program.js'
import { CHECK } from './python.js'
import type { Sandbox } from './sandbox.js'
import type { TestOptions } from './script-tests.js'
import { failed, failedBy, failedWith, PASSED, type Verdict } from './verdict.js'

export interface CheckTest {
  /** Of the benchmark: what comes before the function's body. */
  prompt: string
  /** Defines `check`. */
  test: string
  /** Of the function. */
  name: string
}

/** @param code A program in Python that defines the function. @throws The signal's reason. */
export async function runCheck(
  sandbox: Sandbox,
  code: string,
  test: CheckTest,
  options: TestOptions,
): Promise<Verdict> {
  const { limits, signal } = options
  const answer = startFunction(sandbox, { language: 'python', code }, test.name, options)
  const tests = sandbox.start({ language: 'python', args: ['-sB', '-X', 'utf8', '-c', CHECK], limits, signal })
  tests.send(test)
  try {
    return await relay(answer, tests)
  } finally {
    answer.stop('done')
    tests.stop('done')
    await Promise.all([answer.ended, tests.ended])
    signal?.throwIfAborted()
  }
}

async function relay(answer: Program, tests: Program): Promise<Verdict> {
  const loaded = await next(answer)
  if (loaded === null || 'error' in loaded.message) {
    return loaded ? failedWith(loaded.message) : failedBy(await answer.ended)
  }
  for (;;) {
    const call = await next(tests)
    if (call === null) return failedBy(await tests.ended)
    const { message } = call
    if ('passed' in message) return message.passed === true ? PASSED : failed(String(message.reason))
    answer.sendLine(call.line)
    const result = await next(answer)
    if (result === null) return failedBy(await answer.ended)
    tests.sendLine(result.line)
  }
}

/** Null: it has ended, or wrote what is no message and is ended. */
async function next(program: Program): Promise<{ line: string; message: Record<string, unknown> } | null> {
  const line = await program.receive()
  const message = line === null ? null : parseLine(line)
  if (line === null || message === null) {
    program.stop('done')
    return null
  }
  return { line, message }
}
