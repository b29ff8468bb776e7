// npm run test:sanitize: the native tests under AddressSanitizer and UndefinedBehaviorSanitizer, then the tests of the
// context's thread under ThreadSanitizer. The engine's libraries are opened as they are; only our own code is instrumented.
import { join } from 'node:path'
import { platform } from 'node:process'
import { root, ScriptError, script } from './common.mjs'
import { buildNativeTests, runNativeTests } from './native-tests.mjs'

const threadTests = 'context-thread'

script(() => {
  if (platform === 'win32') throw new ScriptError('The sanitizers are used with GCC and Clang only.')
  const sums = { passed: 0, failed: 0 }
  const check = (name, sanitize, filter, env) => {
    const tree = join(root, 'out', name)
    buildNativeTests(tree, { sanitize, filter })
    const { passed, failed } = runNativeTests(tree, { filter, env })
    sums.passed += passed
    sums.failed += failed
  }
  check('build-asan', 'address', '', { UBSAN_OPTIONS: 'print_stacktrace=1' })
  check('build-tsan', 'thread', threadTests, { TSAN_OPTIONS: 'halt_on_error=1' })
  console.log(`\nsanitizers: ${sums.passed} passed, ${sums.failed} failed`)
  if (sums.failed > 0) process.exitCode = 1
})
