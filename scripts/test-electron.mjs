// npm run test:electron: runs examples/electron in Electron, where there is one, and looks at its answer.
//
// Electron is the program that Z1_ELECTRON names, or the one that the package `electron` has downloaded; nothing is downloaded here.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { env, platform } from 'node:process'
import { root, ScriptError, script } from './common.mjs'

/** The package's own layout (electron/index.js): path.txt names the program in dist/. */
function downloaded() {
  const path = join(root, 'node_modules', 'electron', 'path.txt')
  return existsSync(path) ? join(root, 'node_modules', 'electron', 'dist', readFileSync(path, 'utf8')) : null
}

/** The example as an application that has installed the package. In the checkout it is a package that has not. */
function installExample() {
  const folder = mkdtempSync(join(tmpdir(), 'z1-electron-'))
  cpSync(join(root, 'examples', 'electron'), folder, { recursive: true })
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules', 'z1-native'), 'junction')
  return folder
}

script(() => {
  const program = env.Z1_ELECTRON ?? downloaded()
  if (!program || !existsSync(program)) {
    console.log('Electron was not run: there is none here. Set Z1_ELECTRON to its program.')
    return
  }
  if (!existsSync(join(root, 'dist', 'electron', 'utility.js'))) throw new ScriptError('Run: npm run compile')
  const sandbox = platform === 'linux' && process.getuid?.() === 0 ? ['--no-sandbox'] : []
  const folder = installExample()
  const { stdout, stderr, status, error } = spawnSync(program, [...sandbox, folder], {
    encoding: 'utf8',
    timeout: 300_000,
    env: { ...env, Z1_ELECTRON_TEST: '1' },
  })
  rmSync(folder, { recursive: true, force: true })
  const title = stdout?.trim()
  if (error || status !== 0 || title !== '42') {
    throw new ScriptError(
      `Electron answered "${title}" with exit code ${status}, expected 42.\n${error ?? ''}${stderr}`,
    )
  }
  console.log('Electron: the page asked the model in its utility process, and got 42.')
})
