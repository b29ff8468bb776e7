// npm run compile: llama.cpp's headers, the addon (build/Release/z1_native.node) and dist/. Fast when nothing changed.
//
//   node scripts/build.mjs                both
//   node scripts/build.mjs addon [arch]   the addon alone; binding.gyp calls this
import { chmodSync, cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { arch, argv, execPath, platform } from 'node:process'
import { pathToFileURL } from 'node:url'
import { available, capture, jobs, root, run, ScriptError, script } from './common.mjs'
import { ensureLlamaSource, llamaDir } from './llama-source.mjs'

const require = createRequire(import.meta.url)

// Not below build/: node-gyp rebuild deletes that folder, and its Makefile would meet CMake's.
const addonTree = join(root, 'out', 'build-addon')

/** Ends with one message that names every missing tool, before a tool fails with its own. */
export function requireTools() {
  const missing = ['cmake', 'git', 'tar'].filter((tool) => !available(tool))
  if (platform !== 'win32') {
    if (!['c++', 'g++', 'clang++'].some(available)) missing.push('a C++20 compiler')
    if (!['make', 'ninja'].some(available)) missing.push('make')
  }
  if (missing.length === 0) return
  const hint = {
    linux: 'On Debian and Ubuntu: sudo apt-get install g++ make cmake git',
    darwin: 'Install the command line tools (xcode-select --install) and CMake (brew install cmake).',
    win32: 'Install Visual Studio 2022 with "Desktop development with C++", CMake and Git.',
  }
  throw new ScriptError(`The native build needs ${missing.join(', ')}.\n${hint[platform] ?? ''}`)
}

/**
 * Compiles the addon for one architecture.
 *
 * @param tree Folder of the CMake build.
 * @param definitions CMake variables, such as those of a cross-compiler.
 */
export function buildAddon(target = arch, tree = addonTree, definitions = {}) {
  requireTools()
  ensureLlamaSource()
  const variables = Object.entries({ LLAMA_CPP_DIR: llamaDir, ...definitions })
  const options = ['--directory', root, '--out', tree, '--arch', target]
  options.push(...variables.map(([name, value]) => `--CD${name}=${value}`))
  // cmake-js does not configure again while a cache exists, even when its options changed.
  const stamp = join(tree, 'configured-with.txt')
  const command = cmakeJs(capture, 'print-configure', ...options)
  if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== command) {
    rmSync(tree, { recursive: true, force: true })
    cmakeJs(run, 'configure', ...options, '--log-level', 'error')
    writeFileSync(stamp, command)
  }
  cmakeJs(run, 'build', ...options, '--parallel', jobs, '--log-level', 'error')
}

/** Compiles lib/ to dist/, without leftovers of removed files. */
export function buildLibrary() {
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  run(execPath, [developmentTool('typescript/bin/tsc'), '--project', 'tsconfig.json'])
  // What pages are made of is read as text.
  for (const page of [join('eval', 'html', 'browser'), join('server', 'page')]) {
    cpSync(join(root, 'lib', page), join(root, 'dist', page), { recursive: true })
  }
  // npm sets it at an installation, and npx expects it in a checkout.
  chmodSync(join(root, 'dist', 'cli', 'main.js'), 0o755)
}

function cmakeJs(how, ...args) {
  return how(execPath, [developmentTool('cmake-js/bin/cmake-js'), ...args])
}

function developmentTool(path) {
  try {
    return require.resolve(path)
  } catch {
    throw new ScriptError(`Cannot find ${path}. Building needs the development dependencies: npm install --include=dev`)
  }
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  script(() => {
    const [what, target] = argv.slice(2)
    buildAddon(target)
    if (what !== 'addon') buildLibrary()
  })
}
