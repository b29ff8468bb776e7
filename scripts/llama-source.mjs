// Brings the source of the pinned llama.cpp release to out/llama.cpp. It travels as a git bundle inside the npm package
// node-llama-cpp, so that it comes from the same registry, and is the same commit, as the engine packs.
//
//   node scripts/llama-source.mjs          the headers and what the tests read (8 MB beside the git objects)
//   node scripts/llama-source.mjs --full   everything, to build an engine from source
//
// Does nothing when that is there. LLAMA_CPP_DIR names a checkout to use instead; nothing is fetched then.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { argv, env } from 'node:process'
import { pathToFileURL } from 'node:url'
import { capture, npm, root, run, ScriptError, script } from './common.mjs'

// One number for packs and source: package.json's.
const { optionalDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const source = {
  package: `node-llama-cpp@${Object.values(optionalDependencies)[0]}`,
  integrity: 'sha512-bltIipuWmc123H7tMIgDGKSsSrhmhlQYeVUC48XTjVW7XGJJiJJyCdlTMzQ/LiWoPkGDpcL4FviDpgw7qfTiDw==',
  bundle: 'package/llama/gitRelease.bundle',
  commit: 'de3ff815ea7d559ee917f063901b8986f038abc6',
}

// The two list files hold the version numbers; the vocabulary serves tests that tokenize without a model, the templates
// those that render.
const needed = [
  '/include/',
  '/ggml/include/',
  '/CMakeLists.txt',
  '/ggml/CMakeLists.txt',
  '/LICENSE',
  '/models/ggml-vocab-qwen2.gguf',
  '/models/templates/',
]

export const llamaDir = resolve(root, env.LLAMA_CPP_DIR || 'out/llama.cpp')

/** Makes the source available in {@link llamaDir}; does nothing when it is there. */
export function ensureLlamaSource({ full = false } = {}) {
  if (env.LLAMA_CPP_DIR) {
    const wanted = join(llamaDir, full ? 'src/CMakeLists.txt' : 'include/llama.h')
    if (!existsSync(wanted))
      throw new ScriptError(`LLAMA_CPP_DIR is not a checkout of llama.cpp: there is no ${wanted}.`)
    return
  }
  if (checkedOutCommit() !== source.commit) clone()
  // A checkout of the same commit may be from before something was needed.
  else if (!needed.every((path) => existsSync(join(llamaDir, path)))) selectNeeded(llamaDir)
  if (full) git(llamaDir, 'sparse-checkout', 'disable')
}

function checkedOutCommit() {
  const head = join(llamaDir, '.git', 'HEAD')
  return existsSync(head) ? readFileSync(head, 'utf8').trim() : null
}

function clone() {
  console.log(`llama.cpp: fetching its source (${source.package}, 36 MB)`)
  // Beside the destination, so that the last step is one rename on one file system: a killed run leaves no half checkout.
  const work = join(root, 'out', 'llama-source')
  rmSync(work, { recursive: true, force: true })
  mkdirSync(work, { recursive: true })
  try {
    npm(capture, ['pack', source.package, '--ignore-scripts', '--loglevel=error', '--pack-destination', work])
    const tarball = `${source.package.replace('@', '-')}.tgz`
    const hash = createHash('sha512').update(readFileSync(join(work, tarball)))
    const integrity = `sha512-${hash.digest('base64')}`
    if (integrity !== source.integrity) {
      throw new ScriptError(
        `${source.package} is not the pinned file: expected ${source.integrity} but received ${integrity}.`,
      )
    }
    // Relative names: GNU tar takes the colon of C:\… for a host name.
    run('tar', ['-xzf', tarball, source.bundle], { cwd: work })
    capture('git', ['clone', '--quiet', '--no-checkout', source.bundle, 'llama.cpp'], { cwd: work })
    const checkout = join(work, 'llama.cpp')
    selectNeeded(checkout)
    git(checkout, '-c', 'advice.detachedHead=false', 'checkout', '--quiet', source.commit)
    rmSync(llamaDir, { recursive: true, force: true })
    renameSync(checkout, llamaDir)
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}

function selectNeeded(directory) {
  git(directory, 'sparse-checkout', 'set', '--no-cone', ...needed)
}

function git(directory, ...args) {
  return capture('git', ['-C', directory, '-c', 'core.autocrlf=false', ...args])
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  script(() => ensureLlamaSource({ full: argv.includes('--full') }))
}
