// What has to be there before anything is measured: the project's build, the models, and the raw loop, which is
// test/native/reference.cpp compiled with optimization (npm test compiles it without).
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { execPath } from 'node:process'
import { capture, root, run, ScriptError } from '../scripts/common.mjs'
import { ensureLlamaSource, llamaDir } from '../scripts/llama-source.mjs'

const tree = join(root, 'out', 'build-bench')

/** The raw loop. */
export const reference = join(tree, 'bin', 'reference')

/** Neither model ends by itself: the small one's end token is silent, the large one's is one of 151,936. */
export const models = {
  small: {
    title: '2.4M parameters, F32, vocabulary of 259',
    name: 'qwen2-bytes',
    // Layers × heads of K and V × their size × 2 bytes, and as many of V.
    cellBytes: 3 * 2 * 64 * 2 * 2,
    options: { endGain: 0, trainingContext: 16_384, shape: { layers: 3, width: 256, feedForward: 736 } },
    separator: '',
  },
  large: {
    title: '0.5B parameters, Q8_0, vocabulary of 151,936',
    name: 'qwen2-0.5b',
    cellBytes: 24 * 2 * 64 * 2 * 2,
    options: {},
    separator: ' ',
  },
}

/** A text of `n` tokens: letters, which in the large vocabulary are tokens together with a space. */
export function text(name, n, first = 0) {
  const letter = (i) => String.fromCharCode(97 + ((first + i * i) % 26))
  return Array.from({ length: n }, (_, i) => models[name].separator + letter(i)).join('')
}

export function setUp() {
  if (!existsSync(join(root, 'dist', 'index.js'))) {
    throw new ScriptError('The project is not built. In its root folder: npm install')
  }
  if (!existsSync(join(root, 'bench', 'node_modules', 'node-llama-cpp'))) {
    throw new ScriptError('node-llama-cpp is not installed. In bench/: npm install')
  }
  ensureLlamaSource()
  const options = ['-DZ1_BUILD_TESTS=ON', '-DCMAKE_BUILD_TYPE=Release', `-DLLAMA_CPP_DIR=${llamaDir}`]
  capture('cmake', ['-S', root, '-B', tree, ...options])
  build('reference')
  const tsc = createRequire(join(root, 'package.json')).resolve('typescript/bin/tsc')
  run(execPath, [tsc, '--project', 'bench/tsconfig.json'])
}

/** Compiles a program of test/native/CMakeLists.txt with optimization; returns its path. */
export function build(target) {
  capture('cmake', ['--build', tree, '--config', 'Release', '--target', target])
  return join(tree, 'bin', target)
}

/** Path of a model, built the first time (the large one: 530 MB, 15 s). */
export async function modelPath(name) {
  const { testModel } = await import('../out/test-support/models.js')
  return testModel(models[name].name, models[name].options)
}
