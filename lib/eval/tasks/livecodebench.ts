/** The task `livecodebench`: programs that read and write, and methods, from programming contests. */
import { readRows } from '../../base/formats.js'
import { type Position, type Row, START } from '../../base/rows.js'
import { type FunctionTest, runFunctionTests } from '../../grading/execution/function-tests.js'
import { BASE_LIMITS } from '../../grading/execution/limits.js'
import { runScriptTests, type ScriptTest } from '../../grading/execution/script-tests.js'
import { Columns } from './benchmark.js'
import { executed, lastProgram, sha256 } from './execution.js'
import { readTests, type StoredTest } from './livecodebench-tests.js'

/** The original gives a test 6 seconds of a machine that does nothing else. */
const CPU_SECONDS = 6
const WALL_MS = 2_000 * CPU_SECONDS

/** What the original imports before an answer. */
const PRELUDE = [
  ...'string re datetime collections heapq bisect copy math random statistics itertools functools operator io sys json builtins typing'
    .split(' ')
    .map((name) => `from ${name} import *`),
  'import string, re, datetime, collections, heapq, bisect, copy, math, random, statistics, itertools, functools, operator, io, sys, json',
  'sys.setrecursionlimit(50000)',
].join('\n')

interface Source {
  /** Of the function or method to call; null: the program reads standard input. */
  name: string | null
  /** Read again for each grading, as those of all problems would fill the memory. */
  tests(): Promise<StoredTest[]>
}

/**
 * LiveCodeBench's code generation: rows with `question_id`, `question_content`, `starter_code`, `platform`, `difficulty`,
 * `public_test_cases`, `private_test_cases` and `metadata`, as the benchmark publishes them.
 */
export const liveCodeBench = executed<Source>({
  name: 'livecodebench',
  async *read(file) {
    let position: Position = START
    for await (const row of readRows(file, undefined, 'jsonl')) {
      const from = position
      position = row.next
      const columns = new Columns(row)
      const stored = testsIn(columns)
      // Standard input is read once.
      const tests = file === '-' ? testsOf(columns) : undefined
      const item = {
        id: columns.text('question_id'),
        question: questionOf(columns.text('question_content'), columns.textOrNone('starter_code')),
        answer: 'passes all tests',
        groups: { platform: columns.text('platform'), difficulty: columns.text('difficulty') },
        testsSha256: sha256(...stored),
      }
      const source = { name: functionName(columns), tests: async () => tests ?? testsOf(await readAgain(file, from)) }
      yield { item, source }
    }
  },
  program: ({ name }, text) =>
    lastProgram(
      text,
      ['python', 'javascript'],
      name === null ? undefined : new RegExp(`\\b${name.replace(/\W/g, '')}\\b`),
    ),
  async run(sandbox, answer, { name, tests: read }, signal) {
    const tests = await read()
    const base = { prelude: PRELUDE, signal }
    if (name === null) {
      const limits = { ...BASE_LIMITS, wallMs: WALL_MS, cpuSeconds: CPU_SECONDS }
      return runScriptTests(sandbox, answer, tests satisfies ScriptTest[], { ...base, limits })
    }
    const calls = tests.map(({ input, output }): FunctionTest => ({ args: input.split('\n'), result: output }))
    const times = calls.length + 1
    const limits = { ...BASE_LIMITS, wallMs: times * WALL_MS, cpuSeconds: times * CPU_SECONDS }
    return runFunctionTests(sandbox, answer, calls, { ...base, name, callMs: WALL_MS, limits })
  },
})

/** The benchmark's text for Qwen's coders, which the paper evaluates with. */
function questionOf(content: string, starterCode: string): string {
  const format =
    starterCode !== ''
      ? 'You will use the following starter code to write the solution to the problem and enclose your code within delimiters.'
      : 'Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the sample inputs). ' +
        'Enclose your code within delimiters as follows.'
  return (
    'You will be given a question (problem specification) and will generate a correct Python program that matches the ' +
    'specification and passes all tests. You will NOT return anything except for the program.\n\n' +
    `Question: ${content}\n\n${format}\n\`\`\`python\n${starterCode !== '' ? starterCode : '# YOUR CODE HERE'}\n\`\`\`\n\n`
  )
}

function testsIn(columns: Columns): string[] {
  return [columns.text('public_test_cases'), columns.text('private_test_cases')]
}

function testsOf(columns: Columns): StoredTest[] {
  return readTests(testsIn(columns), columns.location)
}

function functionName(columns: Columns): string | null {
  const metadata = columns.textOrNone('metadata')
  let name: unknown
  try {
    name = metadata === '' ? undefined : JSON.parse(metadata)?.func_name
  } catch {
    throw columns.wrong('JSON', 'metadata')
  }
  if (name === undefined || name === null) return null
  if (typeof name !== 'string' || !/^\w+$/.test(name)) throw columns.wrong('a name of a function', 'metadata')
  return name
}

async function readAgain(file: string, from: Position): Promise<Columns> {
  for await (const row of readRows(file, from, 'jsonl')) return new Columns(row as Row)
  throw new Error(`${file} has become shorter: the tests at line ${from.line + 1} are gone`)
}
