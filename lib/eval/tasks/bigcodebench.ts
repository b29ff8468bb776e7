/** The task `bigcodebench-hard`: functions in Python that use libraries, tested by unittest. */
import { readRows } from '../../base/formats.js'
import { BASE_LIMITS } from '../../grading/execution/limits.js'
import { runUnitTests, type UnitTest } from '../../grading/execution/unit-tests.js'
import { Columns } from './benchmark.js'
import { executed, lastProgram, scriptQuestion, sha256 } from './execution.js'

/** The original gives a test suite 240 seconds and 30 GiB of address space; a few of the libraries need much of both. */
const LIMITS = { ...BASE_LIMITS, wallMs: 240_000, cpuSeconds: 120, memoryBytes: 2 * BASE_LIMITS.memoryBytes }

interface Source extends UnitTest {
  /** Imports and the function's signature. */
  head: string
}

/** BigCodeBench-Hard, Instruct: rows with `task_id`, `instruct_prompt`, `code_prompt`, `canonical_solution`, `test`, `entry_point`. */
export const bigCodeBenchHard = executed<Source>({
  name: 'bigcodebench-hard',
  async *read(file) {
    for await (const row of readRows(file, undefined, 'jsonl')) {
      const columns = new Columns(row)
      const source = {
        head: columns.text('code_prompt'),
        test: columns.text('test'),
        name: columns.text('entry_point'),
      }
      const item = {
        id: columns.text('task_id'),
        question: scriptQuestion(columns.text('instruct_prompt')),
        answer: columns.text('canonical_solution'),
        testsSha256: sha256(source.head, source.test, source.name),
      }
      yield { item, source }
    }
  },
  program: ({ name }, text) =>
    lastProgram(text, ['python'], new RegExp(`^def[ \\t]+${name.replace(/\W/g, '')}\\b`, 'm')),
  run(sandbox, { code }, { head, test, name }, signal) {
    // As the original calibrates: imports that a response leaves out are those of the problem.
    const program = `${head.trimEnd()}\n    pass\n${code}\n`
    return runUnitTests(sandbox, program, { test, name }, { limits: LIMITS, signal })
  },
})
