/**
 * Tests of a function: calls in one process, as LiveCodeBench makes them, whose results are compared here. What a test
 * expects never enters the sandbox.
 */
import * as javascript from './javascript.js'
import type { Program } from './program.js'
import * as python from './python.js'
import type { Sandbox } from './sandbox.js'
import type { TestOptions } from './script-tests.js'
import { type Encoded, type Expected, parseExpected, sameResult } from './values.js'
import { type Answer, failed, failedBy, failedWith, PASSED, type Verdict } from './verdict.js'

export interface FunctionTest {
  /** JSON of each argument. */
  args: readonly string[]
  /** JSON of the result. */
  result: string
}

export interface FunctionOptions extends TestOptions {
  name: string
  /** Milliseconds for each call, and for loading the answer. The limits are those of all calls together. */
  callMs: number
}

/** Ends at the first test that fails. @throws The signal's reason. */
export async function runFunctionTests(
  sandbox: Sandbox,
  answer: Answer,
  tests: readonly FunctionTest[],
  { name, callMs, ...options }: FunctionOptions,
): Promise<Verdict> {
  const expected = tests.map(({ result }) => parseExpected(result))
  const program = startFunction(sandbox, answer, name, { ...options, method: true })
  try {
    const loaded = await reply(program, callMs)
    if (loaded === null || 'error' in loaded) return loaded ? failedWith(loaded) : failedBy(await program.ended)
    for (const [i, { args }] of tests.entries()) {
      program.send({ texts: args })
      const result = await reply(program, callMs)
      const which = `test ${i + 1} of ${tests.length}`
      if (result === null) return failed(`${which}: ${failedBy(await program.ended).reason}`)
      if ('error' in result) return failed(`${which}: ${failedWith(result).reason}`)
      if (!sameResult(result.value as Encoded, expected[i] as Expected)) return failed(`${which}: wrong answer`)
    }
    return PASSED
  } finally {
    program.stop('done')
    await program.ended
    options.signal?.throwIfAborted()
  }
}

/** Starts an answer that takes calls of a function. Its first line is `{ ready: true }` or an error. */
export function startFunction(
  sandbox: Sandbox,
  { language, code }: Answer,
  name: string,
  { limits, prelude = '', signal, method = false }: TestOptions & { method?: boolean },
): Program {
  const args = language === 'python' ? ['-sB', '-X', 'utf8', '-c', python.FUNCTION] : ['-e', javascript.FUNCTION]
  const program = sandbox.start({ language, args, limits, signal })
  program.send({ code, prelude, name, method })
  return program
}

/** Null: there is none, or it is no object. */
async function reply(program: Program, withinMs: number): Promise<Record<string, unknown> | null> {
  const line = await program.receive(withinMs)
  const message = line === null ? null : parseLine(line)
  if (message === null) program.stop('done')
  return message
}

/** What an answer's process wrote, which may be anything. Null: no object. */
export function parseLine(line: string): Record<string, unknown> | null {
  try {
    const message: unknown = JSON.parse(line)
    return typeof message === 'object' && !Array.isArray(message) ? (message as Record<string, unknown> | null) : null
  } catch {
    return null
  }
}
