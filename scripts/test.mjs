// npm test: builds what is out of date, runs the native tests (ctest) and the tests of lib/ (vitest), and sums them.
//
//   node scripts/test.mjs [native|lib] [arguments for vitest]
//
// The sums are also left in out/reports/test.json.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { argv, execPath } from 'node:process'
import { buildAddon, buildLibrary } from './build.mjs'
import { attempt, root, script } from './common.mjs'
import { buildNativeTests, runNativeTests } from './native-tests.mjs'

const reports = join(root, 'out', 'reports')
const tree = join(root, 'out', 'build-test')

const firstLine = ([message]) => (message ?? '').trim().split('\n', 1)[0].slice(0, 300)

function runLibraryTests(extra) {
  const report = join(reports, 'lib.json')
  rmSync(report, { force: true })
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const status = attempt(execPath, [
    vitest,
    'run',
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${report}`,
    ...extra,
  ])
  const counts = { passed: 0, failed: 0, names: [] }
  try {
    const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
    // A file that does not load has no tests to fail; it counts as one.
    const broken = testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
    )
    counts.passed = numPassedTests
    counts.failed = numFailedTests + broken.length
    for (const file of testResults) {
      const path = relative(root, file.name)
      for (const test of file.assertionResults) {
        if (test.status === 'failed') counts.names.push(`${path}: ${test.fullName}: ${firstLine(test.failureMessages)}`)
      }
      if (broken.includes(file)) counts.names.push(`${path}: ${firstLine([file.message])}`)
    }
  } catch {
    // No report: vitest itself failed, which its status says.
  }
  // Errors outside of tests fail the run without a failed test.
  if (status !== 0 && counts.failed === 0) counts.failed = 1
  return counts
}

script(() => {
  const parts = ['native', 'lib'].includes(argv[2]) ? [argv[2]] : ['native', 'lib']
  const extra = argv.slice(parts.length === 1 ? 3 : 2)
  mkdirSync(reports, { recursive: true })
  rmSync(join(reports, 'test.json'), { force: true })

  // The tests of lib/ use both builds: the addon, and the reference program to compare with.
  buildNativeTests(tree)
  const sums = { passed: 0, failed: 0, names: [] }
  const lines = []
  const add = (name, { passed, failed, names }) => {
    sums.passed += passed
    sums.failed += failed
    sums.names.push(...names)
    lines.push(`${name}: ${passed} passed, ${failed} failed`)
  }
  if (parts.includes('native')) add('native', runNativeTests(tree))
  if (parts.includes('lib')) {
    buildAddon()
    buildLibrary()
    add('lib', runLibraryTests(extra))
  }
  writeFileSync(join(reports, 'test.json'), `${JSON.stringify(sums)}\n`)
  // At the very end, where whoever has only that part of a log still finds them.
  console.log(['', ...sums.names.map((name) => `FAILED: ${name}`), ...lines].join('\n'))
  if (sums.failed > 0) process.exitCode = 1
})
