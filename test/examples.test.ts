/** Every program in examples/ runs, on the embedded model, and prints what its first line says. */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../examples', import.meta.url))

/** What each prints; answers were worked out by hand. */
const OUTPUT: Record<string, RegExp> = {
  'ask.mjs': /^3\n\d+ thinking tokens, ended: self\n$/,
  'stream.mjs': /⟨cut after 16 tokens⟩\n\nI overthought it[\s\S]*\nended: window\n$/,
  'parallel.mjs':
    /^How many s's are in possess\? 4 \(\d+ ms\)\nSort 5, 3, 9, 1\. 1, 3, 5, 9 .*\nWhat is 12 \+ 30\? 42 .*\n$/,
  // A second turn is beyond the model, so its answer is not looked at.
  'conversation.mjs':
    /^What is 12 \+ 30\? 42 \(0 of \d+ .*\)\nWhat is 345 \+ 678\? .* \([1-9]\d* of \d+ prompt tokens .*\)\n$/,
  'answer-now.mjs': /\n---\n[\s\S]+\nended: request\n$/,
}

it('has a line here for each of them', () => {
  expect(Object.keys(OUTPUT).sort()).toEqual(
    readdirSync(folder)
      // Needs Electron: test/electron/example.test.ts.
      .filter((name) => name !== 'electron')
      .sort(),
  )
})

it.each(Object.entries(OUTPUT))('%s', (name, output) => {
  // On one core, where the package takes one thread: two threads spin while other tests run.
  const [command, ...args] =
    process.platform === 'linux' ? ['taskset', '-c', '0', process.execPath, name] : [process.execPath, name]
  const { stdout, stderr, status } = spawnSync(command as string, args, { cwd: folder, encoding: 'utf8' })
  expect(stderr).toBe('')
  expect(stdout).toMatch(output)
  expect(status).toBe(0)
})
