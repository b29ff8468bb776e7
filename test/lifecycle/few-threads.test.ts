/** A system that lets no more threads start: an error with a code, and the process lives on. */
import { spawnSync } from 'node:child_process'
import { expect, it } from 'vitest'

const nobody = 65_534

/** Loads with far more threads than there may be, then with one thread, and prints what came of each. */
const script = `
const { Z1 } = await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})
for (const threads of [64, 1]) {
  try {
    await (await Z1.load({ threads, engine: 'cpu' })).dispose()
    console.log('loaded')
  } catch (error) {
    console.log(error.name, error.code)
  }
}`

it.runIf(process.platform === 'linux')('is THREAD_FAILED', (context) => {
  // The limit does not bind root. Of another user's processes there are few.
  const user = process.getuid?.() === 0 ? { uid: nobody, gid: nobody } : {}
  const node = ['--nproc=40', process.execPath, '--input-type=module', '-e']
  const run = (code: string) => spawnSync('prlimit', [...node, code], { encoding: 'utf8', cwd: '/', ...user })
  const able = run(`await import(${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)})`)
  if (able.status !== 0) {
    const why = able.stderr || String(able.error)
    console.log(
      `test/lifecycle/few-threads.test.ts did not run: another user cannot run the build (${why.split('\n')[0]})`,
    )
    return context.skip()
  }
  const { stdout, stderr, status } = run(script)
  expect(stderr).toBe('')
  expect(stdout).toBe('Z1Error THREAD_FAILED\nloaded\n')
  expect(status).toBe(0)
})
