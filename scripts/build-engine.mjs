// npm run build:engine: compiles llama.cpp from source into out/engine/<name>/, a directory the addon opens like an engine pack.
//
//   npm run build:engine -- --backend cpu|cuda|vulkan|metal [--name NAME] [--all-variants] [-DOPTION=VALUE …]
//
// --all-variants builds the CPU backend once per instruction set level, for a directory that moves between machines.
// -D options go to CMake after ours: -DCMAKE_CUDA_ARCHITECTURES=90, …
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { arch, argv } from 'node:process'
import { parseArgs } from 'node:util'
import { requireTools } from './build.mjs'
import { compile, configure, root, ScriptError, script } from './common.mjs'
import { ensureLlamaSource, llamaDir } from './llama-source.mjs'

const backends = ['cpu', 'cuda', 'vulkan', 'metal']

function options(backend, allVariants) {
  const on = (flag) => (flag ? 'ON' : 'OFF')
  return {
    GGML_CUDA: on(backend === 'cuda'),
    GGML_VULKAN: on(backend === 'vulkan'),
    GGML_METAL: on(backend === 'metal'),
    GGML_CPU_ALL_VARIANTS: on(allVariants),
    // As in the packs: ggml's own threads, and no OpenMP runtime that the user's machine may lack.
    GGML_OPENMP: 'OFF',
    // llama.cpp refuses the native CPU in a loadable backend on x86, and with variants everywhere; AVX2 is then the baseline.
    ...((allVariants || arch === 'x64') && { GGML_NATIVE: 'OFF' }),
    // Only for the GPUs of this machine: every architecture takes about an hour.
    ...(backend === 'cuda' && { CMAKE_CUDA_ARCHITECTURES: 'native' }),
  }
}

script(() => {
  const { values } = parseArgs({
    args: argv.slice(2).map((argument) => argument.replace(/^-D(?=.)/, '--define=')),
    options: {
      backend: { type: 'string', default: 'cpu' },
      name: { type: 'string' },
      'all-variants': { type: 'boolean', default: false },
      define: { type: 'string', multiple: true, default: [] },
    },
  })
  const { backend, name = backend, define } = values
  if (!backends.includes(backend))
    throw new ScriptError(`Expected one of ${backends.join(', ')} for --backend but received ${backend}`)
  if (!/^[\w-]+$/.test(name))
    throw new ScriptError(`Expected letters, digits, "_" and "-" for --name but received ${name}`)

  requireTools()
  ensureLlamaSource({ full: true })
  const tree = join(root, 'out', `build-engine-${name}`)
  // Options and libraries of an earlier run must not stay; object files may.
  rmSync(join(tree, 'CMakeCache.txt'), { force: true })
  rmSync(join(tree, 'bin'), { recursive: true, force: true })
  configure(tree, {
    Z1_BUILD_ENGINE: 'ON',
    CMAKE_BUILD_TYPE: 'Release',
    LLAMA_CPP_DIR: llamaDir,
    ...options(backend, values['all-variants']),
    ...Object.fromEntries(define.map((definition) => definition.split(/=(.*)/s, 2))),
  })
  compile(tree, 'Release')

  const output = join(root, 'out', 'engine', name)
  const work = `${output}.new`
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  const built = [join(tree, 'bin', 'Release'), join(tree, 'bin')].find((directory) => existsSync(directory))
  for (const file of readdirSync(built).filter((file) => /\.(so|dylib|dll|metal|metallib)(\.[\d.]+)?$/.test(file))) {
    // A version is a symbolic link to the library of the next longer name; copied as links they stay relative to the folder.
    cpSync(join(built, file), join(work, file), { verbatimSymlinks: true })
  }
  cpSync(join(tree, '_nlcBuildMetadata.json'), join(work, '_nlcBuildMetadata.json'))
  rmSync(output, { recursive: true, force: true })
  renameSync(work, output)
  console.log(`\nEngine: ${output}`)
})
