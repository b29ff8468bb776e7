// npm run test:package: makes the tarball as for a release, installs it into an empty project without install scripts, as
// npm does for users, and lets the installed package answer a question with its embedded model.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { arch, execPath, features, platform } from 'node:process'
import { run, ScriptError, script } from './common.mjs'
import { installTarball, makeTarball, QUESTION } from './tarball.mjs'

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

// docs/electron.md says which Node can.
const required = `
const { Z1 } = require('z1-native')
if (typeof Z1.load !== 'function') throw new Error('require() gave no Z1')
`

script(() => {
  const work = mkdtempSync(join(tmpdir(), 'z1-package-'))
  try {
    const { filename, files: paths, size } = makeTarball(work)
    const missing = expected.filter((path) => !paths.includes(path))
    const extra = paths.filter((path) => forbidden.test(path))
    if (!paths.some((path) => /^models\/.*\.gguf$/.test(path))) missing.push('models/*.gguf')
    if (missing.length > 0) throw new ScriptError(`The tarball lacks ${missing.join(', ')}`)
    if (extra.length > 0) throw new ScriptError(`The tarball should not have ${extra.join(', ')}`)
    console.log(`${filename}: ${paths.length} files, ${(size / 1e6).toFixed(1)} MB`)

    installTarball(work, filename)
    writeFileSync(join(work, 'question.js'), QUESTION)
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
