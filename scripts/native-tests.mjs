// Builds the native tests into a tree of their own under out/ and runs them with ctest.
import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { requireTools } from './build.mjs'
import { attempt, compile, configure, root, ScriptError } from './common.mjs'
import { ensureLlamaSource, llamaDir } from './llama-source.mjs'

/** Compiles the tests whose name contains `filter`, or everything; `sanitize` is '', 'address' or 'thread'. */
export function buildNativeTests(tree, { sanitize = '', filter = '' } = {}) {
  requireTools()
  ensureLlamaSource()
  const targets = readdirSync(join(root, 'test', 'native'))
    .filter((file) => file.endsWith('-test.cpp') && file.includes(filter))
    .map((file) => file.replace('.cpp', ''))
  if (targets.length === 0) throw new ScriptError(`There is no test/native/*${filter}*-test.cpp.`)
  configure(tree, {
    Z1_BUILD_TESTS: 'ON',
    Z1_SANITIZE: sanitize,
    // Keeps assert().
    CMAKE_BUILD_TYPE: 'Debug',
    LLAMA_CPP_DIR: llamaDir,
  })
  compile(tree, 'Debug', filter ? targets : [])
}

/** Runs the tests whose name contains `filter`; returns how many passed and failed, and which failed, from ctest's JUnit report. */
export function runNativeTests(tree, { filter = '', env = {} } = {}) {
  const report = join(root, 'out', 'reports', 'native.xml')
  mkdirSync(join(root, 'out', 'reports'), { recursive: true })
  rmSync(report, { force: true })
  // ctest takes an empty expression for one that matches nothing.
  const selection = filter ? ['--tests-regex', filter] : []
  const options = ['--test-dir', tree, '-C', 'Debug', '--output-on-failure', '--no-tests=error', '--output-junit']
  const status = attempt('ctest', [...options, report, ...selection], { env })
  const counts = { passed: 0, failed: 0, names: [] }
  try {
    const text = readFileSync(report, 'utf8')
    const suite = /<testsuite\b[^>]*>/.exec(text)[0]
    const attribute = (name) => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)[1])
    counts.failed = attribute('failures')
    counts.passed = attribute('tests') - counts.failed - attribute('skipped') - attribute('disabled')
    for (const [testcase, name] of text.matchAll(/<testcase\b[^>]*?\bname="([^"]*)"[^>]*>/g)) {
      if (testcase.includes('status="fail"')) counts.names.push(name)
    }
  } catch {
    // No report: ctest itself failed, which its status says.
  }
  // ctest can fail without a failed test: no tests, or no report.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}
