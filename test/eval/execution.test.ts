/** Tasks whose answers are programs, in rows written for the tests: their formats, prompts, programs and grades. */
import { execFileSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import {
  bigCodeBenchHard,
  type ExecutionOptions,
  evaluate,
  humanEval,
  type Item,
  liveCodeBench,
  readOutcomes,
  reportOf,
  type Task,
} from '../../lib/eval/index.js'
import { humanEvalProgram } from '../../lib/eval/tasks/humaneval.js'
import { readTests, unpickleText } from '../../lib/eval/tasks/livecodebench-tests.js'
import type { ReasonResult } from '../../lib/index.js'
import { temporaryFolder } from '../support/folder.js'
import { noSandbox } from '../support/sandbox.js'
import { scripted } from './scripted.js'

const folder = temporaryFolder()
const executed = it.skipIf(noSandbox)

async function itemsOf(task: Task): Promise<Item[]> {
  const items = []
  for await (const item of task.items()) items.push(item)
  return items
}

function fileOf(...rows: object[]): string {
  const file = folder(`${Math.random()}.jsonl`)
  writeFileSync(file, rows.map((row) => `${JSON.stringify(row)}\n`).join(''))
  return file
}

const ended = (text: string) => ({ text, reasoning: text, answer: 'what a closing part may be' }) as ReasonResult
const cut = (reasoning: string, answer: string) =>
  ({ text: `${reasoning}hint${answer}`, reasoning, answer }) as ReasonResult
const fenced = (code: string, tag = 'python') => `So:\n\`\`\`${tag}\n${code}\n\`\`\`\n`

const double = {
  task_id: 'Mini/0',
  prompt: 'from typing import List\n\n\ndef double(xs: List[int]) -> List[int]:\n    """ Twice each. """\n',
  entry_point: 'double',
  canonical_solution: '    return [2 * x for x in xs]\n',
  test: 'def check(candidate):\n    assert candidate([1, 2]) == [2, 4]\n    assert candidate([]) == []\n',
}

describe('humaneval', () => {
  it('asks as the paper asks for programs', async () => {
    const task = humanEval({ file: fileOf(double) })
    const [item] = (await itemsOf(task)) as [Item]
    expect(item).toMatchObject({ id: 'Mini/0', answer: double.canonical_solution })
    expect(item.testsSha256).toMatch(/^[0-9a-f]{64}$/)
    expect(task.prompt(item)).toEqual({
      messages: [
        {
          role: 'user',
          content: `Please provide a self-contained Python script that solves the following problem in a markdown code block:
\`\`\`
from typing import List


def double(xs: List[int]) -> List[int]:
    """ Twice each. """
\`\`\`
`,
        },
      ],
      system: 'Please reason step by step.',
    })
  })

  executed('executes the program of a response', async () => {
    const task = humanEval({ file: fileOf(double) })
    const [item] = (await itemsOf(task)) as [Item]
    const grade = async (result: ReasonResult) => {
      const { correct, reason } = await task.grade(item, result)
      return correct ? 'right' : reason
    }
    const whole = 'def double(xs: List[int]):\n    return [x + x for x in xs]'
    expect(await grade(ended(fenced(whole)))).toBe('right')
    expect(await grade(ended(double.canonical_solution))).toBe('right')
    expect(await grade(cut(fenced('wrong'), fenced(whole)))).toBe('right')
    expect(await grade(cut(fenced(whole), 'I do not know.'))).toBe('no program')
    expect(await grade(ended(fenced(whole.replace('+ x', '+ 1'))))).toBe('AssertionError')
    expect(await grade(ended(fenced('    pass')))).toBe('AssertionError')
    expect(await grade(ended(fenced(whole, 'java')))).toBe('no program')
  })

  it.each([
    [
      'a function',
      fenced('def double(xs):\n    return 1'),
      'from typing import List\n\n\n\ndef double(xs):\n    return 1\n',
    ],
    ['a body', fenced('    return 1'), `${double.prompt}    return 1\n`],
    ['a body without indent', fenced('y = 1\nreturn y'), `${double.prompt}    y = 1\n    return y\n`],
    [
      'the function before its use',
      fenced('def double(xs): pass') + fenced('double([1])'),
      'from typing import List\n\n\n\ndef double(xs): pass\n',
    ],
    [
      'the last function',
      fenced('def double(a): pass') + fenced('def double(b): pass'),
      'from typing import List\n\n\n\ndef double(b): pass\n',
    ],
    [
      'a function below the name of its language',
      fenced('Python\ndef double(xs): pass', ''),
      'from typing import List\n\n\n\ndef double(xs): pass\n',
    ],
    ['a body without fence', '    return 1\n\ndef other():\n', `${double.prompt}    return 1\n\n`],
    [
      'a program without fence',
      'Here:\nimport os\ndef double(xs): pass',
      'from typing import List\n\n\n\nimport os\ndef double(xs): pass\n',
    ],
  ])('finds %s', (_, text, code) => {
    expect(humanEvalProgram({ prompt: double.prompt, name: 'double' }, text)).toEqual({ language: 'python', code })
  })

  it('finds no program in words', () => {
    expect(humanEvalProgram({ prompt: double.prompt, name: 'double' }, 'Use a list.\n    return 1')).toBeUndefined()
  })

  executed('keeps why an answer is wrong, and what graded it', async () => {
    const file = folder('two.jsonl.gz')
    const rows = [double, { ...double, task_id: 'Mini/1', entry_point: 'other' }]
    writeFileSync(file, gzipSync(rows.map((row) => JSON.stringify(row)).join('\n')))
    const reasoner = scripted({ thoughts: [fenced('def double(xs):\n    return [2 * x for x in xs]')] })
    const output = folder('run')
    const summary = await evaluate({ task: humanEval({ file }), windows: ['inf'], output, reasoner })
    expect(summary.options.grader).toEqual({
      sandbox: expect.stringMatching(/^bubblewrap \d/),
      python: expect.stringMatching(/^3\./),
    })
    expect(summary.windows[0]?.accuracy).toBe(0.5)
    const outcomes = await readOutcomes(output)
    expect(outcomes.map(({ correct, reason }) => [correct, reason])).toEqual([
      [true, undefined],
      [false, expect.stringContaining("has no attribute 'other'")],
    ])
    expect(reportOf(summary)).not.toContain('WARNING')
    const unsafe = { task: humanEval({ file, unsafeExecution: true }), windows: ['inf'], reasoner }
    await expect(evaluate({ ...unsafe, output })).rejects.toThrow('holds a run with grader')
    expect(reportOf(await evaluate({ ...unsafe, output: folder('unsafe') }))).toMatch(/^WARNING: .*without a sandbox/)
  })

  it('refuses before anything is asked where it cannot execute', async () => {
    const reasoner = scripted({ thoughts: ['x'] })
    const task = humanEval({ file: fileOf(double), python: folder('no-python') })
    const run = evaluate({ task, windows: ['inf'], output: folder('none'), reasoner })
    await expect(run).rejects.toMatchObject({ code: expect.stringMatching(/PYTHON_NOT_FOUND|SANDBOX_UNAVAILABLE/) })
    expect(reasoner.asked).toEqual([])
  })

  executed('ends a grading when the run is aborted', async () => {
    const task = humanEval({ file: fileOf(double) })
    const [item] = (await itemsOf(task)) as [Item]
    await task.grader?.()
    const abort = new AbortController()
    const grade = task.grade(item, ended(fenced('def double(xs):\n    while True: pass')), abort.signal)
    setTimeout(() => abort.abort(new Error('enough')), 300)
    await expect(grade).rejects.toThrow('enough')
  })

  it('checks its options and its rows', async () => {
    expect(() => humanEval({} as ExecutionOptions)).toThrow(TypeError)
    expect(() => humanEval({ file: 'x', unsafe: true } as unknown as ExecutionOptions)).toThrow('Unknown option unsafe')
    expect(() => humanEval({ file: 'x', python: '' })).toThrow(RangeError)
    const file = fileOf({ ...double, test: '' })
    await expect(itemsOf(humanEval({ file }))).rejects.toThrow('jsonl:1: Expected a text for test')
  })
})

/** As the benchmark stores its private tests. */
function packed(tests: object[], protocol = 4): string {
  const program =
    'import base64, json, pickle, sys, zlib\n' +
    'text = json.dumps(json.load(sys.stdin))\n' +
    `print(base64.b64encode(zlib.compress(pickle.dumps(text, ${protocol}))).decode())`
  return execFileSync('python3', ['-c', program], { input: JSON.stringify(tests) })
    .toString()
    .trim()
}

const contest = {
  question_title: 'Sum',
  question_content: 'Add two numbers.',
  platform: 'atcoder',
  question_id: 'abc001_a',
  contest_id: 'abc001',
  contest_date: '2024-01-01T00:00:00',
  starter_code: '',
  difficulty: 'easy',
  public_test_cases: JSON.stringify([{ input: '1 2\n', output: '3\n', testtype: 'stdin' }]),
  private_test_cases: JSON.stringify([{ input: '5 6\n', output: '11\n', testtype: 'stdin' }]),
  metadata: '{}',
}

const method = {
  ...contest,
  platform: 'leetcode',
  question_id: '2727',
  starter_code: 'class Solution:\n    def pairs(self, xs: List[int], n: int) -> List[List[int]]:\n        ',
  public_test_cases: JSON.stringify([{ input: '[1, 2]\n2', output: '[[1, 2], [1, 2]]', testtype: 'functional' }]),
  private_test_cases: JSON.stringify([{ input: '[]\n0', output: '[]', testtype: 'functional' }]),
  metadata: '{"func_name": "pairs"}',
}

describe('livecodebench', () => {
  it('asks as the benchmark asks', async () => {
    const task = liveCodeBench({ file: fileOf(contest, method) })
    const [first, second] = (await itemsOf(task)) as [Item, Item]
    expect(first).toMatchObject({ id: 'abc001_a', groups: { platform: 'atcoder', difficulty: 'easy' } })
    const start =
      'You will be given a question (problem specification) and will generate a correct Python program that matches the ' +
      'specification and passes all tests. You will NOT return anything except for the program.\n\nQuestion: Add two numbers.\n\n'
    expect(first.question).toBe(
      `${start}Read the inputs from stdin solve the problem and write the answer to stdout (do not directly test on the ` +
        'sample inputs). Enclose your code within delimiters as follows.\n```python\n# YOUR CODE HERE\n```\n\n',
    )
    expect(second.question).toBe(
      `${start}You will use the following starter code to write the solution to the problem and enclose your code within ` +
        `delimiters.\n\`\`\`python\n${method.starter_code}\n\`\`\`\n\n`,
    )
    expect(task.prompt(first).system).toBe('Please reason step by step.')
  })

  executed('grades by public and private tests', async () => {
    const hidden = { ...contest, question_id: 'b', private_test_cases: packed(JSON.parse(contest.private_test_cases)) }
    const task = liveCodeBench({ file: fileOf(contest, method, hidden) })
    const [script, call, other] = (await itemsOf(task)) as [Item, Item, Item]
    const grade = async (item: Item, code: string, tag?: string) => {
      const { correct, reason } = await task.grade(item, ended(fenced(code, tag)))
      return correct ? 'right' : reason
    }
    const sum = 'print(sum(map(int, input().split())))'
    for (const item of [script, other]) {
      expect(await grade(item, sum)).toBe('right')
      expect(await grade(item, 'print(3)')).toBe('test 2 of 2: wrong answer')
    }
    expect(
      await grade(
        script,
        'const [a, b] = require("fs").readFileSync(0, "utf8").split(" "); console.log(+a + +b)',
        'js',
      ),
    ).toBe('right')
    // The original imports what many answers do not.
    expect(await grade(script, 'print(reduce(lambda a, b: a + b, map(int, stdin.read().split())))')).toBe('right')
    const pairs = 'class Solution:\n    def pairs(self, xs: List[int], n: int):\n        return [xs for _ in range(n)]'
    expect(await grade(call, pairs)).toBe('right')
    expect(await grade(call, pairs.replace('range(n)', 'range(2)'))).toBe('test 2 of 2: wrong answer')
    expect(await task.grade(call, ended('no code'))).toEqual({ correct: false, extracted: null, reason: 'no program' })
  })

  it('knows tests by their hash', async () => {
    const other = { ...contest, public_test_cases: contest.public_test_cases.replace('3', '4') }
    const hash = async (row: object) => (await itemsOf(liveCodeBench({ file: fileOf(row) })))[0]?.testsSha256
    expect(await hash(contest)).toBe(await hash(contest))
    expect(await hash(other)).not.toBe(await hash(contest))
  })

  it.each([
    [{ metadata: 'x' }, 'Expected JSON for metadata'],
    [{ metadata: '{"func_name": "a b"}' }, 'Expected a name of a function for metadata'],
    [{ difficulty: 1.5, platform: null }, 'Expected a text for platform'],
  ])('names the line that is wrong: %j', async (wrong, sentence) => {
    const file = fileOf(contest, { ...contest, ...wrong })
    await expect(itemsOf(liveCodeBench({ file }))).rejects.toThrow(`jsonl:2: ${sentence}`)
  })
})

describe('tests that are stored as a pickle', () => {
  const tests = [{ input: 'ä 😀\n', output: `${'x'.repeat(300)}\n` }]

  it.each([2, 3, 4, 5])('are read in protocol %i', (protocol) => {
    expect(readTests([packed(tests, protocol)], 'here')).toEqual(tests)
  })

  it.each([
    ['a list', 'import pickle; pickle.dump(["a"], out)'],
    ['a number', 'import pickle; pickle.dump(5, out)'],
    ['bytes', 'import pickle; pickle.dump(b"[]", out)'],
    ['protocol 0', 'import pickle; pickle.dump("[]", out, 0)'],
    [
      'a call',
      'import os, pickle\nclass A:\n    def __reduce__(self): return os.system, ("true",)\npickle.dump(A(), out)',
    ],
    ['two texts', 'out.write(b"\\x80\\x04\\x8c\\x01a\\x8c\\x01b.")'],
    ['more than the pickle', 'import pickle; pickle.dump("[]", out); out.write(b".")'],
    ['a pickle that is cut', 'out.write(b"\\x80\\x04\\x8c\\x09ab")'],
    ['a length that is a lie', 'out.write(b"\\x80\\x04\\x8d" + b"\\xff" * 8 + b"a.")'],
    ['text that is no UTF-8', 'out.write(b"\\x80\\x04\\x8c\\x01\\xff.")'],
    ['nothing', 'pass'],
  ])('are refused if they hold %s', (_, program) => {
    const pickle = execFileSync('python3', ['-c', `import sys\nout = sys.stdout.buffer\n${program}`])
    expect(() => unpickleText(pickle)).toThrow()
  })

  it.each([
    ['[{"input": 1}]', 'one has no input and output'],
    ['[null]', 'one has no input and output'],
    ['[]', 'Expected at least one test'],
    ['{"a": 1}', 'neither JSON nor base64'],
    ['aGVsbG8=', 'incorrect header check'],
  ])('are refused as %s', (stored, reason) => {
    expect(() => readTests([stored], 'file:1')).toThrow(reason)
    expect(() => readTests([stored], 'file:1')).toThrow('file:1: Expected')
  })
})

describe('bigcodebench-hard', () => {
  const row = {
    task_id: 'BigCodeBench/13',
    complete_prompt: 'unused',
    instruct_prompt:
      'Write the numbers to a file.\nYou should write self-contained code starting with:\n```\nimport json\n```',
    canonical_solution: '    with open(path, "w") as file:\n        json.dump(list(range(n)), file)\n    return n',
    code_prompt: 'import json\ndef task_func(n, path):\n',
    test: `
import unittest
class TestCases(unittest.TestCase):
    def test_count(self):
        self.assertEqual(task_func(3, 'x.json'), 3)
        with open('x.json') as file:
            self.assertEqual(json.load(file), [0, 1, 2])
    def test_none(self):
        self.assertEqual(task_func(0, 'y.json'), 0)
`,
    entry_point: 'task_func',
    libs: "['json']",
  }

  executed('asks as the paper asks, and grades by unit tests', async () => {
    const task = bigCodeBenchHard({ file: fileOf(row) })
    const [item] = (await itemsOf(task)) as [Item]
    expect(item.question).toBe(
      'Please provide a self-contained Python script that solves the following problem in a markdown code block:\n' +
        `\`\`\`\n${row.instruct_prompt}\n\`\`\`\n`,
    )
    const grade = async (code: string) => {
      const { correct, reason } = await task.grade(item, ended(fenced(code)))
      return correct ? 'right' : reason
    }
    const whole = `${row.code_prompt}${row.canonical_solution}`
    expect(await grade(whole)).toBe('right')
    // What it does not import, the problem does.
    expect(await grade(whole.replace('import json\n', ''))).toBe('right')
    expect(await grade(whole.replace('range(n)', 'range(1, n)'))).toMatch(/^test_count: AssertionError: Lists differ/)
    expect(await grade('pass')).toMatch(/^test_count: AssertionError: None != 3/)
    expect(await grade('import os\nos._exit(0)')).toBe('ended without a result')
  })
})
