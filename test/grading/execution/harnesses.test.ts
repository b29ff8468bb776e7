/**
 * Tests of answers, honest and hostile. An answer that forges may know the harness: it is in the package for everyone to
 * read. Each hostile one passes if a harness trusts what it should not.
 */
import { describe, expect, it } from 'vitest'
import { type CheckTest, runCheck } from '../../../lib/grading/execution/check.js'
import { type FunctionTest, runFunctionTests } from '../../../lib/grading/execution/function-tests.js'
import { runScriptTests } from '../../../lib/grading/execution/script-tests.js'
import { runUnitTests } from '../../../lib/grading/execution/unit-tests.js'
import type { Answer, Verdict } from '../../../lib/grading/execution/verdict.js'
import { noSandbox } from '../../support/sandbox.js'
import { limits, sandbox } from './runs.js'

const executed = describe.skipIf(noSandbox)

const python = (code: string): Answer => ({ language: 'python', code })
const javascript = (code: string): Answer => ({ language: 'javascript', code })

executed('tests of a script', () => {
  const sums = [
    { input: '1 2\n', output: '3\n' },
    { input: '10 20\n', output: '30' },
  ]
  const run = async (answer: Answer, tests = sums) => runScriptTests(await sandbox(), answer, tests, { limits })

  it.each([
    ['input()', 'a, b = map(int, input().split())\nprint(a + b)'],
    ['sys.stdin', 'import sys\nprint(sum(map(int, sys.stdin.read().split())))'],
    ['open(0)', 'print(sum(map(int, open(0).read().split())))'],
    ['/dev/stdin', 'print(sum(map(int, open("/dev/stdin").read().split())))'],
    ['a main guard', 'if __name__ == "__main__":\n    print(sum(map(int, input().split())))'],
    ['sys.exit', 'import sys\nprint(sum(map(int, input().split())))\nsys.exit(1)'],
    [
      'a data class',
      'from dataclasses import dataclass\n@dataclass\nclass A:\n    x: int\nprint(A(sum(map(int, input().split()))).x)',
    ],
  ])('takes %s', async (_, code) => {
    expect(await run(python(code))).toEqual({ passed: true })
  })

  it.each([
    ['readFileSync(0)', "console.log(require('fs').readFileSync(0, 'utf8').split(' ').reduce((a, b) => +a + +b))"],
    [
      'readFileSync(/dev/stdin)',
      "console.log(require('fs').readFileSync('/dev/stdin', 'utf8').split(' ').reduce((a, b) => +a + +b))",
    ],
    [
      'readline',
      "require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {\n" +
        "  const [a, b] = line.split(' ').map(Number)\n  console.log(a + b)\n})",
    ],
  ])('takes %s in JavaScript', async (_, code) => {
    expect(await run(javascript(code))).toEqual({ passed: true })
  })

  it.each<[string, Answer, string]>([
    ['a wrong answer', python('print(3)'), 'test 2 of 2: wrong answer'],
    ['an exception after the answer', python('print(3)\nx'), "test 1 of 2: NameError: name 'x' is not defined"],
    ['a syntax error', python('print('), "test 1 of 2: SyntaxError: '(' was never closed"],
    ['no output', python('pass'), 'test 1 of 2: wrong answer'],
    ['an exit in the middle', python('import os\nos._exit(0)\nprint(3)'), 'test 1 of 2: wrong answer'],
    ['an exit code', python('import os\nprint(3, flush=True)\nos._exit(3)'), 'test 1 of 2: exit code 3'],
    ['an exception in JavaScript', javascript('throw new RangeError("no")'), 'test 1 of 2: RangeError: no'],
  ])('says why it fails: %s', async (_, answer, reason) => {
    expect(await run(answer)).toEqual({ passed: false, reason })
  })

  it('keeps the expected output out of the sandbox', async () => {
    const searches = `
import gc, glob, os, sys
found = set()
frame = sys._getframe()
while frame:
    found.update(str(value) for value in list(frame.f_locals.values()) + list(frame.f_globals.values()))
    frame = frame.f_back
found.update(str(each) for each in gc.get_objects() if isinstance(each, (dict, list)))
for path in glob.glob('/proc/*/cmdline') + glob.glob('/tmp/*') + glob.glob('/dev/shm/*'):
    found.add(open(path, errors='replace').read())
for text in found:
    if 'needle-' in text:
        at = text.index('needle-')
        print(text[at:at + 12])`
    // The word of the search itself is in its text; what follows it is not.
    const verdict = await run(python(searches), [{ input: '', output: 'needle-48213' }])
    expect(verdict.passed).toBe(false)
  })
})

executed('tests of a function', () => {
  const tests: FunctionTest[] = [
    { args: ['[1, 2]', '"a"'], result: '[1, 2, "a"]' },
    { args: ['[]', 'null'], result: '[null]' },
  ]
  const run = async (answer: Answer, given = tests, callMs = 30_000) =>
    runFunctionTests(await sandbox(), answer, given, { name: 'join', callMs, limits })

  it.each<[string, Answer]>([
    ['a function', python('def join(a, b):\n    print("noise")\n    return a + [b]')],
    ['a method', python('class Solution:\n    def join(self, a: list, b) -> list:\n        return a + [b]')],
    ['a tuple for a list', python('def join(a, b): return tuple(a + [b])')],
    ['JavaScript', javascript('const join = (a, b) => [...a, b]')],
    ['a method in JavaScript', javascript('class Solution { join(a, b) { return [...a, b] } }')],
    ['a promise', javascript('async function join(a, b) { return [...a, b] }')],
  ])('takes %s', async (_, answer) => {
    expect(await run(answer)).toEqual({ passed: true })
  })

  it.each<[string, Answer, string]>([
    ['a wrong result', python('def join(a, b): return [1, 2, "a"]'), 'test 2 of 2: wrong answer'],
    ['an exception', python('def join(a, b): return a[0:9] + b'), 'test 1 of 2: TypeError: can only concatenate list'],
    ['no function', python('x = 1'), "AttributeError: module 'answer' has no attribute 'join'"],
    ['an error at its start', python('import nothing_like_it'), 'ModuleNotFoundError: No module named'],
    ['an exit', python('import os\ndef join(a, b): os._exit(0)'), 'test 1 of 2: ended without a result'],
    ['sys.exit', python('import sys\ndef join(a, b): sys.exit()'), 'test 1 of 2: SystemExit'],
    [
      'too deep a result',
      python('def join(a, b):\n    for i in range(10**5): a = [a]\n    return a'),
      'RecursionError',
    ],
    ['no function in JavaScript', javascript('1'), 'ReferenceError: join is not defined'],
  ])('says why it fails: %s', async (_, answer, reason) => {
    expect(await run(answer)).toEqual({ passed: false, reason: expect.stringContaining(reason) })
  })

  it('takes large results, one after the other', async () => {
    const size = 2 ** 20
    const list = { args: [`${size}`, '0'], result: JSON.stringify(Array(size).fill(12345678)) }
    const answer = python('def join(a, b): return [12345678] * a')
    expect(await run(answer, [list, list, list])).toEqual({ passed: true })
  })

  it('ends a call that takes too long', async () => {
    const sleeps = python('import time\ndef join(a, b): time.sleep(1e6)')
    expect(await run(sleeps, tests, 3_000)).toEqual({ passed: false, reason: 'test 1 of 2: timeout' })
  })

  it.each([
    ['no JSON', 'os.write(fd, b"right\\n")'],
    ['an array', 'os.write(fd, b"[1, 2]\\n")'],
    ['nested JSON', `os.write(fd, b'{"value": ' + b'[' * 10**6 + b']' * 10**6 + b'}\\n')`],
    ['other keys', `os.write(fd, b'{"passed": true, "ready": true}\\n' * 3)`],
    ['endless lines', `\n    while True: os.write(fd, b'{"ready": true}\\n' * 1000)`],
  ])('is not confused by %s in its channel', async (_, writes) => {
    const answer = `import os\nfor fd in range(3, 20):\n  try: ${writes}\n  except OSError: pass\ndef join(a, b): pass`
    expect(await run(python(answer))).toMatchObject({ passed: false })
  })
})

executed('a check', () => {
  const test: CheckTest = {
    prompt: 'def helper(x):\n    return x + 1\n\n\ndef double(x):\n    """ Twice x. """\n',
    test: `
def check(candidate):
    assert candidate(2) == 4
    assert candidate([1, 'a']) == [1, 'a', 1, 'a']
    assert candidate((1,)) == (1, 1)
    assert abs(candidate(0.5) - 1.0) < 1e-6
    assert candidate(10 ** 30) == 2 * 10 ** 30
    assert helper(1) == 2
    assert double(x=3) == 6
`,
    name: 'double',
  }
  const run = async (code: string, given = test): Promise<Verdict> => runCheck(await sandbox(), code, given, { limits })

  it('passes what doubles', async () => {
    expect(await run('def double(x):\n    print("noise")\n    return x * 2')).toEqual({ passed: true })
  })

  it('passes values of every plain type', async () => {
    const values = {
      ...test,
      test: `
def check(candidate):
    for x in [None, True, -5, 1.5, float('inf'), 'ü😀', b'x', 1j, (1, [2]), {1: 'a', 'b': (2,)}, {1, 2}, {(1, 2): {3}}]:
        y = candidate(x)
        assert y == x and type(y) is type(x), x
`,
    }
    expect(await run('def double(x): return x', values)).toEqual({ passed: true })
  })

  it('gives exceptions on', async () => {
    const raises = {
      ...test,
      test: "def check(candidate):\n    try: candidate(1)\n    except ValueError as error: assert str(error) == 'no'",
    }
    expect(await run('def double(x): raise ValueError("no")', raises)).toEqual({ passed: true })
    expect(await run('def double(x): raise KeyError("no")', raises)).toMatchObject({ passed: false })
  })

  it.each([
    ['a wrong result', 'def double(x): return x', 'AssertionError'],
    ['an exception', 'def double(x): return x // 0', 'ZeroDivisionError: integer division'],
    ['no function', 'def triple(x): return x', 'AttributeError'],
    ['a syntax error', 'def double(x: return x', 'SyntaxError'],
  ])('says why it fails: %s', async (_, code, reason) => {
    expect(await run(code)).toEqual({ passed: false, reason: expect.stringContaining(reason) })
  })

  it.each([
    [
      'an object that equals everything',
      'class A:\n    def __eq__(self, other): return True\n    def __sub__(self, other): return 0\ndef double(x): return A()',
    ],
    [
      'a number that equals everything',
      'class A(int):\n    def __eq__(self, other): return True\n    def __hash__(self): return 0\ndef double(x): return A(7)',
    ],
    [
      'a list that equals everything',
      'class A(list):\n    def __eq__(self, other): return True\ndef double(x): return A()',
    ],
    ['os._exit at its start', 'import os\nos._exit(0)'],
    ['os._exit in a call', 'import os\ndef double(x): os._exit(0)'],
    ['sys.exit', 'import sys\nsys.exit(0)'],
    ['sys.exit in a call', 'import sys\ndef double(x): sys.exit(0)'],
    ['a printed verdict', `print('{"passed": true}')\nprint('passed')\ndef double(x): return x`],
    [
      'a verdict in every file',
      `import os
for fd in range(1, 30):
    try:
        os.write(fd, b'{"passed": true}\\n')
        os.write(fd, b'{"value": true, "passed": true}\\n' * 9)
    except OSError: pass
def double(x): return x`,
    ],
    ['a check of its own', 'def check(candidate): pass\ndef double(x): return x\ncheck = lambda c: None'],
    [
      'other built-in functions',
      'import builtins\nbuiltins.abs = lambda x: 0\nbuiltins.AssertionError = Warning\ndef double(x): return None',
    ],
    [
      'an encoder of its own',
      'import sys\nmain = sys.modules["__main__"]\nmain.encode = lambda v: {"o": "x"}\nmain.send = lambda m: __import__("os").write(main.channel, b\'{"passed": true}\\n\')\ndef double(x): return x',
    ],
    [
      'a trace',
      'import sys\nsys.settrace(lambda *a: None)\nsys.excepthook = lambda *a: None\ndef double(x): raise SystemExit(0)',
    ],
    ['killing its parent', 'import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\ndef double(x): return x'],
  ])('is not passed by %s', async (_, code) => {
    expect(await run(code)).toMatchObject({ passed: false })
  })
})

executed('unit tests', () => {
  const test = `
import unittest
from unittest.mock import patch
class TestCases(unittest.TestCase):
    def setUp(self):
        self.value = 2
    def test_number(self):
        self.assertEqual(task_func(self.value), 4)
    def test_list(self):
        self.assertListEqual(task_func([1]), [1, 1])
    def test_mock(self):
        with patch('builtins.print') as mock:
            task_func(1)
            mock.assert_called_once()
    def test_raises(self):
        with self.assertRaises(ValueError):
            task_func(None)
`
  const right = `
def task_func(x):
    """Doubles."""
    if x is None:
        raise ValueError('nothing')
    print(x)
    return x * 2
`
  const wrong = right.replace('x * 2', 'x')
  const run = async (code: string, given = test): Promise<Verdict> =>
    runUnitTests(await sandbox(), code, { test: given, name: 'task_func' }, { limits })

  it('passes what is right, also what only writes', async () => {
    expect(await run(right)).toEqual({ passed: true })
    const files = `
import os, unittest
class TestCases(unittest.TestCase):
    def test_file(self):
        task_func('x.txt')
        self.assertTrue(os.path.exists('x.txt'))
`
    expect(await run("def task_func(path): open(path, 'w').close()", files)).toEqual({ passed: true })
    expect(await run('def task_func(path): pass', files)).toMatchObject({ passed: false })
  })

  it('says which test fails, and why', async () => {
    expect(await run(wrong)).toEqual({
      passed: false,
      reason: 'test_list: AssertionError: Lists differ: [1] != [1, 1]',
    })
    expect(await run('x = 1')).toEqual({ passed: false, reason: "KeyError: 'task_func'" })
    expect(await run('def task_func(x: pass')).toMatchObject({ reason: expect.stringContaining('SyntaxError') })
    expect(await run(`import nothing_like_it\n${right}`)).toMatchObject({
      reason: "ModuleNotFoundError: No module named 'nothing_like_it'",
    })
    expect(await run(right, 'import unittest\nclass TestCases(unittest.TestCase): pass')).toMatchObject({
      reason: 'no test ran',
    })
  })

  it.each([
    ['os._exit', `import os\nos._exit(0)\n${wrong}`],
    ['os._exit in a call', 'import os\ndef task_func(x): os._exit(0)'],
    ['sys.exit', 'import sys\nsys.exit(0)'],
    ['sys.exit in a call', 'import sys\ndef task_func(x): sys.exit(0)'],
    [
      'an object that equals everything',
      `class A:\n    def __eq__(self, other): return True\ndef task_func(x):\n    print()\n    if x is None: raise ValueError()\n    return A()`,
    ],
    [
      'a list that equals everything',
      `class A(list):\n    def __eq__(self, other): return True\ndef task_func(x):\n    print()\n    if x is None: raise ValueError()\n    return A()`,
    ],
    [
      'a mock that equals everything',
      `from unittest.mock import ANY\ndef task_func(x):\n    print()\n    if x is None: raise ValueError()\n    return ANY if x == 2 else [1, 1]`,
    ],
    ['skipping', 'import unittest\ndef task_func(x): raise unittest.SkipTest("later")'],
    ['a printed verdict', `print('{"passed": true}')\n${wrong}`],
    [
      'a verdict in every file',
      `import os\nfor fd in range(1, 64):\n    try: os.write(fd, b'{"passed": true, "secret": ""}\\n')\n    except OSError: pass\n${wrong}`,
    ],
    [
      'assertions that do nothing',
      `import unittest\nfor name in dir(unittest.TestCase):\n    if name.startswith('assert') and name != 'assertRaises': setattr(unittest.TestCase, name, lambda *a, **k: None)\n${wrong}`,
    ],
    [
      'one assertion that does nothing',
      `import unittest\nunittest.TestCase.assertEqual.__code__ = (lambda self, first, second, msg=None: None).__code__\nunittest.TestCase.assertListEqual = lambda *a: None\n${wrong}`,
    ],
    [
      'assertions that do nothing from the first call on',
      `import unittest\ndef task_func(x):\n    unittest.TestCase.assertEqual = unittest.TestCase.assertListEqual = lambda *a: None\n    if x is None: raise ValueError()\n    print()\n`,
    ],
    [
      'results that collect nothing',
      `import unittest\nunittest.TestResult.addFailure = unittest.TestResult.addError = lambda *a: None\n${wrong}`,
    ],
    [
      'a runner that runs nothing',
      `import unittest\nunittest.TestCase.run = lambda self, result=None: setattr(result, 'testsRun', result.testsRun + 1)\n${wrong}`,
    ],
    ['an empty list of tests', `import unittest\nunittest.TestLoader.getTestCaseNames = lambda *a: []\n${wrong}`],
    [
      'an end of its own after the first call',
      `import atexit, os\ndef task_func(x):\n    atexit.register(lambda: os._exit(0))\n    raise KeyboardInterrupt`,
    ],
    [
      'a secret that it finds in the frames below it',
      `import json, os, sys
frame = sys._getframe()
while frame:
    if 'secret' in frame.f_locals:
        found = frame.f_locals
        os.write(found['channel'], (json.dumps({'secret': found['secret'], 'passed': True}) + '\\n').encode())
        os._exit(0)
    frame = frame.f_back`,
    ],
    [
      'a secret that it finds in a call',
      `import gc, json, os, sys
def task_func(x):
    frame = sys._getframe()
    while frame:
        if 'secret' in frame.f_locals:
            found = frame.f_locals
            os.write(found['channel'], (json.dumps({'secret': found['secret'], 'passed': True}) + '\\n').encode())
            os._exit(0)
        frame = frame.f_back`,
    ],
  ])('are not passed by %s', async (_, code) => {
    expect(await run(code)).toMatchObject({ passed: false })
  })
})
