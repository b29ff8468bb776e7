// npm run test:package: makes the tarball as for a release, installs it into an empty project without install scripts, as
// npm does for users, and lets the installed package answer a question with its embedded model.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arch, execPath, features, platform } from 'node:process'
import { capture, npm, run, ScriptError, script } from './common.mjs'

const expected = [
  `prebuilds/${platform}-${arch}/z1-native.node`,
  'dist/index.js',
  'dist/index.d.ts',
  'dist/cli/main.js',
  'dist/eval/html/browser/main.js',
  'LICENSE',
  'README.md',
]
// binding.gyp would make npm compile at the user's; sources and tests are of no use there.
const forbidden = /^(binding\.gyp|CMakeLists\.txt|(native|test|scripts|out|build|node_modules)\/)/

const question = `
import { Z1 } from 'z1-native'
const z1 = await Z1.load()
const { tokens, usage } = await z1.reason('What is 2 + 3?', { thinkingWindow: 16, maxTokens: 16 })
await z1.dispose()
if (tokens.reasoning.length !== usage.thinkingTokens || usage.thinkingTokens === 0) throw new Error(JSON.stringify(usage))
console.log(JSON.stringify(usage))
// The layers over it, with nothing else installed.
const { createApp } = await import('z1-native/server')
const { languageModel } = await import('z1-native/ai-sdk')
const health = await createApp(z1).fetch(new Request('http://localhost/health'))
if (health.status !== 200 || languageModel(z1).specificationVersion !== 'v3') throw new Error(String(health.status))
`

// docs/electron.md says which Node can.
const required = `
const { Z1 } = require('z1-native')
if (typeof Z1.load !== 'function') throw new Error('require() gave no Z1')
`

script(() => {
  const work = mkdtempSync(join(tmpdir(), 'z1-package-'))
  try {
    npm(run, ['run', 'prebuild'])
    // prebuildify moved the addon away from where the checkout's own tests look for it.
    npm(run, ['run', 'compile'])
    const [{ filename, files, size }] = JSON.parse(
      npm(capture, ['pack', '--json', '--ignore-scripts', '--pack-destination', work]),
    )
    const paths = files.map((file) => file.path)
    const missing = expected.filter((path) => !paths.includes(path))
    const extra = paths.filter((path) => forbidden.test(path))
    if (!paths.some((path) => /^models\/.*\.gguf$/.test(path))) missing.push('models/*.gguf')
    if (missing.length > 0) throw new ScriptError(`The tarball lacks ${missing.join(', ')}`)
    if (extra.length > 0) throw new ScriptError(`The tarball should not have ${extra.join(', ')}`)
    console.log(`${filename}: ${paths.length} files, ${(size / 1e6).toFixed(1)} MB`)

    writeFileSync(join(work, 'package.json'), '{ "private": true, "type": "module" }')
    npm(run, ['install', '--ignore-scripts', '--no-audit', '--no-fund', `./${filename}`], { cwd: work })
    writeFileSync(join(work, 'question.js'), question)
    run(execPath, ['question.js'], { cwd: work })
    if (features.require_module) {
      writeFileSync(join(work, 'required.cjs'), required)
      run(execPath, ['required.cjs'], { cwd: work })
    }
    const installed = readdirSync(join(work, 'node_modules', '.bin'))
    if (!installed.includes('z1')) throw new ScriptError('The command z1 was not installed.')
    console.log('The package works.')
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
})
