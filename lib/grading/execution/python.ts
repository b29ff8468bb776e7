/**
 * What runs around an answer in Python. Each is the text of a program that reads its job, a line of JSON, from file
 * descriptor 3. None holds anything that decides a verdict, but for {@link UNITTEST}.
 */

/** Values as JSON that keeps their types, both ways; the other side is lib/grading/execution/values.ts. */
const VALUES = `
import json, numbers, sys
if hasattr(sys, 'set_int_max_str_digits'):
    sys.set_int_max_str_digits(0)

class Opaque:
    def __init__(self, name):
        self.name = name
    def __repr__(self):
        return '<' + self.name + '>'

def encode(value):
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, numbers.Integral):
        value = int(value)
        return value if -2 ** 53 < value < 2 ** 53 else {'i': format(value, 'x')}
    if isinstance(value, numbers.Real):
        return {'f': repr(float(value))}
    if isinstance(value, complex):
        return {'c': [repr(value.real), repr(value.imag)]}
    if isinstance(value, list):
        return [encode(each) for each in value]
    if isinstance(value, tuple):
        return {'t': [encode(each) for each in value]}
    if isinstance(value, (set, frozenset)):
        return {'s': [encode(each) for each in value]}
    if isinstance(value, dict):
        return {'d': [[encode(key), encode(each)] for key, each in value.items()]}
    if isinstance(value, (bytes, bytearray)):
        return {'b': bytes(value).hex()}
    return {'o': type(value).__name__}

def decode(value):
    if isinstance(value, list):
        return [decode(each) for each in value]
    if not isinstance(value, dict):
        return value
    (kind, content), = value.items()
    if kind == 'i':
        return int(content, 16)
    if kind == 'f':
        return float(content)
    if kind == 'c':
        return complex(float(content[0]), float(content[1]))
    if kind == 't':
        return tuple(decode(each) for each in content)
    if kind == 's':
        return set(decode(each) for each in content)
    if kind == 'd':
        return {decode(key): decode(each) for key, each in content}
    if kind == 'b':
        return bytes.fromhex(content)
    return Opaque(content)
`

/** A channel of lines. It is not left to programs that the answer starts. */
const CHANNEL = `
import os
channel = os.dup(3)
os.close(3)
reader = os.fdopen(channel, 'rb', closefd=False)

def send(message):
    data = (json.dumps(message) + '\\n').encode()
    while data:
        data = data[os.write(channel, data):]
`

/** A program of its own: standard input to standard output. Job: code, prelude. */
export const SCRIPT = `
import json, sys
with open(3, 'rb') as channel:
    job = json.loads(channel.readline())
del json, channel
exec(job['prelude'], globals())
try:
    exec(compile(job.pop('code'), 'answer.py', 'exec'), globals())
except SystemExit:
    pass
`

/**
 * A function that is called for every line of the channel. Job: code, prelude, name, and whether a class \`Solution\` has the
 * function. A request has arguments, either as JSON texts or encoded.
 */
export const FUNCTION = `${VALUES}${CHANNEL}
import types
job = json.loads(reader.readline())
module = types.ModuleType('answer')
sys.modules['answer'] = module

def failure(error):
    return {'error': type(error).__name__, 'message': str(error)[:500]}

def load():
    exec(job['prelude'], module.__dict__)
    exec(compile(job['code'], 'answer.py', 'exec'), module.__dict__)
    holder = module.Solution() if job['method'] and hasattr(module, 'Solution') else module
    return getattr(holder, job['name'])

try:
    function = load()
    send({'ready': True})
except BaseException as error:
    send(failure(error))
    sys.exit()
for line in reader:
    request = json.loads(line)
    try:
        if 'texts' in request:
            args, kwargs = [json.loads(text) for text in request['texts']], {}
        else:
            args, kwargs = decode(request['args']), decode(request['kwargs'])
        reply = {'value': encode(function(*args, **kwargs))}
    except BaseException as error:
        reply = failure(error)
    send(reply)
`

/**
 * HumanEval's tests. The candidate that they call is elsewhere: a call is a line to the channel, and its result the next line
 * from it. So nothing that an answer does in its own process can reach the tests. Job: prompt, test, name.
 */
export const CHECK = `${VALUES}${CHANNEL}
import builtins
job = json.loads(reader.readline())

def candidate(*args, **kwargs):
    send({'args': encode(list(args)), 'kwargs': encode(kwargs)})
    reply = json.loads(reader.readline())
    if 'error' not in reply:
        return decode(reply['value'])
    kind = getattr(builtins, str(reply['error']), None)
    if not (isinstance(kind, type) and issubclass(kind, Exception)):
        kind = RuntimeError
    raise kind(str(reply.get('message')))

scope = {'__name__': 'test'}
try:
    # What it defines before the function is used by some tests.
    exec(job['prompt'], scope)
    scope[job['name']] = candidate
    exec(compile(job['test'], 'test.py', 'exec'), scope)
    scope[job['name']] = candidate
    scope['check'](candidate)
    verdict = {'passed': True}
except BaseException as error:
    verdict = {'passed': False, 'reason': type(error).__name__ + (': ' + str(error)[:500] if str(error) else '')}
send(verdict)
`

/**
 * BigCodeBench's tests, which share objects, modules and mocks with the answer, and so its process. That the verdict is
 * theirs is made sure of by what an answer would have to get around: it is signed with a secret that is taken out of the
 * job; assertions that must fail have to fail, before and after the tests; results may not equal everything; and it asks after
 * every call of the function
 * whether to go on or to raise, which lets lib/grading/execution/unit-tests.ts run the tests once more with a function that
 * does not work. Job: code, test, name, secret.
 */
export const UNITTEST = `
import builtins, functools, json, os, re, sys, types, unittest, warnings

def main():
    channel = os.dup(3)
    os.close(3)
    reader = os.fdopen(channel, 'rb', closefd=False)
    write, dumps, loads = os.write, json.dumps, json.loads
    job = loads(reader.readline())
    secret = job.pop('secret')
    case, skip, base = unittest.TestCase, unittest.SkipTest, BaseException

    def send(message):
        data = (dumps(message) + '\\n').encode()
        while data:
            data = data[write(channel, data):]

    def equals_everything(value, depth=2):
        if depth and isinstance(value, (list, tuple, set, frozenset, dict)):
            members = list(value.values() if isinstance(value, dict) else value)
            if any(equals_everything(each, depth - 1) for each in members[:100]):
                return True
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            try:
                return any(bool(value == other) for other in (object(), 'no text of a test', -1.25e67))
            except Exception:
                return False

    def guarded(function):
        @functools.wraps(function)
        def call(*args, **kwargs):
            failure = None
            try:
                result = function(*args, **kwargs)
                if equals_everything(result):
                    failure = RuntimeError('the answer returns what equals everything')
            except skip as error:
                failure = RuntimeError('the answer skips its test')
            except base as error:
                failure = error
            send({'called': True})
            if not loads(reader.readline())['go']:
                raise RuntimeError('the function is switched off')
            if failure is not None:
                raise failure
            return result
        return call

    def run(cases):
        result = unittest.TestResult()
        unittest.TestLoader().loadTestsFromTestCase(cases).run(result)
        return result

    def fails_all():
        class Canaries(case):
            def test_equal(self): self.assertEqual(1, 2)
            def test_not_equal(self): self.assertNotEqual(1, 1)
            def test_true(self): self.assertTrue(False)
            def test_false(self): self.assertFalse(True)
            def test_is(self): self.assertIs(1, None)
            def test_is_none(self): self.assertIsNone(1)
            def test_is_not_none(self): self.assertIsNotNone(None)
            def test_in(self): self.assertIn(1, [])
            def test_not_in(self): self.assertNotIn(1, [1])
            def test_instance(self): self.assertIsInstance(1, str)
            def test_almost_equal(self): self.assertAlmostEqual(1, 2)
            def test_greater(self): self.assertGreater(1, 2)
            def test_greater_equal(self): self.assertGreaterEqual(1, 2)
            def test_less(self): self.assertLess(2, 1)
            def test_less_equal(self): self.assertLessEqual(2, 1)
            def test_lists(self): self.assertListEqual([1], [2])
            def test_dicts(self): self.assertDictEqual({1: 1}, {1: 2})
            def test_lines(self): self.assertMultiLineEqual('a', 'b')
            def test_sequences(self): self.assertSequenceEqual([1], [2])
            def test_counts(self): self.assertCountEqual([1], [2])
            def test_regex(self): self.assertRegex('a', 'b')
            def test_raises(self):
                with self.assertRaises(ValueError): pass
            def test_fail(self): self.fail()
            def test_assert(self): assert 1 == 2
            def test_error(self): raise ValueError()
        result = run(Canaries)
        return result.testsRun == 25 and len(result.failures) == 24 and len(result.errors) == 1

    module = types.ModuleType('__test__')
    scope = module.__dict__
    scope.update({'__builtins__': builtins, '__file__': '__test__.py', '__package__': None, '__doc__': None,
                  'sys': sys, 'os': os, 'environ': os.environ})
    reason = None
    try:
        exec(compile(job['code'], '__test__.py', 'exec'), scope)
        scope[job['name']] = guarded(scope[job['name']])
        exec(compile(job['test'], '__test__.py', 'exec'), scope)
        sys.modules['__test__'] = module
        pristine = fails_all()
        result = run(scope['TestCases'])
        bad = result.failures + result.errors
        if not (pristine and fails_all()):
            reason = 'the answer interferes with its tests'
        elif bad:
            test, trace = bad[0]
            # The lines of frames are indented; what follows the first line of the message may be anything.
            lines = [line for line in trace.split('\\n') if re.match(r'[A-Za-z_][\\w.]*(: |$)', line)]
            reason = test.id().split('.')[-1] + ': ' + (lines or [trace])[0][:500]
        elif result.testsRun == 0:
            reason = 'no test ran'
    except base as error:
        reason = type(error).__name__ + (': ' + str(error)[:500] if str(error) else '')
    send({'secret': secret, 'passed': reason is None, 'reason': reason})
    # Threads and exit handlers of the answer have no say any more.
    os._exit(0)

main()
`
